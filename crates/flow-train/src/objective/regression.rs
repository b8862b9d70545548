//! The loss of flow matching.

use burn::tensor::Tensor;
use flow_nn::Network;

use super::{Batch, Loss, Objective};

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
#[derive(Clone, Copy, Debug, Default)]
pub struct Regression<const D: usize>;

impl<N: Network<D>, const D: usize> Objective<N> for Regression<D> {
    type Batch = Batch<D>;

    fn loss(&self, network: &N, batch: Batch<D>) -> Loss {
        Loss { total: weighted_error(network, batch), terms: Vec::new() }
    }

    fn classes(&self, network: &N) -> Option<usize> {
        Some(network.classes())
    }
}

/// `1/(B d) sum_i w_i |f(x_t_i, t_i, c_i) - target_i|^2`, `[1]`.
pub(super) fn weighted_error<N: Network<D>, const D: usize>(
    network: &N,
    batch: Batch<D>,
) -> Tensor<1> {
    let Batch { x_t, t, target, weight, condition } = batch;
    let error = (network.forward(x_t, t, &condition) - target).square();
    match weight {
        None => error.mean(),
        Some(w) => {
            let [b] = w.dims();
            let size = error.shape().num_elements() / b;
            (error.reshape([b, size]).mean_dim(1).squeeze_dim::<1>(1) * w).mean()
        }
    }
}
