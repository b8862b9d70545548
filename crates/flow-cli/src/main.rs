//! The command `flow`, with the networks of flow-nn.

use std::process::ExitCode;

fn main() -> ExitCode {
    flow_cli::run(&flow_model::Registry::default())
}
