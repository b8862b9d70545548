//! Going too far and coming back with fresh noise.

use burn::tensor::Tensor;
use flow_path::Prediction;
use serde::{Deserialize, Serialize};

use super::bounds::within;
use super::walk::walk;
use super::{Generated, Sampler, Way};
use crate::error::SampleError;
use crate::predictor::Predictor;

/// A DDIM step too long, of which the fraction `c` is undone by noising.
///
/// DDIM to the log signal-to-noise ratio `lambda_r = lambda_t + (lambda_s - lambda_t) / (1 - c)`,
/// then back to `lambda_s`:
/// `x_s = (alpha_s / alpha_r) x_r + sqrt(sigma_s^2 - (alpha_s / alpha_r)^2 sigma_r^2) z`. Together
/// `x_s = alpha_s x_1 + sigma_s (q x_0 + sqrt(1 - q^2) z)` with `q = e^{-h c / (1 - c)}`, in which
/// the time `r` no longer appears.
///
/// `c = 0` is DDIM and `c = 1/2` is DDPM. The larger `c`, the less an early prediction weighs in
/// the sample. Not to be confused with the churn of [`Edm`](super::Edm), which adds noise before a
/// step.
///
/// # Reference
/// Gao et al. (2024), "Diffusion Meets Flow Matching: Two Sides of the Same Coin".
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Churn {
    /// Fraction `c` of each step that is undone, in `[0, 1)`.
    pub fraction: f64,
}

impl Default for Churn {
    /// Half of each step, which is DDPM.
    fn default() -> Self {
        Self { fraction: 0.5 }
    }
}

impl Sampler for Churn {
    fn sample(
        &self,
        predictor: &dyn Predictor,
        x0: Tensor<2>,
        way: &Way<'_>,
    ) -> Result<Generated, SampleError> {
        let c = within("fraction", self.fraction, (0.0, 1.0 - f64::EPSILON))?;
        walk(way, predictor, x0, |model, step, x| {
            let data = model.predict(Prediction::Data, &x, step.t);
            let q = step.decay().powf(c / (1.0 - c));
            Ok(step.remix(x, data, q, |x| way.noise.draw(step.index, x)))
        })
    }
}
