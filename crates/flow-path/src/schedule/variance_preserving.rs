//! The variance-preserving diffusion, run from noise to data.

use serde::{Deserialize, Serialize};

use super::{Coefficients, ENDPOINT_MARGIN, Schedule};
use crate::PathError;
use crate::config::{Check, insist, positive, within};

/// Variance-preserving schedule: `alpha^2 + sigma^2 = 1` with a noise rate linear in time.
///
/// With diffusion time `s = 1 - t` and `T(s) = beta_min s + (beta_max - beta_min) s^2 / 2`:
/// `alpha = exp(-T/2)`, `sigma = sqrt(1 - exp(-T))`, and `beta = T'(s)`:
/// `alpha' = beta alpha / 2`, `sigma' = -beta alpha^2 / (2 sigma)`.
///
/// `sigma'` diverges at `t = 1`, hence the span `[0, 1 - 1e-5]`. At `t = 0` a little data remains
/// (`alpha = 0.0066` for the usual rates): sampling starts from `N(0, I)` all the same.
///
/// # Reference
/// Song et al. (2021), "Score-Based Generative Modeling through Stochastic Differential
/// Equations", arXiv:2011.13456; in this time direction Lipman et al. (2023), arXiv:2210.02747,
/// equations 18 and 19 and appendix E.1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VariancePreserving {
    /// Noise rate at the data, per unit time; positive.
    pub beta_min: f64,
    /// Noise rate at the noise, per unit time; positive.
    pub beta_max: f64,
}

impl Default for VariancePreserving {
    /// The usual rates, 0.1 and 20.
    fn default() -> Self {
        Self { beta_min: 0.1, beta_max: 20.0 }
    }
}

impl VariancePreserving {
    /// Noise rate `beta` at time `t`.
    #[must_use]
    pub fn beta(&self, t: f64) -> f64 {
        self.beta_min + (1.0 - t) * (self.beta_max - self.beta_min)
    }

    /// The noise rate integrated from the data back to time `t`, `T(1 - t)`.
    #[must_use]
    pub fn integrated_beta(&self, t: f64) -> f64 {
        let s = 1.0 - t;
        s * (self.beta_min + 0.5 * s * (self.beta_max - self.beta_min))
    }

    /// Rates that fall towards the noise, or do not change, are a diffusion too.
    fn positive(&self) -> Result<(), PathError> {
        positive("beta_min", self.beta_min)?;
        positive("beta_max", self.beta_max)
    }
}

impl Check for VariancePreserving {
    fn check(&self) -> Result<(), PathError> {
        self.positive()?;
        within("beta_min", self.beta_min, self.beta_min < self.beta_max, "(0, beta_max)")
    }
}

impl Schedule for VariancePreserving {
    fn at(&self, t: f64) -> Coefficients {
        insist(self.positive());
        let rate = 0.5 * self.beta(t);
        let integral = self.integrated_beta(t);
        let alpha = (-0.5 * integral).exp();
        // 1 - e^{-T} loses all its digits near the data; expm1 keeps them.
        let sigma = (-(-integral).exp_m1()).sqrt();
        Coefficients { alpha, sigma, d_alpha: rate * alpha, d_sigma: -rate * alpha * alpha / sigma }
    }

    fn span(&self) -> (f64, f64) {
        (0.0, 1.0 - ENDPOINT_MARGIN)
    }
}
