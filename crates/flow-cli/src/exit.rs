//! Exit codes of the command: 0 done, 1 failed, 2 asked for something impossible, 128 and a
//! signal's number when that stopped a training.

use flow_datasets::TableError;
use flow_import::ImportError;
use flow_judge::JudgeError;
use flow_model::ModelError;
use flow_onnx::OnnxError;
use flow_report::ReportError;
use flow_run::{Interrupted, RunError, sentence};

use crate::terminal::{complain, say, written};

/// What the first of several processes says, for all of them meet it.
#[derive(Debug, thiserror::Error)]
#[error("the first process says it")]
pub(crate) struct Said;

/// A request that cannot be met as it was typed, from a format string.
macro_rules! usage {
    ($($text:tt)*) => { anyhow::Error::new(flow_run::RunError::Usage(format!($($text)*))) };
}
pub(crate) use usage;

/// Says what went wrong, in one sentence, and gives the exit code.
pub(crate) fn code(result: anyhow::Result<()>) -> u8 {
    let Err(mut error) = result else { return 0 };
    if let Some(words) = error.downcast_ref::<clap::Error>() {
        match written(words.print()) {
            Ok(()) => return u8::try_from(words.exit_code()).unwrap_or(2),
            Err(unwritten) => error = unwritten,
        }
    }
    if let Some(Interrupted { by, .. }) = error.downcast_ref() {
        say(&error.to_string());
        return by.exit_code();
    }
    if !error.is::<Said>() {
        complain(&format!("error: {}", sentence(error.as_ref())));
    }
    if is_usage(&error) { 2 } else { 1 }
}

/// Whether something was asked for that cannot be met.
fn is_usage(error: &anyhow::Error) -> bool {
    #[cfg(feature = "serve")]
    if error.downcast_ref().is_some_and(flow_serve::ServeError::is_usage) {
        return true;
    }
    error.downcast_ref().is_some_and(RunError::is_usage)
        || error.downcast_ref().is_some_and(JudgeError::is_usage)
        || error.downcast_ref().is_some_and(ReportError::is_usage)
        || error.downcast_ref().is_some_and(ModelError::is_usage)
        || error.downcast_ref().is_some_and(TableError::is_usage)
        || error.is::<ImportError>()
        || error.is::<OnnxError>()
        || error.is::<Said>()
}
