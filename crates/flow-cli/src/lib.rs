//! The command `flow`: train, sample, score and draw flow-matching models.
//!
//! [`run`] is all of it, over a registry of networks, so that a program of three lines has every
//! verb for networks of its own:
//!
//! ```no_run
//! use std::process::ExitCode;
//!
//! fn main() -> ExitCode {
//!     // Registry::default().with::<MyNetworkConfig>()
//!     flow_cli::run(&flow_model::Registry::default())
//! }
//! ```
//!
//! What is here parses a command line, calls the libraries and prints. Recipes and runs are those
//! of flow-run, scores of flow-judge, pictures and pages of flow-report.

mod args;
mod bar;
mod commands;
mod device;
mod exit;
mod memory;
mod processes;
mod terminal;

use std::process::ExitCode;
use std::sync::Arc;

use args::{Args, Verb};
use clap::Parser;
use flow_model::Registry;
use flow_parallel::Group;

/// Reads the command line of this process, does what it asks for and says how the process ends.
///
/// Call it once, before other threads exist: it sets how memory is kept, and listens for signals.
#[must_use]
pub fn run(registry: &Registry) -> ExitCode {
    memory::keep();
    let (verb, group) = match begin() {
        Ok(begun) => begun,
        Err(error) => return exit::code(Err(error)).into(),
    };
    let code = exit::code(done(verb, registry, &group));
    match code {
        0 => group.leave(),
        _ => group.abort(code),
    }
    code.into()
}

/// What the command line asks for, and the processes that share it.
fn begin() -> anyhow::Result<(Verb, Arc<dyn Group>)> {
    let verb = Args::try_parse()?.verb;
    processes::join(&verb).map(|group| (verb, group))
}

/// Does what a verb asks for, with the processes that share it.
fn done(verb: Verb, registry: &Registry, group: &Arc<dyn Group>) -> anyhow::Result<()> {
    match verb {
        Verb::Train(args) => commands::train::run(&args, registry, group),
        Verb::Push(args) => commands::push::run(&args, registry),
        Verb::Sample(args) => commands::sample::run(&args, registry, group),
        Verb::Eval(args) => commands::eval::run(&args, registry, group),
        Verb::Posterior(args) => commands::posterior::run(&args, registry),
        Verb::Impute(args) => commands::impute::run(&args, registry),
        Verb::Solve(args) => commands::solve::run(&args, registry),
        Verb::Import(args) => commands::export::import(&args),
        Verb::Calibrate(args) => commands::posterior::calibrate(&args, registry),
        Verb::Likelihood(args) => commands::likelihood::run(&args, registry),
        Verb::Plot(args) => commands::eval::plot(&args, registry),
        Verb::Export(args) => commands::export::run(&args, registry),
        Verb::Card(args) => commands::export::show(&args, registry),
        Verb::Serve(args) => commands::serve::run(&args, registry),
        Verb::Verify(args) => commands::verify::run(&args),
        Verb::Compare(args) => commands::compare::run(&args, registry),
        Verb::List => commands::list::run(registry),
        Verb::Recipe(args) => commands::list::show(&args),
    }
}
