//! What a checkpoint depends on: the sections of a recipe that training reads, key by key.

use flow_train::Identity;
use serde::Serialize;
use toml::{Table, Value};

use super::Recipe;

/// Parts of a recipe that no weight depends on.
const APART: [&str; 4] = ["name", "about", "sample", "eval"];

/// Keys of `train` that no weight of a step depends on.
const APART_OF_TRAIN: [&str; 2] = ["keep", "recompute"];

impl Recipe {
    /// All that training depends on: two recipes that train alike share it.
    ///
    /// Keys at their defaults are known as such, so that a checkpoint made before a key existed
    /// stays a checkpoint of its recipe; and a training may be made longer.
    pub(crate) fn identity(&self) -> Identity {
        let mut table = table(self);
        let defaults = defaults(&table, self);
        table.retain(|key, _| !APART.contains(&key));
        if let Some(Value::Table(train)) = table.get_mut("train") {
            train.retain(|key, _| !APART_OF_TRAIN.contains(&key));
        }
        Identity::new(values(&table)).with_defaults(defaults).with_growing("train.images")
    }

    /// The identity of a model whose samples another run is trained on: its step, its weights, and
    /// the parts of its recipe that define the flow. The solver is not part of it, because the
    /// other run chooses one.
    pub(crate) fn teacher(&self, step: usize, weights: String) -> Identity {
        let whole = table(self);
        let defaults = defaults(&whole, self);
        let keys = values(&whole).filter(|(key, _)| {
            key.starts_with("sample.guidance") || key.starts_with("sample.schedule")
        });
        Identity::new(
            keys.chain([("step".into(), step.into()), ("weights".into(), weights.into())]),
        )
        .with_defaults(defaults)
    }
}

fn table(part: &impl Serialize) -> Table {
    Table::try_from(part).expect("a recipe is made of numbers, text and tables")
}

fn values(table: &Table) -> impl Iterator<Item = (String, serde_json::Value)> {
    flat(table).into_iter().map(|(key, value)| (key, json(&value)))
}

/// `a.b.c` and its value for each value of a table.
#[must_use]
pub fn flat(table: &Table) -> Vec<(String, Value)> {
    let mut all = Vec::new();
    for (key, value) in table {
        match value {
            Value::Table(inner) => {
                all.extend(
                    flat(inner).into_iter().map(|(rest, value)| (format!("{key}.{rest}"), value)),
                );
            }
            value => all.push((key.clone(), value.clone())),
        }
    }
    all
}

/// The keys without which the recipe is the same, alone or with the table that they stand in.
fn defaults(whole: &Table, recipe: &Recipe) -> Vec<String> {
    let mut found = Vec::new();
    let mut tables = vec![Vec::new()];
    while let Some(path) = tables.pop() {
        let inside = at(whole, &path);
        for (key, value) in inside {
            let path: Vec<&str> = path.iter().copied().chain([key.as_str()]).collect();
            let default = same_without(whole, &path, recipe);
            match value {
                Value::Table(inner) if default => {
                    let keys = flat(inner).into_iter();
                    found.extend(keys.map(|(rest, _)| format!("{}.{rest}", path.join("."))));
                }
                Value::Table(_) => tables.push(path),
                _ if default => found.push(path.join(".")),
                _ => {}
            }
        }
    }
    found
}

fn at<'a>(whole: &'a Table, path: &[&str]) -> &'a Table {
    path.iter().fold(whole, |table, key| table[*key].as_table().expect("only tables are entered"))
}

fn same_without(whole: &Table, path: &[&str], recipe: &Recipe) -> bool {
    let mut changed = whole.clone();
    let (last, before) = path.split_last().expect("a path has a key");
    let inside = before.iter().fold(&mut changed, |table, key| {
        table[*key].as_table_mut().expect("only tables are entered")
    });
    inside.remove(*last);
    let without = Value::Table(changed).try_into::<Recipe>().ok().and_then(|mut without| {
        without.network = without.network.known_to(recipe.network.registry()).ok()?;
        Some(without)
    });
    without.is_some_and(|without| without == *recipe)
}

/// The same value in JSON, which has no numbers that are not finite and no dates.
fn json(value: &Value) -> serde_json::Value {
    match value {
        Value::Float(x) if !x.is_finite() => x.to_string().into(),
        Value::Datetime(date) => date.to_string().into(),
        value => serde_json::to_value(value).expect("numbers, text and lists are valid JSON"),
    }
}

#[cfg(test)]
mod tests {
    use flow_model::Registry;

    use crate::{RECIPES, Recipe};

    macro_rules! stored {
        ($name:literal) => {
            (
                include_str!(concat!("../../tests/reference/checkpoints/", $name, ".toml")),
                include_str!(concat!("../../tests/reference/checkpoints/", $name, ".json")),
            )
        };
    }

    fn recipe(name: &str, changes: &[String]) -> Recipe {
        Recipe::named(&Registry::default(), name, changes).unwrap()
    }

    fn debug(changes: &[&str]) -> Recipe {
        let changes: Vec<String> = changes.iter().map(ToString::to_string).collect();
        recipe("debug", &changes)
    }

    #[test]
    fn ways_of_sampling_and_scoring_are_no_part_of_it_and_all_else_is() {
        let identity = debug(&[]).identity();
        let train = ["train.recompute=true", "train.keep=best"];
        let apart = ["name=mine", "sample.steps=3", "eval.n=100", train[0], train[1]];
        let other = debug(&apart).identity();
        assert_eq!(other.difference(identity.values()), None);
        for change in [
            "seed=1",
            "train.batch=128",
            "train.precision=bf16",
            "path.label_drop=0.1",
            "ema.half_life=1",
        ] {
            let key = change.split('=').next().unwrap();
            let difference = debug(&[change]).identity().difference(identity.values()).unwrap();
            assert_eq!(difference.key, key);
        }
    }

    #[test]
    fn a_key_that_was_unknown_then_counts_as_its_default() {
        for (name, _) in RECIPES {
            let identity = recipe(name, &[]).identity();
            for keys in [&["path.shift"][..], &["path.schedule.kind", "path.schedule.sigma_min"]] {
                let mut stored = identity.values().clone();
                for key in keys {
                    stored.remove(*key);
                }
                assert_eq!(identity.difference(&stored), None, "{name}: {keys:?}");
            }
        }
        let mut stored = recipe("digits", &[]).identity().values().clone();
        stored.remove("data.mirror");
        let mirrored = recipe("digits", &["data.mirror=true".into()]).identity();
        let difference = mirrored.difference(&stored).unwrap();
        assert_eq!(difference.to_string(), "`data.mirror` was left out and is true");
    }

    /// `recipe.toml` and `state.json` of runs as version 0.2 left them.
    const STORED: [(&str, &str); 4] =
        [stored!("debug"), stored!("digits"), stored!("vrfm-digits"), stored!("student")];

    #[test]
    fn checkpoints_of_version_0_2_are_those_of_their_recipes() {
        for (text, state) in STORED {
            let state: serde_json::Value = serde_json::from_str(state).unwrap();
            assert_eq!(state["schema"], 2);
            let stored = serde_json::from_value(state["identity"].clone()).unwrap();
            let recipe = Recipe::parse(&Registry::default(), text, &[], "recipe.toml").unwrap();
            assert_eq!(recipe.identity().difference(&stored), None, "{}", recipe.name);
        }
    }

    #[test]
    fn a_training_may_be_longer_than_its_checkpoint_and_not_shorter() {
        let (short, long) = (debug(&["train.images=1e5"]), debug(&["train.images=2e5"]));
        assert_eq!(long.identity().difference(short.identity().values()), None);
        assert!(short.identity().difference(long.identity().values()).is_some());
    }
}
