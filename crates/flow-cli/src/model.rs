//! A trained network and how to sample it, whatever its rank.

use std::sync::Arc;

use anyhow::Result;
use burn::tensor::{Device, Tensor, TensorData};
use flow_nn::{Condition, Footprint};
use flow_path::{Prediction, Schedule, Source};
use flow_sample::{Predictor, Retimed, Trained};
use flow_train::Checkpoint;

use crate::environment::Shape;
use crate::exit::usage;
use crate::network::{AnyNetwork, AnyPosterior, Configs, Networks};
use crate::recipe::Recipe;
use crate::registry;
use crate::run::Run;

/// A trained model, ready to sample.
#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) network: AnyNetwork,
    /// The posterior that taught the latent; sampling does not use it.
    pub(crate) posterior: Option<AnyPosterior>,
    /// Law of `x_0`.
    pub(crate) source: Source,
    pub(crate) schedule: Arc<dyn Schedule>,
    pub(crate) prediction: Prediction,
    /// Shape of one sample.
    pub(crate) shape: Vec<usize>,
    /// Number of classes of a conditional model, else 0.
    pub(crate) classes: usize,
    /// Names of the classes, if the run says them.
    pub(crate) class_names: Vec<String>,
    pub(crate) device: Device,
    /// Whether it was trained to do without the class, as guidance away from no class needs.
    pub(crate) learned_without_class: bool,
    /// What the velocity network takes.
    pub(crate) footprint: Footprint,
    /// A weaker model that guidance moves away from, in place of this one without its class.
    pub(crate) guide: Option<Box<Model>>,
}

/// A network with its condition, of either rank: the one place where the kinds of network part
/// ways.
pub(crate) enum AnyPredictor<'a> {
    /// Of points, `[B, d]`.
    Points(Box<dyn Predictor<2> + 'a>),
    /// Of images, `[B, C, H, W]`.
    Images(Box<dyn Predictor<4> + 'a>),
}

impl Model {
    /// Loads the averaged network of a run's newest checkpoint.
    pub(crate) fn load(run: &Run, device: &Device) -> Result<Self> {
        let mut checkpoint = run.latest()?;
        loop {
            match Self::of(run, &checkpoint, device) {
                // A training that goes on removed it meanwhile: then there is a newer one.
                Err(_) if !checkpoint.path.exists() => checkpoint = run.latest()?,
                done => return done,
            }
        }
    }

    /// Loads the averaged network of a checkpoint of a run.
    pub(crate) fn of(run: &Run, checkpoint: &Checkpoint, device: &Device) -> Result<Self> {
        let Shape { shape, classes, class_names, .. } = match run.rows()? {
            Some(rows) => rows,
            None => shape_of(&run.recipe)?,
        };
        let [footprint, _] = Configs::of(&run.recipe, &shape, classes)?.footprints();
        let networks = Networks::new(&run.recipe, &shape, classes, device)?.load(checkpoint)?;
        let classes = if run.recipe.data.conditional { classes } else { 0 };
        Ok(Self {
            network: networks.velocity,
            posterior: networks.posterior,
            source: registry::source(&run.recipe.path.source)?,
            schedule: registry::schedule(run.recipe.path.schedule),
            prediction: registry::prediction(run.recipe.path.prediction),
            shape,
            classes,
            class_names: if classes == 0 { Vec::new() } else { class_names },
            device: device.clone(),
            learned_without_class: run.recipe.path.learns_without_class(),
            footprint,
            guide: None,
        })
    }

    /// The network as a predictor for rows with this condition, along another schedule if one is
    /// given.
    pub(crate) fn predictor(
        &self,
        condition: Condition,
        along: Option<&Arc<dyn Schedule>>,
    ) -> AnyPredictor<'_> {
        match &self.network {
            AnyNetwork::Mlp(network) => {
                AnyPredictor::Points(boxed(self.trained(network, condition), along))
            }
            AnyNetwork::SplitMlp(network) => {
                AnyPredictor::Points(boxed(self.trained(network, condition), along))
            }
            AnyNetwork::UNet(network) => {
                AnyPredictor::Images(boxed(self.trained(network, condition), along))
            }
        }
    }

    fn trained<'a, N>(&self, network: &'a N, condition: Condition) -> Trained<'a, N> {
        let (schedule, prediction) = (Arc::clone(&self.schedule), self.prediction);
        Trained { network, condition, schedule, prediction }
    }

    /// Classes and latents of some rows, where the model knows any.
    pub(crate) fn condition(
        &self,
        labels: Option<&[usize]>,
        latents: impl FnOnce(usize) -> Tensor<2>,
    ) -> Condition {
        let condition =
            labels.map_or_else(Condition::none, |labels| Condition::classes(labels, &self.device));
        match self.network.latent() {
            0 => condition,
            size => condition.with_latent(latents(size)),
        }
    }

    /// The velocity at host points `[n, d]` of a model of points, with a latent for each if it has
    /// any.
    pub(crate) fn velocity(&self, points: &[f32], t: f64, latents: &[f32]) -> Option<Vec<f32>> {
        let &[dim] = self.shape.as_slice() else { return None };
        let n = points.len() / dim;
        let tensor = |rows: &[f32], size| {
            Tensor::<2>::from_data(TensorData::new(rows.to_vec(), [n, size]), &self.device)
        };
        let x = tensor(points, dim);
        let condition = self.condition(None, |size| tensor(latents, size));
        match self.predictor(condition, None) {
            AnyPredictor::Points(predictor) => {
                let velocity = predictor.predict(Prediction::Velocity, &x, t);
                velocity.into_data().convert::<f32>().try_into_vec().ok()
            }
            AnyPredictor::Images(_) => None,
        }
    }
}

fn boxed<'a, const D: usize>(
    predictor: impl Predictor<D> + 'a,
    along: Option<&Arc<dyn Schedule>>,
) -> Box<dyn Predictor<D> + 'a> {
    match along {
        None => Box::new(predictor),
        Some(along) => Box::new(Retimed { predictor, along: Arc::clone(along) }),
    }
}

/// What a recipe's data look like, without opening the files.
fn shape_of(recipe: &Recipe) -> Result<Shape> {
    let set = recipe.data.set.as_str();
    let (shape, classes) = match set {
        "digits" => (vec![1, 8, 8], 10),
        "mnist" | "fashion-mnist" => (vec![1, 28, 28], 10),
        "cifar10" => (vec![3, 32, 32], 10),
        _ => match flow_datasets::toy(set) {
            Some(toy) => (vec![toy.dim()], 0),
            None => {
                return Err(usage!(
                    "the run does not say what rows of `{set}` look like: its environment.json \
                     lacks `data`, which newer runs have; train it again"
                ));
            }
        },
    };
    let class_names = flow_datasets::class_names(set);
    Ok(Shape { shape, classes, class_names, ..Shape::default() })
}
