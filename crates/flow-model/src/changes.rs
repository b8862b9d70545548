//! Changes of a caller to a model's own settings.

use std::fmt::Display;
use std::str::FromStr;

use flow_sample::{Interval, SamplerConfig};
use serde::{Deserialize, Serialize};

use crate::config::ModelConfig;
use crate::error::ModelError;
use crate::model::Model;
use crate::plan::{Asked, SamplePlan};
use crate::request::{Against, Guidance, SampleRequest};
use crate::settings::SampleConfig;

/// What to change of the way in which a model is sampled; nothing by default.
///
/// Choices are typed as on the command line of `flow sample`, `NAME,KEY=VALUE`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SampleChanges {
    /// Way from noise to data.
    pub sampler: Option<String>,
    /// Solver of the sampler `ode`.
    pub solver: Option<String>,
    /// Number of steps.
    pub steps: Option<usize>,
    /// Times of the steps.
    pub grid: Option<String>,
    /// Factor by which these times are moved.
    pub shift: Option<f64>,
    /// Schedule to sample along.
    pub schedule: Option<String>,
    /// Relative tolerance.
    pub rtol: Option<f64>,
    /// Absolute tolerance.
    pub atol: Option<f64>,
    /// Strength of guidance.
    pub guidance: Option<f64>,
    /// Times between which guidance acts.
    pub guidance_interval: Option<[f64; 2]>,
}

impl SampleChanges {
    /// The settings with what is changed, not checked yet.
    ///
    /// # Errors
    /// [`ModelError::Setting`] with the name of a field that is no choice or does nothing.
    pub fn of(&self, settings: &SampleConfig) -> Result<SampleConfig, ModelError> {
        let refused = |key: &str, reason: &str| {
            Err(ModelError::Setting { key: key.into(), reason: reason.into() })
        };
        if self.steps == Some(0) {
            return refused("steps", "is 0, give at least 1");
        }
        let mut settings = settings.clone();
        let jumped = settings.jumps();
        if let Some(text) = &self.sampler {
            settings.sampler = typed("sampler", text)?;
        } else if self.solver.is_some() {
            settings.sampler = SamplerConfig::default();
        }
        if let Some(text) = &self.grid {
            settings.grid = typed("grid", text)?;
        }
        if self.steps.is_some() && settings.grid.is_given() {
            return refused(
                "steps",
                "does nothing beside a grid of given times, which has its own: leave it out, or \
                 name another grid",
            );
        }
        if let Some(text) = &self.schedule {
            settings.schedule = Some(typed("schedule", text)?);
        }
        if let Some(solver) = &self.solver {
            settings.solver.clone_from(solver);
        }
        // As many steps as a solver takes are not meant for jumps, nor the one jump for a solver.
        let usual = match (jumped, settings.jumps()) {
            (false, true) => SampleConfig::JUMPS,
            (true, false) => SampleConfig::default().steps,
            _ => settings.steps,
        };
        settings.steps = self.steps.unwrap_or(usual);
        settings.shift = self.shift.unwrap_or(settings.shift);
        settings.rtol = self.rtol.unwrap_or(settings.rtol);
        settings.atol = self.atol.unwrap_or(settings.atol);
        settings.guidance_interval = self.guidance_interval.unwrap_or(settings.guidance_interval);
        settings.guidance = self.guidance.unwrap_or(settings.guidance);
        Ok(settings)
    }

    /// What is asked for by name.
    #[must_use]
    pub fn asked(&self) -> Asked {
        Asked {
            steps: self.steps.is_some(),
            tolerances: self.rtol.is_some() || self.atol.is_some(),
            solver: self.solver.is_some(),
        }
    }
}

/// A choice as it is typed.
pub(crate) fn typed<T: FromStr<Err: Display>>(key: &str, text: &str) -> Result<T, ModelError> {
    text.parse().map_err(|error: T::Err| ModelError::Setting {
        key: format!("{key}:"),
        reason: error.to_string(),
    })
}

impl Model {
    /// A request for samples as the model's own settings draw them but for what is changed, the
    /// way to draw them, and the settings that they come from.
    ///
    /// # Errors
    /// When the settings contradict each other, or guidance is asked of a model that is told
    /// nothing.
    pub fn request_with(
        &self,
        changes: &SampleChanges,
        n: usize,
        seed: u64,
    ) -> Result<(SampleRequest<'static>, SamplePlan, SampleConfig), ModelError> {
        let settings = changes.of(&self.config().sample)?;
        settings.check()?;
        let plan = settings.plan(changes.asked())?;
        let mut request = SampleRequest::new(n, seed);
        if let Some(grid) = plan.grid() {
            request.grid = grid.clone();
        }
        request.along = settings.schedule.map(|schedule| schedule.build());
        let ModelConfig { learned_without, strengths, .. } = self.config();
        let can = changes.guidance.is_some() || *learned_without;
        if strengths.is_some() || (settings.is_guided() && can) {
            let [start, end] = settings.guidance_interval;
            request.guidance = Some(Guidance {
                scale: settings.guidance,
                interval: Interval { start, end },
                against: Against::Unconditional,
            });
        }
        Ok((request, plan, settings))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_of_a_solver_are_no_jumps_and_jumps_no_steps_of_a_solver() {
        let map = SampleConfig {
            sampler: "flow-map".parse().unwrap(),
            steps: SampleConfig::JUMPS,
            ..SampleConfig::default()
        };
        let flow = SampleConfig { steps: 7, ..SampleConfig::default() };
        let steps = |settings: &SampleConfig, sampler: Option<&str>, solver: Option<&str>| {
            let [sampler, solver] = [sampler, solver].map(|name| name.map(str::to_owned));
            let changes = SampleChanges { sampler, solver, ..SampleChanges::default() };
            changes.of(settings).unwrap().steps
        };
        assert_eq!(steps(&flow, Some("flow-map"), None), 1);
        assert_eq!(steps(&flow, Some("unipc"), None), 7);
        assert_eq!(steps(&flow, None, Some("euler")), 7);
        assert_eq!(steps(&map, None, None), 1);
        assert_eq!(steps(&map, None, Some("euler")), 20);
        assert_eq!(steps(&map, Some("unipc"), None), 20);
        // What is asked for by name is what is meant.
        let changes = SampleChanges { steps: Some(3), ..SampleChanges::default() };
        let changes = SampleChanges { sampler: Some("flow-map".into()), ..changes };
        assert_eq!(changes.of(&flow).unwrap().steps, 3);
    }
}
