//! Euler-Maruyama steps on a diffusion with the marginals of the flow.

use burn::tensor::Tensor;
use flow_path::Prediction;

use super::walk::{add_noise, walk, within};
use super::{Diffusion, Generated, Grid, Noise, Sampler, Seeded};
use crate::error::SampleError;
use crate::predictor::Predictor;

/// What the last step does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LastStep {
    /// Returns the predicted data, `alpha_s E[x_1 | x]`: no noise is left in the sample.
    #[default]
    Denoise,
    /// A step as the others, for a grid that ends before the data.
    Plain,
}

/// `dx = [v + (g^2 / 2) score] dt + g dW`, with any `g(t)`, by Euler-Maruyama steps.
///
/// `x_s = x + (v + (g^2 / 2) score) h + g sqrt(h) z` with `h = s - t`. Every `g` has the marginals of
/// the ODE `dx/dt = v`, to which it reduces at `g = 0`; weak order 1.
///
/// # Reference
/// Song et al. (2021), "Score-Based Generative Modeling through Stochastic Differential Equations",
/// arXiv:2011.13456, appendix D; Albergo, Boffi & Vanden-Eijnden (2023), "Stochastic Interpolants: A
/// Unifying Framework for Flows and Diffusions", arXiv:2303.08797.
#[derive(Clone, Debug, PartialEq)]
pub struct Sde<N = Seeded> {
    /// The times.
    pub grid: Grid,
    /// The squared diffusion coefficient.
    pub diffusion: Diffusion,
    /// What the last step does.
    pub last: LastStep,
    /// Where the noise comes from.
    pub noise: N,
}

impl<N: Noise> Sampler for Sde<N> {
    fn sample(&self, predictor: &dyn Predictor, x0: Tensor<2>) -> Result<Generated, SampleError> {
        walk(&self.grid, predictor, x0, |model, step, x| {
            if step.index + 1 == step.count && self.last == LastStep::Denoise {
                return Ok(model.predict(Prediction::Data, &x, step.t) * step.to.alpha);
            }
            let h = step.s - step.t;
            let g2 = self.diffusion.squared(step.t, &step.from);
            if step.from.alpha == 0.0 && !g2.is_finite() {
                return Err(SampleError::PureNoise { t: step.t });
            }
            within("squared diffusion", g2, (0.0, f64::MAX))?;
            if g2 == 0.0 {
                return Ok(model.predict(Prediction::Velocity, &x, step.t) * h + x);
            }
            // The v-prediction gives the pair everywhere, a velocity does not where the path stands
            // still.
            let pair = model.predict(Prediction::V, &x, step.t);
            let read =
                |what| Prediction::V.convert_tensor(what, pair.clone(), x.clone(), &step.from);
            let (v, score) = (read(Prediction::Velocity), read(Prediction::Score));
            let mean = x + (v + score * (0.5 * g2)) * h;
            Ok(add_noise(mean, (g2 * h).sqrt(), |x| self.noise.draw(step.index, x)))
        })
    }
}
