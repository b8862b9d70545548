//! Consistency training: neighbours on a path arrive at the same data.

use flow_path::PathError;
use flow_path::config::{Check, within};
use serde::{Deserialize, Serialize};

use super::adaptive::{Adaptive, OFFSET};
use super::jump::{check_share, column, with_targets};
use super::{Batch, Loss, Networks, Objective};
use crate::pairs::{Jump, Pairs};

/// A flow map to the data, `s = 1`, that agrees with itself a little later on the path of a pair.
///
/// `(s - t) u(x_t, t, s) = (r - t) v + (s - r) u(x_r, r, s)` with `r = t + gap (s - t)` and
/// `x_r = x_t + (r - t) v`, `v` the velocity of the pair: the right side is the target, by the
/// network itself and without a gradient. It is the splitting identity with a first step so short
/// that a velocity stands for it, exact on straight paths as the gap goes to zero; one of `gap`
/// leaves an error of its order, and the smaller it is the more slowly is the data learned from
/// their end.
///
/// With a share of 1 nothing but steps to the data is learned: one step samples, and solvers, which
/// ask for velocities, do not.
///
/// # Reference
/// Song & Dhariwal (2024), "Improved Techniques for Training Consistency Models", arXiv:2310.14189,
/// whose teacher has the weights of the student; Geng et al. (2024), "Consistency Models Made
/// Easy", arXiv:2406.14548, for gaps relative to the noise that is left. Both let the gap shrink
/// over the training and use other distances; here it is one number and the squared error.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Consistency {
    /// Fraction of the rows that jump.
    pub share: f64,
    /// Fraction of the rest of the way to the neighbour.
    pub gap: f64,
    /// Exponent of the weight of a row by its own error: 0 is none, see
    /// [`MeanFlow`](super::MeanFlow).
    pub power: f64,
    /// Squared error below which that weight stays as it is.
    pub offset: f64,
}

impl Default for Consistency {
    fn default() -> Self {
        Self { share: 1.0, gap: 1.0 / 64.0, power: 0.0, offset: OFFSET }
    }
}

impl Check for Consistency {
    fn check(&self) -> Result<(), PathError> {
        check_share(self.share)?;
        self.adaptive().check()?;
        within("gap", self.gap, 0.0 < self.gap && self.gap < 1.0, "(0, 1)")
    }
}

impl Consistency {
    fn adaptive(&self) -> Adaptive {
        Adaptive { power: self.power, offset: self.offset }
    }
}

impl Objective for Consistency {
    /// # Panics
    /// When rows jump and the batch brings no second times.
    fn loss(&self, networks: Networks<'_>, batch: Batch) -> Loss {
        let batch = with_targets(batch, |jumps| {
            let way = (jumps.s.clone() - jumps.t.clone()) * self.gap; // [B]
            let velocity = jumps.velocity.clone();
            let x_r = jumps.x.clone() + column(way.clone()) * velocity.clone();
            let r = jumps.t.clone() + way;
            let rest = jumps.ask(networks.frozen, x_r, &r, &jumps.s);
            velocity * self.gap + rest * (1.0 - self.gap)
        });
        self.adaptive().loss(networks.network, batch)
    }

    fn pairs(&self) -> Option<Pairs> {
        Some(Pairs::new(self.share, Jump::ToEnd))
    }

    /// Jumps to any ends: the target asks for jumps to the same one.
    fn learns_from(&self, jump: Jump) -> bool {
        matches!(jump, Jump::Drawn | Jump::Onward | Jump::ToEnd)
    }
}
