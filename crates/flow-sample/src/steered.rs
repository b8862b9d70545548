//! Conditioning by the gradient of a log-likelihood.

use burn::tensor::Tensor;
use flow_path::{Prediction, Schedule};

use crate::predictor::Predictor;

/// A predictor whose score is raised by `scale grad_x log p(y | x_t)`, a gradient given as a
/// function of `x` and `t`.
///
/// By Bayes' rule `scale` 1 with the gradient of the true likelihood is the predictor of the data
/// given `y`. The noise falls by `sigma scale grad`, and the data rise by what keeps `x_t`. Pure
/// noise says nothing about `y`: where `alpha` is zero the gradient is not asked.
///
/// A gradient at one point says nothing about a jump: what is steered is no flow map.
///
/// # Reference
/// Song et al. (2021), "Score-Based Generative Modeling through Stochastic Differential Equations",
/// arXiv:2011.13456, section 5; Dhariwal & Nichol (2021), "Diffusion Models Beat GANs on Image
/// Synthesis", arXiv:2105.05233, algorithm 2.
#[derive(Clone, Copy, Debug)]
pub struct Steered<P, G> {
    /// The predictor without the condition.
    pub predictor: P,
    /// `grad_x log p(y | x_t)` of a batch, `[B, d]`.
    pub gradient: G,
    /// Strength: 1 is Bayes' rule.
    pub scale: f64,
}

impl<P, G> Predictor for Steered<P, G>
where
    P: Predictor,
    G: Fn(&Tensor<2>, f64) -> Tensor<2>,
{
    fn schedule(&self) -> &dyn Schedule {
        self.predictor.schedule()
    }

    fn span(&self) -> (f64, f64) {
        self.predictor.span()
    }

    fn calls(&self, t: f64) -> usize {
        self.predictor.calls(t)
    }

    fn predict(&self, what: Prediction, x: &Tensor<2>, t: f64) -> Tensor<2> {
        let value = self.predictor.predict(what, x, t);
        let c = self.schedule().at(t);
        if c.alpha == 0.0 {
            return value;
        }
        // x_0 falls by sigma g and x_1 rises by sigma^2 g / alpha.
        let (p, q) = what.factors(&c);
        let factor = self.scale * c.sigma * (p * c.sigma / c.alpha - q);
        value + (self.gradient)(x, t) * factor
    }
}
