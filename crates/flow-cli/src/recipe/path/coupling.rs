//! How noise and data are paired: the key `path.coupling`.

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::default;
use crate::recipe::check::{fractions, positive};

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Coupling {
    #[default]
    Independent,
    Paired,
    Ot,
    Sinkhorn {
        #[serde(default = "default::twentieth")]
        epsilon: f64,
        #[serde(default)]
        replace: bool,
    },
    Unbalanced {
        #[serde(default = "default::twentieth")]
        epsilon: f64,
        #[serde(default = "default::one")]
        relaxation: f64,
    },
    Partial {
        #[serde(default = "default::nine_tenths")]
        fraction: f64,
    },
    Schrodinger {
        #[serde(default = "default::one")]
        sigma: f64,
    },
}

impl Coupling {
    /// Whether noise and data meet by their values, so that across classes the noise of a class is
    /// no longer the noise that samples start from.
    pub(crate) fn looks_at_values(self) -> bool {
        match self {
            Self::Independent | Self::Paired => false,
            Self::Ot
            | Self::Sinkhorn { .. }
            | Self::Unbalanced { .. }
            | Self::Partial { .. }
            | Self::Schrodinger { .. } => true,
        }
    }

    /// Refuses values that cannot work.
    pub(super) fn check(self) -> Result<()> {
        match self {
            Self::Sinkhorn { epsilon, .. } => positive(&[("path.coupling.epsilon", epsilon)]),
            Self::Unbalanced { epsilon, relaxation } => positive(&[
                ("path.coupling.epsilon", epsilon),
                ("path.coupling.relaxation", relaxation),
            ]),
            Self::Partial { fraction } => {
                positive(&[("path.coupling.fraction", fraction)])?;
                fractions(&[("path.coupling.fraction", fraction)])
            }
            Self::Schrodinger { sigma } => positive(&[("path.coupling.sigma", sigma)]),
            _ => Ok(()),
        }
    }
}
