//! `flow list` and `flow recipe`: what there is to use.

use std::fmt::Write;

use anyhow::Result;
use flow_import::Family;
use flow_model::Registry;
use flow_run::{Choices, RECIPES, Recipe, answer_methods, choices, networks, solvers};

use crate::args::RecipeArgs;
use crate::device;
use crate::exit::usage;
use crate::terminal::print;

pub(crate) fn run(registry: &Registry) -> Result<()> {
    let mut text = String::from("recipes\n");
    for (name, recipe) in RECIPES {
        let recipe = Recipe::parse(registry, recipe, &[], name)?;
        writeln!(text, "  {name:20} {}", recipe.about)?;
    }
    writeln!(text, "data sets\n  {}", flow_datasets::TOYS.join(" "))?;
    let built_in = |set: &&&str| **set != "folder" || cfg!(feature = "folder");
    let sets: Vec<&str> = flow_datasets::IMAGE_SETS.iter().filter(built_in).copied().collect();
    writeln!(text, "  {}", sets.join(" "))?;
    for set in &sets {
        let names = flow_datasets::class_names(set);
        if !names.is_empty() {
            writeln!(text, "  classes of {set:15} {}", names.join(", "))?;
        }
    }
    if !cfg!(feature = "folder") {
        writeln!(text, "  folder: images of your own, once built with `--features folder`")?;
    }
    let of_families = Family::ALL.map(|family| (family.name().to_owned(), family.about()));
    let more = [
        networks(registry),
        answer_methods(),
        Choices { title: "families of weights", key: "flow import --as", all: of_families.into() },
    ];
    for Choices { title, key, all } in choices().into_iter().chain(more) {
        writeln!(text, "{title} ({key})")?;
        for (choice, about) in all {
            writeln!(text, "  {choice:56} {about}")?;
        }
    }
    writeln!(text, "solvers (sample.solver)\n  {}", solvers().join(" "))?;
    write!(text, "devices built in\n  {}", device::built_in().join(" "))?;
    print(&text)
}

/// Prints a recipe as it ships.
pub(crate) fn show(args: &RecipeArgs) -> Result<()> {
    let Some((_, text)) = RECIPES.iter().find(|(name, _)| *name == args.recipe) else {
        return Err(usage!("there is no recipe `{}`, `flow list` shows them all", args.recipe));
    };
    print(text.trim_end())
}
