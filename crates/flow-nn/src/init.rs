//! The same seed gives the same weights on every device.

use std::sync::Mutex;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Tensor};

/// Burn draws parameters from one generator per process: one network at a time.
static GENERATOR: Mutex<()> = Mutex::new(());

/// Builds a network whose weights depend on `seed` alone, then moves it to `device`.
///
/// Weights are drawn on the host (the `flex` backend), because each backend has its own generator.
/// They are drawn before this function returns: Burn's parameters are otherwise drawn at first use,
/// and a draw in between would change them.
///
/// # Errors
/// Those of `init`.
pub fn init_seeded<M: Module, E>(
    seed: u64,
    device: &Device,
    init: impl FnOnce(&Device) -> Result<M, E>,
) -> Result<M, E> {
    let host = Device::flex();
    let network = {
        let _one_at_a_time = GENERATOR.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        host.seed(seed);
        let network = init(&host)?;
        network.visit(&mut Draw);
        network
    };
    Ok(network.fork(device))
}

/// Number of trainable numbers in a network.
#[must_use]
pub fn parameter_count<M: Module>(network: &M) -> usize {
    network.num_params()
}

struct Draw;

impl ModuleVisitor for Draw {
    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        drop(parameter.val());
    }
}
