//! What the training loop asks of a loss, whatever module it trains.

use std::fmt::Debug;

use crate::error::TrainError;
use crate::objective::Loss;
use crate::pairs::Pairs;

/// A loss of a module and its average on a batch: of a flow by an [`Objective`](crate::Objective),
/// or of the classifier that measures images.
pub(crate) trait Criterion<M>: Clone + Debug + Send + Sync + 'static {
    /// What the loss is computed from.
    type Batch: Send + 'static;

    /// The loss of `module`, whose moving average is `average`, on `batch`.
    fn loss(&self, module: &M, average: &M, batch: Self::Batch) -> Loss;

    /// Classes that `module` tells apart, 0 for none; `None` where nobody knows.
    fn classes(&self, module: &M) -> Option<usize> {
        let _ = module;
        None
    }

    /// Refuses a module and batches that know another number of times than the loss.
    ///
    /// # Errors
    /// [`TrainError::Times`].
    fn check_times(&self, module: &M, pairs: Option<Pairs>) -> Result<(), TrainError> {
        let _ = (module, pairs);
        Ok(())
    }
}
