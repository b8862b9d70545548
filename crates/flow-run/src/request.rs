//! Requests for samples of a trained model.

use flow_model::{Asked, ModelError, SampleChanges, SampleConfig, SamplePlan};
use flow_ode::{Adaptive, Method, Stepping, Tolerance};
use flow_path::ScheduleConfig;
use flow_path::config::shown;
use flow_sample::{FlowMap, GridConfig, Interval, SamplerConfig};
use flow_train::Pairs;

use crate::data::Data;
use crate::error::{RunError, usage};
use crate::given::Given;
use crate::recipe::Recipe;
use crate::upsampling::Upsampling;

/// Samples that are computed together unless another number is asked for.
pub const DEFAULT_BATCH: usize = 500;

/// What to draw.
#[derive(Clone, Debug)]
pub struct Request {
    /// Number of samples.
    pub n: usize,
    /// Seed of the noise.
    pub seed: u64,
    /// Class to draw; all in turn, if none is named.
    pub class: Option<usize>,
    /// Strength of guidance; 1 is none.
    pub guidance: f64,
    /// Times between which guidance acts.
    pub interval: Interval,
    /// Samples computed together.
    pub batch: usize,
    /// The sampler, or the solver and its steps.
    pub way: SamplePlan,
    /// The section `sample` of the recipe with what is changed, from which the way is made.
    pub sample: SampleConfig,
    /// Schedule to sample along, if not that of the training.
    pub schedule: Option<ScheduleConfig>,
    /// Times whose states are kept.
    pub times: Vec<f64>,
    /// What is given instead of drawn.
    pub given: Given,
}

impl Request {
    /// The recipe's sampler with what is changed.
    ///
    /// # Errors
    /// For changes that cannot work.
    pub fn new(
        recipe: &Recipe,
        changes: &SampleChanges,
        n: usize,
        seed: u64,
    ) -> Result<Self, RunError> {
        let learned_velocity = recipe.pairs().is_none_or(Pairs::learns_velocity);
        let request = Self::of(&recipe.sample, changes, n, seed, learned_velocity)?;
        recipe.check_sampling(&request.sample)?;
        Ok(Self { batch: recipe.eval.batch, ..request })
    }

    /// The sampler of some settings with what is changed, of a model that has learned a velocity or
    /// not.
    ///
    /// # Errors
    /// For changes that cannot work.
    pub fn of(
        settings: &SampleConfig,
        changes: &SampleChanges,
        n: usize,
        seed: u64,
        learned_velocity: bool,
    ) -> Result<Self, RunError> {
        let sample = changes.of(settings).map_err(option)?;
        if changes.steps.is_some() {
            sample.check_jumps(learned_velocity).map_err(option)?;
        }
        sample.check().map_err(|error| usage!("{error}"))?;
        let [start, end] = sample.guidance_interval;
        Ok(Self {
            n,
            seed,
            class: None,
            guidance: sample.guidance,
            interval: Interval { start, end },
            batch: DEFAULT_BATCH,
            way: sample.plan(changes.asked()).map_err(|error| contradiction(&error))?,
            schedule: sample.schedule,
            times: Vec::new(),
            given: Given::default(),
            sample,
        })
    }

    /// A fixed number of steps of a method; none is an error once samples are drawn.
    #[must_use]
    pub fn fixed(self, method: Method, steps: usize) -> Self {
        Self { way: SamplePlan::Solver(method, Stepping::Count(steps)), ..self }
    }

    /// A fixed number of equal jumps of a flow map.
    ///
    /// # Errors
    /// For no jump or more than are made, and when the settings contradict each other.
    pub fn jumping(self, steps: usize) -> Result<Self, RunError> {
        let sampler = SamplerConfig::FlowMap(FlowMap::default());
        let grid = GridConfig::default();
        let sample = SampleConfig { sampler, grid, shift: 1.0, steps, ..self.sample };
        sample.check().map_err(|error| usage!("{error}"))?;
        let way = sample.plan(Asked::default()).map_err(|error| contradiction(&error))?;
        Ok(Self { way, sample, ..self })
    }

    /// The flow itself, whatever the sampler and its steps: an adaptive solver with this tolerance.
    ///
    /// Fixed steps are no yardstick. What a network predicts may be data, noise or a score, whose
    /// velocity is steep at an end of the path, and there equal steps are silently wrong. A
    /// tolerance that no step can meet is an error once samples are drawn.
    #[must_use]
    pub fn within(self, tolerance: f64) -> Self {
        let tolerance = Tolerance { atol: tolerance, rtol: tolerance };
        Self { way: SamplePlan::Solver(Method::Dopri5, Adaptive::new(tolerance).into()), ..self }
    }

    /// Keeps the states at `times`, which increase from 0 to 1: others are an error once samples
    /// are drawn.
    #[must_use]
    pub fn with_times(self, times: Vec<f64>) -> Self {
        Self { times, ..self }
    }

    /// Starts from given points, with given latents.
    #[must_use]
    pub fn with_given(self, given: Given) -> Self {
        Self { given, ..self }
    }

    /// Tells the model what held-out rows of its data are told, in turn: classes, numbers, starts,
    /// small images.
    ///
    /// # Errors
    /// When the recipe tells images what they do not have.
    pub fn told_as(mut self, recipe: &Recipe, data: &Data) -> Result<Self, RunError> {
        self.given = data.told();
        if let Some(upsampling) = Upsampling::of(recipe, &data.shape())? {
            let small = upsampling.shrunk(&data.told_images());
            self.given.contexts = Some(upsampling.enlarged(&small));
        }
        Ok(self)
    }

    /// Whether the solver chooses its own steps, which a batch shares.
    #[must_use]
    pub fn adapts(&self) -> bool {
        self.way.adapts()
    }

    /// Whether guidance is asked for: at strength 1 it does nothing.
    #[must_use]
    #[expect(clippy::float_cmp, reason = "exactly 1 means no guidance")]
    pub fn is_guided(&self) -> bool {
        self.guidance != 1.0
    }

    /// All of what the way and the guidance depend on, in words that tell it from any other.
    #[must_use]
    pub fn name(&self) -> String {
        let mut parts = vec![self.label()];
        match &self.way {
            SamplePlan::Solver(_, Stepping::Count(steps)) => parts.push(format!("-steps{steps}")),
            SamplePlan::Solver(_, _) => {
                let SampleConfig { rtol, atol, .. } = self.sample;
                parts.push(format!("-rtol{rtol:e}-atol{atol:e}"));
            }
            SamplePlan::OnGrid(..) => {
                let SampleConfig { grid, steps, shift, .. } = &self.sample;
                if !grid.is_given() {
                    parts.push(format!("-steps{steps}"));
                }
                if *grid != GridConfig::default() {
                    parts.push(format!("-grid-{}", shown(grid)));
                }
                if self.sample.is_shifted() {
                    parts.push(format!("-shift{shift}"));
                }
            }
        }
        if let Some(schedule) = &self.schedule {
            parts.push(format!("-schedule-{schedule}"));
        }
        if self.is_guided() {
            parts.push(format!("-guidance{}", self.guidance));
            let Interval { start, end } = self.interval;
            if self.interval != Interval::default() {
                parts.push(format!("-within{start}-{end}"));
            }
        }
        parts.concat()
    }

    /// The name of the way.
    #[must_use]
    pub fn label(&self) -> String {
        self.way.label()
    }
}

/// A change that is none, by the name of its option.
fn option(error: ModelError) -> RunError {
    usage!("--{}", error.to_string().replace("another grid", "another --grid"))
}

/// Settings that contradict each other, by the names of their options.
fn contradiction(error: &ModelError) -> RunError {
    let text = error.to_string().replace("rtol and atol", "--rtol and --atol");
    let text = text.replace("name a solver", "name a --solver");
    usage!("{}{text}", if text.starts_with("solver") { "--" } else { "" })
}
