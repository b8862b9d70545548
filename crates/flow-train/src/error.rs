//! Errors of a training run.

use std::fmt::{self, Display, Formatter};
use std::path::PathBuf;

use flow_parallel::GroupError;
use flow_path::PathError;

use crate::identity::Difference;

/// An error of a training run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// A file of a checkpoint could not be read or written.
    #[error("cannot {action} {path}: {source}")]
    Io {
        /// What was tried: "read", "write", ...
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A file of a checkpoint does not hold what was written.
    #[error(
        "{path} is damaged ({reason}), remove its folder to go on from the checkpoint before it"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        reason: String,
    },
    /// A checkpoint holds weights that are not finite.
    #[error(
        "{path} holds numbers that are not finite, in {parameter}: remove its folder to go on from \
         the checkpoint before it, or train anew with a lower learning rate"
    )]
    NotFinite {
        /// The file.
        path: PathBuf,
        /// The first parameter with such a number.
        parameter: String,
    },
    /// A checkpoint was made by another recipe.
    #[error(
        "the checkpoint {path} was made by another recipe: {difference}, undo the change or train \
         anew"
    )]
    OtherRecipe {
        /// The folder of the checkpoint.
        path: PathBuf,
        /// The first key that differs.
        difference: Difference,
    },
    /// A checkpoint of flow 0.1 says nothing that a recipe could be compared with.
    #[error(
        "the checkpoint {path} is of flow 0.1, which can be sampled and scored but not resumed; \
         train it again or use flow 0.1"
    )]
    Unidentified {
        /// The folder of the checkpoint.
        path: PathBuf,
    },
    /// A checkpoint was written by a later version.
    #[error("the checkpoint {path} has schema {schema}, use the newer flow that wrote it")]
    Newer {
        /// The folder of the checkpoint.
        path: PathBuf,
        /// The number of its format.
        schema: u32,
    },
    /// A checkpoint could not be saved; those before it are whole.
    #[error("cannot save a checkpoint in {path}, make room and resume: {reason}")]
    Save {
        /// The folder of checkpoints.
        path: PathBuf,
        /// Burn's reason.
        reason: String,
    },
    /// There is no checkpoint.
    #[error("{path} holds no checkpoint yet, train up to the first one")]
    NoCheckpoint {
        /// The folder of checkpoints.
        path: PathBuf,
    },
    /// The weights of a checkpoint do not fit the network.
    #[error(
        "the weights in {path} do not fit the network, use the recipe and the data (shape and \
         classes) of the run: {reason}"
    )]
    Weights {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        reason: String,
    },
    /// A number of the plan from which no training can follow.
    #[error("{field} is {value}, it must be {need}")]
    Plan {
        /// The field.
        field: &'static str,
        /// Its value.
        value: f64,
        /// What it must be.
        need: &'static str,
    },
    /// Batches and network do not agree on the number of classes.
    #[error(
        "the batches name {batches} classes and a null class after them, the network knows \
         {network}: build both with the same number, or batches with 0 to leave the classes out"
    )]
    Classes {
        /// Classes of the batches.
        batches: usize,
        /// Classes of the network.
        network: usize,
    },
    /// Loss, batches and network do not agree on their times.
    #[error("the loss, the network and the batches know different times: {remedy}")]
    Times {
        /// What to do.
        remedy: &'static str,
    },
    /// A row of data holds something that is no finite number.
    #[error(
        "step {step}: row {row} of the data holds {value}, leave out or repair what is not finite"
    )]
    Data {
        /// The step of training.
        step: usize,
        /// The row of the batch.
        row: usize,
        /// The number.
        value: f32,
    },
    /// Batches and network do not agree on the size of a condition.
    #[error(
        "the batches bring a {what} of {batches:?} numbers, the network reads one of {network:?}: \
         build both for the same conditions, [] being none"
    )]
    Conditions {
        /// What does not fit.
        what: &'static str,
        /// Its shape in the batches.
        batches: Vec<usize>,
        /// Its shape in the signature of the network.
        network: Vec<usize>,
    },
    /// A condition holds something that is no finite number.
    #[error(
        "step {step}: row {row} of the {what} holds {value}, leave out or repair what is not finite"
    )]
    Condition {
        /// The step of training.
        step: usize,
        /// The row of the batch.
        row: usize,
        /// What it was found in.
        what: &'static str,
        /// The number.
        value: f32,
    },
    /// A row of data is of a class that the batches do not have.
    #[error(
        "step {step}: row {row} of the data is of class {label}, but there are {classes} classes, \
         from 0"
    )]
    Label {
        /// The step of training.
        step: usize,
        /// The row of the batch.
        row: usize,
        /// The class.
        label: usize,
        /// Number of classes.
        classes: usize,
    },
    /// What makes the batches panicked.
    #[error("the batch of step {step} could not be made: {reason}")]
    Batch {
        /// The step of training, or the number of the batch of a validation.
        step: usize,
        /// The text of the panic.
        reason: String,
    },
    /// Noise and data could not be paired.
    #[error("step {step}: {source}")]
    Coupling {
        /// The step of training.
        step: usize,
        /// The reason.
        source: PathError,
    },
    /// A loss or a weight is no longer a number; no checkpoint of it is kept.
    #[error("{what} at step {step}, train anew with a lower learning rate or a clipped gradient")]
    Diverged {
        /// The step of training.
        step: usize,
        /// What it was noticed by.
        what: Divergence,
    },
    /// A batch that is not cut into equal parts.
    #[error(
        "a batch of {rows} rows cannot be cut into {parts} equal parts: choose a number of parts \
         that divides it"
    )]
    Parts {
        /// Rows in a batch.
        rows: usize,
        /// Parts of it.
        parts: usize,
    },
    /// Processes that nothing would be left for.
    #[error(
        "a batch of {parts} parts cannot be shared by {processes} processes, some of which would \
         have none: cut it into more parts (train.parts) or start fewer processes"
    )]
    Processes {
        /// Parts of a batch.
        parts: usize,
        /// Processes that share them.
        processes: usize,
    },
    /// Batches that cannot be cut.
    #[error("these batches are drawn as a whole and not in {parts} parts")]
    Uncut {
        /// The parts that were asked for.
        parts: usize,
    },
    /// The processes of a training cannot go on together.
    #[error("step {step}: {source}; all checkpoints before it are whole, go on from the last one")]
    Group {
        /// The step of training.
        step: usize,
        /// The reason.
        source: GroupError,
    },
    /// Processes whose weights are no longer the same.
    #[error(
        "after step {step} the weights of process {rank} are not those of the first: machines that \
         compute differently cannot train together, use processes on machines of one kind"
    )]
    Apart {
        /// The step of training.
        step: usize,
        /// Which process, from 0.
        rank: usize,
    },
    /// burn-train stopped with an error of its own.
    #[error("training stopped: {reason}")]
    Burn {
        /// burn-train's message.
        reason: String,
    },
}

/// What is no longer a number in a run that diverged.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Divergence {
    /// The loss of a step.
    Loss(f64),
    /// The loss of the averaged weights on the validation batches.
    Validation(f64),
    /// Weights, or their average: the path of the first such parameter.
    Weights(String),
    /// Means of the optimizer: its parameter.
    Optimizer(String),
}

impl Display for Divergence {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Loss(loss) => write!(f, "the loss is {loss}"),
            Self::Validation(loss) => write!(f, "the loss of a validation is {loss}"),
            Self::Weights(path) => write!(f, "weights are not finite, in {path},"),
            Self::Optimizer(path) => {
                write!(f, "the optimizer's means are not finite, in {path},")
            }
        }
    }
}
