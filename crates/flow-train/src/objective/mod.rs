//! The loss: what a step of training minimises.
//!
//! This file says what a loss is; `regression.rs` is that of flow matching, `variational.rs` that of a model with
//! a latent, which is the same and one term more.

mod regression;
mod variational;

use std::fmt::Debug;

use burn::tensor::Tensor;
use flow_nn::{Condition, Network, Posterior, Signature, Time};

pub use regression::Regression;
pub use variational::Variational;

/// One batch with all its randomness drawn, a row for each sample.
#[derive(Clone, Debug)]
pub struct Batch {
    /// Starts of the paths, `[B, d]`.
    pub x0: Tensor<2>,
    /// Their ends, `[B, d]`.
    pub x1: Tensor<2>,
    /// Points between as the network sees them, `[B, d]`: see [`flow_path::Prediction::input`].
    pub x_t: Tensor<2>,
    /// Their times, `[B]`, and second times for objectives that ask for them.
    pub time: Time,
    /// The regression target, `[B, d]`.
    pub target: Tensor<2>,
    /// Weight of each row, `[B]`; `None` for one throughout.
    pub weight: Option<Tensor<1>>,
    /// Class and other knowledge.
    pub condition: Condition,
    /// As much standard normal noise as [`Objective::noise`] asks for, `[B, noise]`.
    pub noise: Option<Tensor<2>>,
}

/// The networks of a step.
#[derive(Clone, Copy)]
pub struct Networks<'a> {
    /// What is trained: gradients reach it.
    pub network: &'a dyn Network,
    /// The moving average of its weights, without a tape: the teacher of objectives that have one.
    pub average: &'a dyn Network,
    /// What reads a latent off a pair, for models with a latent; gradients reach it too.
    pub posterior: Option<&'a dyn Posterior>,
}

impl<'a> Networks<'a> {
    /// A network that is its own average, without a posterior.
    #[must_use]
    pub fn of(network: &'a dyn Network) -> Self {
        Self { network, average: network, posterior: None }
    }
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
pub trait Objective: Debug + Send + Sync + 'static {
    /// The loss of the networks on a batch.
    fn loss(&self, networks: Networks<'_>, batch: Batch) -> Loss;

    /// Standard normal numbers that each row of a batch brings for the loss of a network with this
    /// signature.
    fn noise(&self, signature: &Signature) -> usize {
        let _ = signature;
        0
    }
}
