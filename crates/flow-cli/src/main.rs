//! The command `flow`: train, sample, score and draw flow-matching models.
#![recursion_limit = "256"]

mod ambiguity;
mod args;
mod bar;
mod batches;
mod classifier;
mod commands;
mod control;
mod data_files;
mod device;
mod document;
mod drafts;
mod environment;
mod exit;
mod field;
mod files;
#[cfg(test)]
mod fuzz;
mod inception;
mod json;
mod latent;
mod lock;
mod memory;
mod metrics;
mod model;
mod network;
mod pictures;
mod progress;
mod recipe;
mod reflow;
mod registry;
mod request;
mod run;
mod signals;
mod sizes;
mod terminal;
mod verify;

use std::process::ExitCode;

use clap::Parser;

use args::{Args, Verb};

fn main() -> ExitCode {
    memory::keep();
    let args = Args::parse();
    let result = match args.verb {
        Verb::Train(args) => commands::train::run(&args),
        Verb::Sample(args) => commands::sample::run(&args),
        Verb::Eval(args) => commands::eval::run(&args),
        Verb::Likelihood(args) => commands::likelihood::run(&args),
        Verb::Plot(args) => commands::plot::run(&args),
        Verb::Export(args) => commands::export::run(&args),
        Verb::Card(args) => commands::export::show(&args),
        Verb::Verify(args) => commands::verify::run(&args),
        Verb::Compare(args) => commands::compare::run(&args),
        Verb::List => commands::list::run(),
        Verb::Recipe(args) => commands::list::show(&args),
    };
    exit::code(result)
}
