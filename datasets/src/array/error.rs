//! Errors of reading and writing files of arrays.

use std::io;
use std::path::{Path, PathBuf};

/// An array that cannot be read or written.
///
/// Each message says what happened, where, and what to try.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArrayError {
    /// The operating system refused to read, or a packed file is damaged.
    #[error("could not read {}: {source}; check that the file exists and is whole", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Cause.
        source: io::Error,
    },

    /// The operating system refused to write.
    #[error(
        "could not write {}: {source}; check that its folder exists, may be written and has room",
        path.display()
    )]
    Write {
        /// The file.
        path: PathBuf,
        /// Cause.
        source: io::Error,
    },

    /// The name of a file says nothing about its format.
    #[error(
        "the name of {} ends in none of .npy, .npz, .safetensors; rename the file after its format",
        path.display()
    )]
    UnknownFormat {
        /// The file.
        path: PathBuf,
    },

    /// The file does not begin like one of its format.
    #[error("{} is damaged: {what}; write it again", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },

    /// Fewer numbers than the header says.
    #[error("{} ends before its last number; copy or write it again", path.display())]
    Truncated {
        /// The file.
        path: PathBuf,
    },

    /// Another length than the header says.
    #[error(
        "{} has {actual} bytes behind its header and {expected} are called for; copy or write it \
         again",
        path.display()
    )]
    Length {
        /// The file.
        path: PathBuf,
        /// Bytes that the header calls for.
        expected: u64,
        /// Bytes that are there.
        actual: u64,
    },

    /// Python objects, which only Python may unpickle.
    #[error(
        "{} holds Python objects, not numbers; convert it in Python by \
         `array.astype(\"float32\")` and save it again, rows of different lengths after filling \
         them up with NaN",
        path.display()
    )]
    Objects {
        /// The file.
        path: PathBuf,
    },

    /// Elements that are no real numbers.
    #[error(
        "{} holds elements of type {ty}, and floats, integers or truth values are read; convert \
         it by `array.astype(\"float32\")`",
        path.display()
    )]
    Element {
        /// The file.
        path: PathBuf,
        /// The type, as the file names it.
        ty: String,
    },

    /// Too few or too many axes.
    #[error(
        "{} has the shape {shape:?}; points are [n, d], sequences [n, length, channels], images \
         [n, channels, height, width] or [n, height, width, channels]: reshape it",
        path.display()
    )]
    Rank {
        /// The file.
        path: PathBuf,
        /// Its sizes.
        shape: Vec<usize>,
    },

    /// An array without a number.
    #[error("{} has the shape {shape:?}, which holds no number", path.display())]
    NoRows {
        /// The file.
        path: PathBuf,
        /// Its sizes.
        shape: Vec<usize>,
    },

    /// A number that is none.
    #[error(
        "{} holds at {index:?} a number that is not finite as a 32-bit float; {}",
        path.display(),
        instead(index.len())
    )]
    NotFinite {
        /// The file.
        path: PathBuf,
        /// Its indices, from 0.
        index: Vec<usize>,
    },

    /// An array that does not fit into the memory allowed.
    #[error(
        "{} needs {needed} bytes of memory and {limit} are allowed; save it as npy, of which rows \
         can be read in pieces, or take fewer rows",
        path.display()
    )]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Bytes called for.
        needed: u64,
        /// Bytes allowed.
        limit: u64,
    },

    /// A file of several arrays, and none of them named, or one that is not there.
    #[error(
        "{} holds {}{}",
        path.display(),
        match names.len() {
            0 => "no array".to_owned(),
            _ => format!("the arrays {}; say which by its name", names.join(", ")),
        },
        asked.as_ref().map_or(String::new(), |name| format!(": it has no {name:?}"))
    )]
    WhichArray {
        /// The file.
        path: PathBuf,
        /// Names of its arrays.
        names: Vec<String>,
        /// The name that was asked for.
        asked: Option<String>,
    },

    /// An npy file, of which an array is asked for by its name.
    #[error(
        "{} holds one array without a name, and {asked:?} is asked for; save several arrays by \
         `numpy.savez`",
        path.display()
    )]
    NoNames {
        /// The file.
        path: PathBuf,
        /// The name that was asked for.
        asked: String,
    },

    /// An array that does not go with the rows beside it.
    #[error(
        "the array {name:?} of {} has the shape {shape:?}, and one number for each of the {rows} \
         rows is needed",
        path.display()
    )]
    NotBeside {
        /// The file.
        path: PathBuf,
        /// Name of the array.
        name: String,
        /// Its sizes.
        shape: Vec<usize>,
        /// Rows of the other array.
        rows: usize,
    },

    /// Classes that are no whole numbers.
    #[error(
        "the array {name:?} of {} holds floats, and classes are whole numbers; convert it by \
         `y.astype(\"int64\")`, or call it something else than y and labels",
        path.display()
    )]
    NoClasses {
        /// The file.
        path: PathBuf,
        /// Name of the array.
        name: String,
    },

    /// No sparse matrix, or one in another form than those that are read.
    #[error(
        "{} is no sparse matrix that is read, {why}; save it by \
         `scipy.sparse.save_npz(file, matrix.tocsr())`",
        path.display()
    )]
    NoSparseMatrix {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },

    /// A file that another program writes to.
    #[error(
        "{} changed while it was read; wait until its writer is done, and read again",
        path.display()
    )]
    Changed {
        /// The file.
        path: PathBuf,
    },

    /// A file that cannot be read in pieces.
    #[error(
        "{} has its first axis fastest (Fortran order), so that its rows cannot be read in \
         pieces; save it by `numpy.ascontiguousarray`",
        path.display()
    )]
    Fortran {
        /// The file.
        path: PathBuf,
    },
}

/// What to do about a number that is none, in an array of so many axes.
fn instead(axes: usize) -> &'static str {
    match axes {
        2 => "remove its row, or read the rows as those of a table, where NaN are missing values",
        3 => {
            "remove its row: NaN fill up a sequence from its end on, in [n, length, channels], and \
             stand nowhere else"
        }
        _ => "remove its row",
    }
}

impl ArrayError {
    pub(crate) fn read(path: &Path) -> impl FnOnce(io::Error) -> Self {
        |source| Self::Read { path: path.to_owned(), source }
    }

    pub(crate) fn write(path: &Path) -> impl FnOnce(io::Error) -> Self {
        |source| Self::Write { path: path.to_owned(), source }
    }

    pub(crate) fn damaged(path: &Path, what: impl Into<String>) -> Self {
        Self::Damaged { path: path.to_owned(), what: what.into() }
    }
}
