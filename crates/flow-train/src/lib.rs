//! Simulation-free training of flow-matching models, on burn-train.
//!
//! The loss is a regression: no differential equation is solved while a model trains, and this
//! crate cannot solve one, for it does not depend on `flow-ode`.
//!
//! | part | file |
//! |---|---|
//! | the loss | `objective/` |
//! | the batch `(x_t, t, target, c)`, with all its randomness | `matching.rs` |
//! | rows of data and their order | `data.rs`, `rows.rs`, `store.rs`, `order.rs` |
//! | what conditions a row besides its class | `conditions.rs` |
//! | the two times `(t, s)` of a flow map | `pairs.rs`, `map_batches.rs` |
//! | the parts that a batch is cut into | `parts.rs`, `drawn.rs` |
//! | batches by step, prepared in a worker | `source.rs`, `loader.rs` |
//! | the network, its posterior and their moving average | `ensemble.rs`, `trainee.rs`, `ema.rs` |
//! | how a gradient becomes a step | `rules.rs`, `clip.rs`, `optimizer.rs`, `schedule.rs` |
//! | one step at a time, in a loop of the caller's own | `stepper.rs` |
//! | steps, validation, interruption | `strategy.rs` |
//! | steps in parts, by one process or several | `shared.rs`, `gradients.rs` |
//! | checkpoints, whole or not at all | `checkpoint.rs`, `draft.rs`, `record.rs`, `saver.rs` |
//! | what a checkpoint was made by | `identity.rs` |
//! | which checkpoint is the model | `keep.rs` |
//! | all of it together | `plan.rs`, `fit.rs` |
//!
//! Every random number of a run is found by (seed, step, purpose), and a checkpoint holds the
//! weights, their average, the optimizer's state and the step: a resumed run ends with the same
//! weights, bit for bit, as one that was never interrupted.
//!
//! The loop is burn-train's, with its threads and files; it is the feature `learner`, on by
//! default. Without it one step at a time, [`Stepper`], is left, which runs in a browser too.
//!
//! A run stops with an error, and commits nothing more, when a loss, a weight or a number of the
//! optimizer is not finite. Steps do not wait for that: losses are read in a thread of their own,
//! and weights are looked at before each checkpoint.

mod chain;
#[cfg(feature = "learner")]
mod checkpoint;
#[cfg(feature = "learner")]
mod classification;
mod clip;
mod conditions;
mod criterion;
mod data;
#[cfg(feature = "learner")]
mod draft;
mod drawn;
mod ema;
mod ensemble;
mod error;
#[cfg(feature = "learner")]
mod failure;
#[cfg(feature = "learner")]
mod fit;
mod flow_matching;
#[cfg(feature = "learner")]
mod gradients;
mod identity;
mod keep;
#[cfg(feature = "learner")]
mod loader;
mod map_batches;
mod matching;
mod objective;
#[cfg(feature = "learner")]
mod observer;
mod optimizer;
mod order;
mod pairs;
#[cfg(feature = "learner")]
mod parameters;
#[cfg_attr(
    not(feature = "learner"),
    allow(dead_code, reason = "only the loop shares a batch among processes")
)]
mod parts;
mod plan;
#[cfg(feature = "learner")]
mod record;
mod rows;
mod rules;
#[cfg(feature = "learner")]
mod saver;
mod schedule;
#[cfg(feature = "learner")]
mod shared;
mod source;
#[cfg(feature = "learner")]
mod stepped;
mod stepper;
mod store;
#[cfg(feature = "learner")]
mod strategy;
#[cfg(feature = "learner")]
mod terms;
#[cfg(feature = "learner")]
mod trainee;

#[cfg(feature = "learner")]
pub use burn::train::Interrupter;
pub use flow_parallel::{Alone, Group, GroupError};

pub use chain::{Chain, NoStart, Snapshot};
#[cfg(feature = "learner")]
pub use checkpoint::{Checkpoint, CheckpointFolder};
#[cfg(feature = "learner")]
pub use classification::{Labelled, LabelledBatches};
pub use conditions::PartDrop;
pub use data::{DataSource, Draw, Leg};
pub use ema::Ema;
pub use ensemble::Ensemble;
pub use error::{Divergence, TrainError};
#[cfg(feature = "learner")]
pub use fit::{Outcome, Session, Task, fit, fit_classifier};
pub use flow_matching::FlowMatching;
pub use identity::{Difference, Identity};
pub use keep::Keep;
pub use map_batches::MapBatches;
pub use matching::MatchingBatches;
pub use objective::{
    BakedGuidance, Batch, Consistency, ConsistencyFlow, Distillation, LARGEST_TIME_SCALE,
    Lagrangian, Loss, MeanFlow, Networks, Objective, ObjectiveConfig, OtherPairs, Regression,
    SMOOTH_TIME_SCALE, Shortcut, Splitting, Variational,
};
#[cfg(feature = "learner")]
pub use observer::{Observer, StepRecord};
pub use optimizer::AdamW;
pub use pairs::{Jump, Pairs};
pub use parts::{DrawBy, Parts};
pub use plan::Plan;
pub use rows::{Rows, Spread};
pub use schedule::{Decay, LearningRate};
pub use source::BatchSource;
pub use stepper::Stepper;
pub use store::RowStore;
#[cfg(feature = "learner")]
pub use terms::Terms;

/// The examples of the README, compiled and run.
#[cfg(all(doctest, feature = "learner"))]
#[doc = include_str!("../README.md")]
struct Readme;
