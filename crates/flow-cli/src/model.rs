//! A trained network and how to sample it.

use std::sync::Arc;

use anyhow::Result;
use burn::tensor::{Device, Tensor, TensorData};
use flow_nn::{Condition, DynNetwork, DynPosterior, Footprint, Network, Signature};
use flow_path::{Prediction, Schedule, Source};
use flow_sample::{Predictor, Retimed, Trained};
use flow_train::{Checkpoint, Ensemble, load_average};

use crate::exit::usage;
use crate::network;
use crate::recipe::Recipe;
use crate::registry;
use crate::run::{Run, Shape};

/// A trained model, ready to sample.
#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) network: DynNetwork,
    /// What taught the latent; samples never ask it.
    pub(crate) posterior: Option<DynPosterior>,
    /// Law of `x_0`.
    pub(crate) source: Source,
    pub(crate) schedule: Arc<dyn Schedule>,
    pub(crate) prediction: Prediction,
    /// What they are called, if the run says it and the model is conditional.
    pub(crate) class_names: Vec<String>,
    pub(crate) device: Device,
    /// Whether it was trained to do without the class, as guidance away from no class needs.
    pub(crate) learned_without_class: bool,
    /// What the velocity network takes.
    pub(crate) footprint: Footprint,
    /// A weaker model that guidance moves away from, in place of this one without its class.
    pub(crate) guide: Option<Box<Model>>,
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
        let signature = network::signature(&run.recipe, &shape, classes)?;
        let [footprint, _] = network::footprints(&run.recipe, &signature)?;
        let fresh = network::build(&run.recipe, &signature, device)?;
        let Ensemble { network, posterior } = load_average(fresh, checkpoint)?;
        Ok(Self {
            network,
            posterior,
            source: registry::source(&run.recipe.path.source)?,
            schedule: registry::schedule(run.recipe.path.schedule),
            prediction: registry::prediction(run.recipe.path.prediction),
            class_names: if signature.classes == 0 { Vec::new() } else { class_names },
            device: device.clone(),
            learned_without_class: run.recipe.path.learns_without_class(),
            footprint,
            guide: None,
        })
    }

    /// What goes into its network and what comes out.
    pub(crate) fn signature(&self) -> &Signature {
        self.network.signature()
    }

    /// Shape of one sample.
    pub(crate) fn shape(&self) -> &[usize] {
        &self.signature().shape
    }

    /// Number of classes of a conditional model, else 0.
    pub(crate) fn classes(&self) -> usize {
        self.signature().classes
    }

    /// Numbers in its latent, 0 for none.
    pub(crate) fn latent(&self) -> usize {
        self.signature().latent
    }

    /// The network as a predictor for rows with this condition, along another schedule if one is given.
    pub(crate) fn predictor(
        &self,
        condition: Condition,
        along: Option<&Arc<dyn Schedule>>,
    ) -> Box<dyn Predictor + '_> {
        let (schedule, prediction) = (Arc::clone(&self.schedule), self.prediction);
        let predictor = Trained { network: &self.network, condition, schedule, prediction };
        match along {
            None => Box::new(predictor),
            Some(along) => Box::new(Retimed { predictor, along: Arc::clone(along) }),
        }
    }

    /// Classes and latents of some rows, where the model knows any.
    pub(crate) fn condition(
        &self,
        labels: Option<&[usize]>,
        latents: impl FnOnce(usize) -> Tensor<2>,
    ) -> Condition {
        let condition =
            labels.map_or_else(Condition::none, |labels| Condition::classes(labels, &self.device));
        match self.latent() {
            0 => condition,
            size => condition.with_latent(latents(size)),
        }
    }

    /// The velocity at host points `[n, d]` of a model of points, with a latent for each if it has any.
    pub(crate) fn velocity(&self, points: &[f32], t: f64, latents: &[f32]) -> Option<Vec<f32>> {
        let &[dim] = self.shape() else { return None };
        let n = points.len() / dim;
        let tensor = |rows: &[f32], size| {
            Tensor::<2>::from_data(TensorData::new(rows.to_vec(), [n, size]), &self.device)
        };
        let x = tensor(points, dim);
        let condition = self.condition(None, |size| tensor(latents, size));
        let velocity = self.predictor(condition, None).predict(Prediction::Velocity, &x, t);
        velocity.into_data().convert::<f32>().try_into_vec().ok()
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
                    "the run does not say what rows of `{set}` look like: its environment.json lacks \
                     `data`, which newer runs have; train it again"
                ));
            }
        },
    };
    let class_names = flow_datasets::class_names(set);
    Ok(Shape { shape, classes, class_names, ..Shape::default() })
}
