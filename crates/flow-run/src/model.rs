//! The model of a run: what it samples with, what taught it, and what guides it.

use std::ops::{Deref, Range};
use std::path::Path;
use std::sync::Arc;

use burn::tensor::{Device, Tensor, TensorData};
use flow_model::{
    Against, Classes, Guidance, ModelConfig, ModelError, Registry, SamplePlan, SampleRequest,
    Samples,
};
use flow_nn::{Condition, DynPosterior, Footprint, Signature};
use flow_path::Source;
use flow_train::{Alone, Checkpoint, Ensemble, Group, Pairs};

use crate::array::ArrayRows;
use crate::data::target;
use crate::environment::Shape;
use crate::error::{RunError, usage};
use crate::matching;
use crate::network;
use crate::recipe::{self, Recipe};
use crate::request::Request;
use crate::run::Run;
use crate::shards;
use crate::snapshots::Snapshots;
use crate::table::TableRows;
use crate::upsampling::Upsampling;

/// A trained model with what only its run knows.
#[derive(Debug)]
pub struct Model {
    bare: flow_model::Model,
    /// What taught the latent; samples never ask it.
    pub posterior: Option<DynPosterior>,
    /// What the velocity network takes.
    pub footprint: Footprint,
    /// A weaker model that guidance moves away from, in place of this one without its class.
    guide: Option<Box<Model>>,
    /// Processes that share its samples.
    group: Arc<dyn Group>,
}

impl Deref for Model {
    type Target = flow_model::Model;

    fn deref(&self) -> &flow_model::Model {
        &self.bare
    }
}

impl Model {
    /// Loads the averaged network of a run's newest checkpoint.
    ///
    /// # Errors
    /// When there is no checkpoint, or it cannot be read.
    pub fn load(run: &Run, device: &Device) -> Result<Self, RunError> {
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
    ///
    /// # Errors
    /// When it cannot be read, or is that of another recipe.
    pub fn of(run: &Run, checkpoint: &Checkpoint, device: &Device) -> Result<Self, RunError> {
        let data = match run.rows()? {
            Some(rows) => rows,
            None => shape_of(&run.recipe)?,
        };
        let rows = data.rows()?;
        let vector = TableRows::of(&rows)?.as_ref().map_or(0, TableRows::vector);
        let Shape { shape, classes, class_names, .. } = data;
        let signature = network::signature(&run.recipe, &shape, classes, vector)?;
        let lengths = ArrayRows::of(&rows)?.map_or(Vec::new(), |array| array.lengths);
        let signature = Signature { lengths: !lengths.is_empty(), ..signature };
        let [footprint, _] = network::footprints(&run.recipe, &signature)?;
        let empty = network::build_empty(&run.recipe, &signature, device)?;
        let Ensemble { network, posterior } = checkpoint.average(empty)?;
        let names = if signature.classes == 0 { Vec::new() } else { class_names };
        let mut config = description(&run.recipe, signature, names, checkpoint.step)?;
        (config.rows, config.lengths) = (rows, lengths);
        if let Some(upsampling) = Upsampling::of(&run.recipe, &shape)? {
            config.rows.extend(upsampling.kept());
        }
        let registry = sources(run.recipe.network.registry().clone(), &run.recipe.path.source)?;
        let model = flow_model::Model::new(&registry, config, network, device)
            .map_err(|error| usage!("{error}"))?;
        Ok(Self { bare: model, posterior, footprint, guide: None, group: Arc::new(Alone) })
    }

    /// Opens a model that `flow export` wrote, with networks of the registry.
    ///
    /// # Errors
    /// When there is none, or it cannot be read.
    pub fn of_file(registry: &Registry, path: &Path, device: &Device) -> Result<Self, RunError> {
        if !path.exists() {
            return Err(usage!("there is no run and no model {}", path.display()));
        }
        let mut registry = registry.clone();
        for toy in flow_datasets::TOYS {
            if let Some(target) = target(toy) {
                registry = registry.with_source(format!("toy,set={toy}"), Source::Known(target));
            }
        }
        let model = flow_model::Model::open_with(&registry, path, device)?;
        let config = model.config();
        let footprint = registry
            .footprint(&config.network, &config.signature)
            .map_err(|error| usage!("{error}"))?;
        Ok(Self { bare: model, posterior: None, footprint, guide: None, group: Arc::new(Alone) })
    }

    /// Whether it is told a class or numbers.
    #[must_use]
    pub fn is_told(&self) -> bool {
        0 < self.classes() || 0 < self.vector()
    }

    /// How its rows become those of a table, for a model of one.
    ///
    /// # Errors
    /// When what it has kept of the table is damaged.
    pub fn table(&self) -> Result<Option<TableRows>, RunError> {
        Ok(TableRows::of(&self.config().rows)?)
    }

    /// By how much it enlarges the image that it is told, for a model of that kind.
    ///
    /// # Errors
    /// When what it has kept of it is damaged.
    pub fn upsampling(&self) -> Result<Option<Upsampling>, RunError> {
        Upsampling::kept_in(&self.config().rows)
    }

    /// What its rows look like in a file, for a model of an array.
    ///
    /// # Errors
    /// When what it has kept of the array is damaged.
    pub fn array(&self) -> Result<Option<ArrayRows>, RunError> {
        ArrayRows::of(&self.config().rows)
    }

    /// When its snapshots were seen, for a model of data to data.
    ///
    /// # Errors
    /// When what it has kept of them is damaged.
    pub fn snapshots(&self) -> Result<Option<Snapshots>, RunError> {
        Snapshots::of(&self.config().rows)
    }

    /// Number of classes of a conditional model, else 0.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.signature().classes
    }

    /// Numbers in its latent, 0 for none.
    #[must_use]
    pub fn latent(&self) -> usize {
        self.signature().latent
    }

    /// Lets guidance move away from a weaker model of the same rows, of whatever network.
    ///
    /// # Errors
    /// When its rows or classes are others.
    pub fn guided_by(self, weaker: Self) -> Result<Self, RunError> {
        self.bare.check_guide(&weaker).map_err(|error| usage!("--guide-with: {error}"))?;
        Ok(Self { guide: Some(Box::new(weaker)), ..self })
    }

    /// The same model, whose samples the processes of a group share: all of them ask for the same,
    /// each draws some batches, and the first gets all samples, with the bits of one process. The
    /// others get none.
    #[must_use]
    pub fn shared_by(self, group: Arc<dyn Group>) -> Self {
        Self { group, ..self }
    }

    /// The processes that share its samples.
    #[must_use]
    pub fn group(&self) -> &Arc<dyn Group> {
        &self.group
    }

    /// Draws samples.
    ///
    /// # Errors
    /// For a request that the model cannot meet, when the solver fails, and when a process that
    /// shares the work has ended.
    pub fn sample(&self, request: &Request) -> Result<Samples, RunError> {
        let mut all = Samples::none(self.signature(), request.times.len());
        self.sample_each(request, |part| -> Result<(), RunError> {
            all.append(part);
            Ok(())
        })?;
        Ok(all)
    }

    /// Draws samples batch by batch, in their order, and holds no more than a batch.
    ///
    /// # Errors
    /// As for [`sample`](Self::sample), and what `take` returns.
    pub fn sample_each<E: From<RunError>>(
        &self,
        request: &Request,
        mut take: impl FnMut(Samples) -> Result<(), E>,
    ) -> Result<(), E> {
        let (sampler, asked) = (request.way.sampler(), self.request(request));
        if 1 < self.group.size() {
            let draw = |range| {
                let drawn = self.bare.sample_batch(&asked, &*sampler, range);
                drawn.map_err(|error| refused(error, request))
            };
            let known = |range: Range<usize>| {
                let classes = self.labels(request, range.clone())?;
                let lengths = self.bare.lengths_of(&asked, range);
                Ok(Samples { classes, lengths, ..Samples::default() })
            };
            return shards::each(&*self.group, request, draw, known, take);
        }
        let take = |samples| take(samples).map_err(Stopped::Taken);
        let done = self.bare.sample_each(&asked, &*sampler, take);
        done.map_err(|stopped| match stopped {
            Stopped::Drawing(error) => refused(error, request).into(),
            Stopped::Taken(error) => error,
        })
    }

    /// A request along the flow itself: see [`Request::within`]. A model that has learned no
    /// velocity keeps its own sampler, between whose steps paths are lines.
    #[must_use]
    pub fn along_flow(&self, request: Request, tolerance: f64) -> Request {
        if self.config().learned_velocity { request.within(tolerance) } else { request }
    }

    /// The class of each sample.
    ///
    /// # Errors
    /// When the model has no such class.
    pub fn labels(
        &self,
        request: &Request,
        range: Range<usize>,
    ) -> Result<Option<Vec<usize>>, RunError> {
        self.classes_of(&classes(request, self.classes()), range)
            .map_err(|error| refused(error, request))
    }

    /// Carries rows along the flow from one time to others, on the model's own clock: 0 is the
    /// start of its paths and 1 their end. The rows are `request.given.starts`; the states at each
    /// of the other times are among those of the answer.
    ///
    /// # Errors
    /// For a request that the model cannot meet, samplers other than the flow itself, and when the
    /// solver fails.
    pub fn push(&self, request: &Request, times: &[f64]) -> Result<Samples, RunError> {
        let SamplePlan::Solver(method, stepping) = &request.way else {
            return Err(usage!(
                "rows are carried by a solver of the flow, such as --solver dopri5 or --solver rk4 \
                 --steps 20, and not by {}",
                request.label()
            ));
        };
        let asked = self.request(request);
        self.bare.push(&asked, times, *method, stepping).map_err(|error| refused(error, request))
    }

    fn request(&self, request: &Request) -> SampleRequest<'_> {
        let against = match &self.guide {
            Some(guide) => Some(Against::Model(guide)),
            None => self.is_told().then_some(Against::Unconditional),
        };
        let guidance =
            |against| Guidance { scale: request.guidance, interval: request.interval, against };
        let mut asked = SampleRequest::new(request.n, request.seed);
        asked.batch = request.batch;
        asked.classes = classes(request, self.classes());
        let in_turn = |rows: &Option<Vec<f32>>, size: usize| {
            let rows = rows.as_ref()?;
            Some(rows.iter().copied().cycle().take(request.n * size).collect())
        };
        asked.starts = in_turn(&request.given.starts, self.signature().size());
        asked.vectors = in_turn(&request.given.vectors, self.vector());
        asked.latents.clone_from(&request.given.latents);
        let lengths = request.given.lengths.as_ref();
        asked.lengths =
            lengths.map(|lengths| lengths.iter().copied().cycle().take(request.n).collect());
        asked.contexts =
            in_turn(&request.given.contexts, self.signature().context.iter().product());
        let is_baked = self.config().strengths.is_some();
        asked.guidance = against.filter(|_| is_baked || request.is_guided()).map(guidance);
        asked.along = request.schedule.map(|schedule| schedule.build());
        asked.keep.clone_from(&request.times);
        if let Some(grid) = request.way.grid() {
            asked.grid = grid.clone();
        }
        asked
    }

    /// The velocity at host points of a model of points, with a latent for each if it has any;
    /// nothing if the model has learned none or is told more.
    #[must_use]
    pub fn velocity(&self, points: &[f32], t: f64, latents: &[f32]) -> Option<Vec<f32>> {
        let &[dim] = self.shape() else { return None };
        if !self.config().learned_velocity {
            return None;
        }
        let condition = match self.latent() {
            0 => Condition::none(),
            size => {
                let latents = TensorData::new(latents.to_vec(), [points.len() / dim, size]);
                Condition::none().with_latent(Tensor::from_data(latents, self.device()))
            }
        };
        self.bare.velocity(points, t, condition).ok()
    }
}

/// Why drawing batch by batch stopped.
enum Stopped<E> {
    Drawing(ModelError),
    Taken(E),
}

impl<E> From<ModelError> for Stopped<E> {
    fn from(error: ModelError) -> Self {
        Self::Drawing(error)
    }
}

/// A class that is asked for by name; else those that are given, of a model that knows any.
fn classes(request: &Request, known: usize) -> Classes {
    match (request.class, request.given.classes.as_ref().filter(|_| 0 < known)) {
        (Some(class), _) => Classes::All(class),
        (None, Some(each)) => Classes::Each(each.iter().copied().cycle().take(request.n).collect()),
        (None, None) => Classes::InTurn,
    }
}

/// All that a model says of itself, from the recipe that made it.
fn description(
    recipe: &Recipe,
    signature: Signature,
    class_names: Vec<String>,
    step: usize,
) -> Result<ModelConfig, RunError> {
    let Recipe { name, about, path, train, sample, .. } = recipe;
    let network = network::section(recipe)?.table().clone();
    let source = match &path.source {
        _ if recipe.data.is_given_starts() => flow_model::DATA.into(),
        recipe::Source::Normal(_) => "normal".into(),
        toy @ recipe::Source::Toy(_) => toy.to_string(),
    };
    let made = [
        ("flow", toml::Value::from(env!("CARGO_PKG_VERSION"))),
        ("data", recipe.data.set.clone().into()),
        ("seed", recipe.seed.to_string().into()),
        ("steps", i64::try_from(step).unwrap_or(i64::MAX).into()),
        ("batch", i64::try_from(recipe.train.batch).unwrap_or(i64::MAX).into()),
    ];
    Ok(ModelConfig {
        name: name.clone(),
        about: about.clone(),
        prediction: path.prediction,
        learned_without: path.learns_without_class(),
        learned_velocity: recipe.pairs().is_none_or(Pairs::learns_velocity),
        strengths: train.guidance,
        source,
        class_names,
        schedule: path.schedule,
        sample: sample.clone(),
        made: made.into_iter().map(|(key, value)| (key.to_owned(), value)).collect(),
        ..ModelConfig::new(signature, network)
    })
}

/// A registry that also knows the law of a recipe's `x_0`.
fn sources(registry: Registry, source: &recipe::Source) -> Result<Registry, RunError> {
    Ok(registry.with_source(source.to_string(), matching::source(source)?))
}

/// Names the options of the command line, where the model's own words say what to do in Rust.
fn refused(error: ModelError, request: &Request) -> RunError {
    match error {
        ModelError::NoSuchClass { class, last, names } => {
            usage!("--class is {class}, the model has the classes 0 to {last}{names}")
        }
        ModelError::NoClasses => usage!("--class is given, but the model knows no classes"),
        ModelError::Missing { what: "start", .. } => usage!(
            "paths of this model start from data: `flow push RUN FILE --out FILE` carries the rows \
             of a file"
        ),
        ModelError::NotLearnedWithout => usage!(
            "guidance needs path.label_drop above 0 or --guide-with: this model never learned to \
             do without the class; draw with --guidance 1"
        ),
        source @ ModelError::NotFinite { .. } => {
            RunError::NotFinite { way: request.label(), source }
        }
        error => error.into(),
    }
}

/// What a recipe's data look like, without opening the files.
fn shape_of(recipe: &Recipe) -> Result<Shape, RunError> {
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

/// Writes a model, unless something else than a model is there.
///
/// # Errors
/// When it is, or cannot be written.
pub fn save_model(model: &flow_model::Model, out: &Path) -> Result<(), RunError> {
    refuse_others(out, "model.toml", " or a file that ends in .flow")?;
    Ok(model.save(out)?)
}

/// Writes a model as a folder for PyTorch, unless something else than such a folder is there.
///
/// # Errors
/// When it is, for a kind of network that PyTorch is not told, and when it cannot be written.
pub fn save_torch(model: &flow_model::Model, out: &Path) -> Result<(), RunError> {
    refuse_others(out, "network.py", "")?;
    Ok(model.save_torch(out)?)
}

/// Refuses a folder that holds something, but not the file that marks it as one of ours.
fn refuse_others(out: &Path, mark: &str, instead: &str) -> Result<(), RunError> {
    let empty = out.read_dir().is_ok_and(|mut entries| entries.next().is_none());
    if out.is_dir() && !empty && !out.join(mark).is_file() {
        return Err(usage!(
            "{} is a folder of other things, name a new one{instead}",
            out.display()
        ));
    }
    Ok(())
}
