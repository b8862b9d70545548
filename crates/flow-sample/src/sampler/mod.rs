//! Samplers: ways from noise to data.

mod ancestral;
mod bounds;
mod churn;
mod config;
mod ddim;
mod diffusion;
mod dpm_solver;
mod edm;
mod flow_map;
mod grid;
mod kept;
mod langevin;
mod noise;
mod ode;
mod reparametrised;
mod sde;
mod unipc;
mod visit;
mod walk;

use std::fmt::Debug;

use burn::tensor::Tensor;

use crate::error::SampleError;
use crate::predictor::Predictor;

pub use ancestral::Ancestral;
pub(crate) use bounds::within;
pub use churn::Churn;
pub use config::{
    ByMethod, GivenGrid, GridConfig, KarrasGrid, LogSnrGrid, SamplerConfig, UniformGrid,
};
pub use ddim::Ddim;
pub use diffusion::Diffusion;
pub use dpm_solver::{DpmSolver, Multistep};
pub use edm::{Edm, KarrasChurn};
pub use flow_map::FlowMap;
pub use grid::Grid;
pub use langevin::Langevin;
pub use noise::{Noise, Seeded};
pub use ode::Ode;
pub use reparametrised::{Reparametrised, Rule, Space};
pub use sde::{LastStep, Sde};
pub use unipc::{Final, UniPc, UniPcOrder};
pub use visit::{Visit, Watch};

/// Samples and their cost.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Generated {
    /// The samples, `[B, d]`.
    pub x: Tensor<2>,
    /// States at the times asked for.
    pub states: Vec<Tensor<2>>,
    /// Network calls for each sample, rejected steps included.
    pub nfe: usize,
    /// The time at which a watcher ended the walk.
    pub stopped: Option<f64>,
}

/// How a sampler goes from noise to data: where it stops, and with which noise.
#[derive(Clone)]
pub struct Way<'a> {
    /// The times of the steps.
    pub grid: Grid,
    /// The noise of samplers that draw some.
    pub noise: &'a dyn Noise,
    /// Times, in increasing order, whose states are kept.
    ///
    /// [`Ode`] reads them off the interpolant of its solver. Other samplers know the states at the
    /// times of their grid, and between two of them give the point on the line.
    pub keep: &'a [f64],
    /// A watcher, called at the beginning of every step, for previews and to stop early. It changes
    /// no bit of what is sampled, unless it ends the walk.
    ///
    /// After `ControlFlow::Break` the pair predicted there is mixed at the last time of the grid,
    /// which is one step of DDIM, so that no noise is left in what is returned; [`FlowMap`] jumps
    /// there. The step that has begun may ask once more before it is given up.
    pub watch: Option<&'a Watch<'a>>,
}

impl Way<'_> {
    /// Steps along a grid, with the noise of seed 0 for samplers that draw some.
    #[must_use]
    pub fn along(grid: Grid) -> Self {
        Self { grid, noise: &Seeded { seed: 0, first: 0 }, keep: &[], watch: None }
    }

    /// Equal steps of time.
    #[must_use]
    pub fn steps(steps: usize) -> Self {
        Self::along(Grid::Uniform { steps })
    }
}

impl<'a> Way<'a> {
    /// The same way with other noise.
    #[must_use]
    pub fn with_noise(self, noise: &'a dyn Noise) -> Self {
        Self { noise, ..self }
    }

    /// The same way on which the states at these times are kept.
    #[must_use]
    pub fn keeping(self, keep: &'a [f64]) -> Self {
        Self { keep, ..self }
    }

    /// The same way with a watcher.
    #[must_use]
    pub fn watched_by(self, watch: &'a Watch<'a>) -> Self {
        Self { watch: Some(watch), ..self }
    }
}

/// Turns noise into samples by asking a predictor.
pub trait Sampler: Debug + Send + Sync {
    /// Whether it asks for jumps of a flow map, and for no velocity or other prediction.
    fn jumps(&self) -> bool {
        false
    }

    /// Samples from `x0`, drawn from the prior of the predictor's schedule. No rows give no rows,
    /// without asking.
    ///
    /// # Errors
    /// When a row of the end is not made of finite numbers, whatever the cause: in `x0`, in the
    /// predictor or in steps that are too long. It is looked at once, after the last step. Or when
    /// the grid does not fit or the sampler cannot go on.
    fn sample(
        &self,
        predictor: &dyn Predictor,
        x0: Tensor<2>,
        way: &Way<'_>,
    ) -> Result<Generated, SampleError>;
}
