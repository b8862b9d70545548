//! `cargo xtask`: what one does with this repository, each as one command.
//!
//! It starts cargo and other programs and imports no crate of the project, so that it builds in
//! seconds and the first `cargo xtask train` has only the project itself to wait for.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the terminal is what it is for")]

mod backend;
mod bench;
mod bits;
mod cargo;
mod ci;
mod docs;
mod folder;
mod gallery;
mod output;
mod reproduce;
mod run;
mod test;
mod tidy;
mod torture;
mod web;

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

const EXAMPLES: &str = "\
Examples:
  cargo xtask train                              the default recipe, from nothing to pictures
  cargo xtask train digits --seed 1              what follows a verb is read by `flow`
  cargo xtask train mnist --backend wgpu         build in another backend and use it
  cargo xtask help train                         what xtask adds to a verb
  cargo xtask train --help                       what `flow` makes of it
  cargo xtask reproduce                          the experiments, with their minutes
  cargo xtask ci                                 everything a change must pass";

/// Train, sample and score flow-matching models, and check the repository.
#[derive(Parser)]
#[command(name = "xtask", bin_name = "cargo xtask", after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Run the tests.
    Test(test::Args),
    /// Run every check that a change must pass, stopping at the first that fails.
    Ci(ci::Args),
    /// Check what compilers do not: imports between crates, paths in the docs, file headers.
    Tidy,
    /// Make the book: the pages of this repository as a site that needs no network.
    Docs(docs::Args),
    /// Make the page that runs in a browser, the core as WebAssembly.
    Web(web::Args),
    /// Write the page that shows every recipe, after training those that are named.
    Gallery(gallery::Args),
    /// Measure the speed of the crates, alone or against PyTorch.
    Bench(bench::Args),
    /// Run an experiment of xtask/experiments and write its page in docs/results.
    Reproduce(reproduce::Args),
    /// Check that a change leaves the numbers of a seed as they are.
    Bits(bits::Args),
    /// Kill, signal, fill disks and damage files, many times, and count what is lost.
    Torture(torture::Args),
}

/// The whole command line: the verbs of `flow`, then xtask's own.
fn cli() -> clap::Command {
    let verbs = run::VERBS.iter().enumerate().map(|(i, verb)| verb.command().display_order(i));
    let own = Cli::command().mut_subcommands(|task| task.display_order(run::VERBS.len()));
    own.subcommands(verbs)
}

fn main() -> ExitCode {
    let matches = cli().get_matches();
    let outcome = match matches.subcommand() {
        Some((name, args)) if run::verb(name).is_some() => run::run(name, args),
        _ => match Cli::from_arg_matches(&matches).unwrap_or_else(|e| e.exit()).task {
            Task::Test(args) => test::run(args),
            Task::Ci(args) => ci::run(&args),
            Task::Tidy => tidy::run(),
            Task::Docs(args) => docs::run(&args),
            Task::Web(args) => web::run(&args),
            Task::Gallery(args) => gallery::run(&args),
            Task::Bench(args) => bench::run(args),
            Task::Reproduce(args) => reproduce::run(&args),
            Task::Bits(args) => bits::run(&args),
            Task::Torture(args) => torture::run(&args),
        },
    };
    outcome.unwrap_or_else(|error| match error.downcast::<clap::Error>() {
        Ok(usage) => usage.exit(),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        cli().debug_assert();
    }
}
