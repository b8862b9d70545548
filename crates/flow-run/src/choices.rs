//! The choices of a recipe, each with its values left out and one line about it.

use flow_path::config::Choice;
use flow_path::{
    BetweenConfig, CouplingConfig, LossWeight, Prediction, ScheduleConfig, TimesConfig,
};
use flow_sample::{GridConfig, SamplerConfig};
use flow_train::ObjectiveConfig;

use crate::recipe::Source;

/// A key and its choices: each as typed with its values, and what it is.
#[derive(Clone, Debug)]
pub struct Choices {
    /// What they are, in the plural.
    pub title: &'static str,
    /// Key of the recipe.
    pub key: &'static str,
    /// Each as it is typed with its values, and a line about it.
    pub all: Vec<(String, &'static str)>,
}

/// Everything that has variants, in the order of a recipe.
#[must_use]
pub fn choices() -> Vec<Choices> {
    let named = named().into_iter().map(|(title, key, all)| {
        let all = all.into_iter().map(|Choice { typed, about, .. }| (typed, about)).collect();
        Choices { title, key, all }
    });
    named.collect()
}

/// Title, key and choices of what names its choices itself.
fn named() -> [(&'static str, &'static str, Vec<Choice>); 10] {
    [
        ("schedules", "path.schedule", ScheduleConfig::choices()),
        ("between a pair", "path.between", BetweenConfig::choices()),
        ("predictions", "path.prediction", Prediction::choices()),
        ("weights", "path.weight", LossWeight::choices()),
        ("laws of time", "path.times", TimesConfig::choices()),
        ("sources", "path.source", Source::choices()),
        ("couplings", "path.coupling", CouplingConfig::choices()),
        ("objectives", "train.objective", ObjectiveConfig::choices()),
        ("samplers", "sample.sampler", SamplerConfig::choices()),
        ("grids", "sample.grid", GridConfig::choices()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow_model::Registry;

    use crate::{RECIPES, Recipe, RunError};

    /// The debug recipe with one choice, which starts at no special case of another key.
    fn chosen(key: &str, text: &str) -> Result<Recipe, RunError> {
        let (_, debug) = RECIPES.iter().find(|(name, _)| *name == "debug").unwrap();
        let mut changes = vec![format!("{key}={text}")];
        if ["paired", "distillation"].contains(&text) {
            let pairs = ["path.coupling=paired", "reflow.run=teacher", "reflow.pairs=100"];
            changes.extend(pairs.map(String::from));
        }
        if text == "flow-map" {
            changes.push("train.objective=shortcut".into());
        }
        Recipe::parse(&Registry::default(), debug, &changes, "debug")
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
