//! The choices of a recipe, each with its values left out and one line about it.

use flow_model::{AnswerMethod, Registry};
use flow_ode::Method;
use flow_path::config::Choice;
use flow_path::{
    BetweenConfig, CouplingConfig, LossWeight, Prediction, ScheduleConfig, TimesConfig,
};
use flow_sample::{GridConfig, SamplerConfig};
use flow_train::{Jump, ObjectiveConfig};

use crate::recipe::Source;

/// What can be chosen: each as typed with its values, and what it is.
#[derive(Clone, Debug)]
pub struct Choices {
    /// What they are, in the plural.
    pub title: &'static str,
    /// Key of the recipe, or verb that takes it.
    pub key: &'static str,
    /// Each as it is typed with its values, and a line about it.
    pub all: Vec<(String, String)>,
}

impl Choices {
    /// All of them in a line.
    #[must_use]
    pub fn line(&self) -> String {
        let each = self.all.iter().map(|(typed, about)| format!("{typed}: {about}"));
        each.collect::<Vec<_>>().join("; ")
    }
}

/// Everything that has variants, in the order of a recipe.
#[must_use]
pub fn choices() -> Vec<Choices> {
    named().into_iter().map(listed).collect()
}

/// Title, key and choices as they are listed.
fn listed((title, key, all): (&'static str, &'static str, Vec<Choice>)) -> Choices {
    let one = |Choice { typed, about, .. }: Choice| (typed, about.to_owned());
    Choices { title, key, all: all.into_iter().map(one).collect() }
}

/// The kinds of networks of a registry.
#[must_use]
pub fn networks(registry: &Registry) -> Choices {
    let all = registry.kinds().map(|(kind, about)| (kind.to_owned(), about.to_owned())).collect();
    Choices { title: "networks", key: "network.kind", all }
}

/// The methods by which an observation is brought into a model.
#[must_use]
pub fn answer_methods() -> Choices {
    listed(("methods of answers", "flow solve, flow impute --method", AnswerMethod::choices()))
}

/// Every schedule as it is typed, in a line.
#[must_use]
pub fn schedules() -> String {
    let typed: Vec<String> = ScheduleConfig::choices().into_iter().map(|one| one.typed).collect();
    typed.join("; ")
}

/// The solvers that take samples.
#[must_use]
pub fn solvers() -> Vec<&'static str> {
    let takes_samples = Method::ALL.iter().filter(|method| !method.is_implicit());
    takes_samples.map(|method| method.name()).collect()
}

/// Title, key and choices of what names its choices itself.
fn named() -> [(&'static str, &'static str, Vec<Choice>); 11] {
    [
        ("schedules", "path.schedule", ScheduleConfig::choices()),
        ("between a pair", "path.between", BetweenConfig::choices()),
        ("predictions", "path.prediction", Prediction::choices()),
        ("weights", "path.weight", LossWeight::choices()),
        ("laws of time", "path.times", TimesConfig::choices()),
        ("sources", "path.source", Source::choices()),
        ("couplings", "path.coupling", CouplingConfig::choices()),
        ("objectives", "train.objective", ObjectiveConfig::choices()),
        ("laws of jumps", "train.jumps", Jump::choices()),
        ("samplers", "sample.sampler", SamplerConfig::choices()),
        ("grids", "sample.grid", GridConfig::choices()),
    ]
}

/// A choice as a change of the recipe `debug`, with what it needs beside it.
#[cfg(test)]
pub(crate) fn alone(key: &str, typed: &str) -> Vec<String> {
    let name = typed.split(',').next().unwrap_or_default();
    let loss = match (key, name) {
        ("sample.sampler", "flow-map") | ("train.jumps", "dyadic") => Some("shortcut"),
        ("train.jumps", "whole") | ("train.objective", "distillation") => Some("distillation"),
        ("train.jumps", _) => Some("meanflow"),
        _ => None,
    };
    let mut changes = vec![format!("{key}={typed}")];
    changes.extend(loss.map(|loss| format!("train.objective={loss}")));
    if loss == Some("distillation") || (key, name) == ("path.coupling", "paired") {
        let pairs = ["path.coupling=paired", "reflow.run=teacher", "reflow.pairs=100"];
        changes.extend(pairs.map(String::from));
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::{RECIPES, Recipe, RunError};

    /// The debug recipe with one choice, which starts at no special case of another key.
    fn chosen(key: &str, text: &str) -> Result<Recipe, RunError> {
        let (_, debug) = RECIPES.iter().find(|(name, _)| *name == "debug").unwrap();
        Recipe::parse(&Registry::default(), debug, &alone(key, text), "debug")
    }

    #[test]
    fn every_choice_is_understood_and_shows_its_defaults() {
        for Choices { key, all, .. } in choices() {
            for (typed, _) in all {
                let name = typed.split(',').next().unwrap();
                let with_values = chosen(key, &typed).unwrap();
                // Those without defaults are typed with their values.
                match chosen(key, name) {
                    Ok(with_defaults) => assert_eq!(with_values, with_defaults, "{key}={typed}"),
                    Err(error) => assert!(error.to_string().contains("missing field"), "{error}"),
                }
                let resolved = with_values.resolved();
                let again = Recipe::parse(&Registry::default(), &resolved, &[], "resolved");
                assert_eq!(again.unwrap(), with_values);
            }
        }
    }

    #[test]
    fn the_docs_and_the_recipe_that_explains_itself_name_every_choice_and_its_values() {
        let docs = include_str!("../../../docs/files.md");
        let recipe = include_str!("../recipes/checkerboard.toml");
        for (_, key, all) in super::named() {
            let row = docs.lines().find(|line| line.starts_with(&format!("| `{key}` |"))).unwrap();
            let named = all.iter().map(|Choice { name, keys, .. }| match keys {
                [] => format!("`{name}`"),
                keys => format!("`{name} {{ {} }}`", keys.join(", ")),
            });
            for choice in named {
                assert!(row.contains(&choice), "docs/files.md, {key}: {choice} is missing");
            }
            let written = row.split('`').skip(3).step_by(2).map(|word| word.split(' ').next());
            for name in written.flatten().filter(|name| *name != "x_0") {
                let known = all.iter().any(|choice| choice.name == name);
                assert!(known, "docs/files.md, {key}: there is no {name}");
            }
            for Choice { typed, .. } in all {
                let listed = recipe.split([' ', ';', ':', '(', ')', '\n', '"']);
                let mut listed = listed.map(|word| word.trim_end_matches([',', '.']));
                assert!(listed.any(|word| word == typed), "checkerboard.toml: {key}={typed}");
            }
        }
    }

    #[test]
    fn a_choice_is_shown_as_it_is_typed() {
        let recipe = chosen("sample.sampler", "churn,fraction=0.25").unwrap();
        assert_eq!(recipe.sample.sampler.to_string(), "churn,fraction=0.25");
    }
}
