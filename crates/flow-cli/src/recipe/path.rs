//! What is regressed: the section `path`.

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::check::fractions;
use crate::exit::usage;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Path {
    pub(crate) schedule: Schedule,
    pub(crate) prediction: Prediction,
    pub(crate) times: Times,
    pub(crate) coupling: Coupling,
    pub(crate) label_drop: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Schedule {
    Linear { sigma_min: f64 },
    Vp { beta_min: f64, beta_max: f64 },
    Ve { sigma_min: f64, sigma_max: f64 },
    Cosine,
}

impl Default for Schedule {
    fn default() -> Self {
        Self::Linear { sigma_min: 0.0 }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Prediction {
    #[default]
    Velocity,
    Data,
    Noise,
    Score,
    V,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Times {
    #[default]
    Uniform,
    LogitNormal {
        mean: f64,
        std: f64,
    },
    Stratified,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Coupling {
    #[default]
    Independent,
    Ot,
}

impl Path {
    /// Refuses values that cannot work.
    pub(super) fn check(&self) -> Result<()> {
        fractions(&[("path.label_drop", self.label_drop)])?;
        if let Times::LogitNormal { mean, std } = self.times
            && !(mean.is_finite() && std.is_finite() && 0.0 < std)
        {
            return Err(usage!("path.times needs a finite mean and 0 < std, got {mean} and {std}"));
        }
        match self.schedule {
            Schedule::Linear { sigma_min } if !(0.0..1.0).contains(&sigma_min) => {
                Err(usage!("path.schedule.sigma_min is {sigma_min}, it must lie in [0, 1)"))
            }
            Schedule::Vp { beta_min, beta_max } if !(0.0 < beta_min && beta_min < beta_max) => {
                Err(usage!(
                    "path.schedule needs 0 < beta_min < beta_max, got {beta_min} and {beta_max}"
                ))
            }
            Schedule::Ve { sigma_min, sigma_max }
                if !(0.0 < sigma_min && sigma_min < sigma_max) =>
            {
                Err(usage!(
                    "path.schedule needs 0 < sigma_min < sigma_max, got {sigma_min} and {sigma_max}"
                ))
            }
            _ => Ok(()),
        }
    }
}
