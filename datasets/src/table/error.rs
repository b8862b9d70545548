//! Errors of reading and writing tables.

use std::io;
use std::path::{Path, PathBuf};

use super::cell::with_commas;
use crate::array::ArrayError;
use crate::words::counted;

/// A table that cannot be read, understood, encoded or written.
///
/// Each message says what happened, where, and what to try. Rows are counted from 1 without the
/// line of names, lines of a file from 1 with it. What can be changed is named as in a recipe:
/// `data.missing` and its like are the fields of [`ReadOptions`](super::ReadOptions), `data.types`
/// and its like those of [`Overrides`](super::Overrides).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TableError {
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
        "the name of {} ends in none of {known}; rename the file after its format",
        path.display()
    )]
    UnknownFormat {
        /// The file.
        path: PathBuf,
        /// Endings that are known for what was asked.
        known: &'static str,
    },

    /// A file of an array that cannot be read.
    #[error(transparent)]
    Array(#[from] ArrayError),

    /// Arrays of one archive with other numbers of rows.
    #[error(
        "{}: the array {} has {} and {} has {}; those of a table have as many, so take the others \
         out",
        path.display(),
        first.0,
        counted(first.1, "row"),
        rows.0,
        counted(rows.1, "row")
    )]
    RowsOfArrays {
        /// The file.
        path: PathBuf,
        /// The first array and its rows.
        first: (String, usize),
        /// Another one.
        rows: (String, usize),
    },

    /// An array that is no table.
    #[error(
        "{} is an array of shape {shape:?}, and a table has two axes, [rows, columns]",
        path.display()
    )]
    NotAMatrix {
        /// The file.
        path: PathBuf,
        /// Its sizes.
        shape: Vec<usize>,
    },

    /// The reader of this format is not compiled in.
    #[error(
        "{} needs the feature `{feature}`; build it in by `cargo build --release -p flow-cli \
         --features {feature}`, or save the table as csv",
        path.display()
    )]
    NotBuilt {
        /// The file.
        path: PathBuf,
        /// The cargo feature that brings the format.
        feature: &'static str,
    },

    /// A text file in another encoding.
    #[error(
        "{} is not UTF-8 at line {line}, it looks like {looks}; save it as UTF-8, as by `iconv -f \
         {} -t UTF-8 OLD > NEW`",
        path.display(),
        if looks.starts_with("UTF") { looks } else { "WINDOWS-1252" }
    )]
    Encoding {
        /// The file.
        path: PathBuf,
        /// The line.
        line: u64,
        /// The encoding that it is likely to be.
        looks: &'static str,
    },

    /// A line with more or fewer cells than there are names.
    #[error(
        "line {line} of {} has {} but {expected} columns are named; mend the line, or put cells that \
         hold the separator in quotes",
        path.display(),
        counted(.actual, "cell")
    )]
    Ragged {
        /// The file.
        path: PathBuf,
        /// The line.
        line: u64,
        /// Number of names.
        expected: u64,
        /// Number of cells.
        actual: u64,
    },

    /// One column whose name holds another separator.
    #[error(
        "{} has the single column {name:?}, which holds {found:?}; if that separates its columns, \
         say so by `data.delimiter`, if not, name the column otherwise",
        path.display()
    )]
    Delimiter {
        /// The file.
        path: PathBuf,
        /// The name.
        name: String,
        /// The likely separator.
        found: char,
    },

    /// No name line: numbers stand where names belong.
    #[error(
        "the first line of {} holds numbers where the names of the columns belong ({start}, ...); \
         put a line of names above it",
        path.display()
    )]
    NoNames {
        /// The file.
        path: PathBuf,
        /// The first of them.
        start: String,
    },

    /// Two columns of one name.
    #[error("two columns are named {name:?}; rename one of them")]
    DuplicateColumn {
        /// The name.
        name: String,
    },

    /// Columns of different lengths.
    #[error(
        "column {column:?} has {}, but {first:?} has {expected}; give both as many",
        counted(.actual, "row")
    )]
    Lengths {
        /// Name of the first column.
        first: String,
        /// Its number of rows.
        expected: usize,
        /// Name of the other column.
        column: String,
        /// Its number of rows.
        actual: usize,
    },

    /// A file without a row.
    #[error("{} holds no row of data; add rows below the names of the columns", path.display())]
    NoRows {
        /// The file.
        path: PathBuf,
    },

    /// More columns than a table should have.
    #[error(
        "{} has {columns} columns and {limit} are allowed; store measurements of one kind as an \
         array (npy), choose fewer columns, or raise `data.max_columns`",
        path.display()
    )]
    TooManyColumns {
        /// The file.
        path: PathBuf,
        /// Number of columns.
        columns: usize,
        /// Number allowed.
        limit: usize,
    },

    /// A table that does not fit into the memory allowed.
    #[error(
        "{} needs {} or more of memory, where tables are held, and {} of it may be taken; take \
         fewer rows or columns, or save numbers as npy and take them as an array, of which rows \
         are read in pieces",
        path.display(),
        gibibytes(*needed),
        gibibytes(*limit)
    )]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Bytes, as far as they were counted.
        needed: u64,
        /// Bytes allowed.
        limit: u64,
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

    /// A column that no cell of a table can hold.
    #[error(
        "column {column:?} of {} holds {what}, which a table cannot; drop it or flatten it into \
         plain columns before",
        path.display()
    )]
    Nested {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// What it holds.
        what: String,
    },

    /// A Parquet file that cannot be read or written.
    #[cfg(feature = "parquet")]
    #[error(
        "{}: {source}; save it with compression snappy, gzip or none, or as csv",
        path.display()
    )]
    Parquet {
        /// The file.
        path: PathBuf,
        /// Cause.
        source: parquet::errors::ParquetError,
    },

    /// A column that was asked for and is not there.
    #[error("no column is named {name:?}; the columns are {}", list(known))]
    UnknownColumn {
        /// The name asked for.
        name: String,
        /// Names that exist.
        known: Vec<String>,
    },

    /// A column with two roles.
    #[error(
        "column {column:?} is named under both `data.{first}` and `data.{second}`; take it out of \
         one"
    )]
    Contradiction {
        /// The column.
        column: String,
        /// One list.
        first: &'static str,
        /// The other.
        second: &'static str,
    },

    /// Too few rows to learn a distribution from.
    #[error(
        "the table has {}, and a distribution is learned from {needed} or more",
        counted(.rows, "row")
    )]
    TooFewRows {
        /// Number of rows.
        rows: usize,
        /// The least number.
        needed: usize,
    },

    /// No column is left.
    #[error(
        "no column is left to learn: {reasons}; choose columns by `data.columns`, or \
         say by `data.types` what they are"
    )]
    NothingToLearn {
        /// Each column and why it is left out.
        reasons: String,
    },

    /// A given column that tells nothing.
    #[error("the given column {reason}; leave it out, or say by `data.types` what it is")]
    NothingToTell {
        /// The column and why it is none that can be told.
        reason: String,
    },

    /// A word where a number belongs.
    #[error(
        "row {row} of column {column:?} holds {value:?}, which is no {expected}; {}",
        remedy(value)
    )]
    NotOfType {
        /// The column.
        column: String,
        /// The row, from 1.
        row: usize,
        /// The cell.
        value: String,
        /// What the column holds.
        expected: &'static str,
    },

    /// A number that the network cannot be told.
    #[error(
        "row {row} of column {column:?} is {value:?}, beyond the range of 32-bit numbers; write the \
         column in another unit, or drop it"
    )]
    TooFar {
        /// The column.
        column: String,
        /// The row, from 1.
        row: usize,
        /// The number.
        value: f64,
    },

    /// Bounds that leave no number between them.
    #[error(
        "the bounds of column {column:?} are {} and {}; give two finite numbers, the lower one \
         first", bounds[0], bounds[1]
    )]
    Bounds {
        /// The column.
        column: String,
        /// The bounds that were said.
        bounds: [f64; 2],
    },

    /// An infinite number.
    #[error(
        "row {row} of column {column:?} is infinite; leave the cell empty if the value is missing, \
         remove the row, or drop the column"
    )]
    Infinite {
        /// The column.
        column: String,
        /// The row, from 1.
        row: usize,
    },

    /// A number that the transform of its column cannot take.
    #[error(
        "row {row} of column {column:?} holds {value:?}, which its transform ({transform}) cannot \
         take; choose another by `data.transforms`, or remove the row"
    )]
    OutOfDomain {
        /// The column.
        column: String,
        /// The row, from 1.
        row: usize,
        /// The cell.
        value: f64,
        /// Name of the transform.
        transform: &'static str,
    },

    /// A column without a value in the rows to learn from.
    #[error("column {column:?} has no value in the rows to learn from; drop it, or add rows")]
    NoValues {
        /// The column.
        column: String,
    },

    /// A column that the model knows and the table lacks.
    #[error(
        "the table has no column {name:?}, which the model knows; its columns are {}",
        list(known)
    )]
    MissingColumn {
        /// The column.
        name: String,
        /// Names that the table has.
        known: Vec<String>,
    },

    /// A category that the model has not learned.
    #[error(
        "row {row} of column {column:?} holds {value:?}, a category that the rows to learn from \
         do not have; they have {}; correct it, remove the row, or leave the cell empty",
        list(known)
    )]
    UnseenCategory {
        /// The column.
        column: String,
        /// The row, from 1.
        row: usize,
        /// The cell.
        value: String,
        /// Categories that are known.
        known: Vec<String>,
    },

    /// A number of the sampler that is none.
    #[error(
        "sample {row} has no finite number in column {column:?}; the sampler diverged: train \
         longer, or take more steps"
    )]
    Diverged {
        /// The column.
        column: String,
        /// The row, from 1.
        row: usize,
    },

    /// A transform of what holds no numbers.
    #[error(
        "column {column:?} holds categories, which no transform is for; leave it out of \
         `data.transforms`, or say by `data.types` that it is real"
    )]
    NoTransform {
        /// The column.
        column: String,
    },

    /// A share of rows that is none.
    #[error("data.split.share is {share:?}, it must lie between 0 and 1")]
    Share {
        /// The share.
        share: f64,
    },

    /// A split with an empty part.
    #[error(
        "no row is left {part}; hold out another share by `data.split.share`, or other values by \
         `data.split.held`"
    )]
    EmptyPart {
        /// What the part is for.
        part: &'static str,
    },

    /// A stored encoder that is damaged.
    #[error("the stored column {column:?} is damaged ({what}); export the model again")]
    Damaged {
        /// The column.
        column: String,
        /// What is wrong.
        what: &'static str,
    },

    /// A row of conditions without a value that the model was always told.
    #[error(
        "row {row} of the conditions lacks `{column}`: the model was always told it, give a value"
    )]
    NotGiven {
        /// The column.
        column: String,
        /// The row, from 1.
        row: usize,
    },

    /// What a model has kept of its table is damaged.
    #[error("the model's table: {what}")]
    Kept {
        /// What is wrong.
        what: String,
    },

    /// What is wrong with the content of a file.
    #[error("{}: {source}", path.display())]
    InFile {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: Box<TableError>,
    },

    /// A format that holds numbers only.
    #[error(
        "{} holds numbers only and column {column:?} holds words; write csv, npz or parquet",
        path.display()
    )]
    WordsInArray {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
    },
}

/// What to do about a cell that is no number.
fn remedy(value: &str) -> &'static str {
    if with_commas(value) {
        "write decimals with a point and thousands without a mark"
    } else {
        "if it means that the value is missing, name it under `data.missing`, else change the type \
         of the column by `data.types`"
    }
}

/// Bytes for people: `4.0 GiB`.
fn gibibytes(bytes: u64) -> String {
    const UNITS: [&str; 3] = ["KiB", "MiB", "GiB"];
    let mut shown = (bytes as f64, "bytes");
    for unit in UNITS {
        if shown.0 < 1024.0 {
            break;
        }
        shown = (shown.0 / 1024.0, unit);
    }
    match shown {
        (bytes, "bytes") => format!("{bytes} bytes"),
        (value, unit) => format!("{value:.1} {unit}"),
    }
}

impl TableError {
    /// With the name of the file that the table was read from, unless the message has it.
    pub(crate) fn of_file(self, path: &Path) -> Self {
        match self {
            Self::DuplicateColumn { .. } | Self::Lengths { .. } => {
                Self::InFile { path: path.to_owned(), source: Box::new(self) }
            }
            own => own,
        }
    }

    /// Whether a table holds what cannot be used, as opposed to a disk that does not work.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        !matches!(self, Self::Write { .. })
    }

    pub(crate) fn read(path: &Path) -> impl FnOnce(io::Error) -> Self {
        |source| Self::Read { path: path.to_owned(), source }
    }

    pub(crate) fn write(path: &Path) -> impl FnOnce(io::Error) -> Self {
        |source| Self::Write { path: path.to_owned(), source }
    }
}

/// The first names of a list, and how many there are in all.
fn list(names: &[String]) -> String {
    const SHOWN: usize = 12;
    let start = names.iter().take(SHOWN).map(|name| format!("{name:?}")).collect::<Vec<_>>();
    match names.len() {
        0 => "none".to_owned(),
        n if n <= SHOWN => start.join(", "),
        n => format!("{}, ... ({n} in all)", start.join(", ")),
    }
}
