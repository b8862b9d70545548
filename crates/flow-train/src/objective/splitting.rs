//! Interval splitting: a step agrees with two steps that part at any time between.

use std::f64::consts::FRAC_1_SQRT_2;

use burn::tensor::Tensor;
use flow_nn::Signature;
use flow_path::PathError;
use flow_path::config::Check;
use serde::{Deserialize, Serialize};

use super::adaptive::{Adaptive, OFFSET};
use super::jump::{Jumps, check_share_below_one, with_targets};
use super::{Batch, Loss, Networks, Objective};
use crate::pairs::{Jump, Pairs};

/// A flow map whose steps agree with two steps that part at a random time `r` between.
///
/// `(s - t) u(x_t, t, s) = (r - t) u(x_t, t, r) + (s - r) u(x_r, r, s)` with
/// `x_r = x_t + (r - t) u(x_t, t, r)`: the right side is the target, by the network itself and
/// without a gradient. The rows that stay regress the velocity of their pair, from which all steps
/// follow. No derivative is asked for.
///
/// # Reference
/// Guo et al. (2025), "SplitMeanFlow: Interval Splitting Consistency in Few-Step Generative
/// Modeling", arXiv:2507.16884; the share of rows that jump is that of
/// [`MeanFlow`](super::MeanFlow).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Splitting {
    /// Fraction of the rows that jump.
    pub share: f64,
    /// Exponent of the weight of a row by its own error: 0 is none, see
    /// [`MeanFlow`](super::MeanFlow).
    pub power: f64,
    /// Squared error below which that weight stays as it is.
    pub offset: f64,
}

impl Default for Splitting {
    fn default() -> Self {
        Self { share: 0.25, power: 0.0, offset: OFFSET }
    }
}

impl Check for Splitting {
    fn check(&self) -> Result<(), PathError> {
        check_share_below_one(self.share)?;
        self.adaptive().check()
    }
}

fn target(networks: Networks<'_>, jumps: &Jumps) -> Tensor<2> {
    let Jumps { x, t, s, .. } = jumps;
    let z = jumps.noise.clone().expect("the batch brings the noise of the time between");
    // Uniform, since z is standard normal: its distribution function.
    let part = ((z.narrow(1, 0, 1) * FRAC_1_SQRT_2).erf() + 1.0) * 0.5; // [B, 1]
    let before = part.clone() * jumps.duration();
    let between = t.clone() + before.clone().squeeze_dim::<1>(1);
    let first = jumps.ask(networks.frozen, x.clone(), t, &between);
    let x_r = x.clone() + before * first.clone();
    let second = jumps.ask(networks.frozen, x_r, &between, s);
    second.clone() + part * (first - second)
}

impl Splitting {
    fn adaptive(&self) -> Adaptive {
        Adaptive { power: self.power, offset: self.offset }
    }
}

impl Objective for Splitting {
    /// # Panics
    /// When rows jump and the batch brings no second times, or no noise for the time between.
    fn loss(&self, networks: Networks<'_>, batch: Batch) -> Loss {
        let batch = with_targets(batch, |jumps| target(networks, jumps));
        self.adaptive().loss(networks.network, batch)
    }

    /// The time between.
    fn noise(&self, _: &Signature) -> usize {
        1
    }

    fn pairs(&self) -> Option<Pairs> {
        Some(Pairs::new(self.share, Jump::Drawn))
    }

    /// Jumps between any two times: the target asks for jumps to times between.
    fn learns_from(&self, jump: Jump) -> bool {
        matches!(jump, Jump::Drawn | Jump::Onward)
    }
}
