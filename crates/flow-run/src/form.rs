//! The form in which the rows of a model stand in a file.

use std::borrow::Cow;
use std::path::Path;

use flow_datasets::Table;

use crate::array::ArrayRows;
use crate::error::RunError;
use crate::files::{check_array, check_ending, check_table, ending};
use crate::table::TableRows;

/// What rows of a model are in a file, as its training data were.
#[derive(Clone, Debug)]
pub enum RowForm {
    /// Rows of a table, with its columns.
    Table(TableRows),
    /// Rows of an array, of its shape, type and scale.
    Array(ArrayRows),
    /// The numbers of the network, of data that ship.
    Numbers,
}

impl RowForm {
    /// The form of what a model keeps of its rows.
    ///
    /// # Errors
    /// When that is damaged.
    pub fn of(rows: &toml::Table) -> Result<Self, RunError> {
        Ok(match (TableRows::of(rows)?, ArrayRows::of(rows)?) {
            (Some(table), _) => Self::Table(table),
            (None, Some(array)) => Self::Array(array),
            (None, None) => Self::Numbers,
        })
    }

    /// How rows become those of a table, if they are.
    #[must_use]
    pub fn table(&self) -> Option<&TableRows> {
        match self {
            Self::Table(table) => Some(table),
            _ => None,
        }
    }

    /// The ending of files of samples that nobody named.
    #[must_use]
    pub fn ending(&self) -> &'static str {
        if self.table().is_some() { "csv" } else { "npy" }
    }

    /// Refuses a file that cannot hold samples, as rows or as a picture.
    ///
    /// # Errors
    /// With the endings that can be had.
    pub fn check_samples(&self, out: &Path) -> Result<(), RunError> {
        let is = |known: &[&str]| known.contains(&ending(out)) || is_lines(out);
        match self {
            Self::Table(_) => check_table(out),
            Self::Array(_) => check_ending(
                out,
                is(&["npy", "npz", "safetensors", "png"]),
                ".npy, .npz, .safetensors, .png, and for points .csv, .tsv",
            ),
            Self::Numbers => {
                check_ending(out, is(&["npy", "png"]), ".npy, .png, and for points .csv, .tsv")
            }
        }
    }

    /// Refuses a file that cannot hold rows in the form of the data.
    ///
    /// # Errors
    /// With the endings that can be had.
    pub fn check_rows(&self, out: &Path) -> Result<(), RunError> {
        if self.table().is_some() { check_table(out) } else { check_array(out) }
    }

    /// Rows of the network from -1 to 1, for a picture.
    #[must_use]
    pub fn shown<'a>(&self, rows: &'a [f32]) -> Cow<'a, [f32]> {
        match self {
            Self::Array(array) => array.shown(rows).into(),
            _ => rows.into(),
        }
    }
}

/// Whether a file holds a line for each row, as tables do.
pub(crate) fn is_lines(out: &Path) -> bool {
    Table::is_named(out) && !["npy", "npz"].contains(&ending(out))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_and_rows_have_the_endings_of_their_form() {
        let array = RowForm::Array(ArrayRows::plain(&[2]));
        for (name, of_array, of_numbers, rows) in [
            ("x.npy", true, true, true),
            ("x.npz", true, false, true),
            ("x.safetensors", true, false, true),
            ("x.png", true, true, false),
            ("x.csv", true, true, false),
            ("x.tsv.gz", true, true, false),
            ("x.txt", false, false, false),
            ("x", false, false, false),
        ] {
            let out = Path::new(name);
            assert_eq!(array.check_samples(out).is_ok(), of_array, "{name}");
            assert_eq!(RowForm::Numbers.check_samples(out).is_ok(), of_numbers, "{name}");
            assert_eq!(array.check_rows(out).is_ok(), rows, "{name}");
            assert_eq!(RowForm::Numbers.check_rows(out).is_ok(), rows, "{name}");
        }
    }
}
