//! Shortcut models: a step agrees with two steps of half its length.

use burn::tensor::Tensor;
use flow_path::PathError;
use flow_path::config::Check;
use serde::{Deserialize, Serialize};

use super::adaptive::{Adaptive, OFFSET};
use super::jump::{Jumps, check_share_below_one, column, with_targets};
use super::{Batch, Loss, Networks, Objective};
use crate::pairs::{Jump, Pairs};

/// A flow map whose steps of `1/2, 1/4, ..` of the way agree with two steps of half their length.
///
/// Most rows regress `u(x_t, t, t)` on the velocity of their pair. The others have `s = t + 2d` and
/// the target `(u(x_t, t, t + d) + u(x', t + d, t + 2d)) / 2` with `x' = x_t + d u(x_t, t, t + d)`,
/// by the average of the weights and without a gradient. Steps are powers of two, from a multiple
/// of their length, so that both halves are steps that are trained as well; the shortest half step
/// is asked as the velocity.
///
/// # Reference
/// Frans, Hafner, Levine & Abbeel (2024), "One Step Diffusion via Shortcut Models",
/// arXiv:2410.12557, equation 5 and algorithm 1, with 128 steps and a quarter of the batch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Shortcut {
    /// Fraction of the rows that jump.
    pub share: f64,
    /// Steps of the finest grid, a power of two.
    pub steps: usize,
    /// Exponent of the weight of a row by its own error: 0 is none, see
    /// [`MeanFlow`](super::MeanFlow).
    pub power: f64,
    /// Squared error below which that weight stays as it is.
    pub offset: f64,
}

impl Default for Shortcut {
    fn default() -> Self {
        Self { share: 0.25, steps: 128, power: 0.0, offset: OFFSET }
    }
}

impl Check for Shortcut {
    fn check(&self) -> Result<(), PathError> {
        check_share_below_one(self.share)?;
        self.adaptive().check()?;
        self.jump().check()
    }
}

impl Shortcut {
    fn target(&self, networks: Networks<'_>, jumps: &Jumps) -> Tensor<2> {
        let Jumps { x, t, s, .. } = jumps;
        let half = (s.clone() - t.clone()) * 0.5; // [B]
        let middle = t.clone() + half.clone();
        // Lengths are powers of two, so that any bound between two of them tells them apart.
        let shortest = half.clone().lower_elem(1.5 / self.steps as f64);
        let length = half.clone().mask_fill(shortest, 0.0);
        let teacher = networks.average;
        let first = jumps.ask(teacher, x.clone(), t, &(t.clone() + length.clone()));
        let halfway = x.clone() + column(half) * first.clone();
        let second = jumps.ask(teacher, halfway, &middle, &(middle.clone() + length));
        (first + second) * 0.5
    }

    fn adaptive(&self) -> Adaptive {
        Adaptive { power: self.power, offset: self.offset }
    }

    fn jump(&self) -> Jump {
        Jump::Dyadic { steps: self.steps }
    }
}

impl Objective for Shortcut {
    /// # Panics
    /// When rows jump and the batch brings no second times.
    fn loss(&self, networks: Networks<'_>, batch: Batch) -> Loss {
        let batch = with_targets(batch, |jumps| self.target(networks, jumps));
        self.adaptive().loss(networks.network, batch)
    }

    fn pairs(&self) -> Option<Pairs> {
        Some(Pairs::new(self.share, self.jump()))
    }
}
