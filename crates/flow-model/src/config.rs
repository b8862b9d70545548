//! `model.toml`: the description of a model.

use flow_nn::{Signature, Strengths};
use flow_path::config::plain;
use flow_path::{Prediction, ScheduleConfig};
use serde::{Deserialize, Serialize};
use toml::Table;

use crate::error::ModelError;
use crate::settings::SampleConfig;

/// The version of `model.toml` that this program writes, and the newest that it reads.
pub const FORMAT: u32 = 1;

/// `model.toml`: everything about a model but its weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelConfig {
    /// Version of this description.
    pub format: u32,
    /// SHA-256 of the weights in a file; empty for a model that is open.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sha256: String,
    /// Its name, usually that of the recipe.
    #[serde(default)]
    pub name: String,
    /// What it is, in a line.
    #[serde(default)]
    pub about: String,
    /// What it predicts.
    #[serde(default = "velocity")]
    pub prediction: Prediction,
    /// Whether it has learned to do without its condition, as guidance without another model needs.
    #[serde(default)]
    pub learned_without: bool,
    /// Whether it has learned the velocity, which solvers, densities and answers follow. A flow map
    /// that was taught nothing but jumps to the data has not.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub learned_velocity: bool,
    /// Strengths of guidance that one evaluation answers with, if guidance was baked in at
    /// training. Of a range, the last number of the signature's vector is the logarithm of the
    /// strength.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strengths: Option<Strengths>,
    /// Numbers of the signature's vector, behind those of the condition, that say which columns of
    /// a row of training were missing: one for each column that rows may lack. A sample lacks
    /// nothing, so that they are 0 and no caller gives them.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub holes: usize,
    /// Of sequences that may end early, how many rows of the data had 1, 2, .. elements: lengths
    /// that are not given are drawn so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lengths: Vec<u64>,
    /// The law that paths start from: `normal`, [`DATA`], or a name that the
    /// [`Registry`](crate::Registry) knows.
    #[serde(default = "normal")]
    pub source: String,
    /// The names of its classes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub class_names: Vec<String>,
    /// Shapes and conditions of its network's input and output.
    pub signature: Signature,
    /// The schedule of its training.
    #[serde(default)]
    pub schedule: ScheduleConfig,
    /// The network, a section of the [`Registry`](crate::Registry).
    pub network: Table,
    /// How it is sampled by default.
    #[serde(default)]
    pub sample: SampleConfig,
    /// What made it, as free text: program, data, training.
    #[serde(default, skip_serializing_if = "Table::is_empty")]
    pub made: Table,
    /// What its rows are made of, such as the columns of a table: for programs that write and read
    /// them.
    #[serde(default, skip_serializing_if = "Table::is_empty")]
    pub rows: Table,
}

fn velocity() -> Prediction {
    Prediction::Velocity
}

fn yes() -> bool {
    true
}

// Serde calls this with a reference.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn is_yes(yes: &bool) -> bool {
    *yes
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn is_zero(n: &usize) -> bool {
    *n == 0
}

fn normal() -> String {
    NORMAL.into()
}

/// The name of the standard normal law.
pub(crate) const NORMAL: &str = "normal";

/// The name of starts that are data: they are given, and none is drawn.
pub const DATA: &str = "data";

impl ModelConfig {
    /// A network that predicts the velocity of straight paths from normal noise.
    #[must_use]
    pub fn new(signature: Signature, network: Table) -> Self {
        Self {
            format: FORMAT,
            sha256: String::new(),
            name: String::new(),
            about: String::new(),
            prediction: velocity(),
            learned_without: false,
            learned_velocity: true,
            strengths: None,
            holes: 0,
            lengths: Vec::new(),
            source: normal(),
            class_names: Vec::new(),
            signature,
            schedule: ScheduleConfig::default(),
            network,
            sample: SampleConfig::default(),
            made: Table::new(),
            rows: Table::new(),
        }
    }

    /// Reads the text of `model.toml`.
    ///
    /// # Errors
    /// When the text is no description of a model, or of a newer format.
    pub fn parse(text: &str) -> Result<Self, ModelError> {
        let broken =
            |reason: &str| ModelError::Format { reason: plain(reason.trim()).replace('\n', ", ") };
        let table: Table = text.parse().map_err(|e: toml::de::Error| broken(e.message()))?;
        match table.get("format").and_then(toml::Value::as_integer) {
            Some(format) if i64::from(FORMAT) < format => {
                return Err(ModelError::Newer { format, known: FORMAT });
            }
            _ => {}
        }
        let config: Self = table.try_into().map_err(|e: toml::de::Error| broken(&e.to_string()))?;
        config.sample.check()?;
        Ok(config)
    }

    /// The text of `model.toml`.
    #[must_use]
    #[expect(clippy::missing_panics_doc, reason = "numbers, text and tables are valid TOML")]
    pub fn text(&self) -> String {
        toml::to_string(self).expect("a description is made of numbers, text and tables")
    }
}
