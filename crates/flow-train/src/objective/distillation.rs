//! Distillation of a teacher's pairs: one step from noise to where the teacher arrived.

use flow_path::PathError;
use flow_path::config::Check;
use serde::{Deserialize, Serialize};

use super::jump::column;
use super::regression::weighted_error;
use super::{Batch, Loss, Networks, Objective};
use crate::pairs::{Jump, Pairs};

/// The whole way in one step: `u(x_0, 0, 1)` regresses `x_1 - x_0`.
///
/// The pairs are those that a teacher made, each end the solution from its start, as reflow trains
/// on; with noise and data drawn apart every start would be sent to the mean of the data.
///
/// # Reference
/// Luhman & Luhman (2021), "Knowledge Distillation in Iterative Generative Models for Improved
/// Sampling Speed", arXiv:2101.02388; Liu, Gong & Liu (2023), "Flow Straight and Fast",
/// arXiv:2209.03003, who distil after reflow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Distillation {}

impl Check for Distillation {
    fn check(&self) -> Result<(), PathError> {
        Ok(())
    }
}

impl Objective for Distillation {
    /// # Panics
    /// When the batch brings no second times.
    fn loss(&self, networks: Networks<'_>, mut batch: Batch) -> Loss {
        let s = batch.time.s.clone().expect("the batches of a flow map bring second times");
        let duration = column(s - batch.time.t.clone());
        batch.target = (batch.x1.clone() - batch.x_t.clone()) / duration;
        Loss { total: weighted_error(networks.network, batch), terms: Vec::new() }
    }

    fn pairs(&self) -> Option<Pairs> {
        Some(Pairs::new(1.0, Jump::Whole))
    }
}
