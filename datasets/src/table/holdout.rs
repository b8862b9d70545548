//! The part of a table that nothing is learned from, so that scores can be trusted.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{ReadOptions, Table, TableError};

/// How rows are held out of training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
#[non_exhaustive]
pub enum Holdout {
    /// By a hash of what a row holds: a row is on the same side whatever the order of rows and
    /// columns, and equal rows are on one side. The rows with the least hash are held out if the
    /// share is that small.
    Hash {
        /// Share of the different rows held out, between 0 and 1.
        share: f64,
    },
    /// The rows for which a column holds one of some values. The column itself is left out of both
    /// parts.
    Column {
        /// Name of the column.
        name: String,
        /// Values of the rows held out.
        held: Vec<String>,
    },
    /// The rows of another file.
    File {
        /// The file.
        path: PathBuf,
    },
}

impl Default for Holdout {
    /// A tenth, by hash.
    fn default() -> Self {
        Self::Hash { share: 0.1 }
    }
}

impl Holdout {
    /// Splits a table into the rows to learn from and those held out, each in the order of the
    /// table.
    ///
    /// The other file is read with the usual [`ReadOptions`].
    ///
    /// # Errors
    /// If a part would be empty, the share is not between 0 and 1, the column does not exist, or
    /// the file cannot be read.
    pub fn split(&self, table: &Table) -> Result<(Table, Table), TableError> {
        match self {
            Self::File { path } => Ok((table.clone(), Table::read(path, &ReadOptions::default())?)),
            Self::Hash { .. } => {
                let [kept, held] = self.rows(table)?;
                Ok((table.select(&kept), table.select(&held)))
            }
            Self::Column { name, .. } => {
                let [kept, held] = self.rows(table)?;
                let rest = table.without(name);
                Ok((rest.select(&kept), rest.select(&held)))
            }
        }
    }

    /// The column that says which rows are held out, from which nothing is learned.
    #[must_use]
    pub fn column(&self) -> Option<&str> {
        match self {
            Self::Column { name, .. } => Some(name),
            _ => None,
        }
    }

    /// Refuses a share that is none.
    ///
    /// # Errors
    /// If the share is not between 0 and 1.
    pub fn check(&self) -> Result<(), TableError> {
        match *self {
            Self::Hash { share } if !(0.0..=1.0).contains(&share) => {
                Err(TableError::Share { share })
            }
            _ => Ok(()),
        }
    }

    /// The numbers of the rows of a table to learn from and of those held out; where another file
    /// is held out, all and none.
    ///
    /// # Errors
    /// If a part would be empty, the share is not between 0 and 1, or the column does not exist.
    pub fn rows(&self, table: &Table) -> Result<[Vec<usize>; 2], TableError> {
        match self {
            Self::Hash { share } => parts(&by_hash(&hashes(table), *share)?),
            Self::Column { name, held } => {
                let Some(column) = table.column(name) else {
                    let (name, known) = (name.clone(), table.names());
                    return Err(TableError::UnknownColumn { name, known });
                };
                let is_held =
                    |row: usize| column.cell(row).is_some_and(|cell| held.contains(&cell));
                parts(&(0..table.len()).map(is_held).collect::<Vec<_>>())
            }
            Self::File { .. } => Ok([(0..table.len()).collect(), Vec::new()]),
        }
    }
}

/// Whether each row is held out, by the hash of what it holds: a share of the different ones, and
/// the rows of the least hash if the share is that small.
///
/// # Errors
/// If the share is not between 0 and 1.
pub fn by_hash(hashes: &[u64], share: f64) -> Result<Vec<bool>, TableError> {
    Holdout::Hash { share }.check()?;
    // 2^64 as f64; the cast of what is not below it saturates.
    let below = (share * 18_446_744_073_709_551_616.0) as u64;
    let least = hashes.iter().min().copied().unwrap_or(0);
    Ok(hashes.iter().map(|&hash| hash < below || hash == least).collect())
}

fn parts(is_held: &[bool]) -> Result<[Vec<usize>; 2], TableError> {
    let (held, kept): (Vec<usize>, Vec<usize>) = (0..is_held.len()).partition(|&row| is_held[row]);
    let empty = |part| Err(TableError::EmptyPart { part });
    match (kept.is_empty(), held.is_empty()) {
        (true, _) => empty("to learn from"),
        (_, true) => empty("held out"),
        _ => Ok([kept, held]),
    }
}

/// The first 64 bits of the SHA-256 of each row: names and cells in the order of the names, each
/// with its length before it, so that no two rows give the same bytes.
fn hashes(table: &Table) -> Vec<u64> {
    let mut columns: Vec<_> = table.columns().iter().collect();
    columns.sort_by(|a, b| a.name.cmp(&b.name));
    let part = |hash: &mut Sha256, text: &str| {
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text);
    };
    let one = |row: usize| {
        let mut hash = Sha256::new();
        for column in &columns {
            part(&mut hash, &column.name);
            match column.cell(row) {
                Some(cell) => part(&mut hash, &cell),
                None => hash.update(u64::MAX.to_le_bytes()),
            }
        }
        let digest = hash.finalize();
        u64::from_be_bytes(std::array::from_fn(|at| digest[at]))
    };
    (0..table.len()).map(one).collect()
}
