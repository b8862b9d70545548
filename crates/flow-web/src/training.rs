//! The training of a toy, one step at a time, for a page that draws it.

use std::ops::Range;
use std::sync::Arc;

use burn::tensor::Device;
use flow_api::{Refused, Reply};
use flow_datasets::{TOYS, Toy, toy};
use flow_model::{Model, ModelConfig, Registry, SampleConfig};
use flow_nn::Signature;
use flow_path::CouplingConfig;
use flow_path::stream::{Purpose, Streams};
use flow_train::{
    AdamW, DataSource, Decay, Draw, Ema, FlowMatching, LearningRate, MatchingBatches, Parts, Plan,
    Regression, Stepper, TrainError,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Numbers that a page may choose at most, so that a step stays below a second.
const MOST: [(&str, usize); 4] =
    [("hidden", 512), ("depth", 6), ("batch", 4_096), ("steps", 1_000_000)];
/// Steps that are taken at once at most.
const MOST_AT_ONCE: usize = 1_000;
/// Points of a toy that are drawn at once at most.
const MOST_POINTS: usize = 100_000;

/// What is trained: keys of a recipe, whose meanings they have.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Ask {
    set: String,
    seed: u64,
    hidden: usize,
    depth: usize,
    batch: usize,
    steps: usize,
    learning_rate: f64,
    coupling: String,
}

impl Default for Ask {
    fn default() -> Self {
        Self {
            set: "checkerboard".into(),
            seed: 0,
            hidden: 64,
            depth: 3,
            batch: 256,
            steps: 4_000,
            learning_rate: 2e-3,
            coupling: "independent".into(),
        }
    }
}

/// A toy in training: an MLP that learns the velocity of straight paths from normal noise.
#[derive(Debug)]
pub struct Training {
    ask: Ask,
    toy: Arc<dyn Toy>,
    network: toml::Table,
    signature: Signature,
    /// Nothing after a step that failed.
    stepper: Option<Stepper>,
    parameters: usize,
}

/// How far a training is.
#[derive(Debug, Serialize)]
pub(crate) struct State {
    step: usize,
    of: usize,
    dim: usize,
    parameters: usize,
    /// Loss of each step that was just taken.
    losses: Vec<f64>,
}

impl Training {
    /// Begins a training, which takes no step yet.
    pub(crate) fn begin(body: Map<String, Value>) -> Result<Self, Refused> {
        let ask: Ask = flow_api::fields(body)?;
        let sizes = [ask.hidden, ask.depth, ask.batch, ask.steps];
        for ((name, most), got) in MOST.into_iter().zip(sizes) {
            if !(1..=most).contains(&got) {
                return Err(bad(format!("`{name}` is {got}, it must lie in [1, {most}]")));
            }
        }
        let toy: Arc<dyn Toy> = toy(&ask.set)
            .ok_or_else(|| {
                bad(format!("there is no `{}`, known are {}", ask.set, TOYS.join(", ")))
            })?
            .into();
        let coupling: CouplingConfig =
            ask.coupling.parse().map_err(|error| bad(format!("`coupling`: {error}")))?;
        if coupling.needs_vectors() {
            return Err(
                bad("`coupling`: points have no conditions, take independent or ot".into()),
            );
        }
        let signature = Signature::of([toy.dim()]);
        let (network, device) = (section(&ask), Device::flex());
        let model = Registry::default().build(&network, &signature, ask.seed, &device)?;
        let parameters = flow_model::parameter_count(&model);
        let batches = MatchingBatches {
            matching: FlowMatching { coupling: coupling.build(), ..FlowMatching::default() },
            data: Arc::new(Points { toy: Arc::clone(&toy), shape: vec![toy.dim()] }),
            classes: 0,
            rows: ask.batch,
            noise: 0,
            streams: Streams::new(ask.seed),
        };
        let stepper =
            Stepper::new(model, Arc::new(Regression), Arc::new(batches), plan(&ask), &device);
        let stepper = Some(stepper.map_err(failed)?);
        Ok(Self { ask, toy, network, signature, stepper, parameters })
    }

    /// How far it is.
    pub(crate) fn state(&self) -> impl Serialize {
        self.after(Vec::new())
    }

    fn after(&self, losses: Vec<f64>) -> State {
        let step = self.stepper.as_ref().map_or(0, Stepper::steps);
        let (of, dim, parameters) = (self.ask.steps, self.toy.dim(), self.parameters);
        State { step, of, dim, parameters, losses }
    }

    /// Takes `count` steps, or as many as are left.
    pub(crate) fn steps(&mut self, body: Map<String, Value>) -> Result<Reply, Refused> {
        let Count { count } = flow_api::fields(body)?;
        if MOST_AT_ONCE < count {
            return Err(bad(format!(
                "`count` is {count}, at most {MOST_AT_ONCE} are taken at once"
            )));
        }
        let mut losses = Vec::new();
        while losses.len() < count && self.stepper()?.steps() < self.ask.steps {
            let stepper = self.stepper.take().ok_or_else(over)?;
            let (next, loss) = stepper.step().map_err(failed)?;
            self.stepper = Some(next);
            losses.push(loss);
        }
        Reply::json(&self.after(losses))
    }

    /// The averaged network as it is now, as a model of its own.
    pub(crate) fn model(&self) -> Result<Model, Refused> {
        let (stepper, Ask { set, seed, steps, coupling, .. }) = (self.stepper()?, &self.ask);
        let mut config = ModelConfig::new(self.signature.clone(), self.network.clone());
        config.name.clone_from(set);
        config.about = format!("trained in a browser, step {} of {steps}", stepper.steps());
        config.sample = SampleConfig { solver: "midpoint".into(), ..SampleConfig::default() };
        config.made.insert("set".into(), set.as_str().into());
        config.made.insert("seed".into(), seed.to_string().into());
        config.made.insert("coupling".into(), coupling.as_str().into());
        let network = stepper.average().network;
        Ok(Model::new(&Registry::default(), config, network, &Device::flex())?)
    }

    /// Points of the toy itself, to be shown beside samples.
    pub(crate) fn data(&self, body: Map<String, Value>) -> Result<Reply, Refused> {
        let Count { count } = flow_api::fields(body)?;
        if MOST_POINTS < count {
            return Err(bad(format!("`count` is {count}, at most {MOST_POINTS} are drawn")));
        }
        // A stream that no step of the training meets.
        let mut rng = Streams::new(self.ask.seed).rng(0, Purpose::Evaluation);
        let points = self.toy.sample(count, &mut rng);
        Reply::json(&points.chunks(self.toy.dim()).collect::<Vec<_>>())
    }

    fn stepper(&self) -> Result<&Stepper, Refused> {
        self.stepper.as_ref().ok_or_else(over)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Count {
    count: usize,
}

fn bad(sentence: String) -> Refused {
    Refused::Bad(sentence)
}

fn over() -> Refused {
    bad("the training has failed: begin another".into())
}

fn failed(error: TrainError) -> Refused {
    bad(error.to_string())
}

/// The section `[network]` of the recipe `checkerboard`, smaller.
fn section(ask: &Ask) -> toml::Table {
    let mut fourier = toml::Table::new();
    fourier.insert("octaves".into(), 5.into());
    fourier.insert("wavelength".into(), 16.0.into());
    let mut section = toml::Table::new();
    section.insert("kind".into(), "mlp".into());
    section.insert("hidden".into(), (ask.hidden as i64).into());
    section.insert("depth".into(), (ask.depth as i64).into());
    section.insert("time_features".into(), 32.into());
    section.insert("fourier".into(), fourier.into());
    section
}

/// The numbers of the recipe `checkerboard`, with an average that decays faster.
fn plan(ask: &Ask) -> Plan {
    Plan {
        parts: Parts::default(),
        steps: ask.steps,
        every: ask.steps,
        also: Vec::new(),
        learning_rate: LearningRate {
            peak: ask.learning_rate,
            warmup: ask.steps.min(100),
            steps: ask.steps,
            decay: Decay::Cosine,
            floor: 0.0,
        },
        optimizer: AdamW { weight_decay: 0.0, ..AdamW::default() },
        ema: Ema { half_life: 20_000.0, ramp: 0.05 },
        max_gradient_norm: Some(1.0),
        validation_batches: 0,
    }
}

/// An endless sequence of fresh points, that of `flow train` for the same seed.
#[derive(Debug)]
struct Points {
    toy: Arc<dyn Toy>,
    shape: Vec<usize>,
}

impl DataSource for Points {
    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn draw(&self, range: Range<u64>, streams: &Streams) -> Draw {
        let mut rng = streams.rng(range.start, Purpose::Data);
        let n = (range.end - range.start) as usize;
        Draw { rows: self.toy.sample(n, &mut rng), ..Draw::default() }
    }
}
