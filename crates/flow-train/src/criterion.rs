//! The contract between the training loop and a loss, for any module.

use std::fmt::Debug;
use std::sync::Arc;

use burn::module::Module;
use flow_nn::{Network, Posterior, Signature};

use crate::ensemble::Ensemble;
use crate::error::TrainError;
use crate::objective::{Batch, Loss, Networks, Objective};
use crate::pairs::Pairs;
use crate::source::BatchSource;

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

    /// Numbers that the loss adds to the condition vector of each row.
    fn told(&self) -> usize {
        0
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

impl Criterion<Ensemble> for Arc<dyn Objective> {
    type Batch = Batch;

    fn loss(&self, module: &Ensemble, average: &Ensemble, batch: Batch) -> Loss {
        let posterior = module.posterior.as_ref().map(|posterior| posterior as &dyn Posterior);
        let network = &module.network;
        let frozen = self.teaches_itself().then(|| network.valid());
        let frozen = frozen.as_ref().unwrap_or(network);
        let networks = Networks { network, frozen, average: &average.network, posterior };
        Objective::loss(&**self, networks, batch)
    }

    fn signature<'a>(&self, module: &'a Ensemble) -> Option<&'a Signature> {
        Some(module.network.signature())
    }

    fn told(&self) -> usize {
        Objective::told(&**self)
    }

    fn check_times(&self, module: &Ensemble, pairs: Option<Pairs>) -> Result<(), TrainError> {
        let asked = self.pairs();
        let remedy = if asked.is_some() && !module.network.signature().two_times {
            "the loss of a flow map needs a network whose signature has `two_times`"
        } else if asked != pairs {
            "draw MapBatches with the pairs of the loss where it has some, else MatchingBatches"
        } else {
            return Ok(());
        };
        Err(TrainError::Times { remedy })
    }
}

/// Refuses batches without rows, and classes and conditions that the network does not read so.
pub(crate) fn check_batches<N, O: Criterion<N>>(
    network: &N,
    objective: &O,
    batches: &dyn BatchSource<Batch = O::Batch>,
) -> Result<(), TrainError> {
    if batches.rows() == 0 {
        return Err(TrainError::Plan { field: "rows of a batch", value: 0.0, need: "positive" });
    }
    let Some(signature) = objective.signature(network) else { return Ok(()) };
    match (batches.classes(), signature.classes) {
        (batches, network) if 0 < batches && batches != network => {
            Err(TrainError::Classes { batches, network })
        }
        _ => check_fit(signature, batches, objective.told()),
    }
}

/// Refuses batches whose conditions, with the numbers that the loss adds to each vector, are of
/// other sizes than those that the network reads.
fn check_fit<B: Send + 'static>(
    signature: &Signature,
    batches: &dyn BatchSource<Batch = B>,
    added: usize,
) -> Result<(), TrainError> {
    let numbers = |n: usize| if n == 0 { Vec::new() } else { vec![n] };
    let flag = |is_there: bool| numbers(usize::from(is_there));
    let parts = [
        ("condition vector", numbers(batches.vector() + added), numbers(signature.vector)),
        ("conditioning row", batches.context().to_vec(), signature.context.clone()),
        ("length", flag(batches.lengths()), flag(signature.lengths)),
    ];
    let other = parts.into_iter().find(|(_, batches, network)| batches != network);
    other.map_or(Ok(()), |(what, batches, network)| {
        Err(TrainError::Conditions { what, batches, network })
    })
}
