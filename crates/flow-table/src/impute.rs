//! Holes of a table filled with draws given what is known of each row.

use flow_datasets::Table;
use flow_datasets::table::{Column, Type, Values};
use flow_model::{AnswerMethod, Answered, Model, Question};
use flow_sample::{Grid, Mask, ObservationNoise, Sampler};

use crate::error::RowsError;
use crate::rows::TableRows;

/// How holes are filled.
#[derive(Clone, Copy, Debug)]
pub struct Imputation<'a> {
    /// How far from the known values draws may lie, in standard deviations of a column.
    pub noise: f64,
    /// How what is known is brought in.
    pub method: AnswerMethod,
    /// What steps from noise to rows.
    pub sampler: &'a dyn Sampler,
    /// Times of the steps.
    pub grid: &'a Grid,
    /// Draws for each row with a hole.
    pub draws: usize,
    /// Draws that are computed together at most.
    pub at_once: usize,
    /// Seed of the noise.
    pub seed: u64,
}

/// A table without holes, once for each draw.
#[derive(Clone, Debug)]
pub struct Imputed {
    /// All rows with what was known as it was; of several draws each row stands once for each, all
    /// rows of the first draw first, with the number of the draw in a column `draw`.
    pub table: Table,
    /// Rows that had a hole.
    pub holes: usize,
    /// Network evaluations for each draw.
    pub nfe: usize,
}

impl TableRows {
    /// Fills what is missing in a table with draws given what is known.
    ///
    /// The known numbers of a row are an observation through a mask, see [`Model::answer`]. Rows
    /// without a hole are left as they are, and asked nothing.
    ///
    /// # Errors
    /// When the table lacks a column or holds what is not of it, when a condition is missing that
    /// the model always had, and when a draw fails.
    pub fn impute(
        &self,
        model: &Model,
        table: &Table,
        asked: &Imputation<'_>,
    ) -> Result<Imputed, RowsError> {
        let width = self.encoder.width();
        let encoded = self.encoder.encode(table)?;
        let is_known = |row: usize, k: usize| encoded.mask[row * width + k] != 0.0;
        let has_hole = |row: &usize| !(0..width).all(|k| is_known(*row, k));
        let holes: Vec<usize> = (0..table.len()).filter(has_hole).collect();
        let mut answered = Answered::default();
        if !holes.is_empty() {
            let vectors = match self.vector() {
                0 => None,
                _ => Some(self.conditions(&table.select(&holes))?),
            };
            let each = || holes.iter().flat_map(|&row| (0..width).map(move |k| (row, k)));
            let known: Vec<bool> = each().map(|(row, k)| is_known(row, k)).collect();
            let observed: Vec<f32> = each().map(|(row, k)| encoded.rows[row * width + k]).collect();
            let question = Question {
                operator: &Mask::new(&known, width, model.device()),
                observed: &observed,
                noise: ObservationNoise::Gaussian { std: asked.noise },
                method: asked.method,
                grid: asked.grid,
                draws: asked.draws,
                at_once: asked.at_once,
                seed: asked.seed,
                classes: None,
                vectors: vectors.as_deref(),
            };
            answered = model.answer(&question, asked.sampler)?;
        }
        let mut rows = encoded.rows.clone();
        let mut filled = Vec::with_capacity(asked.draws);
        for draw in 0..asked.draws {
            for (at, &row) in holes.iter().enumerate() {
                for k in (0..width).filter(|k| !is_known(row, *k)) {
                    rows[row * width + k] = answered.rows[(draw * holes.len() + at) * width + k];
                }
            }
            filled.push(self.encoder.decode(&rows, Some(table))?);
        }
        Ok(Imputed { table: stacked(table, &filled)?, holes: holes.len(), nfe: answered.nfe })
    }
}

/// The table once for each draw, in which what was known is as it was; of several draws the number
/// stands in a column of its own.
fn stacked(table: &Table, filled: &[Table]) -> Result<Table, RowsError> {
    let n = table.len();
    let column = |known: &Column| {
        let cells = |draw: &Table| -> Vec<Option<String>> {
            let drawn = draw.column(&known.name);
            let cell = |row| known.cell(row).or_else(|| drawn.and_then(|own| own.cell(row)));
            (0..n).map(cell).collect()
        };
        Column::of_cells(&known.name, known.ty, &filled.iter().flat_map(cells).collect::<Vec<_>>())
    };
    let mut columns: Vec<Column> = table.columns().iter().map(column).collect();
    if 1 < filled.len() {
        let numbers = (1..=filled.len()).flat_map(|draw| vec![draw as f64; n]).collect();
        let values = Values::Number(numbers);
        columns.insert(0, Column { name: "draw".into(), ty: Type::Integer {}, values });
    }
    Ok(Table::new(columns)?)
}
