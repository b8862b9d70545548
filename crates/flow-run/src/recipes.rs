//! The recipes that ship with the crate.

use std::path::Path;

use flow_model::Registry;

use crate::error::{RunError, sentence, usage};
use crate::files::read_text;
use crate::recipe::Recipe;

macro_rules! recipes {
    ($($name:literal),* $(,)?) => {
        /// Recipes that ship with the crate: name and text.
        pub const RECIPES: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../recipes/", $name, ".toml")))),*];
    };
}

/// The text of a recipe that ships with the crate.
///
/// # Errors
/// When there is none of this name.
pub fn shipped(name: &str) -> Result<&'static str, RunError> {
    let found = RECIPES.iter().find(|(known, _)| *known == name);
    let (_, text) =
        found.ok_or_else(|| usage!("there is no recipe `{name}`, `flow list` shows them all"))?;
    Ok(text)
}

recipes![
    "checkerboard",
    "checkerboard-paper",
    "eight-gaussians",
    "two-moons",
    "gaussian",
    "table",
    "posterior",
    "points",
    "images",
    "sequence",
    "populations",
    "digits",
    "digits-dit",
    "digits-upsample",
    "mnist",
    "mnist-dit",
    "mnist-upsample",
    "fashion-mnist",
    "cifar16",
    "checkerboard-meanflow",
    "checkerboard-shortcut",
    "checkerboard-splitting",
    "digits-meanflow",
    "digits-shortcut",
    "digits-splitting",
    "eight-gaussians-meanflow",
    "eight-gaussians-shortcut",
    "eight-gaussians-splitting",
    "mnist-meanflow",
    "mnist-shortcut",
    "mnist-splitting",
    "rf-1d",
    "vrfm-1d",
    "rf-2d",
    "vrfm-2d",
    "vrfm-digits",
    "vrfm-mnist",
    "vrfm-cifar16",
    "vrfm-cifar",
    "vrfm-cifar10",
    "fm-cifar10",
    "fm-imagenet32",
    "fm-imagenet64",
    "fm-imagenet128",
    "debug",
];

impl Recipe {
    /// The recipe of a name, or of a TOML file, after `key=value` changes; its network is one of
    /// the registry.
    ///
    /// # Errors
    /// When there is none, or it is not valid.
    pub fn named(registry: &Registry, name: &str, changes: &[String]) -> Result<Self, RunError> {
        if let Some((_, text)) = RECIPES.iter().find(|(known, _)| *known == name) {
            return Self::parse(registry, text, changes, &format!("the recipe `{name}`"));
        }
        if Path::new(name).extension().is_some_and(|extension| extension == "toml") {
            let text = read_text(name.as_ref()).map_err(|error| usage!("{}", sentence(&error)))?;
            return Self::parse(registry, &text, changes, name);
        }
        if Path::new(name).exists() {
            return Err(usage!(
                "{name} is no recipe (.toml) and nothing to train on: a table or an array ({}, \
                 .safetensors), or a folder of images",
                flow_datasets::table::ENDINGS
            ));
        }
        let names: Vec<&str> = RECIPES.iter().map(|(name, _)| *name).collect();
        Err(usage!("there is no recipe `{name}`, use one of {} or a TOML file", names.join(", ")))
    }
}
