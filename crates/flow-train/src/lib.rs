//! Simulation-free training of flow-matching models, on burn-train.
//!
//! The loss is a regression: no differential equation is solved while a model trains, and this
//! crate cannot solve one, for it does not depend on `flow-ode`.
//!
//! | part | file |
//! |---|---|
//! | the loss | `objective/` |
//! | the batch `(x_t, t, target, c)`, with all its randomness | `matching.rs` |
//! | what conditions a row besides its class | `conditions.rs` |
//! | the two times `(t, s)` of a flow map | `pairs.rs`, `map_batches.rs` |
//! | the parts that a batch is cut into | `parts.rs`, `drawn.rs` |
//! | batches by step, prepared in a worker | `loader.rs` |
//! | the network, its posterior and their moving average | `ensemble.rs`, `trainee.rs`, `ema.rs` |
//! | gradient clipping, AdamW, learning rate | `clip.rs`, `optimizer.rs`, `schedule.rs` |
//! | steps, validation, interruption | `strategy.rs` |
//! | steps in parts, by one process or several | `shared.rs`, `gradients.rs` |
//! | checkpoints, whole or not at all | `checkpoint.rs`, `draft.rs`, `record.rs`, `saver.rs` |
//! | what a checkpoint was made by | `identity.rs` |
//! | all of it together | `plan.rs`, `fit.rs` |
//!
//! Every random number of a run is found by (seed, step, purpose), and a checkpoint holds the
//! weights, their average, the optimizer's state and the step: a resumed run ends with the same
//! weights, bit for bit, as one that was never interrupted.
//!
//! A run stops with an error, and commits nothing more, when a loss, a weight or a number of the
//! optimizer is not finite. Steps do not wait for that: losses are read in a thread of their own,
//! and weights are looked at before each checkpoint.

mod chain;
mod checkpoint;
mod classification;
mod clip;
mod conditions;
mod criterion;
mod data;
mod draft;
mod drawn;
mod ema;
mod ensemble;
mod error;
mod failure;
mod fit;
mod flow_matching;
mod gradients;
mod identity;
mod loader;
mod map_batches;
mod matching;
mod objective;
mod observer;
mod optimizer;
mod pairs;
mod parameters;
mod parts;
mod plan;
mod record;
mod saver;
mod schedule;
mod shared;
mod strategy;
mod terms;
mod trainee;

pub use burn::train::Interrupter;
pub use flow_parallel::{Alone, Group, GroupError};

pub use chain::{Chain, NoStart, Snapshot};
pub use checkpoint::{Checkpoint, CheckpointFolder};
pub use classification::{Labelled, LabelledBatches};
pub use data::{DataSource, Draw, Leg, RowStore, Rows};
pub use ema::Ema;
pub use ensemble::Ensemble;
pub use error::{Divergence, TrainError};
pub use fit::{Outcome, Session, Task, fit, fit_classifier};
pub use flow_matching::{Between, FlowMatching};
pub use identity::{Difference, Identity};
pub use loader::BatchSource;
pub use map_batches::MapBatches;
pub use matching::MatchingBatches;
pub use objective::{
    BakedGuidance, Batch, Consistency, Distillation, Lagrangian, Loss, MeanFlow, Networks,
    Objective, ObjectiveConfig, Regression, Shortcut, Splitting, Variational,
};
pub use observer::{Observer, StepRecord};
pub use optimizer::AdamW;
pub use pairs::{Jump, Pairs};
pub use parts::{DrawBy, Parts};
pub use plan::Plan;
pub use schedule::{Decay, LearningRate};
pub use terms::Terms;
