//! The loss: what a step of training minimises.
//!
//! This file says what a loss is; `regression.rs` is that of flow matching, `variational.rs` that
//! of a model with a latent, which is the same and one term more. The others learn a flow map
//! `u(x, t, s)`: the velocity where `s = t`, and elsewhere a target that the network, or its
//! average, is asked for. `jump.rs` is what they share, `derivative.rs` the derivatives along the
//! path, `adaptive.rs` the weight of a row by its error. `other_pairs.rs` is any of them with
//! another law of jumps, `guidance.rs` any loss with guidance baked in. `consistency_flow.rs`
//! teaches itself too, and has one time.

mod adaptive;
mod config;
mod consistency;
mod consistency_flow;
mod derivative;
mod distillation;
mod guidance;
mod jump;
mod lagrangian;
mod mean_flow;
mod other_pairs;
mod regression;
mod shortcut;
mod splitting;
mod variational;

use std::fmt::Debug;

use burn::tensor::Tensor;
use flow_nn::{Condition, Network, Posterior, Signature, Time};

use crate::pairs::{Jump, Pairs};

pub use config::ObjectiveConfig;
pub use consistency::Consistency;
pub use consistency_flow::ConsistencyFlow;
pub use derivative::{LARGEST_TIME_SCALE, SMOOTH_TIME_SCALE};
pub use distillation::Distillation;
pub use guidance::BakedGuidance;
pub use lagrangian::Lagrangian;
pub use mean_flow::MeanFlow;
pub use other_pairs::OtherPairs;
pub use regression::Regression;
pub use shortcut::Shortcut;
pub use splitting::Splitting;
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
    /// How many rows, the last ones, jump to a later second time; the others stay, `s = t`.
    pub jumps: usize,
    /// The regression target, `[B, d]`.
    pub target: Tensor<2>,
    /// Weight of each row, `[B]`; `None` for one throughout. Of sequences that end early it has the
    /// factor `elements / elements that are there` of the whole batch, so that a mean of squares
    /// over all is one over what is there, and the parts of a batch add up to it.
    pub weight: Option<Tensor<1>>,
    /// One for each number that is known and zero for the others, `[B, d]`, which the loss does not
    /// look at; `None` where all are known. The weight makes up for them as for sequences.
    pub known: Option<Tensor<2>>,
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
    /// The same weights without a tape, for targets that carry no gradient.
    pub frozen: &'a dyn Network,
    /// The moving average of its weights, without a tape: the teacher of objectives that have one.
    pub average: &'a dyn Network,
    /// What reads a latent off a pair, for models with a latent; gradients reach it too.
    pub posterior: Option<&'a dyn Posterior>,
}

impl<'a> Networks<'a> {
    /// A network that is its own average and its own copy without a tape, without a posterior.
    #[must_use]
    pub fn of(network: &'a dyn Network) -> Self {
        Self { network, frozen: network, average: network, posterior: None }
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

    /// The law of the two times of a batch, for the loss of a flow map; nothing for a loss of one
    /// time. Batches that follow it are [`MapBatches`](crate::MapBatches).
    fn pairs(&self) -> Option<Pairs> {
        None
    }

    /// Whether jumps by this law teach it, besides those of its own. Its targets ask the network
    /// for jumps in their turn, so that those must be among the ones that are drawn.
    fn learns_from(&self, jump: Jump) -> bool {
        self.pairs().is_some_and(|own| own.jump == jump)
    }

    /// Numbers that the loss adds to the condition vector of each row.
    fn told(&self) -> usize {
        0
    }

    /// Whether targets are derivatives of the network by its times. It must be smooth in them: its
    /// times should span no more than [`LARGEST_TIME_SCALE`] radians, and
    /// [`SMOOTH_TIME_SCALE`] suit.
    fn differentiates(&self) -> bool {
        false
    }

    /// Whether targets ask the network itself: [`Networks::frozen`] is made for those losses alone.
    fn teaches_itself(&self) -> bool {
        self.pairs().is_some()
    }
}
