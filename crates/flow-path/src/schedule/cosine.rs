//! The trigonometric schedule.

use std::f64::consts::{FRAC_PI_2, FRAC_PI_4};

use serde::{Deserialize, Serialize};

use super::{Coefficients, Schedule};
use crate::PathError;
use crate::config::{Check, insist, within};

/// Cosine schedule: a rotation at constant speed from noise to data.
///
/// `x_t = sin(theta) x_1 + cos(theta) x_0` with `theta = margin + t (pi/2 - 2 margin)`.
///
/// It keeps the variance of `x_t` for data of unit variance, so a network needs no input scaling.
/// With a positive `margin` (radians) the log signal-to-noise ratio stays finite at both ends.
///
/// # Reference
/// Albergo & Vanden-Eijnden (2023), "Building Normalizing Flows with Stochastic Interpolants",
/// arXiv:2209.15571.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cosine {
    /// Angle left out at either end, in radians, in `[0, pi/4)`.
    pub margin: f64,
}

impl Cosine {
    /// The cosine schedule whose log signal-to-noise ratio runs from `-bound` to `bound`.
    ///
    /// # Reference
    /// Gao, Hoogeboom, Heek, De Bortoli, Murphy & Salimans (2024), "Diffusion Meets Flow Matching:
    /// Two Sides of the Same Coin", which uses a bound of 15.
    ///
    /// # Panics
    /// If the bound is not positive.
    #[must_use]
    pub fn with_log_snr_bound(bound: f64) -> Self {
        insist(within("bound", bound, 0.0 < bound, "(0, inf]"));
        Self { margin: (-0.5 * bound).exp().atan() }
    }

    fn speed(self) -> f64 {
        FRAC_PI_2 - 2.0 * self.margin
    }
}

impl Check for Cosine {
    fn check(&self) -> Result<(), PathError> {
        within("margin", self.margin, (0.0..FRAC_PI_4).contains(&self.margin), "[0, pi/4)")
    }
}

impl Schedule for Cosine {
    fn at(&self, t: f64) -> Coefficients {
        insist(self.check());
        // cos(theta) as a sine: exactly zero at t = 1 when there is no margin.
        let alpha = (self.margin + t * self.speed()).sin();
        let sigma = (self.margin + (1.0 - t) * self.speed()).sin();
        Coefficients { alpha, sigma, d_alpha: self.speed() * sigma, d_sigma: -self.speed() * alpha }
    }

    fn time_at_log_snr(&self, log_snr: f64) -> f64 {
        let theta = (0.5 * log_snr).exp().atan();
        ((theta - self.margin) / self.speed()).clamp(0.0, 1.0)
    }
}
