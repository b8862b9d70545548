//! A latent that velocities may depend on, and the posterior that teaches it: the section `latent`.

use flow_nn::{EncoderConfig, Fusion, PosteriorInput};
use serde::{Deserialize, Serialize};

use super::check::{not_negative, positive};
use crate::error::{RunError, usage};

/// A latent, and the posterior that teaches it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Latent {
    /// Its numbers.
    pub dim: usize,
    /// What the posterior reads.
    pub inputs: Vec<PosteriorInput>,
    /// Weight of the divergence from the prior.
    pub kl_weight: f64,
    /// Where the latent enters the velocity network.
    #[serde(default)]
    pub fusion: Fusion,
    /// The network of the posterior.
    pub encoder: EncoderConfig,
}

impl Latent {
    /// Refuses values that cannot work.
    pub(crate) fn check(&self) -> Result<(), RunError> {
        positive(&[("latent.dim", self.dim as f64)])?;
        not_negative(&[("latent.kl_weight", self.kl_weight)])?;
        if self.inputs.is_empty() {
            return Err(usage!("latent.inputs is empty, name some of x0, x1, x_t and t"));
        }
        Ok(())
    }

    /// The largest size with its key, which is to blame for a network that is too large.
    #[must_use]
    pub fn largest(&self) -> (&'static str, usize) {
        let mut sizes = vec![("latent.dim", self.dim)];
        match &self.encoder {
            EncoderConfig::Mlp(config) => sizes.extend([
                ("latent.encoder.features", config.features),
                ("latent.encoder.hidden", config.hidden),
                ("latent.encoder.depth", config.depth),
            ]),
            EncoderConfig::Conv(config) => sizes.extend([
                ("latent.encoder.channels", config.channels),
                (
                    "latent.encoder.multipliers",
                    config.multipliers.iter().copied().max().unwrap_or_default(),
                ),
            ]),
            _ => {}
        }
        sizes.into_iter().max_by_key(|(_, size)| *size).unwrap_or(("latent.dim", 0))
    }
}
