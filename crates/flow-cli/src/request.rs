//! What to draw from a trained model.

use std::fmt::Display;
use std::str::FromStr;

use anyhow::Result;
use flow_model::{Asked, ModelError, SampleConfig, SamplePlan};
use flow_ode::{Adaptive, Method, Stepping, Tolerance};
use flow_path::ScheduleConfig;
use flow_path::config::shown;
use flow_sample::{GridConfig, Interval, SamplerConfig};

use crate::args::{DEFAULT_BATCH, SolverArgs};
use crate::exit::usage;
use crate::recipe::Recipe;

/// What to draw.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) n: usize,
    pub(crate) seed: u64,
    pub(crate) class: Option<usize>,
    pub(crate) guidance: f64,
    pub(crate) interval: Interval,
    pub(crate) batch: usize,
    pub(crate) way: SamplePlan,
    /// The section `sample` of the recipe with what the command line changes, from which the way is made.
    pub(crate) sample: SampleConfig,
    /// Schedule to sample along, if not that of the training.
    pub(crate) schedule: Option<ScheduleConfig>,
    pub(crate) times: Vec<f64>,
    pub(crate) given: Given,
}

/// What is given instead of drawn, a row for each sample.
#[derive(Clone, Debug, Default)]
pub(crate) struct Given {
    pub(crate) starts: Option<Vec<f32>>,
    pub(crate) latents: Option<Vec<f32>>,
}

impl Request {
    /// The recipe's sampler with what the command line changes.
    pub(crate) fn new(recipe: &Recipe, args: &SolverArgs, n: usize, seed: u64) -> Result<Self> {
        let request = Self::of(&recipe.sample, args, n, seed)?;
        recipe.check_sampling(&request.sample)?;
        Ok(Self { batch: recipe.eval.batch, ..request })
    }

    /// The sampler of some settings with what the command line changes.
    pub(crate) fn of(
        settings: &SampleConfig,
        args: &SolverArgs,
        n: usize,
        seed: u64,
    ) -> Result<Self> {
        let sample = changed(settings, args)?;
        sample.check().map_err(|error| usage!("{error}"))?;
        let [start, end] = sample.guidance_interval;
        Ok(Self {
            n,
            seed,
            class: None,
            guidance: sample.guidance,
            interval: Interval { start, end },
            batch: DEFAULT_BATCH,
            way: sample.plan(asked(args)).map_err(|error| contradiction(&error))?,
            schedule: sample.schedule,
            times: Vec::new(),
            given: Given::default(),
            sample,
        })
    }

    /// A fixed number of steps of a method.
    pub(crate) fn fixed(self, method: Method, steps: usize) -> Self {
        Self { way: SamplePlan::Solver(method, Stepping::Count(steps)), ..self }
    }

    /// The flow itself, whatever the sampler and its steps: an adaptive solver with this tolerance.
    ///
    /// Fixed steps are no yardstick. What a network predicts may be data, noise or a score, whose
    /// velocity is steep at an end of the path, and there equal steps are silently wrong.
    pub(crate) fn within(self, tolerance: f64) -> Self {
        let tolerance = Tolerance { atol: tolerance, rtol: tolerance };
        Self { way: SamplePlan::Solver(Method::Dopri5, Adaptive::new(tolerance).into()), ..self }
    }

    /// Keeps the states at `times`.
    pub(crate) fn with_times(self, times: Vec<f64>) -> Self {
        Self { times, ..self }
    }

    /// Starts from given points, with given latents.
    pub(crate) fn with_given(self, given: Given) -> Self {
        Self { given, ..self }
    }

    /// Whether the solver chooses its own steps, which a batch shares.
    pub(crate) fn adapts(&self) -> bool {
        self.way.adapts()
    }

    /// Whether guidance is asked for: at strength 1 it does nothing.
    #[expect(clippy::float_cmp, reason = "exactly 1 means no guidance")]
    pub(crate) fn is_guided(&self) -> bool {
        self.guidance != 1.0
    }

    /// All of what the way and the guidance depend on, in words that tell it from any other.
    pub(crate) fn name(&self) -> String {
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
    pub(crate) fn label(&self) -> String {
        self.way.label()
    }
}

/// The section `sample` with what the command line changes.
fn changed(sample: &SampleConfig, args: &SolverArgs) -> Result<SampleConfig> {
    if args.steps == Some(0) {
        return Err(usage!("--steps is 0, give at least 1"));
    }
    let mut sample = sample.clone();
    if let Some(text) = &args.sampler {
        sample.sampler = typed("--sampler", text)?;
    } else if args.solver.is_some() {
        sample.sampler = SamplerConfig::default();
    }
    if let Some(text) = &args.grid {
        sample.grid = typed("--grid", text)?;
    }
    if args.steps.is_some() && sample.grid.is_given() {
        return Err(usage!(
            "--steps does nothing beside a grid of given times, which has its own: leave it out, \
             or name another --grid"
        ));
    }
    if let Some(text) = &args.schedule {
        sample.schedule = Some(typed("--schedule", text)?);
    }
    if let Some(solver) = &args.solver {
        sample.solver.clone_from(solver);
    }
    sample.steps = args.steps.unwrap_or(sample.steps);
    sample.shift = args.shift.unwrap_or(sample.shift);
    sample.rtol = args.rtol.unwrap_or(sample.rtol);
    sample.atol = args.atol.unwrap_or(sample.atol);
    sample.guidance_interval = args.guidance_interval.unwrap_or(sample.guidance_interval);
    sample.guidance = args.guidance.unwrap_or(sample.guidance);
    Ok(sample)
}

/// What the command line asks for by name.
fn asked(args: &SolverArgs) -> Asked {
    Asked {
        steps: args.steps.is_some(),
        tolerances: args.rtol.is_some() || args.atol.is_some(),
        solver: args.solver.is_some(),
    }
}

/// Settings that contradict each other, by the names of their options.
fn contradiction(error: &ModelError) -> anyhow::Error {
    let text = error.to_string();
    let text = text.replace("solver, rtol and", "--solver, rtol and");
    usage!("{}", text.replace("rtol and atol", "--rtol and --atol"))
}

/// A choice as typed at an option.
fn typed<T: FromStr<Err: Display>>(option: &str, text: &str) -> Result<T> {
    text.parse().map_err(|error| usage!("{option}: {error}"))
}
