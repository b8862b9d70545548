//! Tables without holes.

use flow_datasets::{Holes, Table, TableRows};
use flow_model::{AnswerPlan, Answered, Model, Question};
use flow_sample::{Mask, ObservationNoise};

use crate::error::{RunError, usage};
use crate::memory;

/// Bytes of a cell, in its draw and in the table of all.
const BYTES_OF_CELL: f64 = 16.0;

/// Fills the holes of a table, in so many draws for each row that has any: what is known of a row
/// is an observation with normal noise, whose standard deviation is `noise` times that of a column.
/// Returns the table, and the evaluations that a draw took.
///
/// # Errors
/// When conditions are missing, there is no draw or more than memory holds, the noise is no
/// positive number, or answers go astray.
pub fn impute(
    model: &Model,
    columns: &TableRows,
    holes: &Holes<'_>,
    plan: &AnswerPlan,
    noise: f64,
    draws: usize,
) -> Result<(Table, usize), RunError> {
    if draws == 0 {
        return Err(usage!("0 draws are asked for, ask for at least 1"));
    }
    let mut answered = Answered::default();
    if !holes.is_empty() {
        let (known, observed, vectors) = (holes.known(), holes.observed(), holes.vectors()?);
        let mask = Mask::new(&known, columns.encoder.width(), model.device());
        let question = Question {
            vectors: vectors.as_deref(),
            ..plan.question(&mask, &observed, ObservationNoise::Gaussian { std: noise }, draws)
        };
        answered = model.answer(&question, &*plan.sampler)?;
    }
    // Rows without holes are repeated as well, which the model knows nothing of.
    let once = holes.filled(&answered.rows, 1)?;
    if draws == 1 {
        return Ok((once, answered.nfe));
    }
    // A table without rows takes its columns.
    let cells = once.len().max(1) as f64 * once.columns().len() as f64;
    memory::check("the number of draws", "the table", BYTES_OF_CELL * cells * draws as f64)?;
    Ok((holes.filled(&answered.rows, draws)?, answered.nfe))
}
