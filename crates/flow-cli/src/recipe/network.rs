//! What learns: the section `network`.

use anyhow::Result;
use flow_nn::FourierFeatures;
use serde::{Deserialize, Serialize};

use super::check::positive;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Network {
    Mlp {
        hidden: usize,
        depth: usize,
        time_features: usize,
        fourier: FourierFeatures,
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

impl Network {
    /// Refuses values that cannot work.
    pub(super) fn check(&self) -> Result<()> {
        match self {
            Self::Mlp { fourier, .. } if 0 < fourier.octaves => {
                positive(&[("network.fourier.wavelength", fourier.wavelength)])
            }
            _ => Ok(()),
        }
    }
}
