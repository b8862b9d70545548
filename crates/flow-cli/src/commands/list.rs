//! `flow list` and `flow recipe`: what there is to use.

use anyhow::Result;
use flow_import::Family;
use flow_model::Registry;
use flow_run::{Choices, listed, shipped};

use crate::args::RecipeArgs;
use crate::device;
use crate::terminal::print;

pub(crate) fn run(registry: &Registry) -> Result<()> {
    let text = listed(registry, vec![families()], cfg!(feature = "folder"))?;
    print(&format!("{text}devices built in\n  {}", device::built_in().join(" ")))
}

/// The families of networks from elsewhere.
pub(crate) fn families() -> Choices {
    let all = Family::ALL.map(|family| (family.name().to_owned(), family.about())).into();
    Choices { title: "families of weights", key: "flow import --as", all }
}

/// Prints a recipe as it ships.
pub(crate) fn show(args: &RecipeArgs) -> Result<()> {
    print(shipped(&args.recipe)?.trim_end())
}
