//! A table from a file, by the ending of its name.

use std::path::Path;

use super::{ReadOptions, Table, TableError, delimited, matrix};

/// The format of a table, by the ending of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Delimited { delimiter: u8, packed: bool },
    Parquet,
    Npy,
    Npz,
}

/// Endings of the names of files that hold tables.
pub const ENDINGS: &str = ".csv, .tsv, .csv.gz, .tsv.gz, .npy, .npz, .parquet";

impl Format {
    pub(crate) fn of(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_string_lossy().to_lowercase();
        let (stem, packed) = match name.strip_suffix(".gz") {
            Some(stem) => (stem, true),
            None => (name.as_str(), false),
        };
        match stem.rsplit_once('.')?.1 {
            "csv" => Some(Self::Delimited { delimiter: b',', packed }),
            "tsv" | "tab" => Some(Self::Delimited { delimiter: b'\t', packed }),
            _ if packed => None,
            "parquet" | "pq" => Some(Self::Parquet),
            "npy" => Some(Self::Npy),
            "npz" => Some(Self::Npz),
            _ => None,
        }
    }
}

impl Table {
    /// Reads a table: csv or tsv, also with `.gz`, an array of rank two from npy or npz, and
    /// Parquet with the feature `parquet`.
    ///
    /// The columns of an array are called `x1`, `x2` and so on, and its NaN are missing values. Of
    /// several arrays in an npz, each with a row for a row of the table, they are called after the
    /// arrays: `theta1`, `theta2`.
    /// Columns of a csv file are separated by commas, or by semicolons, tabs or bars if its first
    /// line has no comma and one of these, and as many cells as the second. The first line names
    /// the columns; spaces around cells are left out. A column is held as numbers if each of its
    /// cells is one or is missing, else as text. Two passes are made over csv: the first counts, so
    /// that what does not fit into `options.max_bytes` is refused before memory is taken.
    ///
    /// # Errors
    /// If the file cannot be read, is no UTF-8, is ragged, names a column twice, names none, holds
    /// no row, is larger than the options allow, or changes between the passes.
    pub fn read(path: &Path, options: &ReadOptions) -> Result<Self, TableError> {
        match Format::of(path) {
            Some(Format::Delimited { delimiter, packed }) => {
                delimited::read(path, delimiter, packed, options)
            }
            Some(Format::Parquet) => read_parquet(path, options),
            Some(Format::Npy | Format::Npz) => matrix::read(path, options),
            None => Err(TableError::UnknownFormat { path: path.to_owned(), known: ENDINGS }),
        }
        .map_err(|error| error.of_file(path))
    }

    /// Whether the name of a file ends in that of a format of tables.
    #[must_use]
    pub fn is_named(path: &Path) -> bool {
        Format::of(path).is_some()
    }
}

#[cfg(feature = "parquet")]
fn read_parquet(path: &Path, options: &ReadOptions) -> Result<Table, TableError> {
    super::parquet::read(path, options)
}

#[cfg(not(feature = "parquet"))]
fn read_parquet(path: &Path, _: &ReadOptions) -> Result<Table, TableError> {
    Err(TableError::NotBuilt { path: path.to_owned(), feature: "parquet" })
}
