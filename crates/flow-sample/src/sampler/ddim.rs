//! DDIM, with any amount of fresh noise.

use burn::tensor::Tensor;
use flow_path::Prediction;
use serde::{Deserialize, Serialize};

use super::bounds::within;
use super::walk::walk;
use super::{Generated, Sampler, Way};
use crate::error::SampleError;
use crate::predictor::Predictor;

/// Denoising diffusion implicit models: the predicted pair, mixed anew at the next time.
///
/// `x_s = alpha_s x_1 + sqrt(sigma_s^2 - sigma_eta^2) x_0 + sigma_eta z` with
/// `sigma_eta = eta sigma_s sqrt(1 - e^{-2h})` and
/// `e^{-h} = (alpha_t sigma_s) / (alpha_s sigma_t)`.
///
/// With `eta` 0 it is deterministic and, on any schedule, an Euler step in each
/// [`Space`](super::Space); on the linear schedule also an Euler step on the velocity. With `eta` 1
/// it is [`Ancestral`](super::Ancestral).
///
/// # Reference
/// Song, Meng & Ermon (2021), "Denoising Diffusion Implicit Models", arXiv:2010.02502, equations 12
/// and 16.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ddim {
    /// Amount of fresh noise, in `[0, 1]`.
    pub eta: f64,
}

impl Sampler for Ddim {
    fn sample(
        &self,
        predictor: &dyn Predictor,
        x0: Tensor<2>,
        way: &Way<'_>,
    ) -> Result<Generated, SampleError> {
        let eta = within("eta", self.eta, (0.0, 1.0))?;
        walk(way, predictor, x0, |model, step, x| {
            let data = model.predict(Prediction::Data, &x, step.t);
            // sqrt(1 - eta^2 (1 - e^{-2h})), free of cancellation at eta = 1.
            let keep = (1.0 - eta * eta + (eta * step.decay()).powi(2)).sqrt();
            Ok(step.remix(x, data, keep, |x| way.noise.draw(step.index, x)))
        })
    }
}
