//! MeanFlow: the average velocity from its derivative along the path.

use burn::tensor::Tensor;
use flow_path::PathError;
use flow_path::config::{Check, positive, within};
use serde::{Deserialize, Serialize};

use super::derivative::{WIDTH, along_the_start, check_width};
use super::jump::{check_share, with_targets};
use super::regression::squares;
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
        Self { share: 0.25, width: WIDTH, power: 1.0, offset: 1e-3 }
    }
}

impl Check for MeanFlow {
    fn check(&self) -> Result<(), PathError> {
        check_share(self.share)?;
        check_width(self.width)?;
        within("power", self.power, (0.0..f64::INFINITY).contains(&self.power), "[0, inf)")?;
        positive("offset", self.offset)
    }
}

impl MeanFlow {
    /// The factor on each row's squared error, of rows of squares, `[B, d] -> [B]`.
    fn weight(&self, squares: Tensor<2>) -> Tensor<1> {
        let squares = squares.without_autodiff().sum_dim(1).squeeze_dim::<1>(1);
        (squares + self.offset).powf_scalar(-self.power)
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
        let Batch { x_t, time, target, weight, condition, .. } = batch;
        let error = networks.network.forward(x_t, time, &condition) - target;
        let each = squares(networks.network, &condition, error);
        let mut squares = each.clone().mean_dim(1).squeeze_dim::<1>(1);
        if let Some(weight) = weight {
            squares = squares * weight;
        }
        let plain = squares.clone().without_autodiff().mean();
        if self.power != 0.0 {
            squares = squares * self.weight(each);
        }
        Loss { total: squares.mean(), terms: vec![("squared_error", plain)] }
    }

    fn pairs(&self) -> Option<Pairs> {
        Some(Pairs { share: self.share, jump: Jump::Drawn })
    }

    fn differentiates(&self) -> bool {
        true
    }
}
