//! Brownian bridges between coupled ends.

use burn::prelude::*;
use serde::{Deserialize, Serialize};

use super::{ConditionalPath, Moments, PathSample, ProbabilityPath, around};
use crate::config::{Check, positive};
use crate::{PathError, Times};

/// Brownian bridge between the ends of a pair:
/// `p_t(x | x_0, x_1) = N((1-t) x_0 + t x_1, sigma^2 t (1-t) I)`.
///
/// With pairs drawn from the entropic plan of [`crate::Sinkhorn::schrodinger`] at the same `sigma`,
/// the mixture of bridges is the Schrodinger bridge between noise and data: one regression learns
/// the velocity of its probability flow, a second one its score, and together they drive the
/// stochastic process `dx = (u + (sigma^2 / 2) score) dt + sigma dW`. With independent pairs it is
/// a Brownian bridge matching of the same ends.
///
/// Velocity and score diverge at both ends as `1 / sqrt(t (1 - t))`: draw times inside
/// [`SchrodingerBridge::SPAN`].
///
/// # Reference
/// Tong et al. (2024), "Simulation-Free Schrodinger Bridges via Score and Flow Matching",
/// arXiv:2307.03672.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SchrodingerBridge {
    /// Diffusion coefficient of the reference Brownian motion.
    pub sigma: f64,
}

impl SchrodingerBridge {
    /// Times at which velocity and score of the bridge are finite.
    pub const SPAN: (f64, f64) = (crate::ENDPOINT_MARGIN, 1.0 - crate::ENDPOINT_MARGIN);

    /// Standard deviation of the bridge at time `t`, `sigma sqrt(t (1 - t))`; NaN outside `[0, 1]`.
    #[must_use]
    pub fn std(&self, t: f64) -> f64 {
        self.sigma * (t * (1.0 - t)).sqrt()
    }

    /// Factor `lambda(t) = 2 std / sigma^2` by which the score regression is bounded at both ends:
    /// its target `lambda(t) score` is `-2 noise / sigma^2`. Not finite where `sigma` is zero.
    #[must_use]
    pub fn score_factor(&self, t: f64) -> f64 {
        2.0 * self.std(t) / (self.sigma * self.sigma)
    }
}

impl<const D: usize> ConditionalPath<(Tensor<D>, Tensor<D>), D> for SchrodingerBridge {
    fn moments(&self, (x0, x1): &(Tensor<D>, Tensor<D>), t: &Times) -> Moments<D> {
        let weight = t.column(x0, |t| t);
        let d_mean = x1.clone() - x0.clone();
        Moments {
            mean: x0.clone() + weight * d_mean.clone(),
            d_mean,
            std: t.iter().map(|t| self.std(t)).collect(),
            d_std: t
                .iter()
                .map(|t| 0.5 * self.sigma * (1.0 - 2.0 * t) / (t * (1.0 - t)).sqrt())
                .collect(),
        }
    }
}

impl<const D: usize> ProbabilityPath<D> for SchrodingerBridge {
    fn is_random(&self) -> bool {
        true
    }

    fn span(&self) -> (f64, f64) {
        Self::SPAN
    }

    fn sample_with(
        &self,
        x0: Tensor<D>,
        x1: Tensor<D>,
        noise: Option<Tensor<D>>,
        t: &Times,
    ) -> PathSample<D> {
        around(self, x0, x1, noise, t)
    }
}

impl Default for SchrodingerBridge {
    fn default() -> Self {
        Self { sigma: 1.0 }
    }
}

impl Check for SchrodingerBridge {
    fn check(&self) -> Result<(), PathError> {
        positive("sigma", self.sigma)
    }
}
