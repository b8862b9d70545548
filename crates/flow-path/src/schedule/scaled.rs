//! One schedule seen through another scale.

use std::fmt::{self, Debug};

use super::{Coefficients, Dual, Schedule};

/// The same path in other units: `alpha` and `sigma` both times `scale(t)`.
///
/// The signal-to-noise ratio does not move, so a deterministic sampler that steps in it (DDIM) ends
/// at the same sample, whereas Euler steps on the velocity do not.
///
/// # Reference
/// Gao et al. (2024), "Diffusion Meets Flow Matching: Two Sides of the Same Coin".
#[derive(Clone)]
pub struct Scaled<S, F> {
    schedule: S,
    scale: F,
}

impl<S: Schedule, F: Fn(Dual) -> Dual + Send + Sync> Scaled<S, F> {
    /// `schedule` times a positive function of time.
    pub fn new(schedule: S, scale: F) -> Self {
        Self { schedule, scale }
    }
}

impl<S: Schedule, F: Fn(Dual) -> Dual + Send + Sync> Schedule for Scaled<S, F> {
    fn at(&self, t: f64) -> Coefficients {
        let c = self.schedule.at(t);
        let k = (self.scale)(Dual::variable(t));
        Coefficients {
            alpha: k.value * c.alpha,
            sigma: k.value * c.sigma,
            d_alpha: k.value * c.d_alpha + k.derivative * c.alpha,
            d_sigma: k.value * c.d_sigma + k.derivative * c.sigma,
        }
    }

    fn prior_std(&self) -> f64 {
        (self.scale)(Dual::constant(self.span().0)).value * self.schedule.prior_std()
    }

    fn span(&self) -> (f64, f64) {
        self.schedule.span()
    }

    fn time_at_log_snr(&self, log_snr: f64) -> f64 {
        self.schedule.time_at_log_snr(log_snr)
    }
}

impl<S: Debug, F> Debug for Scaled<S, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scaled").field("schedule", &self.schedule).finish_non_exhaustive()
    }
}
