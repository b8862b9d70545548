//! A look at a state on its way from noise to data.

use std::ops::ControlFlow;

use burn::tensor::Tensor;

/// Where a sampler stands at the beginning of a step: see [`Way::watch`](super::Way::watch).
///
/// The state is the one at which the sampler asks its predictor: after the noise that
/// [`KarrasChurn`](super::KarrasChurn) adds, before the correction of [`UniPc`](super::UniPc).
pub struct Visit<'a> {
    /// Number of the step, from 0.
    pub step: usize,
    /// The time.
    pub t: f64,
    /// The state, `[B, d]`.
    pub x: &'a Tensor<2>,
    pub(super) predict: &'a dyn Fn() -> Tensor<2>,
}

impl Visit<'_> {
    /// The data predicted here, `[B, d]`.
    ///
    /// A sampler that steps along a grid has just asked for them. For [`Ode`](super::Ode), whose
    /// solver keeps its slopes to itself, they are one further evaluation, which is counted. For
    /// [`FlowMap`](super::FlowMap) they are where one jump of the rest of the way arrives: a
    /// further evaluation too, but in the last step.
    #[must_use]
    pub fn data(&self) -> Tensor<2> {
        (self.predict)()
    }
}

/// A watcher: `Break` ends the walk with the data predicted there.
pub type Watch<'a> = dyn Fn(Visit<'_>) -> ControlFlow<()> + 'a;
