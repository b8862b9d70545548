//! From noise and data to a batch: where all randomness of a training step is drawn.

use std::sync::Arc;

use burn::tensor::{Device, Tensor, TensorData};
use flow_nn::Condition;
use flow_path::stream::{Purpose, Streams};
use flow_path::{AffinePath, Coupling, Prediction, ProbabilityPath, Schedule, TimeSampler, Times};
use rand::{Rng, RngExt};
use rand_distr::{Distribution, StandardNormal};

use crate::data::DataSource;
use crate::error::TrainError;
use crate::loader::BatchSource;
use crate::objective::Batch;

/// What is regressed: a path, the law of its times, a coupling and a prediction.
#[derive(Clone, Debug)]
pub struct FlowMatching {
    /// `x_t = alpha(t) x_1 + sigma(t) x_0`.
    pub schedule: Arc<dyn Schedule>,
    /// What the network predicts.
    pub prediction: Prediction,
    /// Law of the training times.
    pub times: Arc<dyn TimeSampler>,
    /// Which noise meets which data.
    pub coupling: Arc<dyn Coupling>,
    /// Probability of hiding a label, for classifier-free guidance.
    pub label_drop: f64,
}

impl FlowMatching {
    /// `x_t` and the target for pairs `(x_0, x_1)`, one time per row.
    ///
    /// # Shapes
    /// - `x0`, `x1` and both outputs: `[B, ..]`
    #[must_use]
    pub fn regress<const D: usize>(
        &self,
        x0: Tensor<D>,
        x1: Tensor<D>,
        t: &Times,
    ) -> (Tensor<D>, Tensor<D>) {
        let sample = AffinePath::new(&*self.schedule).sample(x0.clone(), x1.clone(), t);
        let target = match self.prediction {
            Prediction::Velocity => sample.dx_t,
            other => other.target(x0, x1, &*self.schedule, t),
        };
        (sample.x_t, target)
    }
}

/// The batches of a run of [`FlowMatching`] on a data set.
#[derive(Clone, Debug)]
pub struct MatchingBatches<const D: usize> {
    /// What is regressed.
    pub matching: FlowMatching,
    /// The data.
    pub data: Arc<dyn DataSource>,
    /// Number of classes; the null class has this index. 0 ignores labels.
    pub classes: usize,
    /// Rows in a batch.
    pub rows: usize,
    /// The random streams of the run.
    pub streams: Streams,
}

impl<const D: usize> BatchSource for MatchingBatches<D> {
    type Batch = Batch<D>;

    fn batch(&self, step: usize, device: &Device) -> Result<Batch<D>, TrainError> {
        let Self { matching, rows, streams, .. } = self;
        let index = step as u64;
        let rng = |purpose| streams.rng(index, purpose);

        let first = index * *rows as u64;
        let draw = self.data.draw(first..first + *rows as u64, streams);
        let size: usize = self.data.shape().iter().product();
        let noise = normal(rows * size, &mut rng(Purpose::Noise));
        let labels = draw.labels.filter(|_| 0 < self.classes);
        let pairing = matching
            .coupling
            .pair(&noise, &draw.rows, labels.as_deref(), size, &mut rng(Purpose::Coupling))
            .map_err(|source| TrainError::Coupling { step, source })?;
        let noise = pairing.gather(&noise, size);
        let span = matching.prediction.span(&*matching.schedule);
        let t = matching.times.sample(*rows, &mut rng(Purpose::Time)).scaled_to(span);

        let (x_t, target) =
            matching.regress(self.tensor(noise, device), self.tensor(draw.rows, device), &t);
        let weight = pairing.weights().map(|w| {
            let w: Vec<f32> = w.iter().map(|&w| w as f32).collect();
            Tensor::from_data(TensorData::new(w, [*rows]), device)
        });
        let condition = match labels {
            Some(mut labels) => {
                self.drop_labels(&mut labels, &mut rng(Purpose::LabelDrop));
                Condition::classes(&labels, device)
            }
            None => Condition::none(),
        };
        Ok(Batch { x_t, t: t.to_tensor(device), target, weight, condition })
    }

    fn rows(&self) -> usize {
        self.rows
    }
}

impl<const D: usize> MatchingBatches<D> {
    /// `[B, ..]` from row-major values.
    fn tensor(&self, values: Vec<f32>, device: &Device) -> Tensor<D> {
        let mut shape = vec![self.rows];
        shape.extend(self.data.shape());
        Tensor::from_data(TensorData::new(values, shape), device)
    }

    fn drop_labels(&self, labels: &mut [usize], rng: &mut dyn Rng) {
        for label in labels {
            if rng.random_bool(self.matching.label_drop) {
                *label = self.classes;
            }
        }
    }
}

/// `n` standard normal numbers.
fn normal(n: usize, rng: &mut dyn Rng) -> Vec<f32> {
    (0..n).map(|_| StandardNormal.sample(rng)).collect()
}
