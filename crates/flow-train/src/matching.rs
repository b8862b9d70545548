//! From noise and data to a batch: where all randomness of a training step is drawn.

use std::sync::Arc;

use burn::tensor::{Device, Tensor, TensorData};
use flow_nn::{Condition, Time};
use flow_path::stream::{Purpose, Streams};
use flow_path::{ClassAware, Coupling, Given, Pairing, PathError, Source, Times};
use rand::{Rng, RngExt};

use crate::conditions::{check_conditions, with_conditions};
use crate::data::{DataSource, Draw, Leg};
use crate::error::TrainError;
use crate::flow_matching::FlowMatching;
use crate::loader::BatchSource;
use crate::objective::Batch;
use crate::pairs::Pairs;

/// The batches of a run of [`FlowMatching`] on a data set.
#[derive(Clone, Debug)]
pub struct MatchingBatches {
    /// What is regressed.
    pub matching: FlowMatching,
    /// The data.
    pub data: Arc<dyn DataSource>,
    /// Number of classes; the null class has this index. 0 ignores labels.
    pub classes: usize,
    /// Rows in a batch.
    pub rows: usize,
    /// Standard normal numbers that each row brings for the loss: see
    /// [`Objective::noise`](crate::Objective::noise).
    pub noise: usize,
    /// The random streams of the run.
    pub streams: Streams,
}

impl BatchSource for MatchingBatches {
    type Batch = Batch;

    /// # Errors
    /// When a row of the data or its condition is not finite, or it is of a class that there is
    /// not, or cannot be paired.
    ///
    /// # Panics
    /// When a batch has no rows or the data do not give whole ones, `label_drop` or
    /// `condition_drop` is no probability, or paths start from data and the rows have no starts.
    fn batch(&self, step: usize, device: &Device) -> Result<Batch, TrainError> {
        self.draw(step, None, device)
    }

    fn rows(&self) -> usize {
        self.rows
    }

    fn classes(&self) -> usize {
        self.classes
    }

    fn vector(&self) -> usize {
        self.data.vector()
    }

    fn context(&self) -> &[usize] {
        self.data.context()
    }

    fn lengths(&self) -> bool {
        self.data.lengths()
    }
}

impl MatchingBatches {
    /// The batch of `step`, with second times where the pairs of a flow map are asked for.
    pub(crate) fn draw(
        &self,
        step: usize,
        pairs: Option<Pairs>,
        device: &Device,
    ) -> Result<Batch, TrainError> {
        let Self { matching, rows, streams, .. } = self;
        let index = step as u64;
        let rng = |purpose| streams.rng(index, purpose);

        let first = index * *rows as u64;
        let draw = self.data.draw(first..first + *rows as u64, streams);
        let size: usize = self.data.shape().iter().product();
        check_rows(step, *rows, size, &draw)?;
        check_conditions(step, *rows, &*self.data, &draw)?;
        let noise = match draw.starts {
            Some(starts) => starts,
            None => matching.source.sample(*rows, size, &mut rng(Purpose::Noise)),
        };
        let labels = draw.labels.filter(|_| 0 < self.classes);
        if let Some(labels) = &labels
            && let Some(row) = labels.iter().position(|&label| self.classes <= label)
        {
            let (label, classes) = (labels[row], self.classes);
            return Err(TrainError::Label { step, row, label, classes });
        }
        let given = Given { labels: labels.as_deref(), vectors: draw.vectors.as_deref() };
        let pairing = self
            .pair(&noise, &draw.rows, given, draw.legs.as_deref(), &mut rng(Purpose::Coupling))
            .map_err(|source| TrainError::Coupling { step, source })?;
        let noise = pairing.gather(&noise, size);
        let (t, factors) = matching.draw_times(*rows, &mut rng(Purpose::Time));
        let (t, s) = match pairs {
            Some(pairs) => {
                let (t, s) = pairs.draw(t, matching, &mut rng(Purpose::Jump));
                (t, Some(s))
            }
            None => (t, None),
        };
        let blur = matching.between.is_random().then(|| {
            let z = Source::Normal.sample(*rows, size, &mut rng(Purpose::Blur));
            rows_of(z, size, device)
        });
        let (x0, x1) = (rows_of(noise, size, device), rows_of(draw.rows, size, device));
        let (x_t, target) = matching.regress(x0.clone(), x1.clone(), blur, &t);
        let x_t = matching.prediction.input(x_t, &*matching.schedule, &t);
        let (t, target) = match &draw.legs {
            Some(legs) => along(legs, &t, target),
            None => (t, target),
        };
        let weight = multiplied(pairing.weights().map(<[f64]>::to_vec), factors).map(|w| {
            let w: Vec<f32> = w.into_iter().map(|w| w as f32).collect();
            Tensor::from_data(TensorData::new(w, [*rows]), device)
        });
        let condition = match labels {
            Some(mut labels) => {
                self.drop_labels(&mut labels, &mut rng(Purpose::LabelDrop));
                Condition::classes(&labels, device)
            }
            None => Condition::none(),
        };
        let drop = (matching.condition_drop, &mut rng(Purpose::ConditionDrop) as &mut dyn Rng);
        let numbers = (draw.vectors, draw.contexts);
        let mut condition = with_conditions(condition, &*self.data, numbers, drop, device);
        if let Some(lengths) = draw.lengths {
            condition = condition.with_lengths(&lengths);
        }
        // The noise of the loss has a stream of its own: pairs and times are those of a loss
        // without.
        let noise = (0 < self.noise).then(|| {
            let rng = &mut rng(Purpose::Latent);
            rows_of(Source::Normal.sample(*rows, self.noise, rng), self.noise, device)
        });
        let time = Time { t: t.to_tensor(device), s: s.map(|s| s.to_tensor(device)) };
        let jumps = pairs.map_or(0, |pairs| pairs.jumps(*rows));
        Ok(Batch { x0, x1, x_t, time, jumps, target, weight, condition, noise })
    }

    /// Pairs the rows of a batch; where paths take legs, those of one leg and condition alone.
    fn pair(
        &self,
        x0: &[f32],
        x1: &[f32],
        given: Given<'_>,
        legs: Option<&[Leg]>,
        rng: &mut dyn Rng,
    ) -> Result<Pairing, PathError> {
        let (size, within) = (x1.len() / self.rows, &*self.matching.coupling);
        let Some(legs) = legs else { return within.pair_given(x0, x1, given, size, rng) };
        let groups: Vec<usize> = legs.iter().map(|leg| leg.group).collect();
        let given = Given { labels: Some(&groups), ..given };
        ClassAware { within }.pair_given(x0, x1, given, size, rng)
    }

    fn drop_labels(&self, labels: &mut [usize], rng: &mut dyn Rng) {
        let p = self.matching.label_drop;
        assert!((0.0..=1.0).contains(&p), "expected a label_drop in [0, 1], got {p}");
        for label in labels {
            if rng.random_bool(p) {
                *label = self.classes;
            }
        }
    }
}

/// The times of the whole way at times `t` of its legs, and the velocities there.
fn along(legs: &[Leg], t: &Times, velocity: Tensor<2>) -> (Times, Tensor<2>) {
    let at = |(leg, t): (&Leg, f64)| leg.from + (leg.to - leg.from) * t;
    let times = Times::new(legs.iter().zip(t.iter()).map(at).collect());
    let faster = legs.iter().map(|leg| ((leg.to - leg.from).recip()) as f32).collect();
    let faster = TensorData::new(faster, [legs.len(), 1]);
    let faster = Tensor::<2>::from_data(faster, &velocity.device());
    (times, velocity * faster)
}

/// `[B, size]` from row-major values.
fn rows_of(values: Vec<f32>, size: usize, device: &Device) -> Tensor<2> {
    let shape = [values.len() / size, size];
    Tensor::from_data(TensorData::new(values, shape), device)
}

/// Refuses data that are not finite, with the first such row.
///
/// # Panics
/// When there are no rows, or another number of numbers than rows need.
pub(crate) fn check_rows(
    step: usize,
    rows: usize,
    size: usize,
    draw: &Draw,
) -> Result<(), TrainError> {
    let (expected, got) = (rows * size, draw.rows.len());
    assert!(
        0 < expected && got == expected,
        "expected {rows} rows of {size} numbers in a batch, at least one of each, got {got} numbers"
    );
    let starts = draw.starts.as_deref().unwrap_or_default();
    let bad =
        |values: &[f32]| values.iter().position(|x| !x.is_finite()).map(|at| (at, values[at]));
    match bad(&draw.rows).or_else(|| bad(starts)) {
        Some((at, value)) => Err(TrainError::Data { step, row: at / size, value }),
        None => Ok(()),
    }
}

/// The product of two weights of the same rows, where none means one.
fn multiplied(a: Option<Vec<f64>>, b: Option<Vec<f64>>) -> Option<Vec<f64>> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.iter().zip(b).map(|(a, b)| a * b).collect()),
        (a, b) => a.or(b),
    }
}
