//! How much data and noise a point holds at each time: the key `path.schedule`.

use anyhow::Result;
use flow_path::{
    Cosine, Linear, NicholDhariwal, Polynomial, VarianceExploding, VariancePreserving,
};
use serde::{Deserialize, Serialize};

use crate::exit::usage;

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub(crate) enum Schedule {
    Linear(Linear),
    Vp(VariancePreserving),
    Ve(VarianceExploding),
    Cosine(Cosine),
    NicholDhariwal(NicholDhariwal),
    Polynomial(Polynomial),
}

impl Default for Schedule {
    fn default() -> Self {
        Self::Linear(Linear::default())
    }
}

impl Schedule {
    /// Refuses values that cannot work.
    pub(crate) fn check(&self, key: &str) -> Result<()> {
        match *self {
            Self::Linear(Linear { sigma_min }) if !(0.0..1.0).contains(&sigma_min) => {
                Err(usage!("{key}.sigma_min is {sigma_min}, it must lie in [0, 1)"))
            }
            Self::Vp(VariancePreserving { beta_min: low, beta_max: high })
                if !(0.0 < low && low < high && high.is_finite()) =>
            {
                Err(usage!("{key} needs 0 < beta_min < beta_max, got {low} and {high}"))
            }
            Self::Ve(VarianceExploding { sigma_min: low, sigma_max: high, .. })
                if !(0.0 < low && low < high && high.is_finite()) =>
            {
                Err(usage!("{key} needs 0 < sigma_min < sigma_max, got {low} and {high}"))
            }
            Self::Cosine(Cosine { margin })
                if !(0.0..std::f64::consts::FRAC_PI_4).contains(&margin) =>
            {
                Err(usage!("{key}.margin is {margin}, it must lie in [0, pi/4)"))
            }
            Self::NicholDhariwal(NicholDhariwal { offset })
                if !(offset.is_finite() && 0.0 <= offset) =>
            {
                Err(usage!("{key}.offset is {offset}, it must be zero or a positive number"))
            }
            Self::Polynomial(Polynomial { degree }) if !(degree.is_finite() && 1.0 <= degree) => {
                Err(usage!("{key}.degree is {degree}, it must be at least 1"))
            }
            _ => Ok(()),
        }
    }
}
