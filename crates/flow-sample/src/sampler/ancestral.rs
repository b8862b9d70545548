//! Ancestral sampling of a diffusion model.

use burn::tensor::Tensor;
use flow_path::Prediction;

use super::walk::{add_noise, walk};
use super::{Generated, Grid, Noise, Sampler, Seeded};
use crate::error::SampleError;
use crate::predictor::Predictor;

/// DDPM: a draw from the exact posterior of the noising process, given the predicted data.
///
/// With `a = alpha_t / alpha_s` and the noising variance `r^2 = sigma_t^2 - a^2 sigma_s^2`:
/// `x_s ~ N((a sigma_s^2 / sigma_t^2) x + (alpha_s r^2 / sigma_t^2) x_1, sigma_s^2 r^2 / sigma_t^2)`.
/// The variance is the smaller one of the paper, that of the posterior.
///
/// # Reference
/// Ho, Jain & Abbeel (2020), "Denoising Diffusion Probabilistic Models", arXiv:2006.11239,
/// equations 6 and 7, for any schedule and any two times as in Kingma et al. (2021), "Variational
/// Diffusion Models", arXiv:2107.00630.
#[derive(Clone, Debug, PartialEq)]
pub struct Ancestral<N = Seeded> {
    /// The times.
    pub grid: Grid,
    /// Where the noise comes from.
    pub noise: N,
}

impl<N: Noise> Sampler for Ancestral<N> {
    fn sample(&self, predictor: &dyn Predictor, x0: Tensor<2>) -> Result<Generated, SampleError> {
        walk(&self.grid, predictor, x0, |model, step, x| {
            let data = model.predict(Prediction::Data, &x, step.t);
            let a = step.from.alpha / step.to.alpha;
            let (before, after) = (step.from.sigma.powi(2), step.to.sigma.powi(2));
            let noising = before - a * a * after;
            let mean = x * (a * after / before) + data * (step.to.alpha * noising / before);
            let std = (after * noising / before).sqrt();
            Ok(add_noise(mean, std, |x| self.noise.draw(step.index, x)))
        })
    }
}
