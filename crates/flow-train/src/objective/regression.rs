//! The loss of flow matching.

use burn::tensor::Tensor;
use flow_nn::{Condition, Network};
use flow_path::without_values;

use super::{Batch, Loss, Networks, Objective};

/// Weighted squared error, averaged over rows and dimensions.
///
/// `L = 1/(B d) sum_i w_i |f(x_t_i, t_i, c_i) - target_i|^2`
///
/// With the velocity as target this is the conditional flow matching loss, whose gradient is that
/// of the flow matching loss against the marginal velocity. The papers sum over dimensions: their
/// values are `d` times ours.
///
/// # Reference
/// Lipman et al. (2023), "Flow Matching for Generative Modeling", arXiv:2210.02747, equations 9
/// and 14.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Regression;

without_values!(Regression);

impl Objective for Regression {
    fn loss(&self, networks: Networks<'_>, batch: Batch) -> Loss {
        Loss { total: weighted_error(networks.network, batch), terms: Vec::new() }
    }
}

/// `1/(B d) sum_i w_i |f(x_t_i, t_i, c_i) - target_i|^2`, `[1]`, see [`squares`].
pub(super) fn weighted_error(network: &dyn Network, batch: Batch) -> Tensor<1> {
    let Batch { x_t, time, target, weight, known, condition, .. } = batch;
    let error = network.forward(x_t, time, &condition) - target;
    weighted_mean(squares(network, &condition, known, error), weight)
}

/// The mean of squares `[B, d]`, each row with its weight, `[1]`.
pub(super) fn weighted_mean(squares: Tensor<2>, weight: Option<Tensor<1>>) -> Tensor<1> {
    match weight {
        None => squares.mean(),
        Some(w) => (squares.mean_dim(1).squeeze_dim::<1>(1) * w).mean(),
    }
}

/// The squares of errors, `[B, d]`: zero behind the end of a sequence and where a number is not
/// known, where nothing is to be learned. The weights of the rows make their mean one over what is
/// there, see [`Batch::weight`].
pub(super) fn squares(
    network: &dyn Network,
    condition: &Condition,
    known: Option<Tensor<2>>,
    error: Tensor<2>,
) -> Tensor<2> {
    let there = [condition.within(network.signature(), &error), known];
    there.into_iter().flatten().fold(error.square(), |squares, there| squares * there)
}
