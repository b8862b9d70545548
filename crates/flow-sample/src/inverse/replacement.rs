//! Replacement: observed entries are put into the predicted data.

use burn::tensor::Tensor;
use flow_path::Prediction;

use super::conditioned::Conditioning;
use super::conjugate::solved;
use super::evidence::Observation;
use super::operator::LinearOperator;
use crate::predictor::Predictor;

/// The predicted data, moved to the nearest data that explain the observation:
/// `x_1 + A^T (A A^T)^-1 (y - A x_1)`.
///
/// Known entries become `y`, others stay as predicted. They depend on `y` through the network
/// alone, which meets it in the next state. No gradient is asked, so this also serves fields
/// without one, and a method that costs one must do better.
///
/// # Bias
/// The noise of the observation is taken for none. The prediction for the rest is that of a network
/// which saw the known entries through the noise of `x_t`, not that given `y`: what is known for
/// sure counts early on as little as what is guessed. Answers do not fit together across the border
/// of a hole, and are too wide where the rest depends on what is seen.
/// [`Langevin`](crate::Langevin) corrections let the two agree at every noise level.
///
/// # Reference
/// Song et al. (2021), "Score-Based Generative Modeling through Stochastic Differential Equations",
/// arXiv:2011.13456, appendix I.2, on states in place of predicted data; Wang, Yu & Zhang (2023),
/// "Zero-Shot Image Restoration Using Denoising Diffusion Null-Space Model", arXiv:2212.00490,
/// on predicted data as here.
#[derive(Clone, Debug)]
pub struct Replacement<A> {
    /// The observation.
    pub observation: Observation<A>,
    /// Iterations of conjugate gradients on `A A^T`, at least 1. For a [`Mask`](super::Mask) and a
    /// [`Pool`](super::Pool) one solves the system.
    pub iterations: usize,
}

impl<A: LinearOperator> Conditioning for Replacement<A> {
    fn evaluations(&self) -> usize {
        1
    }

    fn shift(&self, predictor: &dyn Predictor, x: &Tensor<2>, t: f64) -> (Tensor<2>, Tensor<2>) {
        let operator = self.observation.operator();
        let data = predictor.predict(Prediction::Data, x, t);
        let shift = solved(self.observation.residual(&data).0, self.iterations, |p| {
            let back = operator.adjoint(p);
            (operator.apply(&back), back)
        });
        (data, shift)
    }
}
