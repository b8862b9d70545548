//! Where batches come from.

use std::fmt::Debug;

use burn::tensor::Device;

use crate::error::TrainError;
use crate::pairs::Pairs;

/// A batch for every step; the answer depends on the step alone.
pub trait BatchSource: Debug + Send + Sync + 'static {
    /// What a step consumes.
    type Batch: Send + 'static;

    /// The batch of `step` on `device`.
    ///
    /// # Errors
    /// When the batch cannot be made, for example because noise and data cannot be paired.
    fn batch(&self, step: usize, device: &Device) -> Result<Self::Batch, TrainError>;

    /// Rows in each batch.
    fn rows(&self) -> usize;

    /// Classes that the batches name, the null class not counted; 0 for none.
    fn classes(&self) -> usize {
        0
    }

    /// Numbers in the condition vectors that batches bring; 0 for none.
    fn vector(&self) -> usize {
        0
    }

    /// Shape of the conditioning rows that batches bring; empty for none.
    fn context(&self) -> &[usize] {
        &[]
    }

    /// The law of the second times that batches of a flow map bring; nothing for one time.
    fn pairs(&self) -> Option<Pairs> {
        None
    }
}
