//! A trained network and how to sample it, whatever its rank.

use std::sync::Arc;

use anyhow::Result;
use burn::tensor::Device;
use flow_nn::{Condition, Mlp, MlpConfig, UNet, UNetConfig, init_seeded, parameter_count};
use flow_path::{Prediction, Schedule};
use flow_sample::{Predictor, Trained};
use flow_train::{Checkpoint, load_average};

use crate::exit::usage;
use crate::recipe::{self, Recipe};
use crate::registry;
use crate::run::Run;

/// A network of either kind.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one of them")]
pub(crate) enum AnyNetwork {
    /// For points.
    Mlp(Mlp),
    /// For images.
    UNet(UNet),
}

impl AnyNetwork {
    /// Number of trainable numbers.
    pub(crate) fn parameters(&self) -> usize {
        match self {
            Self::Mlp(network) => parameter_count(network),
            Self::UNet(network) => parameter_count(network),
        }
    }

    /// The same network with the averaged weights of a checkpoint.
    fn load(self, checkpoint: &Checkpoint) -> Result<Self> {
        Ok(match self {
            Self::Mlp(network) => Self::Mlp(load_average(network, checkpoint)?),
            Self::UNet(network) => Self::UNet(load_average(network, checkpoint)?),
        })
    }
}

/// Builds the network of a recipe, with weights drawn from its seed.
pub(crate) fn network(
    recipe: &Recipe,
    shape: &[usize],
    classes: usize,
    device: &Device,
) -> Result<AnyNetwork> {
    let classes = if recipe.data.conditional { classes } else { 0 };
    if recipe.data.conditional && classes == 0 {
        return Err(usage!("data.conditional is true, but `{}` has no classes", recipe.data.set));
    }
    let network = match (&recipe.network, shape) {
        (&recipe::Network::Mlp { hidden, depth, time_features, fourier }, &[dim]) => {
            let config = MlpConfig { dim, hidden, depth, time_features, fourier, classes };
            init_seeded(recipe.seed, device, |device| config.init(device)).map(AnyNetwork::Mlp)
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
                ..UNetConfig::default()
            };
            init_seeded(recipe.seed, device, |device| config.init(device)).map(AnyNetwork::UNet)
        }
        (network, shape) => {
            let kind = match network {
                recipe::Network::Mlp { .. } => "mlp takes points",
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

/// A trained model, ready to sample.
#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) network: AnyNetwork,
    pub(crate) schedule: Arc<dyn Schedule>,
    pub(crate) prediction: Prediction,
    /// Shape of one sample.
    pub(crate) shape: Vec<usize>,
    /// Number of classes of a conditional model, else 0.
    pub(crate) classes: usize,
    pub(crate) device: Device,
    /// A weaker model that guidance moves away from, in place of this one without its class.
    pub(crate) guide: Option<Box<Model>>,
}

impl Model {
    /// Loads the averaged network of a run's newest checkpoint.
    pub(crate) fn load(run: &Run, device: &Device) -> Result<Self> {
        let checkpoint = run.latest()?;
        let (shape, classes) = shape_of(&run.recipe)?;
        let network = network(&run.recipe, &shape, classes, device)?.load(&checkpoint)?;
        let classes = if run.recipe.data.conditional { classes } else { 0 };
        Ok(Self {
            network,
            schedule: registry::schedule(run.recipe.path.schedule),
            prediction: registry::prediction(run.recipe.path.prediction),
            shape,
            classes,
            device: device.clone(),
            guide: None,
        })
    }

    /// A network of this model as a predictor, for rows of these classes.
    pub(crate) fn trained<'a, N>(
        &self,
        network: &'a N,
        labels: Option<&[usize]>,
    ) -> Trained<'a, N> {
        Trained {
            network,
            condition: labels
                .map_or_else(Condition::none, |labels| Condition::classes(labels, &self.device)),
            schedule: Arc::clone(&self.schedule),
            prediction: self.prediction,
        }
    }

    /// The velocity at host points `[n, d]` of a model of points.
    pub(crate) fn velocity(&self, points: &[f32], t: f64) -> Option<Vec<f32>> {
        let AnyNetwork::Mlp(network) = &self.network else { return None };
        let &[dim] = self.shape.as_slice() else { return None };
        let data = burn::tensor::TensorData::new(points.to_vec(), [points.len() / dim, dim]);
        let x = burn::tensor::Tensor::<2>::from_data(data, &self.device);
        let velocity = self.trained(network, None).predict(Prediction::Velocity, &x, t);
        velocity.into_data().convert::<f32>().try_into_vec().ok()
    }
}

/// Shape of one row and number of classes of a recipe's data, without opening the files.
fn shape_of(recipe: &Recipe) -> Result<(Vec<usize>, usize)> {
    let set = recipe.data.set.as_str();
    Ok(match set {
        "digits" => (vec![1, 8, 8], 10),
        "mnist" | "fashion-mnist" => (vec![1, 28, 28], 10),
        "cifar10" => (vec![3, 32, 32], 10),
        _ => match flow_datasets::toy(set) {
            Some(toy) => (vec![toy.dim()], 0),
            None => return Err(usage!("there is no data set `{set}`")),
        },
    })
}
