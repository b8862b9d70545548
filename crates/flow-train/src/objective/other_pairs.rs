//! Another law of jumps: any loss of a flow map, taught by jumps that it would not draw.

use std::sync::Arc;

use flow_nn::Signature;
use flow_path::TimesConfig;

use super::{Batch, Loss, Networks, Objective};
use crate::pairs::{Jump, Pairs};

/// A loss of a flow map whose jumps start and arrive by another law than its own.
///
/// The loss of a row, and how many rows jump, stay as they are; so do the times of the rows that do
/// not. With neither law given it is the loss itself, to the bit.
///
/// A law says how often each pair of times is looked at, and no more: where a loss has one
/// minimiser for all pairs, any law that draws them all has the same. What is drawn seldom is
/// learned late.
#[derive(Clone, Debug)]
pub struct OtherPairs {
    /// The loss, which must learn from such jumps: see [`Objective::learns_from`].
    pub objective: Arc<dyn Objective>,
    /// Where jumps start and arrive; its own law, if left out.
    pub jump: Option<Jump>,
    /// Law of the times that jumps draw; that of all times, if left out.
    pub times: Option<TimesConfig>,
}

impl Objective for OtherPairs {
    fn loss(&self, networks: Networks<'_>, batch: Batch) -> Loss {
        self.objective.loss(networks, batch)
    }

    fn noise(&self, signature: &Signature) -> usize {
        self.objective.noise(signature)
    }

    fn pairs(&self) -> Option<Pairs> {
        let own = self.objective.pairs()?;
        let (jump, times) = (self.jump.unwrap_or(own.jump), self.times.or(own.times));
        Some(Pairs { share: own.share, jump, times })
    }

    fn learns_from(&self, jump: Jump) -> bool {
        self.objective.learns_from(jump)
    }

    fn told(&self) -> usize {
        self.objective.told()
    }

    fn differentiates(&self) -> bool {
        self.objective.differentiates()
    }

    fn teaches_itself(&self) -> bool {
        self.objective.teaches_itself()
    }
}
