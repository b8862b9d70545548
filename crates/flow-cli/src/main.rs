//! The command `flow`, with the networks of flow-nn and those that flow-import brings.

use std::process::ExitCode;

fn main() -> ExitCode {
    flow_cli::run(&flow_import::registry(flow_model::Registry::default()))
}
