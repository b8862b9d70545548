//! The one place where names become things.

mod choices;
mod data;
mod path;

use anyhow::Result;

use crate::exit::usage;
use crate::files::read_text;
use crate::recipe::Recipe;
pub(crate) use choices::{Choices, choices};
pub(crate) use data::{Changes, Data, image_rows, labels, pixels, some_of, target};
pub(crate) use path::{matching, source};

macro_rules! recipes {
    ($($name:literal),* $(,)?) => {
        /// Recipes that ship with the command: name and text.
        pub(crate) const RECIPES: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../../recipes/", $name, ".toml")))),*];
    };
}

recipes![
    "checkerboard",
    "checkerboard-paper",
    "eight-gaussians",
    "two-moons",
    "gaussian",
    "digits",
    "mnist",
    "fashion-mnist",
    "rf-1d",
    "vrfm-1d",
    "rf-2d",
    "vrfm-2d",
    "vrfm-digits",
    "vrfm-mnist",
    "vrfm-cifar10",
    "debug",
];

/// The recipe of a name, or of a TOML file.
pub(crate) fn recipe(name: &str, changes: &[String]) -> Result<Recipe> {
    if let Some((_, text)) = RECIPES.iter().find(|(known, _)| *known == name) {
        return Recipe::parse(text, changes, &format!("the recipe `{name}`"));
    }
    if std::path::Path::new(name).extension().is_some_and(|extension| extension == "toml") {
        let text = read_text(name.as_ref()).map_err(|error| usage!("{error:#}"))?;
        return Recipe::parse(&text, changes, name);
    }
    let names: Vec<&str> = RECIPES.iter().map(|(name, _)| *name).collect();
    Err(usage!("there is no recipe `{name}`, use one of {} or a TOML file", names.join(", ")))
}
