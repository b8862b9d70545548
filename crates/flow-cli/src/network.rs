//! The networks of a recipe: what learns the velocity, and what reads a latent off a pair.

use anyhow::Result;
use burn::tensor::Device;
use flow_nn::{
    Footprint, ImageEncoder, ImageEncoderConfig, Mlp, MlpConfig, Network as _, NetworkError,
    PointEncoder, PointEncoderConfig, SplitMlp, SplitMlpConfig, UNet, UNetConfig, init_seeded,
    parameter_count,
};
use flow_train::{Checkpoint, LatentModel, load_average};

use crate::exit::usage;
use crate::memory;
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
    ///
    /// # Errors
    /// When they do not fit the data, or the memory of the machine, which is asked before they are
    /// made.
    pub(crate) fn new(
        recipe: &Recipe,
        shape: &[usize],
        classes: usize,
        device: &Device,
    ) -> Result<Self> {
        let configs = Configs::of(recipe, shape, classes)?;
        configs.check(recipe)?;
        Ok(Self {
            velocity: configs.velocity.init(recipe.seed, device)?,
            // Another seed than the velocity network's, whose encoders have the same shapes.
            posterior: configs.posterior.map(|p| p.init(!recipe.seed, device)).transpose()?,
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
            (AnyNetwork::Mlp(network), None) => {
                (AnyNetwork::Mlp(load_average(network, checkpoint)?), None)
            }
            (AnyNetwork::SplitMlp(network), None) => {
                (AnyNetwork::SplitMlp(load_average(network, checkpoint)?), None)
            }
            (AnyNetwork::UNet(network), None) => {
                (AnyNetwork::UNet(load_average(network, checkpoint)?), None)
            }
            (network, Some(posterior)) => return Err(strangers(&network, &posterior)),
        };
        Ok(Self { velocity, posterior })
    }
}

/// Two networks that no recipe joins.
pub(crate) fn strangers(network: &AnyNetwork, posterior: &AnyPosterior) -> anyhow::Error {
    let network = match network {
        AnyNetwork::Mlp(_) => "mlp",
        AnyNetwork::SplitMlp(_) => "split-mlp",
        AnyNetwork::UNet(_) => "unet",
    };
    let posterior = match posterior {
        AnyPosterior::Points(_) => "mlp",
        AnyPosterior::Images(_) => "conv",
    };
    usage!("network.kind {network} cannot be taught by latent.encoder.kind {posterior}")
}

/// Sizes of the networks of a recipe, before they are made.
#[derive(Debug)]
pub(crate) struct Configs {
    velocity: Velocity,
    posterior: Option<Posterior>,
}

#[derive(Debug)]
enum Velocity {
    Mlp(MlpConfig),
    SplitMlp(SplitMlpConfig),
    UNet(UNetConfig),
}

#[derive(Debug)]
enum Posterior {
    Points(PointEncoderConfig),
    Images { config: ImageEncoderConfig, pixels: usize },
}

impl Configs {
    /// Those for rows of this shape and this number of classes.
    ///
    /// # Errors
    /// When the network of the recipe is for rows of another kind.
    pub(crate) fn of(recipe: &Recipe, shape: &[usize], classes: usize) -> Result<Self> {
        let conditional = recipe.data.conditional;
        if conditional && classes == 0 {
            let set = &recipe.data.set;
            return Err(usage!("data.conditional is true, but `{set}` has no classes"));
        }
        let classes = if conditional { classes } else { 0 };
        Ok(Self {
            velocity: velocity(recipe, shape, classes)?,
            posterior: recipe.latent.as_ref().map(|latent| posterior(latent, shape)),
        })
    }

    /// What the velocity network and the posterior take.
    pub(crate) fn footprints(&self) -> [Footprint; 2] {
        let velocity = match &self.velocity {
            Velocity::Mlp(config) => config.footprint(),
            Velocity::SplitMlp(config) => config.footprint(),
            Velocity::UNet(config) => config.footprint(),
        };
        let posterior = self.posterior.as_ref().map(|posterior| match posterior {
            Posterior::Points(config) => config.footprint(),
            Posterior::Images { config, pixels } => config.footprint(*pixels),
        });
        [velocity, posterior.unwrap_or_default()]
    }

    /// Refuses networks that the machine cannot hold.
    fn check(&self, recipe: &Recipe) -> Result<()> {
        let [velocity, posterior] = self.footprints().map(|footprint| 4.0 * footprint.parameters);
        let [network, latent] = largest(recipe);
        memory::check(network, "the network", velocity)?;
        memory::check(latent, "the posterior", posterior)
    }
}

/// Keys of the largest sizes, of the velocity network and of the posterior: the latent belongs to
/// both.
pub(crate) fn largest(recipe: &Recipe) -> [&'static str; 2] {
    let network = recipe.network.largest();
    let Some(latent) = &recipe.latent else { return [network.0; 2] };
    let blamed = if network.1 < latent.dim { "latent.dim" } else { network.0 };
    [blamed, latent.largest().0]
}

impl Velocity {
    fn init(&self, seed: u64, device: &Device) -> Result<AnyNetwork> {
        match self {
            Self::Mlp(config) => {
                init_seeded(seed, device, |device| config.init(device)).map(AnyNetwork::Mlp)
            }
            Self::SplitMlp(config) => {
                init_seeded(seed, device, |device| config.init(device)).map(AnyNetwork::SplitMlp)
            }
            Self::UNet(config) => {
                init_seeded(seed, device, |device| config.init(device)).map(AnyNetwork::UNet)
            }
        }
        .map_err(|error: NetworkError| usage!("network: {error}"))
    }
}

impl Posterior {
    fn init(&self, seed: u64, device: &Device) -> Result<AnyPosterior> {
        match self {
            Self::Points(config) => {
                init_seeded(seed, device, |device| config.init(device)).map(AnyPosterior::Points)
            }
            Self::Images { config, .. } => {
                init_seeded(seed, device, |device| config.init(device)).map(AnyPosterior::Images)
            }
        }
        .map_err(|error: NetworkError| usage!("latent.encoder: {error}"))
    }
}

fn velocity(recipe: &Recipe, shape: &[usize], classes: usize) -> Result<Velocity> {
    let latent = recipe.latent.as_ref().map_or(0, |latent| latent.dim);
    match (&recipe.network, shape) {
        (&recipe::Network::Mlp { hidden, depth, time_features, fourier }, &[dim]) => {
            let config = MlpConfig { dim, hidden, depth, time_features, fourier, classes };
            Ok(Velocity::Mlp(config))
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
        ) => Ok(Velocity::SplitMlp(SplitMlpConfig {
            dim,
            features,
            band,
            hidden,
            depth,
            latent,
            latent_hidden,
            latent_depth,
        })),
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
        ) if size == width => Ok(Velocity::UNet(UNetConfig {
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
        })),
        (network, shape) => {
            let kind = match network {
                recipe::Network::Mlp { .. } => "mlp takes points",
                recipe::Network::SplitMlp { .. } => "split-mlp takes points",
                recipe::Network::Unet { .. } => "unet takes square images",
            };
            Err(usage!(
                "network.kind {kind}, but rows of `{}` have the shape {shape:?}",
                recipe.data.set
            ))
        }
    }
}

fn posterior(latent: &recipe::Latent, shape: &[usize]) -> Posterior {
    let (inputs, dim) = (latent.inputs.clone(), latent.dim);
    match &latent.encoder {
        &Encoder::Mlp { features, band, hidden, depth } => Posterior::Points(PointEncoderConfig {
            dim: shape[0],
            inputs,
            latent: dim,
            features,
            band,
            hidden,
            depth,
        }),
        Encoder::Conv { channels, multipliers, groups } => Posterior::Images {
            config: ImageEncoderConfig {
                image_channels: shape[0],
                inputs,
                latent: dim,
                channels: *channels,
                multipliers: multipliers.clone(),
                groups: *groups,
            },
            pixels: shape[1..].iter().fold(1, |all, &side| all.saturating_mul(side)),
        },
    }
}
