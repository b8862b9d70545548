//! A network that begins with the weights of another one.

use burn::module::Module;

use crate::error::ModelError;
use crate::weights;

/// Fills a network with the weights of another one, by the names of its parameters, and returns it
/// with the names of the parameters that the other one lacks. They keep the values that they have.
///
/// A network of two times has all parameters of the velocity network of the same sizes and an
/// embedding of the duration besides, which is zero at first: it begins as the velocity.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use flow_model::begin;
/// use flow_nn::{Condition, MlpConfig, Network, NetworkConfig, Signature, Time};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (config, device) = (MlpConfig { hidden: 8, ..MlpConfig::default() }, Device::flex());
/// let velocity = config.init(&Signature::of([2]), &device)?;
/// let map = config.init(&Signature { two_times: true, ..Signature::of([2]) }, &device)?;
/// let (map, kept) = begin(map, &velocity)?;
/// assert!(kept.iter().all(|name| name.starts_with("duration.")));
///
/// let x = || Tensor::<2>::from_floats([[0.3, -1.0]], &device);
/// let t = || Tensor::<1>::from_floats([0.4], &device);
/// let [v, u] = [
///     velocity.forward(x(), Time::at(t()), &Condition::none()),
///     map.forward(x(), Time { t: t(), s: Some(t() + 0.5) }, &Condition::none()),
/// ];
/// assert_eq!(v.into_data(), u.into_data());
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// When the other network has a parameter that this one has not, or of another shape.
pub fn begin<M: Module>(module: M, with: &impl Module) -> Result<(M, Vec<String>), ModelError> {
    weights::begin(module, with).map_err(|reason| ModelError::Weights { reason })
}
