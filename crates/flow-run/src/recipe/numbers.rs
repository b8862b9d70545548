//! Tests every number of every recipe and of every choice with values that make no sense there.

use std::collections::BTreeSet;

use burn::tensor::Device;
use flow_model::Registry;
use toml::{Table, Value};

use super::Recipe;
use crate::choices::alone;
use crate::matching::matching;
use crate::network;
use crate::{Choices, RECIPES, RunError, Sizes, choices};

/// Values that are no numbers, or that no key takes.
const ODD: [&str; 6] = ["nan", "inf", "-inf", "1e300", "-1e300", "-1"];

/// Keys that may be -1: means, ratios and times of a law that has them.
const MAY_BE_NEGATIVE: [&str; 7] = [
    "path.weight.mean",
    "path.weight.bias",
    "path.times.mean",
    "path.times.scale",
    "sample.grid.min",
    "sample.grid.max",
    "sample.guidance_interval",
];

/// Whole numbers of which the largest is as good as any: what they count is made one after another.
const MAY_BE_LARGEST: [&str; 3] = ["seed", "train.validation_batches", "eval.batch"];

fn parse(text: &str, changes: &[String], name: &str) -> Result<Recipe, RunError> {
    Recipe::parse(&Registry::default(), text, changes, name)
}

/// The recipes, and one with each choice, as TOML with every key.
fn recipes() -> Vec<String> {
    let debug = RECIPES.iter().find(|(name, _)| *name == "debug").unwrap().1;
    let chosen = choices().into_iter().flat_map(|Choices { key, all, .. }| {
        all.into_iter().map(move |(choice, _)| alone(key, &choice))
    });
    let whole = RECIPES.iter().map(|(name, text)| parse(text, &[], name).unwrap());
    let chosen = chosen.map(|changes| parse(debug, &changes, "debug").unwrap());
    whole.chain(chosen).map(|recipe| recipe.resolved()).collect()
}

/// Keys with a number or a list of numbers, and whether it is whole.
fn numbers(table: &Table, before: &str) -> Vec<(String, bool)> {
    table
        .iter()
        .flat_map(|(key, value)| {
            let key = format!("{before}{key}");
            match value {
                Value::Integer(_) => vec![(key, true)],
                Value::Float(_) => vec![(key, false)],
                Value::Array(values) if values.iter().any(Value::is_integer) => vec![(key, true)],
                Value::Array(values) if values.iter().any(Value::is_float) => vec![(key, false)],
                Value::Table(inner) => numbers(inner, &format!("{key}.")),
                _ => Vec::new(),
            }
        })
        .collect()
}

/// What a training asks of a recipe before anything is written.
fn taken(text: &str, change: &str) -> Result<(), RunError> {
    let recipe = parse(text, &[change.to_owned()], "mine")?;
    matching(&recipe.path)?;
    let (shape, classes) = match recipe.data.set.as_str() {
        "digits" => (vec![1, 8, 8], 10),
        "mnist" | "fashion-mnist" => (vec![1, 28, 28], 10),
        "cifar10" => (vec![3, 32, 32], 10),
        "table" => (vec![5], 0),
        "array" => match recipe.network.table()["kind"].as_str() {
            // Patches are of images alone.
            Some("unet" | "dit") => (vec![3, 8, 8], 0),
            _ => (vec![2], 0),
        },
        toy => (vec![flow_datasets::toy(toy).unwrap().dim()], 0),
    };
    Sizes::of(&recipe, &shape, classes, 0)?.check()?;
    if change.starts_with("network.") || change.starts_with("latent.") {
        let signature = network::signature(&recipe, &shape, classes, 0)?;
        network::build(&recipe, &signature, &Device::flex())?;
    }
    Ok(())
}

/// The whole value with one number in the place of another, for lists the first.
fn changed(table: &Table, key: &str, value: &str) -> String {
    let mut at = &Value::Table(table.clone());
    for part in key.split('.') {
        at = &at[part];
    }
    match at.as_array() {
        Some(list) => {
            let rest: Vec<String> = list[1..].iter().map(ToString::to_string).collect();
            format!("{key}=[{}]", [&[value.to_owned()], rest.as_slice()].concat().join(", "))
        }
        None => format!("{key}={value}"),
    }
}

#[test]
fn a_number_that_cannot_be_meant_is_refused_in_a_sentence_that_names_its_key() {
    let mut tried = BTreeSet::new();
    for text in recipes() {
        let table: Table = text.parse().unwrap();
        for (key, whole) in numbers(&table, "") {
            let kind = key.rsplit_once('.').map_or("", |(section, _)| section).to_owned();
            let kind = table_kind(&table, &kind);
            // What makes sense of a latent alone is left alone without one.
            if key.starts_with("network.latent_") && !table.contains_key("latent") {
                continue;
            }
            if !tried.insert((key.clone(), kind)) {
                continue;
            }
            let largest = i64::MAX.to_string();
            let odd = ODD.into_iter().chain(whole.then_some(largest.as_str()));
            for value in odd {
                let change = changed(&table, &key, value);
                let Err(error) = taken(&text, &change) else {
                    let may = value == "-1" && MAY_BE_NEGATIVE.contains(&key.as_str())
                        || value == largest && MAY_BE_LARGEST.contains(&key.as_str());
                    assert!(may, "{change} is taken");
                    continue;
                };
                assert!(error.is_usage(), "{change}: {error}");
                let error = error.to_string();
                let section = key.split('.').next().unwrap();
                let last = key.split('.').next_back().unwrap();
                assert!(!error.contains('\n'), "{change}: {error}");
                assert!(error.contains(last) || error.contains(section), "{change}: {error}");
            }
        }
    }
    assert!(100 < tried.len(), "{tried:?}");
}

/// The choice that a section is.
fn table_kind(table: &Table, section: &str) -> String {
    let mut at = Some(table);
    for part in section.split('.').filter(|part| !part.is_empty()) {
        at = at.and_then(|table| table.get(part)?.as_table());
    }
    at.and_then(|table| table.get("kind")?.as_str()).unwrap_or_default().to_owned()
}

#[test]
fn a_size_that_memory_cannot_hold_is_refused_with_its_key_and_bytes() {
    let text = |name: &str| RECIPES.iter().find(|(known, _)| *known == name).unwrap().1;
    for (recipe, change, key) in [
        ("debug", "network.hidden=1e9", "network.hidden"),
        ("debug", "network.depth=1e12", "network.depth"),
        ("debug", "network.time_features=1000000000000", "network.time_features"),
        ("vrfm-1d", "latent.dim=1e12", "latent.dim"),
        ("vrfm-1d", "network.latent_hidden=1000000000", "network.latent_hidden"),
        ("vrfm-1d", "latent.encoder.hidden=1e9", "latent.encoder.hidden"),
        ("digits", "network.channels=1e9", "network.channels"),
        ("digits", "network.blocks=1e12", "network.blocks"),
        ("digits", "network.multipliers=[1, 1000000000]", "network.multipliers"),
        ("vrfm-digits", "latent.encoder.channels=1e9", "latent.encoder.channels"),
        ("debug", "train.batch=1e11", "train.batch"),
        ("debug", "eval.n=1e12", "eval.n"),
        ("debug", "eval.error_n=1000000000000", "eval.error_n"),
    ] {
        let images = if change.starts_with("train.batch") { "train.images=1e15" } else { change };
        let changes = [change, images].map(String::from);
        let resolved = parse(text(recipe), &changes, recipe).unwrap().resolved();
        let error = taken(&resolved, "seed=0").unwrap_err().to_string();
        assert!(
            error.starts_with(key) && error.contains("B, this machine has "),
            "{change}: {error}"
        );
    }
    // A million rows are little, a million times a million pairs of them are not.
    let changes = ["train.batch=1e6", "train.images=1e9", "path.coupling=ot"].map(String::from);
    let resolved = parse(text("debug"), &changes, "debug").unwrap().resolved();
    let error = taken(&resolved, "seed=0").unwrap_err().to_string();
    assert!(error.contains("the coupling ot of a batch compares"), "{error}");
    assert!(error.contains("in 8.0 TB"), "{error}");
    assert!(taken(&resolved, "path.coupling=independent").is_ok());
}
