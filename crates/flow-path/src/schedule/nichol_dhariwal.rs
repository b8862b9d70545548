//! The shifted cosine schedule of improved diffusion models.

use std::f64::consts::FRAC_PI_2;

use serde::{Deserialize, Serialize};

use super::{Coefficients, ENDPOINT_MARGIN, Schedule};
use crate::PathError;
use crate::config::{Check, insist, within};

/// Shifted cosine schedule, in continuous time and run from noise to data.
///
/// `alpha = cos(theta) / cos(theta_0)` and `sigma = sqrt(1 - alpha^2)` with
/// `theta = (pi/2) (1 - t + offset) / (1 + offset)` and `theta_0` its value at `t = 1`.
///
/// `sigma` behaves as a square root near the data, where its derivative diverges, hence the span
/// `[0, 1 - 1e-5]`.
///
/// # Reference
/// Nichol & Dhariwal (2021), "Improved Denoising Diffusion Probabilistic Models",
/// arXiv:2102.09672, equation 17.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NicholDhariwal {
    /// Offset that keeps the first noise levels from being too small, in `[0, 1e6]`.
    pub offset: f64,
}

impl Default for NicholDhariwal {
    /// The paper's offset, 0.008.
    fn default() -> Self {
        Self { offset: 0.008 }
    }
}

impl Check for NicholDhariwal {
    fn check(&self) -> Result<(), PathError> {
        within("offset", self.offset, (0.0..=1e6).contains(&self.offset), "[0, 1e6]")
    }
}

impl Schedule for NicholDhariwal {
    fn at(&self, t: f64) -> Coefficients {
        insist(self.check());
        let speed = FRAC_PI_2 / (1.0 + self.offset);
        let theta_0 = self.offset * speed;
        let theta = theta_0 + (1.0 - t) * speed;
        let scale = theta_0.cos();
        // cos(theta) = sin(pi/2 - theta), exactly zero at t = 0.
        let alpha = (t * speed).sin() / scale;
        // sigma^2 = sin(theta - theta_0) sin(theta + theta_0) / scale^2, free of cancellation.
        let sigma = ((theta - theta_0).sin() * (theta + theta_0).sin()).sqrt() / scale;
        let d_alpha = speed * theta.sin() / scale;
        Coefficients { alpha, sigma, d_alpha, d_sigma: -alpha * d_alpha / sigma }
    }

    fn span(&self) -> (f64, f64) {
        (0.0, 1.0 - ENDPOINT_MARGIN)
    }
}
