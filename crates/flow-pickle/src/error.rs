//! Errors of a file of arrays.

use std::path::{Path, PathBuf};

/// A file from which no arrays can be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The file cannot be opened or read.
    #[error("cannot read {path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A folder in place of a file.
    #[error("{path} is a folder, name the file of weights in it")]
    Folder {
        /// The folder.
        path: PathBuf,
    },
    /// What is wrong with a file of this name.
    #[error("cannot read the arrays of {path}{}: {source}", advice(path))]
    In {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: Box<ReadError>,
    },
    /// It holds more than it may.
    #[error("a part of it holds more than {most} bytes")]
    TooLarge {
        /// The limit.
        most: u64,
    },
    /// Something that no file of arrays has.
    #[error("{what}")]
    Malformed {
        /// What is wrong.
        what: &'static str,
    },
    /// A pickle of Python that is no file of PyTorch.
    #[error(
        "it is a pickle of Python that torch.save did not write{calls}: save a state_dict() with \
         torch.save"
    )]
    Pickle {
        /// What it calls, in words, if anything.
        calls: String,
    },
    /// A file of PyTorch without any dictionary of arrays, such as a whole module.
    #[error("it holds no dictionary of arrays{calls}: save the state_dict() of the network")]
    NoArrays {
        /// What it calls, in words, if anything.
        calls: String,
    },
    /// A pickle with an operation that arrays do not need.
    #[error("the pickle has the operation {op:#04x}, which no array needs")]
    Operation {
        /// The operation.
        op: u8,
    },
    /// A pickle longer than that of a network.
    #[error("the pickle has more than {most} operations, as no network does")]
    Operations {
        /// The limit.
        most: usize,
    },
    /// An array of a rank that no weight has.
    #[error("an array has more than {most} sides")]
    Sides {
        /// The limit.
        most: usize,
    },
    /// An array that does not have the numbers that its shape says.
    #[error("the array `{name}` of shape {shape:?} has other numbers than its shape says")]
    Numbers {
        /// Its name.
        name: String,
        /// Its shape.
        shape: Vec<usize>,
    },
    /// A number of double precision that single precision does not hold.
    #[error("the array `{name}` holds {value:e}, which is too large for single precision")]
    Range {
        /// The array.
        name: String,
        /// The number.
        value: f64,
    },
    /// A part is asked for that is not there.
    #[error("there is no part `{part}` with arrays, it has {known}")]
    NoPart {
        /// What is asked for.
        part: String,
        /// What there is.
        known: String,
    },
    /// An archive that cannot be opened.
    #[error("the archive is damaged: {0}")]
    Archive(#[from] zip::result::ZipError),
    /// A safetensors file that cannot be read.
    #[error("it is no safetensors file: {0}")]
    Safetensors(#[from] safetensors::SafeTensorError),
}

/// What to do about a file of PyTorch.
fn advice(path: &Path) -> &'static str {
    let safetensors = path.extension().is_some_and(|ending| ending == "safetensors");
    if safetensors { "" } else { ", save them as .safetensors with Python" }
}

pub(crate) type Result<T> = std::result::Result<T, ReadError>;

pub(crate) fn malformed(what: &'static str) -> ReadError {
    ReadError::Malformed { what }
}
