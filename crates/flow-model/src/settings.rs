//! The default way to sample a model: the section `[sample]`.

use flow_ode::{Adaptive, Method, Stepping, Tolerance};
use flow_path::ScheduleConfig;
use flow_path::config::Check;
use flow_sample::{GivenGrid, Grid, GridConfig, SamplerConfig};
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use crate::error::ModelError;
use crate::plan::{Asked, SamplePlan};

/// The data, but for the margin of schedules that are singular there.
const LAST_TIME: f64 = 1.0 - 1e-4;

/// Most steps of a solver: their times alone fill memory in the end, and no one waits for them.
const MOST_STEPS: usize = 1_000_000;

/// The sampler with its steps or tolerances, and guidance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SampleConfig {
    /// The way from noise to data.
    pub sampler: SamplerConfig,
    /// The solver of the sampler `ode`.
    pub solver: String,
    /// Steps, where the sampler or the solver takes a number of them.
    pub steps: usize,
    /// Relative tolerance of a solver that chooses its own steps.
    pub rtol: f64,
    /// Absolute tolerance of a solver that chooses its own steps.
    pub atol: f64,
    /// The times of steps.
    pub grid: GridConfig,
    /// Factor by which inner times are shifted; 1 is none.
    pub shift: f64,
    /// Schedule to sample along, if not that of the training.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<ScheduleConfig>,
    /// Strength of guidance; 1 is none.
    pub guidance: f64,
    /// First and last time of guidance.
    pub guidance_interval: [f64; 2],
}

impl Default for SampleConfig {
    fn default() -> Self {
        Self {
            sampler: SamplerConfig::default(),
            solver: "dopri5".into(),
            steps: 20,
            rtol: 1e-5,
            atol: 1e-5,
            grid: GridConfig::default(),
            shift: 1.0,
            schedule: None,
            guidance: 1.0,
            guidance_interval: [0.0, 1.0],
        }
    }
}

/// A value of a section that cannot work.
fn setting(key: impl Into<String>, reason: impl Into<String>) -> ModelError {
    ModelError::Setting { key: key.into(), reason: reason.into() }
}

impl SampleConfig {
    /// Jumps that a flow map takes unless another number is asked for.
    pub const JUMPS: usize = 1;

    /// Whether the way is that of a flow map, by jumps.
    #[must_use]
    pub fn jumps(&self) -> bool {
        matches!(self.sampler, SamplerConfig::FlowMap(_))
    }

    /// Refuses jumps that a model has not learned, which has learned none but those to the data and
    /// so no velocity: of several, all but the last are others.
    ///
    /// # Errors
    /// [`ModelError::Setting`] with the number of steps.
    pub fn check_jumps(&self, learned_velocity: bool) -> Result<(), ModelError> {
        if learned_velocity || !self.jumps() || self.steps <= 1 {
            return Ok(());
        }
        let reason = format!(
            "is {}, but the model has learned jumps to the data alone, which take 1 step",
            self.steps
        );
        Err(setting("number of steps", reason))
    }

    /// Refuses values that cannot work.
    ///
    /// # Errors
    /// [`ModelError::Setting`] with the first of them.
    pub fn check(&self) -> Result<(), ModelError> {
        check_steps("sample.steps", self.steps)?;
        number("sample.shift", self.shift, 0.0 < self.shift, "it must be a positive number")?;
        for (key, value) in [
            ("sample.rtol", self.rtol),
            ("sample.atol", self.atol),
            ("sample.guidance", self.guidance),
        ] {
            number(key, value, 0.0 <= value, "it must be zero or a positive number")?;
        }
        if self.rtol == 0.0 && self.atol == 0.0 {
            return Err(setting(
                "sample.rtol and sample.atol",
                "are all zero, which no step can meet",
            ));
        }
        self.method()?;
        representable("sample.sampler", &self.sampler)?;
        representable("sample.grid", &self.grid)?;
        within_domain("sample.sampler", &self.sampler)?;
        if let GridConfig::Given(GivenGrid { times }) = &self.grid {
            check_times("sample.grid.times", times)?;
        }
        within_domain("sample.grid", &self.grid)?;
        if let Some(schedule) = &self.schedule {
            representable("sample.schedule", schedule)?;
            within_domain("sample.schedule", schedule)?;
        }
        let [start, end] = self.guidance_interval;
        for t in [start, end] {
            number("sample.guidance_interval", t, true, "")?;
        }
        if end < start {
            let reason = format!("is {start} to {end}, it must run forward in time");
            return Err(setting("sample.guidance_interval", reason));
        }
        Ok(())
    }

    /// The solver of the sampler `ode`.
    ///
    /// # Errors
    /// When there is none of this name, or it is one that cannot run on a device.
    pub fn method(&self) -> Result<Method, ModelError> {
        check_solver("sample.solver", &self.solver)
    }

    /// Whether the times are other than equal steps.
    #[must_use]
    pub fn has_grid(&self) -> bool {
        self.grid != GridConfig::default() || self.is_shifted()
    }

    /// Whether inner times are shifted.
    #[must_use]
    #[expect(clippy::float_cmp, reason = "exactly 1 means no shift")]
    pub fn is_shifted(&self) -> bool {
        self.shift != 1.0
    }

    /// Whether predictions are extrapolated: at strength 1 they are those of the model alone.
    #[must_use]
    #[expect(clippy::float_cmp, reason = "exactly 1 means no guidance")]
    pub fn is_guided(&self) -> bool {
        self.guidance != 1.0
    }

    /// The plan that follows from these settings.
    ///
    /// Methods of order 2 are taken for what they are in the papers, a number of steps, unless
    /// tolerances are asked for; methods that adapt choose their own steps, unless a number is
    /// asked for or times are given.
    ///
    /// # Errors
    /// [`ModelError::Setting`] for settings that contradict each other.
    pub fn plan(&self, asked: Asked) -> Result<SamplePlan, ModelError> {
        let method = self.method()?;
        if !self.sampler.is_ode() {
            let sampler = self.sampler;
            if asked.solver {
                let reason = format!("belongs to the sampler ode and does nothing for {sampler}");
                return Err(setting("solver", format!("{reason}, leave one of them out")));
            }
            if asked.tolerances {
                let reason = format!("belong to the sampler ode and do nothing for {sampler}");
                let remedy = "leave them out, or name a solver beside them, such as dopri5";
                return Err(setting("rtol and atol", format!("{reason}: {remedy}")));
            }
            return Ok(SamplePlan::OnGrid(self.sampler, method, self.times()?));
        }
        let coarse = method.order() < 3 && !asked.tolerances;
        let fixed = asked.steps || !method.is_adaptive() || coarse || self.grid.is_given();
        if fixed && asked.tolerances {
            let reason = format!("do nothing for {method} at fixed steps, leave them out");
            return Err(setting("rtol and atol", reason));
        }
        if !fixed && self.has_grid() {
            return Err(setting(
                method.to_string(),
                "chooses its own steps, which leaves a grid or a shift without effect, give a \
                 number of steps or leave them out",
            ));
        }
        Ok(if fixed && self.has_grid() {
            SamplePlan::OnGrid(self.sampler, method, self.times()?)
        } else if fixed {
            SamplePlan::Solver(method, Stepping::Count(self.steps))
        } else {
            let tolerance = Tolerance { atol: self.atol, rtol: self.rtol };
            SamplePlan::Solver(method, Adaptive::new(tolerance).into())
        })
    }

    /// The times of the steps.
    fn times(&self) -> Result<Grid, ModelError> {
        self.grid.build(self.steps, self.shift).map_err(|e| setting("sample.shift", e.to_string()))
    }
}

/// Refuses numbers of steps that cannot be made.
///
/// # Errors
/// [`ModelError::Setting`] with the key.
pub fn check_steps(key: &str, steps: usize) -> Result<(), ModelError> {
    match steps {
        0 => Err(setting(key, "is 0, it must be a positive number, at least 1")),
        1..=MOST_STEPS => Ok(()),
        _ => Err(setting(key, format!("is {steps}, it must be at most {MOST_STEPS}"))),
    }
}

/// The solver of this name, refused if it takes no samples on a device.
///
/// # Errors
/// [`ModelError::Setting`] with the key.
pub fn check_solver(key: &str, name: &str) -> Result<Method, ModelError> {
    let method: Method =
        name.parse().map_err(|error| setting(format!("{key}:"), format!("{error}")))?;
    if method.is_implicit() {
        let reason = format!("is {method}, which takes no samples on a device, try dopri5");
        return Err(setting(key, reason));
    }
    Ok(method)
}

/// Refuses times that do not lead forward to the data.
fn check_times(key: &str, times: &[f64]) -> Result<(), ModelError> {
    if let Some(t) = times.iter().find(|t| !(0.0..=1.0).contains(*t)) {
        return Err(setting(key, format!("is {t}, it must lie between 0 and 1")));
    }
    let pairs = times.iter().zip(times.iter().skip(1));
    if let Some((before, after)) = pairs.into_iter().find(|(before, after)| after <= before) {
        let reason = format!("has {after} after {before}, give increasing times");
        return Err(setting(key, reason));
    }
    match times {
        [] | [_] => Err(setting(key, "holds no step, give at least two times")),
        [.., last] if *last < LAST_TIME => {
            let what = "where noise is left: the last time must be 1, the data";
            Err(setting(key, format!("ends at {last}, {what}")))
        }
        _ => Ok(()),
    }
}

/// Refuses a choice with a value outside its domain, by its key.
pub(crate) fn within_domain(key: &str, choice: &impl Check) -> Result<(), ModelError> {
    choice.check().map_err(|error| match error {
        flow_path::PathError::Parameter { name, value, domain } => {
            setting(format!("{key}.{name}"), format!("is {value}, it must lie in {domain}"))
        }
        other => setting(format!("{key}:"), other.to_string()),
    })
}

/// Refuses numbers of a choice that are not finite in single precision, in which they are used.
fn representable(key: &str, choice: &impl Serialize) -> Result<(), ModelError> {
    let table = Table::try_from(choice).map_err(|error| setting(key, error.to_string()))?;
    for (name, value) in &table {
        let numbers = match value {
            Value::Array(all) => all.iter().filter_map(Value::as_float).collect(),
            value => value.as_float().map(|number| vec![number]).unwrap_or_default(),
        };
        for value in numbers {
            number(&format!("{key}.{name}"), value, true, "")?;
        }
    }
    Ok(())
}

/// Refuses numbers that are none, too large for single precision, or outside their domain.
fn number(key: &str, value: f64, good: bool, demand: &str) -> Result<(), ModelError> {
    if !good || !value.is_finite() {
        let demand = if demand.is_empty() { "it must be a finite number" } else { demand };
        return Err(setting(key, format!("is {value}, {demand}")));
    }
    if f64::from(f32::MAX) < value.abs() {
        let reason = format!(
            "is {value:e}, it must be at most {:.1e}, the largest number of single precision",
            f32::MAX
        );
        return Err(setting(key, reason));
    }
    Ok(())
}
