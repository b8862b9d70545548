//! Errors of a request.

use flow_datasets::TableError;
use flow_model::ModelError;

/// A request that is not met: one sentence that says what, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// Something in it cannot be.
    #[error("{0}")]
    Bad(String),
    /// The answer does not exist in the form that is asked for.
    #[error("{0}")]
    Form(String),
    /// The client has gone, and the work was stopped.
    #[error("the request was given up before it was answered")]
    Stopped,
    /// The program failed.
    #[error("{0}")]
    Failed(String),
}

impl Refused {
    pub(crate) fn bad(sentence: impl Into<String>) -> Self {
        Self::Bad(sentence.into())
    }
}

impl From<ModelError> for Refused {
    fn from(error: ModelError) -> Self {
        match error {
            ModelError::Stopped => Self::Stopped,
            // Sampling reads no files, so every other error is one of the request.
            error => Self::Bad(error.to_string()),
        }
    }
}

impl From<TableError> for Refused {
    fn from(error: TableError) -> Self {
        Self::Bad(error.to_string())
    }
}
