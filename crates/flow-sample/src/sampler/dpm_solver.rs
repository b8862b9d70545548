//! DPM-Solver++: exponential integrators for the predicted data.

use burn::tensor::Tensor;
use flow_path::Prediction;
use serde::{Deserialize, Serialize};

use super::bounds::within;
use super::walk::{add_noise, walk};
use super::{Generated, Sampler, Way};
use crate::error::SampleError;
use crate::predictor::Predictor;

/// How many predictions a step of [`DpmSolver`] uses; in a file, that number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
#[non_exhaustive]
pub enum Multistep {
    /// The last one: DDIM.
    First,
    /// The last two, by the midpoint formula: order 2 at one evaluation per step.
    #[default]
    Second,
}

impl From<Multistep> for u64 {
    fn from(order: Multistep) -> Self {
        match order {
            Multistep::First => 1,
            Multistep::Second => 2,
        }
    }
}

impl TryFrom<u64> for Multistep {
    type Error = String;

    fn try_from(order: u64) -> Result<Self, String> {
        match order {
            1 => Ok(Self::First),
            2 => Ok(Self::Second),
            _ => Err(format!("dpm-solver++ has the orders 1 and 2, not {order}")),
        }
    }
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DpmSolver {
    /// The number of predictions in a step.
    #[serde(rename = "order")]
    pub multistep: Multistep,
    /// Amount of fresh noise, in `[0, 1]`: 0 solves the ODE, 1 the reverse diffusion.
    pub eta: f64,
}

impl Sampler for DpmSolver {
    fn sample(
        &self,
        predictor: &dyn Predictor,
        x0: Tensor<2>,
        way: &Way<'_>,
    ) -> Result<Generated, SampleError> {
        let eta = within("eta", self.eta, (0.0, 1.0))?;
        let mut before: Option<(f64, Tensor<2>)> = None;
        walk(way, predictor, x0, |model, step, x| {
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
            Ok(add_noise(mean, std, |x| way.noise.draw(step.index, x)))
        })
    }
}
