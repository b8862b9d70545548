//! The network that learns the velocity: the section `network`.

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
    positive(&[(key, lowest), (key, highest)])?;
    if lowest < highest {
        return Ok(());
    }
    Err(usage!("{key} needs 0 < lowest < highest, got {lowest} and {highest}"))
}

/// Frequencies above it are noise in single precision, whose steps at 2^24 are longer than a
/// period.
const MOST_OCTAVES: usize = 24;

impl Network {
    /// Refuses values that cannot work.
    pub(super) fn check(&self) -> Result<()> {
        match self {
            Self::Mlp { fourier, .. } if MOST_OCTAVES < fourier.octaves => Err(usage!(
                "network.fourier.octaves is {}, at most {MOST_OCTAVES} make a difference",
                fourier.octaves
            )),
            Self::Mlp { fourier, .. } if 0 < fourier.octaves => {
                positive(&[("network.fourier.wavelength", fourier.wavelength)])
            }
            Self::SplitMlp { band, .. } => check_band("network.band", *band),
            _ => Ok(()),
        }
    }

    /// The largest size with its key, which is to blame for a network that is too large.
    pub(crate) fn largest(&self) -> (&'static str, usize) {
        let sizes = match self {
            Self::Mlp { hidden, depth, time_features, fourier } => vec![
                ("network.hidden", *hidden),
                ("network.depth", *depth),
                ("network.time_features", *time_features),
                ("network.fourier.octaves", fourier.octaves),
            ],
            Self::SplitMlp { features, hidden, depth, latent_hidden, latent_depth, .. } => vec![
                ("network.hidden", *hidden),
                ("network.depth", *depth),
                ("network.features", *features),
                ("network.latent_hidden", *latent_hidden),
                ("network.latent_depth", *latent_depth),
            ],
            Self::Unet { channels, multipliers, blocks, .. } => vec![
                ("network.channels", *channels),
                ("network.blocks", *blocks),
                ("network.multipliers", multipliers.iter().copied().max().unwrap_or_default()),
            ],
        };
        sizes.into_iter().max_by_key(|(_, size)| *size).unwrap_or(("network", 0))
    }
}
