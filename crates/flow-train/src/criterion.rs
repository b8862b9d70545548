//! What the training loop asks of a loss, whatever module it trains.

use std::fmt::Debug;
use std::sync::Arc;

use flow_nn::{Network, Posterior};

use crate::ensemble::Ensemble;
use crate::objective::{Batch, Loss, Networks, Objective};

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
}

impl Criterion<Ensemble> for Arc<dyn Objective> {
    type Batch = Batch;

    fn loss(&self, module: &Ensemble, average: &Ensemble, batch: Batch) -> Loss {
        let posterior = module.posterior.as_ref().map(|posterior| posterior as &dyn Posterior);
        let networks = Networks { network: &module.network, average: &average.network, posterior };
        Objective::loss(&**self, networks, batch)
    }

    fn classes(&self, module: &Ensemble) -> Option<usize> {
        Some(module.network.signature().classes)
    }
}
