//! Errors of a picture or a page.

use std::io;

use flow_eval::EvalError;
use flow_judge::JudgeError;
use flow_model::ModelError;
use flow_plot::PlotError;
use flow_run::RunError;

/// An error of a picture, a page or a comparison.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// Something was asked for that cannot be met: what, why, and what to ask for instead.
    #[error("{0}")]
    Usage(String),
    /// A file or a folder.
    #[error("{doing}")]
    Io {
        /// What could not be done, such as `cannot read plots/samples.png`.
        doing: String,
        /// The system's reason.
        source: io::Error,
    },
    /// A run.
    #[error(transparent)]
    Run(#[from] RunError),
    /// What was judged.
    #[error(transparent)]
    Judge(Box<JudgeError>),
    /// A trained model.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A comparison of scores.
    #[error(transparent)]
    Eval(#[from] EvalError),
    /// A picture.
    #[error(transparent)]
    Plot(#[from] PlotError),
}

impl From<JudgeError> for ReportError {
    fn from(error: JudgeError) -> Self {
        Self::Judge(Box::new(error))
    }
}

impl ReportError {
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
            Self::Judge(error) => error.is_usage(),
            Self::Model(error) => error.is_usage(),
            _ => false,
        }
    }
}

/// A [`ReportError::Usage`] from a format string.
macro_rules! usage {
    ($($text:tt)*) => { $crate::ReportError::Usage(format!($($text)*)) };
}
pub(crate) use usage;
