//! How much data and noise a point holds at each time: the key `path.schedule`.

use anyhow::Result;
use flow_path::{
    Cosine, Linear, NicholDhariwal, Polynomial, VarianceExploding, VariancePreserving,
};
use serde::{Deserialize, Serialize};

use crate::exit::usage;
use crate::recipe::check::{not_negative, positive};

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
        let named = |name: &str| format!("{key}.{name}");
        let rising = |low: (&str, f64), high: (&str, f64)| {
            positive(&[(&named(low.0), low.1), (&named(high.0), high.1)])?;
            if low.1 < high.1 {
                return Ok(());
            }
            Err(usage!("{key} needs 0 < {} < {}, got {} and {}", low.0, high.0, low.1, high.1))
        };
        match *self {
            Self::Linear(Linear { sigma_min }) if !(0.0..1.0).contains(&sigma_min) => {
                Err(usage!("{key}.sigma_min is {sigma_min}, it must lie in [0, 1)"))
            }
            Self::Vp(VariancePreserving { beta_min, beta_max }) => {
                rising(("beta_min", beta_min), ("beta_max", beta_max))
            }
            Self::Ve(VarianceExploding { sigma_min, sigma_max, .. }) => {
                rising(("sigma_min", sigma_min), ("sigma_max", sigma_max))
            }
            Self::Cosine(Cosine { margin })
                if !(0.0..std::f64::consts::FRAC_PI_4).contains(&margin) =>
            {
                Err(usage!("{key}.margin is {margin}, it must lie in [0, pi/4)"))
            }
            Self::Linear(_) | Self::Cosine(_) => Ok(()),
            Self::NicholDhariwal(NicholDhariwal { offset }) => {
                not_negative(&[(&named("offset"), offset)])
            }
            Self::Polynomial(Polynomial { degree }) => {
                positive(&[(&named("degree"), degree)])?;
                if 1.0 <= degree {
                    return Ok(());
                }
                Err(usage!("{key}.degree is {degree}, it must be at least 1"))
            }
        }
    }
}
