//! Options for reading a table.

use serde::{Deserialize, Serialize};

/// Cells that mean a missing value unless [`ReadOptions::missing`] says otherwise.
///
/// Those of pandas, and `?` and `.`, by which older collections and statistics programs write it.
pub const MISSING: [&str; 24] = [
    "", "?", ".", "NA", "N/A", "n/a", "na", "<NA>", "#N/A", "#N/A N/A", "#NA", "NaN", "nan", "NAN",
    "-NaN", "-nan", "NULL", "null", "None", "1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN", "#VALUE!",
];

/// How a table is read.
///
/// A model of a table keeps it, but for the memory that is allowed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReadOptions {
    /// What separates the cells of a csv file, if it is not to be guessed: a comma (a tab in tsv
    /// files), or what else plainly separates the names of the first line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<u8>,
    /// Cells that mean a missing value; [`MISSING`] by default.
    pub missing: Vec<String>,
    /// Bytes of memory that the table may take; 4 GiB by default.
    #[serde(skip)]
    pub max_bytes: u64,
    /// Columns that a table may have; 10,000 by default.
    pub max_columns: usize,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self {
            delimiter: None,
            missing: MISSING.map(String::from).to_vec(),
            max_bytes: 4 << 30,
            max_columns: 10_000,
        }
    }
}

impl ReadOptions {
    /// Whether a table is read as it is without any option, whatever memory is allowed.
    #[must_use]
    pub fn is_usual(&self) -> bool {
        let usual = Self::default();
        Self { max_bytes: usual.max_bytes, ..self.clone() } == usual
    }
}
