//! The way from noise to data that the settings of a model mean.

use flow_ode::{Method, Stepping};
use flow_path::config::shown;
use flow_sample::{Grid, Ode, Sampler, SamplerConfig};

/// What a caller asked for by name, as opposed to what the settings hold by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// A number of steps.
    pub steps: bool,
    /// A tolerance.
    pub tolerances: bool,
    /// A solver.
    pub solver: bool,
}

/// The way from noise to data that settings mean.
#[derive(Clone, Debug)]
pub enum SamplePlan {
    /// A solver, and how it advances.
    Solver(Method, Stepping),
    /// A sampler that steps along a grid, with the solver of the sampler `ode`.
    OnGrid(SamplerConfig, Method, Grid),
}

impl SamplePlan {
    /// The sampler.
    #[must_use]
    pub fn sampler(&self) -> Box<dyn Sampler> {
        match self {
            Self::Solver(method, stepping) => Box::new(Ode::new(*method, stepping.clone())),
            Self::OnGrid(sampler, method, _) => sampler.build(*method),
        }
    }

    /// The grid, where the sampler takes one.
    #[must_use]
    pub fn grid(&self) -> Option<&Grid> {
        match self {
            Self::Solver(..) => None,
            Self::OnGrid(_, _, grid) => Some(grid),
        }
    }

    /// Whether the solver chooses its own steps, which a batch shares.
    #[must_use]
    pub fn adapts(&self) -> bool {
        matches!(self, Self::Solver(_, Stepping::Adaptive(_)))
    }

    /// The name of the way.
    #[must_use]
    pub fn label(&self) -> String {
        match self {
            Self::Solver(method, _) => method.to_string(),
            Self::OnGrid(sampler, method, _) if sampler.is_ode() => method.to_string(),
            Self::OnGrid(sampler, ..) => shown(sampler),
        }
    }
}
