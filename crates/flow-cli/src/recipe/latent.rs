//! A latent that velocities may depend on, and the posterior that teaches it: the section `latent`.

use anyhow::Result;
use flow_nn::{Band, Fusion, PosteriorInput};
use serde::{Deserialize, Serialize};

use super::check::{not_negative, positive};
use super::network::Network;
use crate::exit::usage;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Latent {
    pub(crate) dim: usize,
    pub(crate) inputs: Vec<PosteriorInput>,
    pub(crate) kl_weight: f64,
    #[serde(default)]
    pub(crate) fusion: Fusion,
    pub(crate) encoder: Encoder,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Encoder {
    Mlp { features: usize, band: Band, hidden: usize, depth: usize },
    Conv { channels: usize, multipliers: Vec<usize>, groups: usize },
}

impl Latent {
    /// Refuses values that cannot work.
    pub(super) fn check(&self, network: &Network) -> Result<()> {
        positive(&[("latent.dim", self.dim as f64)])?;
        not_negative(&[("latent.kl_weight", self.kl_weight)])?;
        if self.inputs.is_empty() {
            return Err(usage!("latent.inputs is empty, name some of x0, x1, x_t and t"));
        }
        if let Encoder::Mlp { band, .. } = &self.encoder {
            super::network::check_band("latent.encoder.band", *band)?;
        }
        match (network, &self.encoder) {
            (Network::SplitMlp { .. }, Encoder::Mlp { .. })
            | (Network::Unet { .. }, Encoder::Conv { .. }) => Ok(()),
            (Network::Mlp { .. }, _) => {
                Err(usage!("network.kind mlp takes no latent, use split-mlp or leave latent out"))
            }
            (Network::SplitMlp { .. }, Encoder::Conv { .. }) => {
                Err(usage!("latent.encoder.kind conv looks at images, use mlp for points"))
            }
            (Network::Unet { .. }, Encoder::Mlp { .. }) => {
                Err(usage!("latent.encoder.kind mlp looks at points, use conv for images"))
            }
        }
    }

    /// The largest size with its key, which is to blame for a network that is too large.
    pub(crate) fn largest(&self) -> (&'static str, usize) {
        let mut sizes = vec![("latent.dim", self.dim)];
        match &self.encoder {
            Encoder::Mlp { features, hidden, depth, .. } => sizes.extend([
                ("latent.encoder.features", *features),
                ("latent.encoder.hidden", *hidden),
                ("latent.encoder.depth", *depth),
            ]),
            Encoder::Conv { channels, multipliers, .. } => sizes.extend([
                ("latent.encoder.channels", *channels),
                (
                    "latent.encoder.multipliers",
                    multipliers.iter().copied().max().unwrap_or_default(),
                ),
            ]),
        }
        sizes.into_iter().max_by_key(|(_, size)| *size).unwrap_or(("latent.dim", 0))
    }
}
