//! The holes of a table, as a question to a model and filled with its answers.

use super::{Column, Encoded, Table, TableError, TableRows, Type, Values};
use crate::words::counted;

/// The rows of a table that lack a value of those that a model learns.
#[derive(Debug)]
pub struct Holes<'a> {
    columns: &'a TableRows,
    table: &'a Table,
    encoded: Encoded,
    /// Numbers of the rows that lack a value.
    rows: Vec<usize>,
}

impl<'a> Holes<'a> {
    /// Looks for the holes of a table, whose columns are those of the model.
    ///
    /// # Errors
    /// When the table lacks a column, or a cell cannot be encoded.
    pub fn new(columns: &'a TableRows, table: &'a Table) -> Result<Self, TableError> {
        let encoded = columns.encoder.encode(table)?;
        let width = encoded.width;
        let has_hole = |row: &usize| encoded.mask[row * width..(row + 1) * width].contains(&0.0);
        let rows = (0..table.len()).filter(has_hole).collect();
        Ok(Self { columns, table, encoded, rows })
    }

    /// Rows with a hole.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether no row has one.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The given columns that some rows lack, each with how many: a model answers without them if
    /// it may, and does not fill them.
    #[must_use]
    pub fn unknown_conditions(&self) -> Vec<(&str, String)> {
        let lacking = |name: &'a str| {
            let missing = self.table.column(name).map_or(0, Column::missing);
            (0 < missing).then(|| (name, counted(missing, "row")))
        };
        self.columns.given().filter_map(lacking).collect()
    }

    /// Which numbers of the rows with a hole are known, `[len, width]`.
    #[must_use]
    pub fn known(&self) -> Vec<bool> {
        self.numbers(&self.encoded.mask).into_iter().map(|known| known != 0.0).collect()
    }

    /// The numbers of the rows with a hole, `[len, width]`; 0 where they are missing.
    #[must_use]
    pub fn observed(&self) -> Vec<f32> {
        self.numbers(&self.encoded.rows)
    }

    /// The condition vectors of the rows with a hole; nothing for a model without given columns.
    ///
    /// # Errors
    /// As for [`TableRows::conditions`].
    pub fn vectors(&self) -> Result<Option<Vec<f32>>, TableError> {
        self.columns.told(&self.table.select(&self.rows))
    }

    /// The table once for each draw, in which what was known is as it was; of several draws the
    /// number stands in a column `draw` of its own.
    ///
    /// `answers` are the rows of the model, `[draws, len, width]`.
    ///
    /// # Errors
    /// When an answer is not finite.
    ///
    /// # Panics
    /// When there are fewer answers.
    pub fn filled(&self, answers: &[f32], draws: usize) -> Result<Table, TableError> {
        let Encoded { width, mask, .. } = &self.encoded;
        let mut rows = self.encoded.rows.clone();
        let mut filled = Vec::with_capacity(draws);
        for draw in 0..draws {
            for (at, &row) in self.rows.iter().enumerate() {
                for k in (0..*width).filter(|k| mask[row * width + k] == 0.0) {
                    rows[row * width + k] = answers[(draw * self.rows.len() + at) * width + k];
                }
            }
            filled.push(self.columns.encoder.decode(&rows, Some(self.table))?);
        }
        self.stacked(&filled)
    }

    fn numbers(&self, all: &[f32]) -> Vec<f32> {
        let width = self.encoded.width;
        self.rows.iter().flat_map(|row| &all[row * width..(row + 1) * width]).copied().collect()
    }

    fn stacked(&self, filled: &[Table]) -> Result<Table, TableError> {
        let n = self.table.len();
        let column = |known: &Column| {
            let cells = |draw: &Table| -> Vec<Option<String>> {
                let drawn = draw.column(&known.name);
                let cell = |row| known.cell(row).or_else(|| drawn.and_then(|own| own.cell(row)));
                (0..n).map(cell).collect()
            };
            let drawn = filled.first().and_then(|draw| draw.column(&known.name));
            let ty = match drawn.map(|drawn| drawn.ty) {
                // Of a column without any value the model alone knows what its cells are.
                Some(drawn) if known.missing() == n => drawn,
                // A file may happen to have fewer decimals than the rows of the training.
                Some(Type::Real { decimals: drawn }) if is_coarser(known.ty, drawn) => {
                    Type::Real { decimals: None }
                }
                _ => known.ty,
            };
            let cells: Vec<_> = filled.iter().flat_map(cells).collect();
            Column::of_cells(&known.name, ty, &cells)
        };
        let mut columns: Vec<Column> = self.table.columns().iter().map(column).collect();
        if 1 < filled.len() {
            let numbers = (1..=filled.len()).flat_map(|draw| vec![draw as f64; n]).collect();
            let values = Values::Number(numbers);
            columns.insert(0, Column { name: "draw".into(), ty: Type::Integer {}, values });
        }
        Table::new(columns)
    }
}
/// Whether cells of a type have fewer decimals than those that a model draws.
fn is_coarser(known: Type, drawn: Option<u8>) -> bool {
    match known {
        Type::Integer {} => true,
        Type::Real { decimals: Some(known) } => drawn.is_none_or(|drawn| known < drawn),
        _ => false,
    }
}
