//! Tables of your own: read, understood, encoded as rows of numbers, decoded and written.
//!
//! ```no_run
//! use flow_datasets::{Columns, Encoder, Holdout, Overrides, ReadOptions, Table, TableError};
//!
//! # fn main() -> Result<(), TableError> {
//! let table = Table::read("people.csv".as_ref(), &ReadOptions::default())?;
//! let overrides = Overrides { given: vec!["age".into()], ..Overrides::default() };
//! let columns = Columns::guess(&table, &overrides)?; // prints as a table that a person can check
//! let (train, test) = Holdout::default().split(&table)?;
//! let encoder = Encoder::fit(&train, &columns)?; // goes into the file of the model
//! let encoded = encoder.encode(&train)?; // rows, conditions and their masks as f32
//! let again = encoder.decode(&encoded.rows, Some(&train))?;
//! again.write("again.csv".as_ref())
//! # }
//! ```
//!
//! A table is held by columns: numbers as `f64`, text as a number for each different value. A
//! missing value is NaN among numbers and [`NO_TEXT`] among text.

pub(crate) mod cell;
mod codec;
pub(crate) mod columns;
mod decode;
mod delimited;
mod draft;
mod encode;
mod encoder;
mod error;
mod holdout;
mod holes;
mod kind;
mod matrix;
mod normal;
mod options;
#[cfg(feature = "parquet")]
mod parquet;
mod read;
mod rows;
mod text;
mod transform;
mod write;

use std::collections::HashSet;

pub use codec::{Codec, Coded, Unseen};
pub use columns::{ColumnPlan, Columns, Overrides, Role};
pub use encode::Encoded;
pub use encoder::Encoder;
pub use error::TableError;
pub use holdout::{Holdout, by_hash};
pub use holes::Holes;
pub use kind::{ColumnType, Kind};
pub use options::{MISSING, ReadOptions};
pub use read::ENDINGS;
pub use rows::{Beyond, TableRows};
pub use text::{NO_TEXT, Text};
pub use transform::{Transform, TransformKind};

pub(crate) use draft::whole;

use serde::{Deserialize, Serialize};

use crate::array::Element;

/// What the cells of a column are, so that they are written as they were read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Type {
    /// `true` and `false`, held as 1 and 0.
    Bool {},
    /// Whole numbers up to `2^53`; larger ones are held as text, which keeps their digits.
    Integer {},
    /// Numbers of 32 bits.
    Single {},
    /// Numbers of 64 bits.
    Real {
        /// Digits behind the point that are printed; without it as many as the number needs.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        decimals: Option<u8>,
    },
    /// Words.
    Text {},
    /// Numbers of an array, written as numbers of the same size where an array is written.
    Array {
        /// What the array holds.
        element: Element,
    },
}

impl Type {
    /// What the cells are, wherever they came from: an array of bytes holds whole numbers.
    #[must_use]
    pub fn plain(self) -> Self {
        match self {
            Self::Array { element: Element::Bool } => Self::Bool {},
            Self::Array { element: Element::F64 } => Self::Real { decimals: None },
            Self::Array { element } if element.is_whole() => Self::Integer {},
            Self::Array { .. } => Self::Single {},
            own => own,
        }
    }

    /// The type of cells of both types: the wider one of numbers, else words.
    fn joined(self, other: Self) -> Self {
        if self == other {
            return self;
        }
        match (self.plain(), other.plain()) {
            (a, b) if a == b => a,
            (Self::Real { decimals: a }, Self::Real { decimals: b }) => {
                Self::Real { decimals: a.zip(b).map(|(a, b)| a.max(b)) }
            }
            (real @ Self::Real { .. }, Self::Integer {} | Self::Single {})
            | (Self::Integer {} | Self::Single {}, real @ Self::Real { .. }) => real,
            (Self::Integer {}, Self::Single {}) | (Self::Single {}, Self::Integer {}) => {
                Self::Real { decimals: None }
            }
            _ => Self::Text {},
        }
    }
}

/// The cells of a column.
#[derive(Clone, Debug)]
pub enum Values {
    /// Numbers; NaN is a missing value.
    Number(Vec<f64>),
    /// Words.
    Text(Text),
}

/// A named column.
#[derive(Clone, Debug)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What its cells are.
    pub ty: Type,
    /// The cells.
    pub values: Values,
}

impl Column {
    /// Number of cells.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.values {
            Values::Number(values) => values.len(),
            Values::Text(text) => text.codes.len(),
        }
    }

    /// Whether there is no cell.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of cells without a value.
    #[must_use]
    pub fn missing(&self) -> usize {
        match &self.values {
            Values::Number(values) => values.iter().filter(|x| x.is_nan()).count(),
            Values::Text(text) => text.codes.iter().filter(|&&code| code == NO_TEXT).count(),
        }
    }

    /// The cell of a row as it is written, or nothing where the value is missing.
    ///
    /// # Panics
    /// If there is no such row.
    #[must_use]
    pub fn cell(&self, row: usize) -> Option<String> {
        match &self.values {
            Values::Number(values) if values[row].is_nan() => None,
            Values::Number(values) => Some(cell::print(values[row], self.ty)),
            Values::Text(text) => text.get(row).map(String::from),
        }
    }

    /// The cells with `rows` of another column below them, or of none.
    fn stacked(&self, other: Option<&Self>, rows: usize) -> Self {
        let ty = other.map_or(self.ty, |other| self.ty.joined(other.ty));
        let name = self.name.clone();
        if let (Values::Number(own), None | Some(Self { values: Values::Number(_), .. })) =
            (&self.values, other)
        {
            let below = match other.map(|other| &other.values) {
                Some(Values::Number(values)) => values.clone(),
                _ => vec![f64::NAN; rows],
            };
            return Self { name, ty, values: Values::Number([&own[..], &below].concat()) };
        }
        let own = (0..self.len()).map(|row| self.cell(row));
        let below = (0..rows).map(|row| other.and_then(|other| other.cell(row)));
        Self::of_cells(&name, ty, &own.chain(below).collect::<Vec<_>>())
    }

    /// Some of the rows, in the order asked for.
    fn select(&self, rows: &[usize]) -> Self {
        let values = match &self.values {
            Values::Number(values) => Values::Number(rows.iter().map(|&i| values[i]).collect()),
            Values::Text(text) => Values::Text(text.select(rows)),
        };
        Self { name: self.name.clone(), ty: self.ty, values }
    }
}

/// Columns of one length with different names.
#[derive(Clone, Debug)]
pub struct Table {
    columns: Vec<Column>,
    rows: usize,
}

impl Table {
    /// A table of these columns.
    ///
    /// # Errors
    /// If two columns have one name, or lengths differ.
    pub fn new(columns: Vec<Column>) -> Result<Self, TableError> {
        let mut names = HashSet::new();
        let rows = columns.first().map_or(0, Column::len);
        for column in &columns {
            if !names.insert(&column.name) {
                return Err(TableError::DuplicateColumn { name: column.name.clone() });
            }
            if column.len() != rows {
                return Err(TableError::Lengths {
                    first: columns[0].name.clone(),
                    expected: rows,
                    column: column.name.clone(),
                    actual: column.len(),
                });
            }
        }
        Ok(Self { columns, rows })
    }

    /// The columns, in their order.
    #[must_use]
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The column of that name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Some of the rows, in the order asked for; a row may be asked for more than once.
    ///
    /// # Panics
    /// If there is no such row.
    #[must_use]
    pub fn select(&self, rows: &[usize]) -> Self {
        let columns = self.columns.iter().map(|column| column.select(rows)).collect();
        Self { columns, rows: rows.len() }
    }

    /// This table with the rows of another below its own. Columns are found by their names; those
    /// that the other lacks are missing in its rows, and its other columns are left out.
    #[must_use]
    pub fn stacked(&self, other: &Self) -> Self {
        let below = |column: &Column| column.stacked(other.column(&column.name), other.rows);
        let columns = self.columns.iter().map(below).collect();
        Self { columns, rows: self.rows + other.rows }
    }

    /// The table without the column of that name, if it has one.
    #[must_use]
    pub fn without(&self, name: &str) -> Self {
        let others = self.columns.iter().filter(|column| column.name != name);
        Self { columns: others.cloned().collect(), rows: self.rows }
    }

    /// The names of the columns, for messages.
    pub(crate) fn names(&self) -> Vec<String> {
        self.columns.iter().map(|column| column.name.clone()).collect()
    }
}
