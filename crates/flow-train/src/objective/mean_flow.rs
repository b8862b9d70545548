//! MeanFlow: the average velocity from its derivative along the path.

use flow_path::PathError;
use flow_path::config::Check;
use serde::{Deserialize, Serialize};

use super::adaptive::{Adaptive, OFFSET};
use super::derivative::{WIDTH, along_the_start, check_width};
use super::jump::{check_share, with_targets};
use super::{Batch, Loss, Networks, Objective};
use crate::pairs::{Jump, Pairs};

/// A flow map from the identity `u(x_t, t, s) = v + (s - t) d/dt u(x_t, t, s)`.
///
/// Where a path arrives does not change along it: differentiating `x_t + (s - t) u` gives the
/// identity. Its right side is the target, without a gradient; `v` is the velocity of the pair, and
/// the derivative along it is a central difference. For `s = t` the target is `v`.
///
/// The error of a row is weighted by `1 / (|error|^2 + offset)^power`, without a gradient. In many
/// dimensions `|error|^2` hardly varies, and the weight rescales the loss. In few dimensions it
/// favours rows whose own velocity is near the prediction, so that the minimiser is no longer the
/// mean: there `power = 0` keeps the plain square. The plain error is logged as `squared_error`,
/// for the weighted one says nothing when the power is 1.
///
/// # Reference
/// Geng et al. (2025), "Mean Flows for One-step Generative Modeling", arXiv:2505.13447: the
/// identity and the weight with power 1 and 1e-3; a quarter of the rows jumps. Their time runs from
/// data to noise, hence the other sign.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MeanFlow {
    /// Fraction of the rows that jump.
    pub share: f64,
    /// Half the width of the central difference, in units of time.
    pub width: f64,
    /// Exponent of the weight: 0 is the squared error, 1 the papers'.
    pub power: f64,
    /// Squared error below which the weight stays as it is.
    pub offset: f64,
}

impl Default for MeanFlow {
    fn default() -> Self {
        Self { share: 0.25, width: WIDTH, power: 1.0, offset: OFFSET }
    }
}

impl Check for MeanFlow {
    fn check(&self) -> Result<(), PathError> {
        check_share(self.share)?;
        check_width(self.width)?;
        self.adaptive().check()
    }
}

impl MeanFlow {
    fn adaptive(&self) -> Adaptive {
        Adaptive { power: self.power, offset: self.offset }
    }
}

impl Objective for MeanFlow {
    /// # Panics
    /// When rows jump and the batch brings no second times.
    fn loss(&self, networks: Networks<'_>, batch: Batch) -> Loss {
        let batch = with_targets(batch, |jumps| {
            let rate = along_the_start(networks.frozen, jumps, self.width);
            jumps.velocity.clone() + jumps.duration() * rate
        });
        self.adaptive().weighted(networks.network, batch)
    }

    fn pairs(&self) -> Option<Pairs> {
        Some(Pairs::new(self.share, Jump::Drawn))
    }

    /// Jumps to any ends: the target asks for jumps to the same one.
    fn learns_from(&self, jump: Jump) -> bool {
        matches!(jump, Jump::Drawn | Jump::Onward | Jump::ToEnd)
    }

    fn differentiates(&self) -> bool {
        true
    }
}
