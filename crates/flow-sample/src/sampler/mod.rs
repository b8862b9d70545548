//! Samplers: ways from noise to data.

mod ode;

use burn::tensor::Tensor;

use crate::error::SampleError;
use crate::predictor::Predictor;

pub use ode::Ode;

/// Samples and what they cost.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Generated<const D: usize> {
    /// The samples, `[B, ..]`.
    pub x: Tensor<D>,
    /// States at the times asked for.
    pub states: Vec<Tensor<D>>,
    /// Network calls for each sample, rejected steps included.
    pub nfe: usize,
}

/// Turns noise into samples by asking a predictor.
pub trait Sampler<const D: usize> {
    /// Samples from `x0`, drawn from the prior of the predictor's schedule.
    ///
    /// # Errors
    /// When a state stops being a number or the sampler cannot go on.
    fn sample(
        &self,
        predictor: &dyn Predictor<D>,
        x0: Tensor<D>,
    ) -> Result<Generated<D>, SampleError>;
}
