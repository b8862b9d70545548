//! What to draw from a trained model.

use anyhow::Result;
use flow_ode::{Adaptive, Method, Stepping, Tolerance};
use flow_sample::{Grid, Interval};

use crate::args::SolverArgs;
use crate::exit::usage;
use crate::recipe::{self, Recipe, Sample, Schedule, Shift, named};
use crate::registry;

/// What to draw.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) n: usize,
    pub(crate) seed: u64,
    pub(crate) class: Option<usize>,
    pub(crate) guidance: f64,
    pub(crate) interval: Interval,
    pub(crate) batch: usize,
    pub(crate) way: Way,
    /// The section `sample` of the recipe with what the command line changes, from which the way is
    /// made.
    pub(crate) sample: Sample,
    /// Schedule to sample along, if not that of the training.
    pub(crate) schedule: Option<Schedule>,
    pub(crate) times: Vec<f64>,
    pub(crate) given: Given,
}

/// What is given instead of drawn, a row for each sample.
#[derive(Clone, Debug, Default)]
pub(crate) struct Given {
    pub(crate) starts: Option<Vec<f32>>,
    pub(crate) latents: Option<Vec<f32>>,
}

/// The way from noise to data.
#[derive(Clone, Debug)]
pub(crate) enum Way {
    /// A solver, and how it advances.
    Solver(Method, Stepping),
    /// A sampler on a grid, with the solver of the sampler `ode`.
    OnGrid(recipe::Sampler, Method, Grid),
}

impl Request {
    /// The recipe's sampler with what the command line changes.
    pub(crate) fn new(recipe: &Recipe, args: &SolverArgs, n: usize, seed: u64) -> Result<Self> {
        let sample = changed(&recipe.sample, args)?;
        sample.check()?;
        recipe.check_sampling(&sample)?;
        let [start, end] = sample.guidance_interval;
        Ok(Self {
            n,
            seed,
            class: None,
            guidance: sample.guidance,
            interval: Interval { start, end },
            batch: recipe.eval.batch,
            way: way(&sample, args)?,
            schedule: sample.schedule,
            times: Vec::new(),
            given: Given::default(),
            sample,
        })
    }

    /// A fixed number of steps of a method.
    pub(crate) fn fixed(self, method: Method, steps: usize) -> Self {
        Self { way: Way::Solver(method, Stepping::Count(steps)), ..self }
    }

    /// The flow itself, whatever the sampler and its steps: an adaptive solver with this tolerance.
    ///
    /// Fixed steps are no yardstick. What a network predicts may be data, noise or a score, whose
    /// velocity is steep at an end of the path, and there equal steps are silently wrong.
    pub(crate) fn within(self, tolerance: f64) -> Self {
        let tolerance = Tolerance { atol: tolerance, rtol: tolerance };
        Self { way: Way::Solver(Method::Dopri5, Adaptive::new(tolerance).into()), ..self }
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
        matches!(self.way, Way::Solver(_, Stepping::Adaptive(_)))
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
            Way::Solver(_, Stepping::Count(steps)) => parts.push(format!("-steps{steps}")),
            Way::Solver(_, _) => {
                let Sample { rtol, atol, .. } = self.sample;
                parts.push(format!("-rtol{rtol:e}-atol{atol:e}"));
            }
            Way::OnGrid(..) => {
                let Sample { grid, steps, shift, .. } = &self.sample;
                if !matches!(grid, recipe::Grid::Given { .. }) {
                    parts.push(format!("-steps{steps}"));
                }
                if *grid != recipe::Grid::Uniform {
                    parts.push(format!("-grid-{}", named::shown(grid)));
                }
                if !shift.is_none() {
                    parts.push(format!("-shift{}", shift.0));
                }
            }
        }
        if let Some(schedule) = &self.schedule {
            parts.push(format!("-schedule-{}", named::shown(schedule)));
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
        match &self.way {
            Way::Solver(method, _) | Way::OnGrid(recipe::Sampler::Ode, method, _) => {
                method.to_string()
            }
            Way::OnGrid(sampler, ..) => named::shown(sampler),
        }
    }
}

/// The section `sample` with what the command line changes.
fn changed(sample: &Sample, args: &SolverArgs) -> Result<Sample> {
    if args.steps == Some(0) {
        return Err(usage!("--steps is 0, give at least 1"));
    }
    let mut sample = sample.clone();
    if let Some(text) = &args.sampler {
        sample.sampler = named::parse("--sampler", text)?;
    } else if args.solver.is_some() {
        sample.sampler = recipe::Sampler::Ode;
    }
    if let Some(text) = &args.grid {
        sample.grid = named::parse("--grid", text)?;
    }
    if args.steps.is_some() && matches!(sample.grid, recipe::Grid::Given { .. }) {
        return Err(usage!(
            "--steps does nothing beside a grid of given times, which has its own: leave it out, \
             or name another --grid"
        ));
    }
    if let Some(text) = &args.schedule {
        sample.schedule = Some(named::parse("--schedule", text)?);
    }
    if let Some(solver) = &args.solver {
        sample.solver.clone_from(solver);
    }
    sample.steps = args.steps.unwrap_or(sample.steps);
    sample.shift = args.shift.map_or(sample.shift, Shift);
    sample.rtol = args.rtol.unwrap_or(sample.rtol);
    sample.atol = args.atol.unwrap_or(sample.atol);
    sample.guidance_interval = args.guidance_interval.unwrap_or(sample.guidance_interval);
    sample.guidance = args.guidance.unwrap_or(sample.guidance);
    Ok(sample)
}

fn way(sample: &Sample, args: &SolverArgs) -> Result<Way> {
    let method = sample.method()?;
    let tolerances = args.rtol.is_some() || args.atol.is_some();
    if sample.sampler != recipe::Sampler::Ode {
        if tolerances || args.solver.is_some() {
            return Err(usage!(
                "--solver, --rtol and --atol belong to the sampler ode and do nothing for {}, \
                 leave them out",
                named::shown(&sample.sampler)
            ));
        }
        return Ok(Way::OnGrid(sample.sampler.clone(), method, registry::grid(sample)?));
    }
    // As in the papers, methods of order 2 take a fixed number of steps unless a tolerance is asked
    // for.
    let coarse = method.order() < 3 && !tolerances;
    let given = matches!(sample.grid, recipe::Grid::Given { .. });
    let fixed = args.steps.is_some() || !method.is_adaptive() || coarse || given;
    if fixed && tolerances {
        return Err(usage!(
            "--rtol and --atol do nothing for {method} at fixed steps, leave them out"
        ));
    }
    if !fixed && sample.has_grid() {
        return Err(usage!(
            "{method} chooses its own steps, which leaves a grid or a shift without effect, give a \
             number of --steps or leave them out"
        ));
    }
    Ok(if fixed && sample.has_grid() {
        Way::OnGrid(sample.sampler.clone(), method, registry::grid(sample)?)
    } else if fixed {
        Way::Solver(method, Stepping::Count(sample.steps))
    } else {
        let tolerance = Tolerance { atol: sample.atol, rtol: sample.rtol };
        Way::Solver(method, Adaptive::new(tolerance).into())
    })
}
