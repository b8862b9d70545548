//! The card of a model: its description for people and programs.

use std::fmt::{self, Write as _};

use flow_nn::{Strengths, parameter_count};
use flow_path::{Prediction, ScheduleConfig};
use serde::Serialize;
use toml::{Table, Value};

use crate::config::ModelConfig;
use crate::model::Model;
use crate::settings::SampleConfig;

/// What a model is: as text a few lines, and as data one value for each of them.
#[derive(Clone, Debug, Serialize)]
pub struct Card<'a> {
    /// Its name, usually that of the recipe.
    pub name: &'a str,
    /// What it is, in a line.
    pub about: &'a str,
    /// Shape of a row.
    pub shape: &'a [usize],
    /// Number of classes, 0 for none.
    pub classes: usize,
    /// What they are called, if anybody said.
    pub class_names: &'a [String],
    /// Numbers that it is told for each row.
    pub vector: usize,
    /// Shape of the row that it is told for each row; empty for none.
    pub context: &'a [usize],
    /// Numbers of its latent.
    pub latent: usize,
    /// The kind of its network.
    pub network: &'a str,
    /// Trainable numbers of its network.
    pub parameters: usize,
    /// The paths that it has learned.
    pub path: CardPath<'a>,
    /// Strengths of guidance that cost one evaluation a step.
    pub strengths: Option<Strengths>,
    /// How it is sampled unless somebody asks for something else.
    #[serde(skip)]
    pub sample: &'a SampleConfig,
    /// What made it, in a word for each thing; whole tables, such as a recipe, are in the file
    /// alone.
    pub made: Table,
}

/// The paths that a model has learned.
#[derive(Clone, Debug, Serialize)]
pub struct CardPath<'a> {
    /// Their schedule.
    pub schedule: &'a ScheduleConfig,
    /// What is predicted on them.
    pub predicts: &'a Prediction,
    /// The law of their starts.
    pub starts_from: &'a str,
}

impl Model {
    /// What the model is.
    #[must_use]
    pub fn card(&self) -> Card<'_> {
        let ModelConfig { name, about, schedule, prediction, source, sample, made, .. } =
            self.config();
        let signature = self.signature();
        let kind = self.config().network.get("kind").and_then(Value::as_str);
        Card {
            name,
            about,
            shape: &signature.shape,
            classes: signature.classes,
            class_names: self.class_names(),
            vector: self.vector(),
            context: &signature.context,
            latent: signature.latent,
            network: kind.unwrap_or_default(),
            parameters: parameter_count(self.network()),
            path: CardPath { schedule, predicts: prediction, starts_from: source },
            strengths: self.config().strengths,
            sample,
            made: made
                .iter()
                .filter(|(_, value)| !value.is_table())
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect(),
        }
    }
}

impl Card<'_> {
    /// The sampler, and the strength of guidance that is not 1.
    fn sampled(&self) -> String {
        let Self { sample, strengths, .. } = self;
        let mut text = sample.sampler.to_string();
        if sample.sampler.is_ode() {
            text = format!("ode by {}", sample.solver);
        }
        if sample.is_guided() {
            let _ = write!(text, ", guidance {}", sample.guidance);
        }
        if let Some(strengths) = strengths {
            let _ = write!(text, ", guidance {strengths} in one evaluation a step");
        }
        text
    }

    /// What made it, as far as that is said.
    fn made(&self) -> String {
        let said = self.made.iter().filter_map(|(key, value)| match value {
            Value::String(text) if text.is_empty() => None,
            Value::String(text) => Some(format!("{key} {text}")),
            value => Some(format!("{key} {value}")),
        });
        said.collect::<Vec<_>>().join(", ")
    }
}

/// A line for each thing that there is.
impl fmt::Display for Card<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let CardPath { schedule, predicts, starts_from } = self.path;
        let numbers = |n: usize| match n {
            0 => String::new(),
            1 => "1 number a row".into(),
            n => format!("{n} numbers a row"),
        };
        let classes = match (self.classes, self.class_names) {
            (0, _) => String::new(),
            (classes, []) => classes.to_string(),
            (classes, names) => format!("{classes}: {}", names.join(", ")),
        };
        let lines = [
            ("name", self.name.to_owned()),
            ("about", self.about.to_owned()),
            ("rows", format!("shape {:?}", self.shape)),
            ("classes", classes),
            ("vector", numbers(self.vector)),
            ("latent", numbers(self.latent)),
            ("network", format!("{}, {} parameters", self.network, self.parameters)),
            ("path", format!("{schedule}, predicts {predicts}, starts from {starts_from}")),
            ("sampled by", self.sampled()),
            ("made by", self.made()),
        ];
        let mut rest = lines.iter().filter(|(_, value)| !value.is_empty());
        // A file may come from a stranger: what it says of itself begins no line of its own.
        let shown = |value: &String| value.replace(char::is_control, " ");
        if let Some((key, value)) = rest.next() {
            write!(f, "{key:11} {}", shown(value))?;
        }
        rest.try_for_each(|(key, value)| write!(f, "\n{key:11} {}", shown(value)))
    }
}
