//! The parts that a batch is cut into.

use std::ops::Range;
use std::sync::Arc;

use flow_parallel::Group;
use serde::{Deserialize, Serialize};

use crate::error::TrainError;

/// The equal parts that a batch is cut into, and what of it is drawn at once.
///
/// A step adds the gradients of the parts, in an order that depends on their number alone. So a
/// batch may be larger than what the memory holds at once, and processes may share its parts: the
/// weights have the same bits for any number of processes. Another number of parts is another order
/// of the same sum, which moves the last digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parts {
    /// How many.
    pub count: usize,
    /// What is drawn, and paired, at once.
    pub draw: DrawBy,
}

/// What of a batch is drawn at once: rows of data, noise, the pairs of both, times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DrawBy {
    /// The whole batch, as without parts, and its rows are dealt out to the parts in turn. The rows
    /// and their pairs are the same for any number of parts; every process draws all of them, which
    /// costs no network calls but the time of the coupling.
    #[default]
    Batch,
    /// Each part, as a batch of its own: rows are paired within a part, times that cover the unit
    /// interval cover it in each, and no process draws rows of another.
    Part,
}

impl Default for Parts {
    /// One part: the batch itself.
    fn default() -> Self {
        Self { count: 1, draw: DrawBy::Batch }
    }
}

impl Parts {
    /// Refuses parts that are not equal, and fewer parts than processes.
    pub(crate) fn check(self, rows: usize, group: &dyn Group) -> Result<(), TrainError> {
        let (parts, processes) = (self.count, group.size());
        if parts == 0 || !rows.is_multiple_of(parts) {
            return Err(TrainError::Parts { rows, parts });
        }
        if parts < processes {
            return Err(TrainError::Processes { parts, processes });
        }
        Ok(())
    }
}

/// The parts of a batch that one process computes, and whom it adds them up with.
#[derive(Clone, Debug)]
pub(crate) struct Share {
    pub(crate) parts: Parts,
    pub(crate) group: Arc<dyn Group>,
}

impl Share {
    pub(crate) fn own(&self) -> Range<usize> {
        self.group.share(self.parts.count)
    }

    /// Whether a step is one batch in one process.
    pub(crate) fn is_whole(&self) -> bool {
        self.parts.count == 1
    }

    pub(crate) fn is_shared(&self) -> bool {
        1 < self.group.size()
    }
}
