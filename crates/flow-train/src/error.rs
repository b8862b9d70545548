//! What can stop a training run.

use std::path::PathBuf;

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
        reason: &'static str,
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
    #[error("the weights in {path} do not fit the network: {source}")]
    Weights {
        /// The file.
        path: PathBuf,
        /// Burn's reason.
        source: burn::store::RecordError,
    },
    /// Noise and data could not be paired.
    #[error("step {step}: {source}")]
    Coupling {
        /// The step of training.
        step: usize,
        /// The reason.
        source: PathError,
    },
    /// The loss is no longer a number.
    #[error(
        "the loss is {loss} at step {step}, train anew with a lower learning rate or a clipped gradient"
    )]
    Diverged {
        /// The step of training.
        step: usize,
        /// The loss.
        loss: f64,
    },
    /// burn-train stopped with an error of its own.
    #[error("training stopped: {reason}")]
    Burn {
        /// burn-train's message.
        reason: String,
    },
}
