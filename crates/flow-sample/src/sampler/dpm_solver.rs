//! DPM-Solver++: exponential integrators for the predicted data.

use burn::tensor::Tensor;
use flow_path::Prediction;

use super::walk::{add_noise, walk, within};
use super::{Generated, Grid, Noise, Sampler, Seeded};
use crate::error::SampleError;
use crate::predictor::Predictor;

/// How many predictions a step of [`DpmSolver`] uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Multistep {
    /// The last one: DDIM.
    First,
    /// The last two, by the midpoint formula: order 2 at one evaluation per step.
    Second,
}

/// DPM-Solver++(1), (2M) and, with `eta` above 0, SDE-DPM-Solver++(1) and (2M).
///
/// `x_s = (sigma_s / sigma_t) e^{-eta h} x + alpha_s (1 - e^{-(1 + eta) h}) D + sigma_s sqrt(1 -
/// e^{-2 eta h}) z` with `h = ln(alpha_s / sigma_s) - ln(alpha_t / sigma_t)` and, from the data
/// predicted at this step and at the one before, `D = m + (h / (2 h')) (m - m')`. The first step
/// uses `D = m`, and so does one with `h > (1 + sqrt(2)) h'`, such as the last one on most
/// schedules, where `h` is large or infinite: the last change of the prediction must not be carried
/// on that far.
///
/// # Reference
/// Lu et al. (2022), "DPM-Solver++: Fast Solver for Guided Sampling of Diffusion Probabilistic
/// Models", arXiv:2211.01095, algorithm 2 (2M) and section 5 (SDE); `eta` between the two is an
/// interpolation.
#[derive(Clone, Debug, PartialEq)]
pub struct DpmSolver<N = Seeded> {
    /// The times.
    pub grid: Grid,
    /// The number of predictions in a step.
    pub multistep: Multistep,
    /// Amount of fresh noise, in `[0, 1]`: 0 solves the ODE, 1 the reverse diffusion.
    pub eta: f64,
    /// Where that noise comes from.
    pub noise: N,
}

impl DpmSolver {
    /// The solver of the ODE.
    #[must_use]
    pub fn deterministic(grid: Grid, multistep: Multistep) -> Self {
        Self { grid, multistep, eta: 0.0, noise: Seeded::default() }
    }
}

impl<N: Noise> Sampler for DpmSolver<N> {
    fn sample(&self, predictor: &dyn Predictor, x0: Tensor<2>) -> Result<Generated, SampleError> {
        let eta = within("eta", self.eta, (0.0, 1.0))?;
        let mut before: Option<(f64, Tensor<2>)> = None;
        walk(&self.grid, predictor, x0, |model, step, x| {
            let data = model.predict(Prediction::Data, &x, step.t);
            let (h, decay) = (step.h(), step.decay()); // e^{-h}
            let estimate = match (self.multistep, before.take()) {
                (Multistep::Second, Some((h_before, data_before)))
                    if step.may_extrapolate(h_before) =>
                {
                    data.clone() + (data.clone() - data_before) * (0.5 * h / h_before)
                }
                _ => data.clone(),
            };
            before = Some((h, data));
            let kept = decay.powf(eta); // e^{-eta h}, 1 for eta = 0 even where h is infinite
            let mean = x * (step.to.sigma / step.from.sigma * kept)
                + estimate * (step.to.alpha * (1.0 - decay * kept));
            let std = step.to.sigma * (1.0 - kept * kept).sqrt();
            Ok(add_noise(mean, std, |x| self.noise.draw(step.index, x)))
        })
    }
}
