//! `flow list` and `flow recipe`: what there is to use.

use anyhow::Result;
use flow_import::Family;
use flow_model::Registry;
use flow_run::{Choices, RECIPES, listed};

use crate::args::RecipeArgs;
use crate::device;
use crate::exit::usage;
use crate::terminal::print;

pub(crate) fn run(registry: &Registry) -> Result<()> {
    let all = Family::ALL.map(|family| (family.name().to_owned(), family.about())).into();
    let families = Choices { title: "families of weights", key: "flow import --as", all };
    let text = listed(registry, vec![families], cfg!(feature = "folder"))?;
    print(&format!("{text}devices built in\n  {}", device::built_in().join(" ")))
}

/// Prints a recipe as it ships.
pub(crate) fn show(args: &RecipeArgs) -> Result<()> {
    let Some((_, text)) = RECIPES.iter().find(|(name, _)| *name == args.recipe) else {
        return Err(usage!("there is no recipe `{}`, `flow list` shows them all", args.recipe));
    };
    print(text.trim_end())
}
