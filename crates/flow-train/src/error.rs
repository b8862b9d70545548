//! What can stop a training run.

use std::path::PathBuf;

use flow_path::PathError;

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
    #[error("{path} is damaged ({reason}), resume from another checkpoint or train again")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        reason: &'static str,
    },
    /// A checkpoint was made by another recipe.
    #[error("the checkpoint {path} belongs to another recipe, resume it with its own")]
    OtherRecipe {
        /// The folder of the checkpoint.
        path: PathBuf,
    },
    /// There is nothing to resume from.
    #[error("{path} holds no checkpoint, start the run without resuming")]
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
        "the loss is {loss} at step {step}, lower the learning rate or clip the gradient, then resume"
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
