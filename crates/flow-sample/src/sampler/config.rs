//! Samplers and their grids by name.

use flow_ode::Method;
use flow_path::config::{Check, finite, positive, within};
use flow_path::{PathError, TimeShift, choices};
use serde::{Deserialize, Serialize};

use super::{
    Ancestral, Churn, Ddim, Diffusion, DpmSolver, Edm, FlowMap, Grid, KarrasChurn, Langevin, Ode,
    Reparametrised, Sampler, Sde, UniPc,
};

/// The probability-flow ODE; by which solver is chosen apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ByMethod {}

choices! {
    /// A way from noise to data, by name.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub enum SamplerConfig {
        /// the probability-flow ODE by a solver
        "ode" => Ode(ByMethod),
        /// the predicted pair mixed anew, with a share of fresh noise
        "ddim" => Ddim(Ddim),
        /// DDPM: draws from the posterior
        "ancestral" => Ancestral(Ancestral),
        /// DDIM too far, then noised back
        "churn" => Churn(Churn),
        /// Heun steps in the noise level
        "edm" => Edm(Edm),
        /// the same, noised before
        "karras-churn" => KarrasChurn(KarrasChurn),
        /// Euler-Maruyama with any diffusion
        "sde" => Sde(Sde),
        /// DDIM, each step corrected by Langevin dynamics
        "langevin" => Langevin(Langevin),
        /// DPM-Solver++ 1 or 2M, with noise the SDE's
        "dpm-solver++" => DpmSolver(DpmSolver),
        /// UniPC of order 2 or 3
        "unipc" => UniPc(UniPc),
        /// steps along one prediction
        "straight" => Straight(Reparametrised),
        /// jumps of a flow map, a network of two times
        "flow-map" => FlowMap(FlowMap),
    }
}

impl Default for SamplerConfig {
    fn default() -> Self {
        Self::Ode(ByMethod {})
    }
}

impl SamplerConfig {
    /// The sampler, which steps along a grid; `method` is the solver of `ode`.
    #[must_use]
    pub fn build(&self, method: Method) -> Box<dyn Sampler> {
        match *self {
            Self::Ode(_) => Box::new(Ode::on_grid(method)),
            Self::Ddim(sampler) => Box::new(sampler),
            Self::Ancestral(sampler) => Box::new(sampler),
            Self::Churn(sampler) => Box::new(sampler),
            Self::Edm(sampler) => Box::new(sampler),
            Self::KarrasChurn(sampler) => Box::new(sampler),
            Self::Sde(sampler) => Box::new(sampler),
            Self::Langevin(sampler) => Box::new(sampler),
            Self::DpmSolver(sampler) => Box::new(sampler),
            Self::UniPc(sampler) => Box::new(sampler),
            Self::Straight(sampler) => Box::new(sampler),
            Self::FlowMap(sampler) => Box::new(sampler),
        }
    }

    /// Predictions that a step asks for, at most; `method` is the solver of `ode`.
    #[must_use]
    pub fn evaluations(&self, method: Method) -> usize {
        match self {
            Self::Langevin(Langevin { corrections, .. }) => corrections.saturating_add(1),
            Self::Edm(_) | Self::KarrasChurn(_) | Self::Straight(_) => 2,
            Self::Ode(_) => match method.tableau() {
                Some(tableau) => tableau.stages(),
                None => 2,
            },
            _ => 1,
        }
    }

    /// Whether it is the ODE by a solver.
    #[must_use]
    pub fn is_ode(&self) -> bool {
        matches!(self, Self::Ode(_))
    }

    /// Whether it draws noise after the start.
    #[must_use]
    pub fn is_random(&self) -> bool {
        match self {
            Self::Ddim(Ddim { eta }) | Self::DpmSolver(DpmSolver { eta, .. }) => *eta != 0.0,
            Self::Churn(Churn { fraction }) => *fraction != 0.0,
            Self::KarrasChurn(KarrasChurn { amount, .. }) => *amount != 0.0,
            Self::Sde(Sde { diffusion, scale, .. }) => {
                *diffusion != Diffusion::Zero && *scale != 0.0
            }
            Self::Langevin(Langevin { corrections, ratio, eta }) => {
                *eta != 0.0 || (*corrections != 0 && *ratio != 0.0)
            }
            Self::Ancestral(_) => true,
            Self::Ode(_) | Self::Edm(_) | Self::UniPc(_) | Self::Straight(_) | Self::FlowMap(_) => {
                false
            }
        }
    }
}

impl Check for ByMethod {}
impl Check for Ancestral {}
impl Check for Edm {}
impl Check for FlowMap {}
impl Check for UniPc {}
impl Check for Reparametrised {}

impl Check for Ddim {
    fn check(&self) -> Result<(), PathError> {
        within("eta", self.eta, (0.0..=1.0).contains(&self.eta), "[0, 1]")
    }
}

impl Check for DpmSolver {
    fn check(&self) -> Result<(), PathError> {
        within("eta", self.eta, (0.0..=1.0).contains(&self.eta), "[0, 1]")
    }
}

impl Check for Churn {
    fn check(&self) -> Result<(), PathError> {
        within("fraction", self.fraction, (0.0..1.0).contains(&self.fraction), "[0, 1)")
    }
}

impl Check for Sde {
    fn check(&self) -> Result<(), PathError> {
        not_negative("scale", self.scale)
    }
}

impl Check for Langevin {
    fn check(&self) -> Result<(), PathError> {
        within("eta", self.eta, (0.0..=1.0).contains(&self.eta), "[0, 1]")?;
        within("ratio", self.ratio, (0.0..=1.0).contains(&self.ratio), "[0, 1]")?;
        let few = self.corrections <= Self::MOST_CORRECTIONS;
        within("corrections", self.corrections as f64, few, "[0, 1000]")
    }
}

impl Check for KarrasChurn {
    fn check(&self) -> Result<(), PathError> {
        not_negative("amount", self.amount)?;
        not_negative("min", self.min)?;
        not_negative("max", self.max)?;
        not_negative("noise_std", self.noise_std)?;
        within("max", self.max, self.min < self.max, "(min, inf)")
    }
}

fn not_negative(name: &'static str, value: f64) -> Result<(), PathError> {
    within(name, value, 0.0 <= value && value.is_finite(), "[0, inf)")
}

/// Equal steps of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UniformGrid {}

/// Equal steps of the log signal-to-noise ratio: see [`Grid::LogSnr`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogSnrGrid {
    /// Ratio for which the noise end stands.
    pub min: f64,
    /// Ratio for which the data end stands.
    pub max: f64,
}

impl Default for LogSnrGrid {
    fn default() -> Self {
        Self { min: -10.0, max: 10.0 }
    }
}

/// Equal steps of a root of the noise level: see [`Grid::Karras`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KarrasGrid {
    /// Exponent: larger means shorter steps near the data.
    pub rho: f64,
    /// Last noise level before none.
    pub min: f64,
    /// Level for which the noise end stands.
    pub max: f64,
}

impl Default for KarrasGrid {
    fn default() -> Self {
        Self { rho: 7.0, min: 0.002, max: 80.0 }
    }
}

/// Times as typed, from noise to data: see [`Grid::Given`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GivenGrid {
    /// The times, in increasing order.
    pub times: Vec<f64>,
}

choices! {
    /// The times of a sampler's steps, by name.
    #[derive(Clone, Debug, PartialEq)]
    pub enum GridConfig {
        /// equal steps of time
        "uniform" => Uniform(UniformGrid),
        /// equal steps of the log signal-to-noise ratio
        "log-snr" => LogSnr(LogSnrGrid),
        /// equal steps of a root of the noise level
        "karras" => Karras(KarrasGrid),
        /// as typed
        "given" ("times=[0,0.5,1]") => Given(GivenGrid),
    }
}

impl Default for GridConfig {
    fn default() -> Self {
        Self::Uniform(UniformGrid {})
    }
}

impl GridConfig {
    /// The grid of so many steps, unless its times are given, and shifted unless that is 1.
    ///
    /// # Errors
    /// When the shift is not positive.
    pub fn build(&self, steps: usize, shift: f64) -> Result<Grid, PathError> {
        let grid = match self {
            Self::Uniform(_) => Grid::Uniform { steps },
            &Self::LogSnr(LogSnrGrid { min, max }) => Grid::LogSnr { steps, min, max },
            &Self::Karras(KarrasGrid { rho, min, max }) => Grid::Karras { steps, rho, min, max },
            Self::Given(GivenGrid { times }) => Grid::Given(times.clone()),
        };
        #[expect(clippy::float_cmp, reason = "exactly 1 means no shift")]
        if shift == 1.0 { Ok(grid) } else { Ok(grid.shifted(TimeShift::new(shift)?)) }
    }

    /// Whether its times are given, so that a number of steps says nothing.
    #[must_use]
    pub fn is_given(&self) -> bool {
        matches!(self, Self::Given(_))
    }
}

impl Check for UniformGrid {}

impl Check for LogSnrGrid {
    fn check(&self) -> Result<(), PathError> {
        finite("min", self.min)?;
        finite("max", self.max)?;
        within("max", self.max, self.min < self.max, "(min, inf)")
    }
}

impl Check for KarrasGrid {
    fn check(&self) -> Result<(), PathError> {
        positive("rho", self.rho)?;
        positive("min", self.min)?;
        positive("max", self.max)?;
        within("max", self.max, self.min < self.max, "(min, inf)")
    }
}

/// The data, but for the margin of schedules that are singular there.
const LAST_TIME: f64 = 1.0 - 1e-4;

impl Check for GivenGrid {
    fn check(&self) -> Result<(), PathError> {
        for &t in &self.times {
            within("times", t, (0.0..=1.0).contains(&t), "[0, 1]")?;
        }
        if let Some(pair) = self.times.windows(2).find(|pair| pair[1] <= pair[0]) {
            return within("times", pair[1], false, "increasing order");
        }
        let last = self.times.last().copied().unwrap_or_default();
        let steps = self.times.len().saturating_sub(1) as f64;
        within("steps of times", steps, 1.0 <= steps, "[1, inf): give at least two times")?;
        within("last of times", last, LAST_TIME <= last, "[1, 1]: noise is left before the data")
    }
}
