//! `flow list` and `flow recipe`: what there is to use.

use std::fmt::Write;

use anyhow::Result;
use flow_import::Family;
use flow_model::{AnswerMethod, Registry};
use flow_ode::Method;
use flow_run::{Choices, RECIPES, Recipe, choices};

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
    let takes_samples = Method::ALL.iter().filter(|method| !method.is_implicit());
    let solvers: Vec<&str> = takes_samples.map(|method| method.name()).collect();
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
    for Choices { title, key, all } in choices() {
        writeln!(text, "{title} ({key})")?;
        for (choice, about) in all {
            writeln!(text, "  {choice:56} {about}")?;
        }
    }
    writeln!(text, "networks (network.kind)")?;
    for (kind, about) in registry.kinds() {
        writeln!(text, "  {kind:56} {about}")?;
    }
    writeln!(text, "methods of answers (flow solve, flow impute --method)")?;
    for (choice, about) in AnswerMethod::CHOICES {
        writeln!(text, "  {choice:56} {about}")?;
    }
    writeln!(text, "families of weights (flow import --as)")?;
    for family in Family::ALL {
        writeln!(text, "  {:56} {}", family.name(), family.about())?;
    }
    writeln!(text, "solvers (sample.solver)\n  {}", solvers.join(" "))?;
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
