//! The path and the target of the regression: the section `path`.

use flow_path::config::{Check, shown};
use flow_path::{
    BetweenConfig, CouplingConfig, LossWeight, PathError, Prediction, ScheduleConfig, TimesConfig,
    choices,
};
use serde::{Deserialize, Serialize};
use toml::Table;

use super::check::{finite, fractions, positive};
use super::identity::flat;
use crate::error::{RunError, usage};
use flow_model::SampleConfig;

/// What is regressed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Path {
    /// How noise and data are mixed over time.
    pub schedule: ScheduleConfig,
    /// What lies between the ends of a pair.
    pub between: BetweenConfig,
    /// What the network predicts.
    pub prediction: Prediction,
    /// Weight of the loss by time.
    pub weight: LossWeight,
    /// Law of the times of training.
    pub times: TimesConfig,
    /// Moves these times.
    pub shift: Shift,
    /// Law of `x_0`.
    pub source: Source,
    /// Which noise meets which data.
    pub coupling: CouplingConfig,
    /// Whether noise is paired within the classes of a batch.
    pub within_classes: bool,
    /// Share of rows whose class is hidden.
    pub label_drop: f64,
}

choices! {
    /// Law of `x_0`.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub enum Source {
        /// Gaussian noise
        "normal" => Normal(Normal),
        /// a toy whose density is known; leaves the velocity alone
        "toy" ("set=rings-source") => Toy(Toy),
    }
}

/// Gaussian noise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Normal {}

/// A toy whose density is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Toy {
    /// Its name.
    pub set: String,
}

impl Check for Normal {}

impl Check for Toy {}

impl Default for Source {
    fn default() -> Self {
        Self::Normal(Normal {})
    }
}

/// Factor of a time shift; 1 is none.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Shift(pub(crate) f64);

impl Shift {
    /// Whether times stay where they are.
    #[must_use]
    #[expect(clippy::float_cmp, reason = "exactly 1 means no shift")]
    pub fn is_none(self) -> bool {
        self.0 == 1.0
    }
}

impl Default for Shift {
    fn default() -> Self {
        Self(1.0)
    }
}

/// Refuses a choice with a value outside its domain, by the key of the recipe.
pub(crate) fn within_domain(key: &str, choice: &impl Check) -> Result<(), RunError> {
    choice.check().map_err(|error| match error {
        PathError::Parameter { name, value, domain } => {
            usage!("{key}.{name} is {value}, it must lie in {domain}")
        }
        other => usage!("{key}: {other}"),
    })
}

/// Refuses numbers that are not finite in single precision, in which they are used.
pub(crate) fn representable(key: &str, choice: &impl Serialize) -> Result<(), RunError> {
    let table = Table::try_from(choice).expect("a choice is made of numbers, text and lists");
    let numbers = flat(&table).into_iter();
    numbers
        .filter_map(|(name, value)| Some((format!("{key}.{name}"), value.as_float()?)))
        .try_for_each(|(key, value)| finite(&[(&key, value)]))
}

impl Path {
    /// Refuses values that cannot work.
    pub(crate) fn check(&self) -> Result<(), RunError> {
        representable("path", self)?;
        fractions(&[("path.label_drop", self.label_drop)])?;
        positive(&[("path.shift", self.shift.0)])?;
        within_domain("path.schedule", &self.schedule)?;
        within_domain("path.between", &self.between)?;
        within_domain("path.prediction", &self.prediction)?;
        within_domain("path.weight", &self.weight)?;
        within_domain("path.times", &self.times)?;
        within_domain("path.coupling", &self.coupling)?;
        self.check_between()
    }

    /// Tubes and bridges have a velocity of their own, along straight lines.
    fn check_between(&self) -> Result<(), RunError> {
        let plain = Self::default();
        if self.between == plain.between {
            return Ok(());
        }
        for (key, same) in [
            ("schedule", self.schedule == plain.schedule),
            ("prediction", self.prediction == plain.prediction),
            ("weight", self.weight == plain.weight),
        ] {
            if !same {
                return Err(usage!(
                    "path.between is {}, whose velocity along straight lines is learned, \
                     leave path.{key} out",
                    self.between.name()
                ));
            }
        }
        Ok(())
    }

    /// Refuses ways of sampling that mean nothing on this path.
    pub(crate) fn check_sampling(&self, sample: &SampleConfig) -> Result<(), RunError> {
        let sampler = shown(&sample.sampler);
        if self.between != BetweenConfig::default() {
            if !sample.sampler.is_ode() || sample.schedule.is_some() {
                return Err(usage!(
                    "path.between is {}, which has a velocity and no schedule, sample it by the \
                     sampler ode without a schedule",
                    self.between
                ));
            }
        } else if sample.sampler.is_random() && self.source != Source::default() {
            return Err(usage!(
                "{sampler} draws noise by the score, which needs path.source to be normal, use ode"
            ));
        } else if sample.sampler.is_random() && !self.is_affine() {
            return Err(usage!(
                "{sampler} draws noise by the score, which noise paired by the coupling {} does \
                 not have, use ode, ddim, edm, dpm-solver++, unipc or straight without noise",
                self.coupling
            ));
        }
        Ok(())
    }

    /// Whether the class is hidden from some rows, as guidance away from no class needs.
    #[must_use]
    pub fn learns_without_class(&self) -> bool {
        0.0 < self.label_drop
    }

    /// Whether independent Gaussian noise and data are mixed by the schedule alone: then
    /// predictions of noise are scores, and fields of known data have closed forms.
    #[must_use]
    pub fn is_affine(&self) -> bool {
        self.between == BetweenConfig::default()
            && self.source == Source::default()
            && !self.coupling.looks_at_values()
    }
}
