//! From noise and data to a batch: where all randomness of a training step is drawn.

use std::ops::Range;
use std::sync::Arc;

use burn::tensor::Device;
use flow_path::stream::{Purpose, Streams};
use flow_path::{ClassAware, Coupling, Given, Pairing, PathError, Source};
use rand::{Rng, RngExt};

use crate::conditions::{check_conditions, context_size, hidden, hide_parts};
use crate::data::{DataSource, Draw, Leg};
use crate::drawn::{Block, Drawn};
use crate::error::TrainError;
use crate::flow_matching::FlowMatching;
use crate::objective::Batch;
use crate::pairs::Pairs;
use crate::parts::{DrawBy, Parts};
use crate::source::BatchSource;

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
    /// When a batch has no rows or the data do not give whole ones, a rate of hiding is no
    /// probability, or paths start from data and the rows have no starts.
    fn batch(&self, step: usize, device: &Device) -> Result<Batch, TrainError> {
        Ok(self.draw(step, step as u64, None)?.upload(&self.matching, device))
    }

    fn parts(
        &self,
        step: usize,
        parts: Parts,
        own: Range<usize>,
        device: &Device,
    ) -> Result<Vec<Batch>, TrainError> {
        self.draw_parts(step, parts, own, None, device)
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
    /// The parts `own` of the batch of `step`, with second times where the pairs of a flow map are
    /// asked for.
    pub(crate) fn draw_parts(
        &self,
        step: usize,
        parts: Parts,
        own: Range<usize>,
        pairs: Option<Pairs>,
        device: &Device,
    ) -> Result<Vec<Batch>, TrainError> {
        let Parts { count, draw } = parts;
        let upload = |drawn: Drawn| drawn.upload(&self.matching, device);
        match draw {
            _ if count == 1 => Ok(vec![upload(self.draw(step, step as u64, pairs)?)]),
            DrawBy::Batch => {
                let whole = self.draw(step, step as u64, pairs)?;
                Ok(own.map(|part| upload(whole.part(part, count))).collect())
            }
            DrawBy::Part => {
                let small = Self { rows: self.rows / count, ..self.clone() };
                let index = |part| step as u64 * count as u64 + part as u64;
                own.map(|part| Ok(upload(small.draw(step, index(part), pairs)?))).collect()
            }
        }
    }

    /// The batch numbered `index` among all, at `step`.
    fn draw(&self, step: usize, index: u64, pairs: Option<Pairs>) -> Result<Drawn, TrainError> {
        let Self { matching, rows, streams, .. } = self;
        let rng = |purpose| streams.rng(index, purpose);

        let first = index * *rows as u64;
        let mut draw = self.data.draw(first..first + *rows as u64, streams);
        let size: usize = self.data.shape().iter().product();
        check_rows(step, *rows, size, &draw)?;
        check_conditions(step, *rows, &*self.data, &draw)?;
        let noise = match draw.starts {
            Some(starts) => starts,
            None => matching.source.sample(*rows, size, &mut rng(Purpose::Noise)),
        };
        let mut labels = draw.labels.filter(|_| 0 < self.classes);
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
        let (t, factors) = matching.draw_times(*rows, &mut rng(Purpose::Time));
        let (t, s) = match pairs {
            Some(pairs) => {
                let (t, s) = pairs.draw(t, matching, &mut rng(Purpose::Jump));
                (t, Some(s))
            }
            None => (t, None),
        };
        let normal = |size, purpose| Block {
            values: Source::Normal.sample(*rows, size, &mut rng(purpose)),
            size,
        };
        if let Some(labels) = &mut labels {
            self.drop_labels(labels, &mut rng(Purpose::LabelDrop));
        }
        if let (Some(vectors), [_, ..]) = (&mut draw.vectors, &matching.part_drop[..]) {
            let parts = &matching.part_drop;
            hide_parts(vectors, self.data.vector(), parts, &mut rng(Purpose::PartDrop));
        }
        let told = draw.vectors.is_some() || draw.contexts.is_some();
        let drop = matching.condition_drop;
        let of = |size| move |values| Block { values, size };
        let there = draw.lengths.as_deref().map(|lengths| over_there(lengths, self.data.shape()));
        let weight = multiplied(pairing.weights().map(<[f64]>::to_vec), factors);
        let weight = multiplied(weight, there);
        let known = draw.known.as_deref().map(|known| over_known(known, *rows));
        let weight = multiplied(weight, known);
        let mut hidden = hidden(*rows, told, drop, &mut rng(Purpose::ConditionDrop));
        if let (Some(hidden), Some(known)) = (&mut hidden, &draw.known) {
            show_incomplete(hidden, known, size);
        }
        Ok(Drawn {
            x0: Block { values: pairing.gather(&noise, size), size },
            x1: Block { values: draw.rows, size },
            blur: matching.is_random().then(|| normal(size, Purpose::Blur)),
            t: t.as_slice().to_vec(),
            s: s.map(|s| s.as_slice().to_vec()),
            jumps: pairs.map_or(0, |pairs| pairs.jumps(*rows)),
            legs: draw.legs,
            weight: weight.map(|w| w.into_iter().map(|w| w as f32).collect()),
            labels,
            lengths: draw.lengths,
            known: draw.known.map(|known| Block {
                values: known.into_iter().map(|known| f32::from(u8::from(known))).collect(),
                size,
            }),
            vectors: draw.vectors.map(of(self.data.vector())),
            contexts: draw.contexts.map(of(context_size(&*self.data))),
            hidden,
            // The noise of the loss has a stream of its own: pairs and times are those of a loss
            // without.
            noise: (0 < self.noise).then(|| normal(self.noise, Purpose::Latent)),
        })
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
        let Some(legs) = legs else { return within.pair(x0, x1, given, size, rng) };
        let groups: Vec<usize> = legs.iter().map(|leg| leg.group).collect();
        let given = Given { labels: Some(&groups), ..given };
        ClassAware { within }.pair(x0, x1, given, size, rng)
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

/// Shows the vectors of rows that lack a number: one that is hidden says that nothing is missing.
fn show_incomplete(hidden: &mut [bool], known: &[bool], size: usize) {
    for (hidden, known) in hidden.iter_mut().zip(known.chunks(size)) {
        *hidden &= !known.contains(&false);
    }
}

/// For each row of a batch of which some numbers are not known, the numbers of all over those that
/// are known: a mean of what is zero elsewhere is then one over what is known.
fn over_known(known: &[bool], rows: usize) -> Vec<f64> {
    let there = known.iter().filter(|known| **known).count();
    vec![known.len() as f64 / there as f64; rows]
}

/// For each row of a batch of sequences, the elements of all over those that are there: a mean of
/// what is zero behind the ends is then one over what is there.
fn over_there(lengths: &[usize], shape: &[usize]) -> Vec<f64> {
    let elements = lengths.len() * shape[0];
    vec![elements as f64 / lengths.iter().sum::<usize>() as f64; lengths.len()]
}
