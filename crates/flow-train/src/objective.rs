//! The loss: what a step of training minimises.

use std::fmt::Debug;

use burn::tensor::Tensor;
use flow_nn::{Condition, Network};

/// One batch with all its randomness drawn: what the network sees and what it should answer.
#[derive(Clone, Debug)]
pub struct Batch<const D: usize> {
    /// Points on the path, `[B, ..]`.
    pub x_t: Tensor<D>,
    /// Their times, `[B]`.
    pub t: Tensor<1>,
    /// The regression target, `[B, ..]`.
    pub target: Tensor<D>,
    /// Weight of each row, `[B]`; `None` for one throughout.
    pub weight: Option<Tensor<1>>,
    /// Class and other knowledge.
    pub condition: Condition,
}

/// A loss and the terms that it is made of.
#[derive(Clone, Debug)]
pub struct Loss {
    /// What is minimised, `[1]`.
    pub total: Tensor<1>,
    /// Named parts, for the log.
    pub terms: Vec<(&'static str, Tensor<1>)>,
}

/// A loss of a network on a batch.
///
/// It is a pure function: the batch carries the randomness, and the number of the step is unknown.
pub trait Objective<N>: Clone + Debug + Send + Sync + 'static {
    /// What the loss is computed from.
    type Batch: Send + 'static;

    /// The loss of `network` on `batch`.
    fn loss(&self, network: &N, batch: Self::Batch) -> Loss;
}

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
        let Batch { x_t, t, target, weight, condition } = batch;
        let error = (network.forward(x_t, t, &condition) - target).square();
        let total = match weight {
            None => error.mean(),
            Some(w) => {
                let [b] = w.dims();
                let size = error.shape().num_elements() / b;
                (error.reshape([b, size]).mean_dim(1).squeeze_dim::<1>(1) * w).mean()
            }
        };
        Loss { total, terms: Vec::new() }
    }
}
