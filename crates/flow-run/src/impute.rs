//! Tables without holes.

use flow_datasets::{Holes, Table, TableRows};
use flow_model::{AnswerPlan, Answered, Model, Question};
use flow_sample::{Mask, ObservationNoise};

use crate::error::RunError;

/// Fills the holes of a table, in so many draws for each row that has any: what is known of a row
/// is an observation with normal noise, whose standard deviation is `noise` times that of a column.
/// Returns the table, and the evaluations that a draw took.
///
/// # Errors
/// When conditions are missing, or answers go astray.
pub fn impute(
    model: &Model,
    columns: &TableRows,
    holes: &Holes<'_>,
    plan: &AnswerPlan,
    noise: f64,
    draws: usize,
) -> Result<(Table, usize), RunError> {
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
    Ok((holes.filled(&answered.rows, draws)?, answered.nfe))
}
