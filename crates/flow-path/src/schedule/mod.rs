//! Schedules: how much data and how much noise a sample holds at time `t`.

mod config;
mod cosine;
mod dual;
mod functions;
mod linear;
mod nichol_dhariwal;
mod polynomial;
mod scaled;
mod sde;
mod variance_exploding;
mod variance_preserving;

use std::fmt::Debug;
use std::sync::Arc;

pub use config::ScheduleConfig;
pub use cosine::Cosine;
pub use dual::Dual;
pub use functions::FromFunctions;
pub use linear::Linear;
pub use nichol_dhariwal::NicholDhariwal;
pub use polynomial::Polynomial;
pub use scaled::Scaled;
pub use sde::{FromSde, NoisingSde};
pub use variance_exploding::{VarianceExploding, VeBoundary};
pub use variance_preserving::VariancePreserving;

/// Distance kept from an end of the unit interval at which a schedule or a prediction is singular.
///
/// Lipman et al. (2023), "Flow Matching for Generative Modeling", arXiv:2210.02747, appendix E.1,
/// train and sample the variance-preserving path on `[0, 1 - 1e-5]`.
pub const ENDPOINT_MARGIN: f64 = 1e-5;

/// The path `x_t = alpha x_1 + sigma x_0` at one time, with the time derivatives of both factors.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Coefficients {
    /// Factor of the data `x_1`.
    pub alpha: f64,
    /// Factor of the noise `x_0`: the standard deviation of `x_t` given `x_1`.
    pub sigma: f64,
    /// Time derivative of `alpha`.
    pub d_alpha: f64,
    /// Time derivative of `sigma`.
    pub d_sigma: f64,
}

impl Coefficients {
    /// Log signal-to-noise ratio `lambda = 2 ln(alpha / sigma)`; infinite where either factor is
    /// zero, NaN where both are.
    #[must_use]
    pub fn log_snr(&self) -> f64 {
        2.0 * (self.alpha / self.sigma).ln()
    }

    /// Time derivative of the log signal-to-noise ratio, `2 D / (alpha sigma)`; not finite where
    /// that ratio is not.
    #[must_use]
    pub fn d_log_snr(&self) -> f64 {
        2.0 * self.det() / (self.alpha * self.sigma)
    }

    /// The determinant `D = alpha' sigma - alpha sigma'`, positive while the data gains on the
    /// noise.
    #[must_use]
    pub fn det(&self) -> f64 {
        self.d_alpha * self.sigma - self.alpha * self.d_sigma
    }

    /// Conditional velocity `alpha' x_1 + sigma' x_0` along the path of one pair.
    #[must_use]
    pub fn velocity(&self, x0: f64, x1: f64) -> f64 {
        self.d_alpha * x1 + self.d_sigma * x0
    }

    /// Conditional velocity at the point `x`,
    /// `u_t(x | x_1) = (sigma'/sigma)(x - alpha x_1) + alpha' x_1`.
    ///
    /// Divides by `sigma`: a regression target is better formed by [`Coefficients::velocity`].
    #[must_use]
    pub fn conditional_velocity(&self, x: f64, x1: f64) -> f64 {
        self.d_sigma / self.sigma * (x - self.alpha * x1) + self.d_alpha * x1
    }
}

/// A Gaussian probability path `x_t = alpha(t) x_1 + sigma(t) x_0` from noise (`t = 0`) to data
/// (`t = 1`).
///
/// Every other quantity of the path (velocity, score, conversions between predictions,
/// signal-to-noise ratio, loss weights) follows from the four numbers of [`Schedule::at`].
pub trait Schedule: Debug + Send + Sync {
    /// `(alpha, sigma, alpha', sigma')` at time `t`, finite within [`Schedule::span`].
    ///
    /// A time that is no number gives coefficients that are none.
    ///
    /// # Panics
    /// If a parameter of the schedule is outside its domain.
    fn at(&self, t: f64) -> Coefficients;

    /// Standard deviation of the normal law from which sampling starts at `t = 0`.
    ///
    /// The noise `x_0` of a path is standard normal all the same: `sigma` scales it.
    fn prior_std(&self) -> f64 {
        1.0
    }

    /// Times between which all four coefficients are finite, for training and for sampling.
    ///
    /// What a network predicts may narrow it further: see [`crate::Prediction::span`].
    fn span(&self) -> (f64, f64) {
        (0.0, 1.0)
    }

    /// The time in [`Schedule::span`] at which the log signal-to-noise ratio is `log_snr`.
    ///
    /// Values beyond the ends of the span, infinite ones among them, give its ends; NaN gives NaN.
    /// The default bisects, relying on a log signal-to-noise ratio that grows with time.
    fn time_at_log_snr(&self, log_snr: f64) -> f64 {
        if log_snr.is_nan() {
            return log_snr;
        }
        let (mut below, mut above) = self.span();
        if log_snr <= self.at(below).log_snr() {
            return below;
        }
        if self.at(above).log_snr() <= log_snr {
            return above;
        }
        // 64 halvings of an interval no longer than one leave less than a rounding error.
        for _ in 0..64 {
            let middle = f64::midpoint(below, above);
            if self.at(middle).log_snr() < log_snr {
                below = middle;
            } else {
                above = middle;
            }
        }
        above
    }
}

macro_rules! forward_schedule {
    ($($pointer:ty),*) => {$(
        impl<S: Schedule + ?Sized> Schedule for $pointer {
            fn at(&self, t: f64) -> Coefficients {
                (**self).at(t)
            }
            fn prior_std(&self) -> f64 {
                (**self).prior_std()
            }
            fn span(&self) -> (f64, f64) {
                (**self).span()
            }
            fn time_at_log_snr(&self, log_snr: f64) -> f64 {
                (**self).time_at_log_snr(log_snr)
            }
        }
    )*};
}

forward_schedule!(&S, Arc<S>, Box<S>);
