//! Errors of scoring a model.

use std::io;
use std::path::PathBuf;

use burn::tensor::DataError;
use flow_eval::EvalError;
use flow_model::ModelError;
use flow_nn::NetworkError;
use flow_path::PathError;
use flow_pickle::ReadError;
use flow_run::RunError;
use flow_sample::SampleError;
use flow_train::TrainError;

use crate::malformed::Malformed;

/// An error of a score.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JudgeError {
    /// Something was asked for that cannot be met: what, why, and what to ask for instead.
    #[error("{0}")]
    Usage(String),
    /// A file or a folder.
    #[error("{doing}")]
    Io {
        /// What could not be done, such as `cannot write into /tmp`.
        doing: String,
        /// The system's reason.
        source: io::Error,
    },
    /// A file of weights or statistics that holds something else.
    #[error("{doing}")]
    Malformed {
        /// What could not be done.
        doing: String,
        /// What does not fit.
        source: Malformed,
    },
    /// A file of weights that cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Weights that do not fit the network of FID.
    #[error("cannot use {path}")]
    Weights {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        source: NetworkError,
    },
    /// Numbers that are no images that a network can look at.
    #[error("{0}")]
    Images(String),
    /// A classifier that can be kept nowhere, not even while it is used.
    #[error("{path} has no room for a classifier either, set TMPDIR")]
    NoRoom {
        /// The folder for what is temporary.
        path: PathBuf,
        /// Why not.
        source: Box<JudgeError>,
    },
    /// A run.
    #[error(transparent)]
    Run(#[from] RunError),
    /// A score.
    #[error(transparent)]
    Eval(#[from] EvalError),
    /// A trained model.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A sampler or a likelihood.
    #[error(transparent)]
    Sample(#[from] SampleError),
    /// The training of a classifier, and batches.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// A network.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// A path from noise to data.
    #[error(transparent)]
    Path(#[from] PathError),
    /// A solver of differential equations.
    #[error(transparent)]
    Solve(Box<dyn std::error::Error + Send + Sync>),
    /// Numbers of a tensor that the host does not get.
    #[error(transparent)]
    Numbers(#[from] DataError),
}

impl JudgeError {
    /// An error of a file or a folder, with what could not be done.
    pub(crate) fn io(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Io { doing, source }
    }

    /// Whether something was asked for that cannot be met, as opposed to something that failed.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        match self {
            Self::Usage(_) => true,
            Self::Run(error) => error.is_usage(),
            Self::Model(error) => error.is_usage(),
            _ => false,
        }
    }
}

/// The pixels of an image of a shape, of rows that are a whole number of such images.
///
/// # Errors
/// When they are not, the shape has no pixel, or a pixel is no finite number: the image and the
/// pixel by their numbers.
pub(crate) fn size_of_image(rows: &[f32], shape: [usize; 3]) -> Result<usize, JudgeError> {
    let size = shape.iter().try_fold(1_usize, |size, &side| size.checked_mul(side));
    let size = size.filter(|&size| 0 < size && rows.len().is_multiple_of(size));
    let Some(size) = size else {
        let text = format!("{} pixels are no images of shape {shape:?}", rows.len());
        return Err(JudgeError::Images(text));
    };
    match rows.iter().position(|x| !x.is_finite()) {
        None => Ok(size),
        Some(at) => Err(JudgeError::Images(format!(
            "pixel {} of image {} is {}, pixels lie between -1 and 1",
            at % size,
            at / size,
            rows[at]
        ))),
    }
}

/// A [`JudgeError::Usage`] from a format string.
macro_rules! usage {
    ($($text:tt)*) => { $crate::JudgeError::Usage(format!($($text)*)) };
}
pub(crate) use usage;
