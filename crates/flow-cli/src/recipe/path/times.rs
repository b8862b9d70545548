//! The law of the training times: the key `path.times`.

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::default;
use crate::exit::usage;
use crate::recipe::check::{finite, positive};

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Times {
    #[default]
    Uniform,
    Stratified,
    LogitNormal {
        #[serde(default)]
        mean: f64,
        #[serde(default = "default::one")]
        std: f64,
    },
    Mode {
        scale: f64,
    },
    Cosmap,
    UShaped {
        sharpness: f64,
    },
    Beta {
        data: f64,
        noise: f64,
    },
    Edm {
        #[serde(default = "default::edm_mean")]
        mean: f64,
        #[serde(default = "default::edm_std")]
        std: f64,
    },
}

/// Above it the mode law would turn back.
const MODE_LARGEST: f64 = 2.0 / (std::f64::consts::PI - 2.0);

impl Times {
    /// Refuses values that cannot work.
    pub(super) fn check(self) -> Result<()> {
        match self {
            Self::LogitNormal { mean, std } | Self::Edm { mean, std } => {
                finite(&[("path.times.mean", mean)])?;
                positive(&[("path.times.std", std)])
            }
            Self::Mode { scale } if !(-1.0..=MODE_LARGEST).contains(&scale) => Err(usage!(
                "path.times.scale is {scale}, it must lie between -1 and {MODE_LARGEST:.3}"
            )),
            Self::UShaped { sharpness } => positive(&[("path.times.sharpness", sharpness)]),
            Self::Beta { data, noise } => {
                positive(&[("path.times.data", data), ("path.times.noise", noise)])
            }
            _ => Ok(()),
        }
    }
}
