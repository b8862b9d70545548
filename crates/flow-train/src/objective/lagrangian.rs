//! Lagrangian self-distillation: the end of a step moves with the velocity there.

use burn::tensor::Tensor;
use flow_path::PathError;
use flow_path::config::Check;
use serde::{Deserialize, Serialize};

use super::adaptive::{Adaptive, OFFSET};
use super::derivative::{WIDTH, along_the_end, check_width};
use super::jump::{Jumps, check_share_below_one, with_targets};
use super::{Batch, Loss, Networks, Objective};
use crate::pairs::{Jump, Pairs};

/// A flow map `X = x + (s - t) u(x, t, s)` from the equation `dX/ds = u(X, s, s)`.
///
/// Solved for the map it reads `u(x, t, s) = u(X, s, s) - (s - t) d/ds u(x, t, s)`: the right side
/// is the target, by the network itself and without a gradient; the derivative is a central
/// difference. It is taken in one number and not along the path, so no velocity of a pair enters a
/// jump.
///
/// The paper lets a gradient reach `dX/ds` too. As a fixed target it has the same solution, and
/// what is known at `s = t` spreads to longer steps in the same way.
///
/// # Reference
/// Boffi, Albergo & Vanden-Eijnden (2025), "How to build a consistency model: Learning flow maps
/// via self-distillation", arXiv:2505.18825; the share of rows that jump is that of
/// [`MeanFlow`](super::MeanFlow).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Lagrangian {
    /// Fraction of the rows that jump.
    pub share: f64,
    /// Half the width of the central difference, in units of time.
    pub width: f64,
    /// Exponent of the weight of a row by its own error: 0 is none, see
    /// [`MeanFlow`](super::MeanFlow).
    pub power: f64,
    /// Squared error below which that weight stays as it is.
    pub offset: f64,
}

impl Default for Lagrangian {
    fn default() -> Self {
        Self { share: 0.25, width: WIDTH, power: 0.0, offset: OFFSET }
    }
}

impl Check for Lagrangian {
    fn check(&self) -> Result<(), PathError> {
        check_share_below_one(self.share)?;
        check_width(self.width)?;
        self.adaptive().check()
    }
}

impl Lagrangian {
    fn target(&self, networks: Networks<'_>, jumps: &Jumps) -> Tensor<2> {
        let Jumps { x, t, s, .. } = jumps;
        let duration = jumps.duration();
        let u = jumps.ask(networks.frozen, x.clone(), t, s);
        let end = x.clone() + duration.clone() * u;
        let velocity = jumps.ask(networks.frozen, end, s, s);
        velocity - duration * along_the_end(networks.frozen, jumps, self.width)
    }

    fn adaptive(&self) -> Adaptive {
        Adaptive { power: self.power, offset: self.offset }
    }
}

impl Objective for Lagrangian {
    /// # Panics
    /// When rows jump and the batch brings no second times.
    fn loss(&self, networks: Networks<'_>, batch: Batch) -> Loss {
        let batch = with_targets(batch, |jumps| self.target(networks, jumps));
        self.adaptive().loss(networks.network, batch)
    }

    fn pairs(&self) -> Option<Pairs> {
        Some(Pairs::new(self.share, Jump::Drawn))
    }

    /// Jumps to ends that vary: the target moves the end.
    fn learns_from(&self, jump: Jump) -> bool {
        matches!(jump, Jump::Drawn | Jump::Onward)
    }

    fn differentiates(&self) -> bool {
        true
    }
}
