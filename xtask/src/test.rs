//! `cargo xtask test`: the whole suite, or the agreement of another backend with the default one.

use std::ffi::OsString;
use std::process::{Command, ExitCode};

use crate::backend::Backend;
use crate::output::print;
use crate::{cargo, run};

/// Without `--backend`, every test of the workspace. With it, the parity tests of `flow-cli`, which
/// train the same recipe from the same seed on that backend and on the default one; each backend
/// has a build folder of its own.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Run the parity tests on this backend.
    #[arg(long, value_name = "NAME")]
    backend: Option<Backend>,
    /// Parts of the names of the tests to run, and flags of the test programs such as
    /// `--nocapture`.
    #[arg(value_name = "FILTER", trailing_var_arg = true, allow_hyphen_values = true)]
    filters: Vec<OsString>,
}

/// Becomes `cargo test`.
///
/// # Errors
/// If `--backend` is wrong or cargo does not start.
pub(crate) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let (late_backend, filters) = Backend::take_from(args.filters)?;
    let command = match args.backend.or(late_backend) {
        None | Some(Backend::Flex) => {
            let mut command = workspace();
            if !filters.is_empty() {
                command.arg("--").args(filters);
            }
            command
        }
        Some(backend) => {
            if let Some(note) = backend.build_note() {
                print(&format!("{}: {note}", backend.name()))?;
            }
            parity(backend, filters)?
        }
    };
    print(&format!("+ {}", cargo::show(&command)))?;
    cargo::become_command(command)
}

/// Every test, in the profile that `train` uses, so that both share most of one build. The backend
/// `ndarray` is built in, for its agreement with the default one is part of the suite, and so is
/// what reads pictures of one's own.
pub(crate) fn workspace() -> Command {
    let mut command = cargo::cargo();
    command.args(["test", "--workspace", "--release", "--features"]);
    command.arg("flow-cli/ndarray,flow-cli/folder,flow-cli/serve");
    command
}

/// They are ignored by default, because they need the feature and the device.
fn parity(backend: Backend, filters: Vec<OsString>) -> anyhow::Result<Command> {
    let mut command = cargo::cargo();
    command.args(["test", "--release", "--package", "flow-cli", "--test", "parity"]);
    run::features(&mut command, backend)?;
    command.args(["--", "--ignored"]).args(filters).env("FLOW_TEST_DEVICE", backend.name());
    Ok(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parity_runs_ignored_tests_on_the_named_device() {
        let line = cargo::show(&parity(Backend::Vulkan, vec!["mlp".into()]).unwrap());
        assert!(line.starts_with("FLOW_TEST_DEVICE=vulkan cargo test --release"), "{line}");
        assert!(line.contains("--test parity --features vulkan"), "{line}");
        assert!(line.ends_with("-- --ignored mlp"), "{line}");
    }
}
