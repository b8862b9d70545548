//! What learns: the section `network`.

use anyhow::Result;
use flow_nn::{Band, FourierFeatures};
use serde::{Deserialize, Serialize};

use super::check::positive;
use crate::exit::usage;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Network {
    Mlp {
        hidden: usize,
        depth: usize,
        time_features: usize,
        fourier: FourierFeatures,
    },
    SplitMlp {
        features: usize,
        band: Band,
        hidden: usize,
        depth: usize,
        #[serde(default = "latent_hidden")]
        latent_hidden: usize,
        #[serde(default = "latent_depth")]
        latent_depth: usize,
    },
    Unet {
        channels: usize,
        multipliers: Vec<usize>,
        blocks: usize,
        attention: Vec<usize>,
        head_channels: usize,
        groups: usize,
    },
}

fn latent_hidden() -> usize {
    128
}

fn latent_depth() -> usize {
    3
}

/// Refuses a band of frequencies that is none.
pub(super) fn check_band(key: &str, Band { lowest, highest }: Band) -> Result<()> {
    if 0.0 < lowest && lowest < highest && highest.is_finite() {
        return Ok(());
    }
    Err(usage!("{key} needs 0 < lowest < highest, got {lowest} and {highest}"))
}

impl Network {
    /// Refuses values that cannot work.
    pub(super) fn check(&self) -> Result<()> {
        match self {
            Self::Mlp { fourier, .. } if 0 < fourier.octaves => {
                positive(&[("network.fourier.wavelength", fourier.wavelength)])
            }
            Self::SplitMlp { band, .. } => check_band("network.band", *band),
            _ => Ok(()),
        }
    }
}
