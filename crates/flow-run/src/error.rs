//! Errors of a recipe or a run.

use std::error::Error;
use std::io;
use std::path::PathBuf;

use flow_datasets::{ArrayError, DatasetError, TableError};
use flow_model::ModelError;
use flow_nn::NetworkError;
use flow_path::PathError;
use flow_train::{GroupError, TrainError};

/// An error of a recipe, of a run or of its model.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// Something was asked for that cannot be met: what, why, and what to ask for instead.
    #[error("{0}")]
    Usage(String),
    /// A file or a folder.
    #[error("{doing}")]
    Io {
        /// What could not be done, such as `cannot read recipe.toml`.
        doing: String,
        /// The system's reason.
        source: io::Error,
    },
    /// A text file that is none.
    #[error("cannot read {path}: line {line} is no UTF-8, save the file as UTF-8")]
    NoText {
        /// The file.
        path: PathBuf,
        /// The first line that cannot be read.
        line: usize,
    },
    /// A file of scores that cannot be read as such.
    #[error("{path} is no file of scores, make it anew")]
    NoScores {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        source: serde_json::Error,
    },
    /// A file of a run that does not hold what was written.
    #[error("{path} is damaged, restore it or train anew")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What does not fit, if its text is JSON no longer.
        source: Option<serde_json::Error>,
    },
    /// Samples that are no numbers, which are never returned.
    #[error("by {way}, {source}; nothing is written")]
    NotFinite {
        /// The way in which they were drawn.
        way: String,
        /// Which sample, and what it is.
        source: ModelError,
    },
    /// A trained model.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A network.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// A path from noise to data.
    #[error(transparent)]
    Path(#[from] PathError),
    /// The files of a data set.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// A file of an array.
    #[error(transparent)]
    Array(#[from] ArrayError),
    /// A table, or rows that make none.
    #[error(transparent)]
    Table(#[from] TableError),
    /// Processes that cannot go on together.
    #[error(transparent)]
    Group(#[from] GroupError),
    /// What another process of the same work has met.
    #[error("process {rank} of {size} has failed: {why}")]
    Elsewhere {
        /// Which, from 0.
        rank: usize,
        /// Of how many.
        size: usize,
        /// Its error.
        why: String,
    },
    /// A training and its checkpoints.
    #[error(transparent)]
    Train(#[from] TrainError),
}

impl RunError {
    /// An error of a file or a folder, with what could not be done.
    pub fn io(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Io { doing, source }
    }

    /// Whether something was asked for that cannot be met, as opposed to something that failed.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        match self {
            Self::Usage(_) => true,
            Self::Model(error) => error.is_usage(),
            Self::Table(error) => error.is_usage(),
            Self::Array(error) => !matches!(error, ArrayError::Write { .. }),
            // Folders that make no set are asked for something impossible; a file that cannot be
            // read is a failure.
            Self::Dataset(error) => matches!(
                error,
                DatasetError::MissingClass { .. }
                    | DatasetError::EmptyClass { .. }
                    | DatasetError::NoImages { .. }
                    | DatasetError::TooManyClasses { .. }
            ),
            _ => false,
        }
    }
}

/// An error and its causes in one sentence, each said once.
#[must_use]
pub fn sentence(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |&cause| cause.source());
    causes.map(ToString::to_string).fold(String::new(), |text, cause| {
        match (text.is_empty(), text.contains(&cause)) {
            (true, _) => cause,
            (false, true) => text,
            (false, false) => format!("{text}: {cause}"),
        }
    })
}

/// A [`RunError::Usage`] from a format string.
macro_rules! usage {
    ($($text:tt)*) => { $crate::RunError::Usage(format!($($text)*)) };
}
pub(crate) use usage;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_says_each_cause_once() {
        let missing = io::Error::new(io::ErrorKind::NotFound, "there is no such file");
        let error = RunError::io("cannot read a.toml")(missing);
        assert_eq!(sentence(&error), "cannot read a.toml: there is no such file");
        let error = RunError::Model(ModelError::NoClasses);
        assert_eq!(sentence(&error), ModelError::NoClasses.to_string());
    }
}
