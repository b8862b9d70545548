//! Tubes around the straight line between a pair.

use burn::prelude::*;
use serde::{Deserialize, Serialize};

use super::{ConditionalPath, Moments, PathSample, ProbabilityPath, around};
use crate::config::{Check, within};
use crate::{PathError, Times};

/// `z = (x_0, x_1)`: a straight line between the two ends, blurred by a constant standard
/// deviation.
///
/// `p_t(x | z) = N((1 - t) x_0 + t x_1, sigma^2 I)`. The marginals at the ends are those of noise
/// and data convolved with `N(0, sigma^2 I)`.
///
/// # Reference
/// Tong et al. (2024), arXiv:2302.00482 (I-CFM and OT-CFM).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PairTube {
    /// Standard deviation around the line, in units of the data; zero or positive, and finite.
    pub sigma: f64,
}

impl<const D: usize> ConditionalPath<(Tensor<D>, Tensor<D>), D> for PairTube {
    fn moments(&self, (x0, x1): &(Tensor<D>, Tensor<D>), t: &Times) -> Moments<D> {
        let weight = t.column(x0, |t| t);
        let d_mean = x1.clone() - x0.clone();
        Moments {
            mean: x0.clone() + weight * d_mean.clone(),
            d_mean,
            std: vec![self.sigma; t.len()],
            d_std: vec![0.0; t.len()],
        }
    }
}

impl<const D: usize> ProbabilityPath<D> for PairTube {
    fn is_random(&self) -> bool {
        true
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

impl Default for PairTube {
    fn default() -> Self {
        Self { sigma: 0.1 }
    }
}

impl Check for PairTube {
    fn check(&self) -> Result<(), PathError> {
        within("sigma", self.sigma, (0.0..f64::INFINITY).contains(&self.sigma), "[0, inf)")
    }
}
