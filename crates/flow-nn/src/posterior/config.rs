//! The choice of an encoder, as a section of a recipe.

use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use super::{ImageEncoderConfig, PointEncoderConfig, PosteriorInput};
use crate::erased::DynPosterior;
use crate::error::NetworkError;
use crate::footprint::Footprint;
use crate::init::init_seeded;
use crate::signature::Signature;

/// A posterior's network: the section `[latent.encoder]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum EncoderConfig {
    /// For points.
    Mlp(PointEncoderConfig),
    /// For images.
    Conv(ImageEncoderConfig),
}

impl EncoderConfig {
    /// The name of its kind.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Mlp(_) => "mlp",
            Self::Conv(_) => "conv",
        }
    }

    /// Builds the posterior of the latents of a network with this signature, with weights drawn
    /// from `seed`.
    ///
    /// # Errors
    /// When rows have another shape than the encoder takes, or sizes do not fit together.
    pub fn build(
        &self,
        signature: &Signature,
        inputs: &[PosteriorInput],
        seed: u64,
        device: &Device,
    ) -> Result<DynPosterior, NetworkError> {
        init_seeded(seed, device, |device| self.init(signature, inputs, device))
    }

    /// The same posterior with weights that Burn draws when they are first read.
    ///
    /// # Errors
    /// As for [`build`](Self::build).
    pub fn init(
        &self,
        signature: &Signature,
        inputs: &[PosteriorInput],
        device: &Device,
    ) -> Result<DynPosterior, NetworkError> {
        let latent = signature.latent;
        match self {
            Self::Mlp(config) => {
                let dim = signature.points("the encoder mlp (conv is that of images)")?;
                config.init(dim, inputs, latent, device).map(DynPosterior::new)
            }
            Self::Conv(config) => {
                let shape = signature.image("the encoder conv (mlp is that of points)")?;
                config.init(shape, inputs, latent, device).map(DynPosterior::new)
            }
        }
    }

    /// What the posterior would take.
    #[must_use]
    pub fn footprint(&self, signature: &Signature, inputs: &[PosteriorInput]) -> Footprint {
        match self {
            Self::Mlp(config) => config.footprint(inputs.len(), signature.latent),
            Self::Conv(config) => {
                let shape = signature.image("the encoder conv").unwrap_or_default();
                config.footprint(shape, inputs, signature.latent)
            }
        }
    }
}
