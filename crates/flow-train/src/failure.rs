//! The reason for which a run stopped.

use std::sync::{Arc, Mutex, PoisonError};

use burn::train::Interrupter;
use burn::train::checkpoint::CheckpointerError;

use crate::error::TrainError;

/// The first error of a run, whichever thread met it: burn-train carries the texts of errors alone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Failure(Arc<Mutex<Option<TrainError>>>);

impl Failure {
    /// Keeps `error`, unless an earlier one is the cause.
    pub(crate) fn keep(&self, error: TrainError) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
    }

    /// Keeps `error` and stops the run.
    pub(crate) fn stop(&self, error: TrainError, interrupter: &Interrupter) {
        let text = error.to_string();
        self.keep(error);
        interrupter.fail(CheckpointerError::Unknown(text));
    }

    pub(crate) fn take(&self) -> Option<TrainError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
