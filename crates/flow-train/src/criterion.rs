//! What the training loop asks of a loss, whatever module it trains.

use std::fmt::Debug;

use flow_nn::Signature;

use crate::objective::Loss;

/// A loss of a module and its average on a batch: of a flow by an [`Objective`](crate::Objective),
/// or of the classifier that measures images.
pub(crate) trait Criterion<M>: Clone + Debug + Send + Sync + 'static {
    /// What the loss is computed from.
    type Batch: Send + 'static;

    /// The loss of `module`, whose moving average is `average`, on `batch`.
    fn loss(&self, module: &M, average: &M, batch: Self::Batch) -> Loss;

    /// What `module` reads, where batches must agree with it.
    fn signature<'a>(&self, module: &'a M) -> Option<&'a Signature> {
        let _ = module;
        None
    }
}
