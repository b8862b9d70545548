//! The command `flow`: train, sample, score and draw flow-matching models.
#![recursion_limit = "256"]

mod ambiguity;
mod args;
mod bar;
mod classifier;
mod commands;
mod control;
mod data_files;
mod device;
mod document;
mod exit;
mod field;
#[cfg(test)]
mod fuzz;
mod inception;
mod latent;
mod memory;
mod pictures;
mod signals;
mod terminal;
mod verify;

use std::process::ExitCode;

use clap::Parser;
use flow_model::Registry;

use args::{Args, Verb};

fn main() -> ExitCode {
    memory::keep();
    let args = Args::parse();
    let registry = &Registry::default();
    let result = match args.verb {
        Verb::Train(args) => commands::train::run(&args, registry),
        Verb::Sample(args) => commands::sample::run(&args, registry),
        Verb::Eval(args) => commands::eval::run(&args, registry),
        Verb::Likelihood(args) => commands::likelihood::run(&args, registry),
        Verb::Plot(args) => commands::plot::run(&args, registry),
        Verb::Export(args) => commands::export::run(&args, registry),
        Verb::Card(args) => commands::export::show(&args, registry),
        Verb::Verify(args) => commands::verify::run(&args),
        Verb::Compare(args) => commands::compare::run(&args, registry),
        Verb::List => commands::list::run(registry),
        Verb::Recipe(args) => commands::list::show(&args),
    };
    exit::code(result)
}
