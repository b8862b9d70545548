//! The networks of a recipe: what learns the velocity, and what reads a latent off a pair.

use anyhow::Result;
use burn::tensor::Device;
use flow_nn::{
    ImageEncoder, ImageEncoderConfig, Mlp, MlpConfig, Network as _, PointEncoder,
    PointEncoderConfig, SplitMlp, SplitMlpConfig, UNet, UNetConfig, init_seeded, parameter_count,
};
use flow_train::{Checkpoint, LatentModel, load_average};

use crate::exit::usage;
use crate::recipe::{self, Encoder, Recipe};

/// A velocity network of any kind.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one of them")]
pub(crate) enum AnyNetwork {
    /// For points.
    Mlp(Mlp),
    /// For points, with or without a latent.
    SplitMlp(SplitMlp),
    /// For images, with or without a latent.
    UNet(UNet),
}

/// A posterior of either kind.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one of them")]
pub(crate) enum AnyPosterior {
    /// For points.
    Points(PointEncoder),
    /// For images.
    Images(ImageEncoder),
}

/// What a recipe trains.
#[derive(Debug)]
pub(crate) struct Networks {
    pub(crate) velocity: AnyNetwork,
    /// Of a recipe with a latent.
    pub(crate) posterior: Option<AnyPosterior>,
}

impl AnyNetwork {
    /// Numbers in its latent, 0 for none.
    pub(crate) fn latent(&self) -> usize {
        match self {
            Self::Mlp(network) => network.latent(),
            Self::SplitMlp(network) => network.latent(),
            Self::UNet(network) => network.latent(),
        }
    }
}

impl Networks {
    /// Builds the networks of a recipe, with weights drawn from its seed.
    pub(crate) fn new(
        recipe: &Recipe,
        shape: &[usize],
        classes: usize,
        device: &Device,
    ) -> Result<Self> {
        let conditional = recipe.data.conditional;
        if conditional && classes == 0 {
            let set = &recipe.data.set;
            return Err(usage!("data.conditional is true, but `{set}` has no classes"));
        }
        let classes = if conditional { classes } else { 0 };
        Ok(Self {
            velocity: velocity(recipe, shape, classes, device)?,
            posterior: posterior(recipe, shape, device)?,
        })
    }

    /// Number of trainable numbers, in the velocity network and in the posterior.
    pub(crate) fn parameters(&self) -> [usize; 2] {
        let velocity = match &self.velocity {
            AnyNetwork::Mlp(network) => parameter_count(network),
            AnyNetwork::SplitMlp(network) => parameter_count(network),
            AnyNetwork::UNet(network) => parameter_count(network),
        };
        let posterior = match &self.posterior {
            None => 0,
            Some(AnyPosterior::Points(network)) => parameter_count(network),
            Some(AnyPosterior::Images(network)) => parameter_count(network),
        };
        [velocity, posterior]
    }

    /// The same networks with the averaged weights of a checkpoint.
    pub(crate) fn load(self, checkpoint: &Checkpoint) -> Result<Self> {
        let (velocity, posterior) = match (self.velocity, self.posterior) {
            (AnyNetwork::SplitMlp(network), Some(AnyPosterior::Points(posterior))) => {
                let model = load_average(LatentModel { network, posterior }, checkpoint)?;
                (AnyNetwork::SplitMlp(model.network), Some(AnyPosterior::Points(model.posterior)))
            }
            (AnyNetwork::UNet(network), Some(AnyPosterior::Images(posterior))) => {
                let model = load_average(LatentModel { network, posterior }, checkpoint)?;
                (AnyNetwork::UNet(model.network), Some(AnyPosterior::Images(model.posterior)))
            }
            (AnyNetwork::Mlp(network), _) => {
                (AnyNetwork::Mlp(load_average(network, checkpoint)?), None)
            }
            (AnyNetwork::SplitMlp(network), _) => {
                (AnyNetwork::SplitMlp(load_average(network, checkpoint)?), None)
            }
            (AnyNetwork::UNet(network), _) => {
                (AnyNetwork::UNet(load_average(network, checkpoint)?), None)
            }
        };
        Ok(Self { velocity, posterior })
    }
}

fn velocity(
    recipe: &Recipe,
    shape: &[usize],
    classes: usize,
    device: &Device,
) -> Result<AnyNetwork> {
    let latent = recipe.latent.as_ref().map_or(0, |latent| latent.dim);
    let seed = recipe.seed;
    let network = match (&recipe.network, shape) {
        (&recipe::Network::Mlp { hidden, depth, time_features, fourier }, &[dim]) => {
            let config = MlpConfig { dim, hidden, depth, time_features, fourier, classes };
            init_seeded(seed, device, |device| config.init(device)).map(AnyNetwork::Mlp)
        }
        (
            &recipe::Network::SplitMlp {
                features,
                band,
                hidden,
                depth,
                latent_hidden,
                latent_depth,
            },
            &[dim],
        ) => {
            let config = SplitMlpConfig {
                dim,
                features,
                band,
                hidden,
                depth,
                latent,
                latent_hidden,
                latent_depth,
            };
            init_seeded(seed, device, |device| config.init(device)).map(AnyNetwork::SplitMlp)
        }
        (
            recipe::Network::Unet {
                channels,
                multipliers,
                blocks,
                attention,
                head_channels,
                groups,
            },
            &[image_channels, size, width],
        ) if size == width => {
            let config = UNetConfig {
                image_channels,
                size,
                channels: *channels,
                multipliers: multipliers.clone(),
                blocks: *blocks,
                attention: attention.clone(),
                head_channels: *head_channels,
                groups: *groups,
                classes,
                latent,
                fusion: recipe.latent.as_ref().map(|latent| latent.fusion).unwrap_or_default(),
            };
            init_seeded(seed, device, |device| config.init(device)).map(AnyNetwork::UNet)
        }
        (network, shape) => {
            let kind = match network {
                recipe::Network::Mlp { .. } => "mlp takes points",
                recipe::Network::SplitMlp { .. } => "split-mlp takes points",
                recipe::Network::Unet { .. } => "unet takes square images",
            };
            return Err(usage!(
                "network.kind {kind}, but rows of `{}` have the shape {shape:?}",
                recipe.data.set
            ));
        }
    };
    network.map_err(|error| usage!("network: {error}"))
}

fn posterior(recipe: &Recipe, shape: &[usize], device: &Device) -> Result<Option<AnyPosterior>> {
    let Some(latent) = &recipe.latent else { return Ok(None) };
    // Another seed than the velocity network's, whose encoders have the same shapes.
    let seed = !recipe.seed;
    let (inputs, dim) = (latent.inputs.clone(), latent.dim);
    let posterior = match &latent.encoder {
        &Encoder::Mlp { features, band, hidden, depth } => {
            let config = PointEncoderConfig {
                dim: shape[0],
                inputs,
                latent: dim,
                features,
                band,
                hidden,
                depth,
            };
            init_seeded(seed, device, |device| config.init(device)).map(AnyPosterior::Points)
        }
        Encoder::Conv { channels, multipliers, groups } => {
            let config = ImageEncoderConfig {
                image_channels: shape[0],
                inputs,
                latent: dim,
                channels: *channels,
                multipliers: multipliers.clone(),
                groups: *groups,
            };
            init_seeded(seed, device, |device| config.init(device)).map(AnyPosterior::Images)
        }
    };
    posterior.map(Some).map_err(|error| usage!("latent.encoder: {error}"))
}
