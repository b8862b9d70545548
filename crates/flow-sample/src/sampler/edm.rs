//! The samplers of EDM: Heun steps in the noise level, with and without churn.

use std::f64::consts::SQRT_2;

use burn::tensor::Tensor;
use flow_path::{Coefficients, Prediction};
use serde::{Deserialize, Serialize};

use super::bounds::within;
use super::walk::{Model, Step, add_noise, walk};
use super::{Generated, Sampler, Way};
use crate::error::SampleError;
use crate::predictor::Predictor;

/// Heun's method on `d(x/alpha) / d(sigma/alpha) = x_0`, the predicted noise, for any schedule.
///
/// The noise level `rho = sigma / alpha` falls to `rho_s` by an Euler step with the noise predicted
/// at `rho`, corrected by half the difference to the noise predicted at `rho_s`. A step that begins
/// at pure noise or ends where the schedule or the predictor's span does has no correction, so that
/// `n` steps cost `2n - 1` evaluations on a schedule that begins with some data. Its grid is
/// usually [`Grid::Karras`](super::Grid::Karras).
///
/// # Reference
/// Karras, Aittala, Aila & Laine (2022), "Elucidating the Design Space of Diffusion-Based
/// Generative Models", arXiv:2206.00364, algorithm 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edm {}

/// [`Edm`] with fresh noise before each step: the noise level first rises to
/// `rho^ = (1 + gamma) rho`.
///
/// The defaults are those of the paper for ImageNet at 64x64, table 5.
///
/// # Reference
/// Karras, Aittala, Aila & Laine (2022), arXiv:2206.00364, algorithm 2.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KarrasChurn {
    /// `S_churn`: the noise level of a step rises by `min(S_churn / steps, sqrt(2) - 1)`,
    /// relatively.
    pub amount: f64,
    /// `S_min`: lowest noise level with churn.
    pub min: f64,
    /// `S_max`: highest noise level with churn.
    pub max: f64,
    /// `S_noise`: standard deviation of the noise, near 1.
    pub noise_std: f64,
}

impl Default for KarrasChurn {
    fn default() -> Self {
        Self { amount: 40.0, min: 0.05, max: 50.0, noise_std: 1.003 }
    }
}

impl Sampler for Edm {
    fn sample(
        &self,
        predictor: &dyn Predictor,
        x0: Tensor<2>,
        way: &Way<'_>,
    ) -> Result<Generated, SampleError> {
        walk(way, predictor, x0, |model, step, x| Ok(heun(model, step, x)))
    }
}

impl Sampler for KarrasChurn {
    fn sample(
        &self,
        predictor: &dyn Predictor,
        x0: Tensor<2>,
        way: &Way<'_>,
    ) -> Result<Generated, SampleError> {
        within("amount", self.amount, (0.0, f64::INFINITY))?;
        walk(way, predictor, x0, |model, step, x| {
            let (step, x) = self.churned(model, step, x, way);
            Ok(heun(model, &step, x))
        })
    }
}

impl KarrasChurn {
    /// The step from the raised noise level, and the state there.
    fn churned(
        &self,
        model: &Model<'_>,
        step: &Step,
        x: Tensor<2>,
        way: &Way<'_>,
    ) -> (Step, Tensor<2>) {
        let rho = level(&step.from);
        let gamma = (self.amount / step.count as f64).min(SQRT_2 - 1.0);
        if gamma == 0.0 || !(self.min..=self.max).contains(&rho) || rho.is_infinite() {
            return (*step, x);
        }
        let t = model.schedule().time_at_log_snr(-2.0 * (rho * (1.0 + gamma)).ln());
        let from = model.schedule().at(t);
        let added = (level(&from).powi(2) - rho * rho).max(0.0).sqrt();
        let scaled = x * (from.alpha / step.from.alpha);
        let x = add_noise(scaled, from.alpha * added * self.noise_std, |x| {
            way.noise.draw(step.index, x)
        });
        (Step { t, from, ..*step }, x)
    }
}

/// A step of Heun's method in the noise level.
fn heun(model: &Model<'_>, step: &Step, x: Tensor<2>) -> Tensor<2> {
    let data = model.predict(Prediction::Data, &x, step.t);
    let euler = step.mix(x.clone(), data.clone(), 1.0);
    let corrected = step.s < model.schedule().span().1 && step.s <= model.end();
    if step.from.alpha == 0.0 || !corrected {
        return euler;
    }
    let data_after = model.predict(Prediction::Data, &euler, step.s);
    let noise = noise_of(x, data, &step.from);
    let change = noise_of(euler.clone(), data_after, &step.to) - noise;
    let fall = level(&step.to) - level(&step.from);
    euler + change * (0.5 * step.to.alpha * fall)
}

/// The noise level `sigma / alpha`.
fn level(c: &Coefficients) -> f64 {
    c.sigma / c.alpha
}

/// `x_0 = (x - alpha x_1) / sigma`.
fn noise_of(x: Tensor<2>, data: Tensor<2>, c: &Coefficients) -> Tensor<2> {
    (x - data * c.alpha) / c.sigma
}
