//! The network and the sampler of a model together.

use flow_model::Model;
use flow_ode::Method;

use crate::error::OnnxError;
use crate::network::network;
use crate::sampler::sampler;

/// The files of a model.
#[derive(Debug)]
pub struct Pair {
    /// The network.
    pub network: Vec<u8>,
    /// The sampler, or why there is none for the model.
    pub sampler: Result<Vec<u8>, String>,
}

/// The network of a model, and its sampler where there is one. A `solver` that is named asks for
/// the sampler.
///
/// # Errors
/// When the network cannot be written, or the sampler that is asked for.
pub fn pair(model: &Model, solver: Option<Method>) -> Result<Pair, OnnxError> {
    let network = network(model)?;
    let sampler = match sampler(model, solver) {
        Err(OnnxError::NoSampler { reason }) if solver.is_none() => Err(reason),
        made => Ok(made?),
    };
    Ok(Pair { network, sampler })
}
