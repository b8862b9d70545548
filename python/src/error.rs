//! What Python raises.

use flow_datasets::TableError;
use flow_model::ModelError;
use pyo3::exceptions::{PyOSError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;

/// `ValueError` for what was asked for, `OSError` for files, else `RuntimeError`.
pub(crate) fn raised(error: ModelError) -> PyErr {
    let text = error.to_string();
    match error {
        ModelError::Io { .. } => PyOSError::new_err(text),
        ModelError::In { source, .. } if matches!(*source, ModelError::Io { .. }) => {
            PyOSError::new_err(text)
        }
        error if error.is_usage() => PyValueError::new_err(text),
        _ => PyRuntimeError::new_err(text),
    }
}

/// Cells that cannot be read, numbers that are none of a table, conditions that a model of one does
/// not take.
pub(crate) fn of_table(error: TableError) -> PyErr {
    PyValueError::new_err(error.to_string())
}

/// Why a batch stopped: an error of the model, or an interruption that Python has heard.
pub(crate) enum Stopped {
    Model(ModelError),
    Python(PyErr),
}

impl From<ModelError> for Stopped {
    fn from(error: ModelError) -> Self {
        Self::Model(error)
    }
}

impl From<Stopped> for PyErr {
    fn from(stopped: Stopped) -> Self {
        match stopped {
            Stopped::Model(error) => raised(error),
            Stopped::Python(error) => error,
        }
    }
}
