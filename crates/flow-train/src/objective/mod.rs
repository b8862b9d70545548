//! The loss: what a step of training minimises.
//!
//! This file says what a loss is; `regression.rs` is that of flow matching, `variational.rs` that of a model with
//! a latent, which is the same and one term more.

mod regression;
mod variational;

use std::fmt::Debug;

use burn::tensor::Tensor;
use flow_nn::Condition;

pub use regression::Regression;
pub use variational::{LatentBatch, LatentModel, Variational};

/// One batch with all its randomness drawn: what the network sees and what it should answer.
#[derive(Clone, Debug)]
pub struct Batch<const D: usize> {
    /// Points on the path as the network sees them, `[B, ..]`: see [`flow_path::Prediction::input`].
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
    /// Named parts, for the log: each a list of numbers, `[n]`.
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

    /// Classes that `network` tells apart, 0 for none; `None` where the objective does not know.
    fn classes(&self, network: &N) -> Option<usize> {
        let _ = network;
        None
    }
}
