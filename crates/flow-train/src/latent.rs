//! Batches for a model with a latent.

use burn::tensor::{Device, Tensor, TensorData};
use flow_path::Source;
use flow_path::stream::Purpose;

use crate::error::TrainError;
use crate::loader::BatchSource;
use crate::matching::MatchingBatches;
use crate::objective::LatentBatch;

/// The batches of [`MatchingBatches`] with their pairs and the noise of the latent.
///
/// That noise has a stream of its own: pairs, times and noise are those of the run without a latent.
#[derive(Clone, Debug)]
pub struct LatentBatches<const D: usize> {
    /// What flow matching sees.
    pub matching: MatchingBatches<D>,
    /// Numbers in the latent.
    pub latent: usize,
}

impl<const D: usize> BatchSource for LatentBatches<D> {
    type Batch = LatentBatch<D>;

    fn batch(&self, step: usize, device: &Device) -> Result<LatentBatch<D>, TrainError> {
        let (batch, x0, x1) = self.matching.with_ends(step, device)?;
        let shape = [self.matching.rows, self.latent];
        let mut rng = self.matching.streams.rng(step as u64, Purpose::Latent);
        let epsilon = Source::Normal.sample(shape[0], shape[1], &mut rng);
        let epsilon = Tensor::from_data(TensorData::new(epsilon, shape), device);
        Ok(LatentBatch { batch, x0, x1, epsilon })
    }

    fn rows(&self) -> usize {
        self.matching.rows
    }

    fn classes(&self) -> usize {
        self.matching.classes
    }
}
