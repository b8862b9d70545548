//! The variance-exploding diffusion, run from noise to data.

use serde::{Deserialize, Serialize};

use super::{Coefficients, ENDPOINT_MARGIN, Schedule};
use crate::PathError;
use crate::config::{Check, insist, within};

/// Where a geometric noise level ends at `t = 1`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VeBoundary {
    /// `sigma(1) = sigma_min`: the geometric sequence itself.
    #[default]
    Floor,
    /// `sigma(1) = 0`: `sigma^2` of the geometric sequence less `sigma_min^2`.
    Zero,
}

/// Variance-exploding schedule: the data is never scaled, the noise decreases geometrically.
///
/// `alpha = 1` and, with `s(t) = sigma_min (sigma_max / sigma_min)^(1 - t)`, `sigma = s` for
/// [`VeBoundary::Floor`] or `sigma = sqrt(s^2 - sigma_min^2)` for [`VeBoundary::Zero`].
///
/// The prior is `N(0, sigma_max^2 I)`, centred at zero although the path is centred at the data, so
/// that the two differ by a divergence of about `E|x_1|^2 / (2 sigma_max^2)` nats. With
/// [`VeBoundary::Zero`] the derivative of `sigma` diverges at `t = 1`, and the span ends at
/// `1 - 1e-5`.
///
/// # Reference
/// Song et al. (2021), "Score-Based Generative Modeling through Stochastic Differential
/// Equations", arXiv:2011.13456; as a path Lipman et al. (2023), arXiv:2210.02747, equations 16
/// and 17.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VarianceExploding {
    /// Smallest noise level, in units of the data; positive.
    pub sigma_min: f64,
    /// Largest noise level, in units of the data; above the smallest.
    pub sigma_max: f64,
    /// Noise level at `t = 1`.
    pub boundary: VeBoundary,
}

impl Default for VarianceExploding {
    /// Noise levels from 50 to 0.01, ending at 0.01.
    fn default() -> Self {
        Self { sigma_min: 0.01, sigma_max: 50.0, boundary: VeBoundary::Floor }
    }
}

impl Check for VarianceExploding {
    fn check(&self) -> Result<(), PathError> {
        let (low, high) = (self.sigma_min, self.sigma_max);
        within("sigma_min", low, 0.0 < low && low < high, "(0, sigma_max)")?;
        within("sigma_max", high, high.is_finite(), "(sigma_min, inf)")
    }
}

impl Schedule for VarianceExploding {
    fn at(&self, t: f64) -> Coefficients {
        insist(self.check());
        let log_ratio = (self.sigma_max / self.sigma_min).ln();
        let s = self.sigma_min * ((1.0 - t) * log_ratio).exp();
        let d_s = -log_ratio * s;
        let (sigma, d_sigma) = match self.boundary {
            VeBoundary::Floor => (s, d_s),
            VeBoundary::Zero => {
                let sigma = self.sigma_min * (2.0 * (1.0 - t) * log_ratio).exp_m1().sqrt();
                (sigma, s * d_s / sigma)
            }
        };
        Coefficients { alpha: 1.0, sigma, d_alpha: 0.0, d_sigma }
    }

    fn prior_std(&self) -> f64 {
        self.at(0.0).sigma
    }

    fn span(&self) -> (f64, f64) {
        match self.boundary {
            VeBoundary::Floor => (0.0, 1.0),
            VeBoundary::Zero => (0.0, 1.0 - ENDPOINT_MARGIN),
        }
    }
}
