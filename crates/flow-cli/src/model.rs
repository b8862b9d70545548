//! A trained network and how to sample it, whatever its rank.

use std::ops::Range;
use std::sync::Arc;

use anyhow::Result;
use burn::tensor::Device;
use flow_nn::{Condition, Mlp, MlpConfig, Network, UNet, UNetConfig, init_seeded, parameter_count};
use flow_path::{Prediction, Schedule};
use flow_sample::{Guided, Interval, Ode, Predictor, Sampler, Trained, prior};
use flow_train::{Checkpoint, load_average};

use crate::exit::usage;
use crate::recipe::{self, Recipe};
use crate::registry;
pub(crate) use crate::request::Request;
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
    schedule: Arc<dyn Schedule>,
    prediction: Prediction,
    /// Shape of one sample.
    pub(crate) shape: Vec<usize>,
    /// Number of classes of a conditional model, else 0.
    pub(crate) classes: usize,
    pub(crate) device: Device,
}

/// Host samples, row-major, and network calls per sample.
#[derive(Debug, Default)]
pub(crate) struct Samples {
    pub(crate) rows: Vec<f32>,
    /// States at each time asked for, each `[n, ..]`.
    pub(crate) states: Vec<Vec<f32>>,
    pub(crate) labels: Option<Vec<usize>>,
    /// Mean over batches.
    pub(crate) nfe: f64,
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
        })
    }

    /// Draws samples.
    pub(crate) fn sample(&self, request: &Request) -> Result<Samples> {
        let labels = self.labels(request)?;
        match &self.network {
            AnyNetwork::Mlp(network) => self.sample_with::<Mlp, 2>(network, request, labels),
            AnyNetwork::UNet(network) => self.sample_with::<UNet, 4>(network, request, labels),
        }
    }

    /// The class of each sample.
    fn labels(&self, request: &Request) -> Result<Option<Vec<usize>>> {
        match (request.class, self.classes) {
            (None, 0) => Ok(None),
            (Some(_), 0) => Err(usage!("--class is given, but the model knows no classes")),
            (Some(class), classes) if classes <= class => {
                Err(usage!("--class is {class}, the model has the classes 0 to {}", classes - 1))
            }
            (Some(class), _) => Ok(Some(vec![class; request.n])),
            (None, classes) => Ok(Some((0..request.n).map(|i| i % classes).collect())),
        }
    }

    fn sample_with<N: Network<D>, const D: usize>(
        &self,
        network: &N,
        request: &Request,
        labels: Option<Vec<usize>>,
    ) -> Result<Samples> {
        let mut samples =
            Samples { states: vec![Vec::new(); request.times.len()], ..Samples::default() };
        let mut calls = 0;
        for start in (0..request.n).step_by(request.batch) {
            let range = start..(start + request.batch).min(request.n);
            let with = self.trained(network, labels.as_deref().map(|l| &l[range.clone()]));
            #[expect(clippy::float_cmp, reason = "exactly 1 means no guidance")]
            let guided = labels.is_some() && request.guidance != 1.0;
            if guided {
                let null = vec![self.classes; range.len()];
                let predictor = Guided {
                    with,
                    without: self.trained(network, Some(&null)),
                    scale: request.guidance,
                    interval: Interval::default(),
                };
                calls += self.batch::<D>(&predictor, request, range, &mut samples)?;
            } else {
                calls += self.batch::<D>(&with, request, range, &mut samples)?;
            }
        }
        samples.nfe = calls as f64 / request.n as f64;
        samples.labels = labels;
        Ok(samples)
    }

    /// Draws one batch and returns its network calls, all samples together.
    fn batch<const D: usize>(
        &self,
        predictor: &dyn Predictor<D>,
        request: &Request,
        range: Range<usize>,
        samples: &mut Samples,
    ) -> Result<usize> {
        let n = range.len();
        let x0 = prior(request.seed, range, &self.shape, predictor, &self.device);
        let sampler =
            Ode::new(request.method, request.stepping.clone()).with_times(request.times.clone());
        let generated = sampler.sample(predictor, x0)?;
        let host = |x: burn::tensor::Tensor<D>| -> Result<Vec<f32>> {
            Ok(x.into_data().convert::<f32>().try_into_vec::<f32>()?)
        };
        for (states, x) in samples.states.iter_mut().zip(generated.states) {
            states.extend(host(x)?);
        }
        samples.rows.extend(host(generated.x)?);
        Ok(generated.nfe * n)
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
