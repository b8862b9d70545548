//! Which checkpoint of a training is its model.

use serde::{Deserialize, Serialize};

/// Which checkpoint of a training is its model, by the average weights that each holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Keep {
    /// The last.
    #[default]
    Last,
    /// The one with the least loss on the validation batches, whose rows are held out: early
    /// stopping (Prechelt 1998, "Early Stopping - But When?"), without an end to the training.
    ///
    /// Where rows are few, the loss on those that are trained on falls on while a network learns
    /// them by heart, and this loss rises. It is compared after each checkpoint, on the same rows,
    /// noise and times each time, so that differences are those of the weights alone. A score on
    /// the held-out rows is then a little too good, because they chose the model.
    Best,
}
