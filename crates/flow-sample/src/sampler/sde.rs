//! Euler-Maruyama steps on a diffusion with the marginals of the flow.

use burn::tensor::Tensor;
use flow_path::Prediction;
use serde::{Deserialize, Serialize};

use super::bounds::within;
use super::walk::{add_noise, walk};
use super::{Diffusion, Generated, Sampler, Way};
use crate::error::SampleError;
use crate::predictor::Predictor;

/// The form of the last step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LastStep {
    /// Returns the predicted data, `alpha_s E[x_1 | x]`: no noise is left in the sample.
    #[default]
    Denoise,
    /// A step as the others, for a grid that ends before the data.
    Plain,
}

/// `dx = [v + (g^2 / 2) score] dt + g dW`, with any `g(t)`, by Euler-Maruyama steps.
///
/// `x_s = x + (v + (g^2 / 2) score) h + g sqrt(h) z` with `h = s - t`. Every `g` has the marginals
/// of the ODE `dx/dt = v`, to which it reduces at `g = 0`; weak order 1.
///
/// # Reference
/// Song et al. (2021), "Score-Based Generative Modeling through Stochastic Differential Equations",
/// arXiv:2011.13456, appendix D; Albergo, Boffi & Vanden-Eijnden (2023), "Stochastic Interpolants:
/// A Unifying Framework for Flows and Diffusions", arXiv:2303.08797.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sde {
    /// The shape of the squared diffusion coefficient.
    pub diffusion: Diffusion,
    /// Its factor: 0 is the ODE.
    pub scale: f64,
    /// The form of the last step.
    pub last: LastStep,
}

impl Default for Sde {
    fn default() -> Self {
        Self { diffusion: Diffusion::default(), scale: 1.0, last: LastStep::default() }
    }
}

impl Sampler for Sde {
    fn sample(
        &self,
        predictor: &dyn Predictor,
        x0: Tensor<2>,
        way: &Way<'_>,
    ) -> Result<Generated, SampleError> {
        walk(way, predictor, x0, |model, step, x| {
            if step.index + 1 == step.count && self.last == LastStep::Denoise {
                return Ok(model.predict(Prediction::Data, &x, step.t) * step.to.alpha);
            }
            let h = step.s - step.t;
            let g2 = self.scale * self.diffusion.squared(step.t, &step.from);
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
            Ok(add_noise(mean, (g2 * h).sqrt(), |x| way.noise.draw(step.index, x)))
        })
    }
}
