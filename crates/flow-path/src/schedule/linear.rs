//! The straight line between noise and data.

use serde::{Deserialize, Serialize};

use super::{Coefficients, Schedule};
use crate::PathError;
use crate::config::{Check, insist, within};

/// Linear schedule: the displacement interpolation of optimal transport between noise and one
/// point.
///
/// `x_t = t x_1 + (1 - (1 - sigma_min) t) x_0`, with the constant velocity
/// `x_1 - (1 - sigma_min) x_0`. Finite on the whole of `[0, 1]`; `sigma_min` is the standard
/// deviation that remains around a data point at `t = 1`.
///
/// The conditional path is optimal transport; the marginal path is not.
///
/// # Reference
/// Lipman, Chen, Ben-Hamu, Nickel & Le (2023), "Flow Matching for Generative Modeling",
/// arXiv:2210.02747, equations 20 to 23.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Linear {
    /// Standard deviation at `t = 1`, in `[0, 1)`.
    pub sigma_min: f64,
}

impl Check for Linear {
    fn check(&self) -> Result<(), PathError> {
        within("sigma_min", self.sigma_min, (0.0..1.0).contains(&self.sigma_min), "[0, 1)")
    }
}

impl Schedule for Linear {
    fn at(&self, t: f64) -> Coefficients {
        insist(self.check());
        // Exact at both ends: 1 at t = 0 and sigma_min at t = 1.
        let sigma = (1.0 - t) + self.sigma_min * t;
        Coefficients { alpha: t, sigma, d_alpha: 1.0, d_sigma: self.sigma_min - 1.0 }
    }

    fn time_at_log_snr(&self, log_snr: f64) -> f64 {
        // alpha = sigma e^{lambda/2} is linear in t.
        let ratio = (-0.5 * log_snr).exp();
        (1.0 / (1.0 - self.sigma_min + ratio)).clamp(0.0, 1.0)
    }
}
