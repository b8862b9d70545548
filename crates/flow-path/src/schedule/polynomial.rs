//! Straight lines travelled at a changing speed.

use serde::{Deserialize, Serialize};

use super::{Coefficients, Schedule};
use crate::PathError;
use crate::config::{Check, insist, within};

/// Polynomial schedule: `x_t = t^degree x_1 + (1 - t^degree) x_0`.
///
/// The straight line of [`crate::Linear`] at the clock `t^degree`: a degree above one spends more
/// time near the noise. The conditional velocity is zero at `t = 0` for a degree above one, so that
/// a velocity there says nothing about the data; see [`crate::Prediction::span`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Polynomial {
    /// Exponent of the clock, at least one and finite.
    pub degree: f64,
}

impl Default for Polynomial {
    /// Degree 2.
    fn default() -> Self {
        Self { degree: 2.0 }
    }
}

impl Check for Polynomial {
    fn check(&self) -> Result<(), PathError> {
        within("degree", self.degree, (1.0..f64::INFINITY).contains(&self.degree), "[1, inf)")
    }
}

impl Schedule for Polynomial {
    fn at(&self, t: f64) -> Coefficients {
        insist(self.check());
        let alpha = t.powf(self.degree);
        let speed = self.degree * t.powf(self.degree - 1.0);
        Coefficients { alpha, sigma: 1.0 - alpha, d_alpha: speed, d_sigma: -speed }
    }
}
