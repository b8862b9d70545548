//! The sampler of EDM: Heun steps in the noise level, with churn.

use std::f64::consts::SQRT_2;

use burn::tensor::Tensor;
use flow_path::{Coefficients, Prediction};

use super::walk::{Model, Step, add_noise, walk, within};
use super::{Generated, Grid, Noise, Sampler, Seeded};
use crate::error::SampleError;
use crate::predictor::Predictor;

/// Noise added before each step of [`Edm`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KarrasChurn {
    /// `S_churn`: the noise level of a step rises by `min(S_churn / steps, sqrt(2) - 1)`, relatively.
    pub amount: f64,
    /// `S_min`: lowest noise level with churn.
    pub min: f64,
    /// `S_max`: highest noise level with churn.
    pub max: f64,
    /// `S_noise`: standard deviation of the noise, near 1.
    pub noise_std: f64,
}

impl Default for KarrasChurn {
    /// No churn.
    fn default() -> Self {
        Self { amount: 0.0, min: 0.0, max: f64::INFINITY, noise_std: 1.0 }
    }
}

/// Heun's method on `d(x/alpha) / d(sigma/alpha) = x_0`, the predicted noise, for any schedule.
///
/// The noise level `rho = sigma / alpha` first rises to `rho^ = (1 + gamma) rho` by churn, then
/// falls to `rho_s` by an Euler step with the noise predicted at `rho^`, corrected by half the
/// difference to the noise predicted at `rho_s`. A step that begins at pure noise or ends where the
/// schedule or the predictor's span does has no correction, so that `n` steps cost `2n - 1`
/// evaluations on a schedule that begins with some data.
///
/// # Reference
/// Karras, Aittala, Aila & Laine (2022), "Elucidating the Design Space of Diffusion-Based Generative
/// Models", arXiv:2206.00364, algorithm 2.
#[derive(Clone, Debug, PartialEq)]
pub struct Edm<N = Seeded> {
    /// The times, usually [`Grid::Karras`].
    pub grid: Grid,
    /// Noise added before each step.
    pub churn: KarrasChurn,
    /// Where that noise comes from.
    pub noise: N,
}

impl Edm {
    /// The sampler without churn, which is deterministic.
    #[must_use]
    pub fn deterministic(grid: Grid) -> Self {
        Self { grid, churn: KarrasChurn::default(), noise: Seeded::default() }
    }
}

impl<N: Noise> Sampler for Edm<N> {
    fn sample(&self, predictor: &dyn Predictor, x0: Tensor<2>) -> Result<Generated, SampleError> {
        within("amount", self.churn.amount, (0.0, f64::INFINITY))?;
        walk(&self.grid, predictor, x0, |model, step, x| {
            let (step, x) = self.churned(model, step, x);
            let data = model.predict(Prediction::Data, &x, step.t);
            let euler = step.mix(x.clone(), data.clone(), 1.0);
            let corrected = step.s < model.schedule().span().1 && step.s <= model.end();
            if step.from.alpha == 0.0 || !corrected {
                return Ok(euler);
            }
            let data_after = model.predict(Prediction::Data, &euler, step.s);
            let noise = noise_of(x, data, &step.from);
            let change = noise_of(euler.clone(), data_after, &step.to) - noise;
            let fall = level(&step.to) - level(&step.from);
            Ok(euler + change * (0.5 * step.to.alpha * fall))
        })
    }
}

impl<N> Edm<N> {
    /// The step from the raised noise level, and the state there.
    fn churned(&self, model: &Model<'_>, step: &Step, x: Tensor<2>) -> (Step, Tensor<2>)
    where
        N: Noise,
    {
        let (churn, rho) = (&self.churn, level(&step.from));
        let gamma = (churn.amount / step.count as f64).min(SQRT_2 - 1.0);
        if gamma == 0.0 || !(churn.min..=churn.max).contains(&rho) || rho.is_infinite() {
            return (*step, x);
        }
        let t = model.schedule().time_at_log_snr(-2.0 * (rho * (1.0 + gamma)).ln());
        let from = model.schedule().at(t);
        let added = (level(&from).powi(2) - rho * rho).max(0.0).sqrt();
        let scaled = x * (from.alpha / step.from.alpha);
        let x = add_noise(scaled, from.alpha * added * churn.noise_std, |x| {
            self.noise.draw(step.index, x)
        });
        (Step { t, from, ..*step }, x)
    }
}

/// The noise level `sigma / alpha`.
fn level(c: &Coefficients) -> f64 {
    c.sigma / c.alpha
}

/// `x_0 = (x - alpha x_1) / sigma`.
fn noise_of(x: Tensor<2>, data: Tensor<2>, c: &Coefficients) -> Tensor<2> {
    (x - data * c.alpha) / c.sigma
}
