//! `cargo xtask bench`: the crates' own benches, or the same work in PyTorch beside ours.

use std::ffi::OsString;
use std::process::{Command, ExitCode};

use anyhow::ensure;
use clap::ValueEnum;

use crate::cargo;
use crate::output::print;

const PEERS: &str = "benches/peers/run.py";

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Run the same work in another library, in turns with ours. Needs python3; the library is
    /// installed into a virtual environment of its own.
    #[arg(long, value_name = "LIBRARY")]
    against: Option<Peer>,
    /// What follows is read by the benches (criterion) or by the script of the comparison.
    #[arg(value_name = "ARGS", trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<OsString>,
}

/// A library to compare with.
#[derive(Clone, Copy, ValueEnum)]
enum Peer {
    /// PyTorch with torchdiffeq, torchcfm and POT.
    Torch,
}

/// Becomes `cargo bench` or the script of the comparison.
///
/// # Errors
/// If the script is missing or the program does not start.
pub(crate) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let command = match args.against {
        None => {
            let mut command = cargo::cargo();
            // With flow-cli beside it the features are those of `flow`, but for criterion's own.
            command.args(["bench", "--package", "flow-cli", "--package", "flow-benches"]);
            command.args(["--features", "flow-benches/criterion", "--bench", "*", "--"]);
            if args.rest.is_empty() {
                // Medians as well as means.
                command.arg("--verbose");
            }
            command.args(args.rest);
            command
        }
        Some(Peer::Torch) => {
            let script = cargo::root()?.join(PEERS);
            ensure!(
                script.is_file(),
                "the comparison with PyTorch has no script at {PEERS}: check that the clone is \
                 complete, or run `cargo xtask bench` for our own times"
            );
            let mut command = Command::new("python3");
            command.arg(script).args(args.rest);
            command
        }
    };
    print(&format!("+ {}", cargo::show(&command)))?;
    cargo::become_command(command)
}
