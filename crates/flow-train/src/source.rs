//! Batches of training: noise, data and times.

use std::fmt::Debug;
use std::ops::Range;

use burn::tensor::Device;

use crate::error::TrainError;
use crate::pairs::Pairs;
use crate::parts::Parts;

/// A batch for every step; the answer depends on the step alone.
pub trait BatchSource: Debug + Send + Sync + 'static {
    /// What a step consumes.
    type Batch: Send + 'static;

    /// The batch of `step` on `device`.
    ///
    /// # Errors
    /// When the batch cannot be made, for example because noise and data cannot be paired.
    fn batch(&self, step: usize, device: &Device) -> Result<Self::Batch, TrainError>;

    /// The parts `own` of the batch of `step` on `device`, which is cut as `parts` say.
    ///
    /// # Errors
    /// As for [`batch`](Self::batch); batches that do not say how they are cut have one part.
    fn parts(
        &self,
        step: usize,
        parts: Parts,
        own: Range<usize>,
        device: &Device,
    ) -> Result<Vec<Self::Batch>, TrainError> {
        let _ = own;
        if parts.count != 1 {
            return Err(TrainError::Uncut { parts: parts.count });
        }
        Ok(vec![self.batch(step, device)?])
    }

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

    /// Whether batches bring the lengths of sequences that may end early.
    fn lengths(&self) -> bool {
        false
    }

    /// The law of the second times that batches of a flow map bring; nothing for one time.
    fn pairs(&self) -> Option<Pairs> {
        None
    }
}
