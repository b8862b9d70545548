//! Ancestral sampling of a diffusion model.

use burn::tensor::Tensor;
use flow_path::Prediction;
use serde::{Deserialize, Serialize};

use super::walk::{add_noise, walk};
use super::{Generated, Sampler, Way};
use crate::error::SampleError;
use crate::predictor::Predictor;

/// DDPM: a draw from the exact posterior of the noising process, given the predicted data.
///
/// With `a = alpha_t / alpha_s` and the noising variance `r^2 = sigma_t^2 - a^2 sigma_s^2`:
/// `x_s ~ N(m, sigma_s^2 r^2 / sigma_t^2)`, where
/// `m = (a sigma_s^2 / sigma_t^2) x + (alpha_s r^2 / sigma_t^2) x_1`. The variance is the smaller
/// one of the paper, that of the posterior.
///
/// # Reference
/// Ho, Jain & Abbeel (2020), "Denoising Diffusion Probabilistic Models", arXiv:2006.11239,
/// equations 6 and 7, for any schedule and any two times as in Kingma et al. (2021), "Variational
/// Diffusion Models", arXiv:2107.00630.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ancestral {}

impl Sampler for Ancestral {
    fn sample(
        &self,
        predictor: &dyn Predictor,
        x0: Tensor<2>,
        way: &Way<'_>,
    ) -> Result<Generated, SampleError> {
        walk(way, predictor, x0, |model, step, x| {
            let data = model.predict(Prediction::Data, &x, step.t);
            let a = step.from.alpha / step.to.alpha;
            let (before, after) = (step.from.sigma.powi(2), step.to.sigma.powi(2));
            let noising = before - a * a * after;
            let mean = x * (a * after / before) + data * (step.to.alpha * noising / before);
            let std = (after * noising / before).sqrt();
            Ok(add_noise(mean, std, |x| way.noise.draw(step.index, x)))
        })
    }
}
