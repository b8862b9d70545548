//! What to draw from a trained model.

use anyhow::Result;
use flow_ode::{Adaptive, Method, Stepping, Tolerance};

use crate::args::SolverArgs;
use crate::exit::usage;
use crate::recipe::{Recipe, Sample};

/// What to draw.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) n: usize,
    pub(crate) seed: u64,
    pub(crate) class: Option<usize>,
    pub(crate) guidance: f64,
    pub(crate) batch: usize,
    pub(crate) method: Method,
    pub(crate) stepping: Stepping,
    pub(crate) times: Vec<f64>,
}

impl Request {
    /// The recipe's sampler with what the command line changes.
    pub(crate) fn new(recipe: &Recipe, args: &SolverArgs, n: usize, seed: u64) -> Result<Self> {
        let Sample { solver, steps, rtol, atol, guidance } = &recipe.sample;
        let name = args.solver.as_deref().unwrap_or(solver);
        let method: Method = name.parse().map_err(|error| usage!("{error}"))?;
        let fixed = args.steps.is_some() || !method.is_adaptive();
        if fixed && (args.rtol.is_some() || args.atol.is_some()) {
            return Err(usage!(
                "--rtol and --atol do nothing for {method} at fixed steps, leave them out"
            ));
        }
        let stepping = if fixed {
            match args.steps.unwrap_or(*steps) {
                0 => return Err(usage!("--steps is 0, give at least 1")),
                steps => Stepping::Count(steps),
            }
        } else {
            let tolerance =
                Tolerance { atol: args.atol.unwrap_or(*atol), rtol: args.rtol.unwrap_or(*rtol) };
            Adaptive::new(tolerance).into()
        };
        Ok(Self {
            n,
            seed,
            class: None,
            guidance: args.guidance.unwrap_or(*guidance),
            batch: recipe.eval.batch,
            method,
            stepping,
            times: Vec::new(),
        })
    }

    /// A fixed number of steps of a method.
    pub(crate) fn fixed(self, method: Method, steps: usize) -> Self {
        Self { method, stepping: Stepping::Count(steps), ..self }
    }

    /// Keeps the states at `times`.
    pub(crate) fn with_times(self, times: Vec<f64>) -> Self {
        Self { times, ..self }
    }
}
