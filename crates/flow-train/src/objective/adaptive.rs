//! Rows weighted by their own errors, for the losses of flow maps.

use burn::tensor::Tensor;
use flow_nn::Network;
use flow_path::PathError;
use flow_path::config::{positive, within};

use super::regression::{squares, weighted_error};
use super::{Batch, Loss};

/// The weight `1 / (|error|^2 + offset)^power` of a row, without a gradient.
///
/// In many dimensions `|error|^2` hardly varies, and the weight rescales the loss. In few
/// dimensions it favours rows whose own target is near the prediction, so that the minimiser is no
/// longer the mean: there `power = 0` keeps the plain square.
///
/// # Reference
/// Geng et al. (2024), "Consistency Models Made Easy", arXiv:2406.14548, section 3.3; Geng et al.
/// (2025), "Mean Flows for One-step Generative Modeling", arXiv:2505.13447, with power 1 and 1e-3.
#[derive(Clone, Copy, Debug)]
pub(super) struct Adaptive {
    pub(super) power: f64,
    pub(super) offset: f64,
}

/// Squared error below which the weight stays as it is, unless a recipe says otherwise.
pub(super) const OFFSET: f64 = 1e-3;

impl Adaptive {
    /// Refuses numbers that make no weight.
    pub(super) fn check(self) -> Result<(), PathError> {
        within("power", self.power, (0.0..f64::INFINITY).contains(&self.power), "[0, inf)")?;
        positive("offset", self.offset)
    }

    /// The squared error, weighted unless the power is 0.
    pub(super) fn loss(self, network: &dyn Network, batch: Batch) -> Loss {
        if self.power == 0.0 {
            return Loss { total: weighted_error(network, batch), terms: Vec::new() };
        }
        self.weighted(network, batch)
    }

    /// The weighted error, with the plain one as the term `squared_error`: the weighted one says
    /// nothing when the power is 1.
    pub(super) fn weighted(self, network: &dyn Network, batch: Batch) -> Loss {
        let Batch { x_t, time, target, weight, known, condition, .. } = batch;
        let error = network.forward(x_t, time, &condition) - target;
        let each = squares(network, &condition, known, error);
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

    /// The factor on each row's squared error, of rows of squares, `[B, d] -> [B]`.
    fn weight(self, squares: Tensor<2>) -> Tensor<1> {
        let squares = squares.without_autodiff().sum_dim(1).squeeze_dim::<1>(1);
        (squares + self.offset).powf_scalar(-self.power)
    }
}
