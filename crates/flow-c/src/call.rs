//! Calls from C: no panic crosses the border, and what goes wrong is kept for `flow_last_error`.

use std::panic::{AssertUnwindSafe, catch_unwind};

use flow_api::Refused;
use flow_model::ModelError;

use crate::error;

/// Why a call failed, in one sentence.
pub(crate) struct Failure(String);

impl From<ModelError> for Failure {
    fn from(error: ModelError) -> Self {
        Self(error.to_string())
    }
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        Self(refused.to_string())
    }
}

/// A call that cannot be met as it was made.
pub(crate) fn refused(reason: &str) -> Failure {
    Failure(reason.to_owned())
}

/// What `work` returns; `failed`, with its reason kept, if it fails or panics.
pub(crate) fn guarded<T>(failed: T, work: impl FnOnce() -> Result<T, Failure>) -> T {
    error::clear();
    let reason = match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(value)) => return value,
        Ok(Err(Failure(reason))) => reason,
        Err(panic) => {
            let text = panic.downcast_ref::<&str>().map(ToString::to_string);
            let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
            text.unwrap_or_else(|| "a panic without a text".into())
        }
    };
    error::keep(&reason);
    failed
}
