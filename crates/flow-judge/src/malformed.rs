//! Errors of a file from elsewhere.

use std::io;
use std::num::{ParseIntError, TryFromIntError};
use std::str::Utf8Error;

use flow_eval::EvalError;
use safetensors::SafeTensorError;
use zip::result::ZipError;

/// What does not fit in a file of weights or statistics.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Malformed {
    /// The content.
    #[error("{0}")]
    Content(String),
    /// The file cannot be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It is no archive.
    #[error(transparent)]
    Archive(#[from] ZipError),
    /// It is no file of safetensors.
    #[error(transparent)]
    Safetensors(#[from] SafeTensorError),
    /// A text is none.
    #[error(transparent)]
    Text(#[from] Utf8Error),
    /// A number is none.
    #[error(transparent)]
    Number(#[from] ParseIntError),
    /// A number is too large.
    #[error(transparent)]
    Range(#[from] TryFromIntError),
    /// Its moments are those of no set.
    #[error(transparent)]
    Moments(#[from] EvalError),
}

/// Content that must be there.
pub(crate) trait OrMalformed<T> {
    /// The content, or why the file is refused.
    fn or_malformed(self, why: &str) -> Result<T, Malformed>;
}

impl<T> OrMalformed<T> for Option<T> {
    fn or_malformed(self, why: &str) -> Result<T, Malformed> {
        self.ok_or_else(|| Malformed::Content(why.to_owned()))
    }
}

/// Refuses a file unless something holds, with a format string that says why.
macro_rules! ensure {
    ($holds:expr, $($text:tt)*) => {
        if !$holds {
            return Err($crate::Malformed::Content(format!($($text)*)));
        }
    };
}

/// Refuses a file, with a format string that says why.
macro_rules! refuse {
    ($($text:tt)*) => {
        return Err($crate::Malformed::Content(format!($($text)*)))
    };
}
pub(crate) use {ensure, refuse};
