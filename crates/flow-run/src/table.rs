//! A table of the user's own as data to train on.

use flow_datasets::table::Unseen;
use flow_datasets::{Columns, Encoded, Encoder, Overrides, ReadOptions, Table};
use flow_table::TableRows;
use flow_train::Rows;
use sha2::{Digest, Sha256};

use crate::error::{RunError, usage};
use crate::recipe;

/// The name of the set.
pub const TABLE: &str = "table";

/// A table that is open: its columns, how they are encoded, and its two parts.
#[derive(Debug)]
pub struct TableData {
    /// What its columns were taken for, to be looked at before anything is learned.
    pub columns: Columns,
    /// How rows become numbers and back.
    pub rows: TableRows,
    /// Rows to train with.
    pub train: Part,
    /// Rows held out.
    pub held: Part,
    sha256: String,
}

/// The complete rows of a part of a table.
#[derive(Debug)]
pub struct Part {
    /// The rows as the file has them.
    pub table: Table,
    /// Number of rows.
    pub n: usize,
    /// What is learned, `[n, width]`.
    pub values: Vec<f32>,
    /// What conditions it, `[n, vector]`; empty without given columns.
    pub vectors: Vec<f32>,
    /// Rows that were left out because a value that is learned is missing or not known.
    pub left_out: usize,
}

impl TableData {
    /// Reads the table of a recipe, guesses its columns, holds rows out and encodes the rest.
    ///
    /// # Errors
    /// When the file cannot be read, holds what cannot be encoded, or too few complete rows.
    pub fn open(data: &recipe::Data) -> Result<Self, RunError> {
        let Some(file) = &data.file else {
            return Err(usage!("data.set is table, name its file with data.file=FILE.csv"));
        };
        let refused = |error: flow_datasets::TableError| usage!("{}: {error}", file.display());
        let table = Table::read(file, &ReadOptions::default()).map_err(refused)?;
        let overrides = Overrides {
            given: data.given.clone(),
            columns: data.columns.clone(),
            drop: data.drop.clone(),
            types: data.types.clone(),
            transforms: data.transforms.clone(),
        };
        let columns = Columns::guess(&table, &overrides).map_err(refused)?;
        let split = data.split.clone().unwrap_or_default();
        let (train, held) = split.split(&table).map_err(refused)?;
        let encoder = Encoder::fit(&train, &columns).map_err(refused)?;
        if encoder.width() == 0 {
            return Err(usage!("{}: no column is left to learn", file.display()));
        }
        let numbers = encoder.encode(&train).map_err(refused)?;
        let masked = numbers.given_mask.contains(&0.0);
        // A category that only held-out rows have cannot be learned: such a row is left out.
        let mut lenient = encoder.clone();
        lenient.unseen = Unseen::Missing;
        let numbers_held = lenient.encode(&held).map_err(refused)?;
        let rows = TableRows { masked, encoder };
        let train = Part::of(&rows, &train, &numbers);
        let held = Part::of(&rows, &held, &numbers_held);
        for (part, name) in [(&train, "to train with"), (&held, "held out")] {
            if part.n < FEWEST {
                return Err(usage!(
                    "{}: {} complete rows {name}, at least {FEWEST} are needed ({} more lack a \
                     value)",
                    file.display(),
                    part.n,
                    part.left_out
                ));
            }
        }
        let sha256 = digest(&rows, [&train, &held]);
        Ok(Self { columns, rows, train, held, sha256 })
    }

    /// SHA-256 of all that is learned from, by which other data are noticed.
    #[must_use]
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// Rows to train with and rows to validate with.
    #[must_use]
    pub fn sources(&self) -> [Rows; 2] {
        [&self.train, &self.held].map(|part| {
            let rows = Rows::new(vec![self.rows.encoder.width()], part.values.clone(), None);
            if part.vectors.is_empty() {
                return rows;
            }
            rows.with_vectors(part.vectors.clone())
        })
    }
}

/// Rows that each part of a table needs.
const FEWEST: usize = 2;

impl Part {
    /// The complete rows of a table that is encoded.
    fn of(rows: &TableRows, table: &Table, encoded: &Encoded) -> Self {
        let Encoded { n, width, given_width, .. } = *encoded;
        let whole = |mask: &[f32], row: usize, width: usize| {
            !mask[row * width..(row + 1) * width].contains(&0.0)
        };
        let complete = |row: &usize| {
            whole(&encoded.mask, *row, width)
                && (rows.masked || whole(&encoded.given_mask, *row, given_width))
        };
        let kept: Vec<usize> = (0..n).filter(complete).collect();
        let of = |all: &[f32], size: usize| -> Vec<f32> {
            kept.iter().flat_map(|row| &all[row * size..(row + 1) * size]).copied().collect()
        };
        let vectors = rows.vectors(&encoded.given, &encoded.given_mask);
        Self {
            n: kept.len(),
            values: of(&encoded.rows, width),
            vectors: of(&vectors, rows.vector()),
            left_out: n - kept.len(),
            table: table.select(&kept),
        }
    }
}

fn digest(rows: &TableRows, parts: [&Part; 2]) -> String {
    let mut digest = Sha256::new();
    digest.update(serde_json::to_vec(rows).unwrap_or_default());
    for part in parts {
        digest.update((part.n as u64).to_le_bytes());
        for number in part.values.iter().chain(&part.vectors) {
            digest.update(number.to_le_bytes());
        }
    }
    format!("{:x}", digest.finalize())
}
