//! Jumps along a flow map.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use super::walk::walk;
use super::{Generated, Sampler, Way};
use crate::error::SampleError;
use crate::predictor::Predictor;

/// One jump of a flow map from each time of the grid to the next,
/// `x_s = x_t + (s - t) u(x_t, t, s)`.
///
/// A step costs what a prediction costs, and one step of the whole way is allowed: what it errs by
/// was decided in training. Maps trained on steps of certain lengths, such as the powers of two of
/// shortcut models, are best asked for those.
///
/// # Reference
/// Boffi, Albergo & Vanden-Eijnden (2025), "How to build a consistency model: Learning flow maps
/// via self-distillation", arXiv:2505.18825; Frans et al. (2024), "One Step Diffusion via Shortcut
/// Models", arXiv:2410.12557, algorithm 2.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlowMap {}

impl Sampler for FlowMap {
    fn jumps(&self) -> bool {
        true
    }

    /// # Errors
    /// As of all samplers, and [`SampleError::NoFlowMap`] for a predictor that does not jump.
    fn sample(
        &self,
        predictor: &dyn Predictor,
        x0: Tensor<2>,
        way: &Way<'_>,
    ) -> Result<Generated, SampleError> {
        walk(way, predictor, x0, |model, step, x| model.jump(&x, step.t, step.s))
    }
}
