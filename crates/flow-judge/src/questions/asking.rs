//! One row after another is asked about, and what that costs.

use std::time::Instant;

use flow_model::{Answered, ModelError, Samples};
use flow_run::Listener;
use flow_sample::SampleError;

use super::QuestionOptions;
use super::report::AnswersRow;
use crate::error::JudgeError;

/// Answers about one row, and what each of them took.
pub(super) struct Answers {
    pub rows: Vec<f32>,
    evaluations: f64,
    gradients: usize,
}

impl From<Answered> for Answers {
    fn from(answered: Answered) -> Self {
        let Answered { rows, nfe, gradients, .. } = answered;
        Self { rows, evaluations: nfe as f64, gradients }
    }
}

impl From<Samples> for Answers {
    fn from(samples: Samples) -> Self {
        Self { rows: samples.rows, evaluations: samples.nfe, gradients: 0 }
    }
}

/// Nothing where answers went astray, which is what a method may do and no reason to stop.
pub(super) fn unless_astray(
    answered: Result<Answered, ModelError>,
) -> Result<Option<Answers>, JudgeError> {
    match answered {
        Ok(answered) => Ok(Some(answered.into())),
        Err(ModelError::Astray { .. } | ModelError::Sample(SampleError::NotFinite { .. })) => {
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// Asks about `n` rows, each with a seed of its own; `take` gets what is answered about a row. The
/// scores are for the caller to add.
pub(super) fn each(
    (n, options): (usize, &QuestionOptions),
    method: &str,
    told: &dyn Listener,
    ask: impl Fn(usize, u64) -> Result<Option<Answers>, JudgeError>,
    mut take: impl FnMut(usize, &[f32]) -> Result<(), JudgeError>,
) -> Result<AnswersRow, JudgeError> {
    told.say(&format!("asking about {n} rows by {method}"));
    let mut meter = told.meter(0, n, "rows");
    let mut row = AnswersRow { method: method.to_owned(), ..AnswersRow::default() };
    for at in 0..n {
        let started = Instant::now();
        let found = ask(at, options.seed.wrapping_add(at as u64))?;
        row.seconds += started.elapsed().as_secs_f64() / n as f64;
        match found {
            Some(Answers { rows, evaluations, gradients }) => {
                row.evaluations = row.evaluations.max(evaluations);
                row.gradients = row.gradients.max(gradients);
                take(at, &rows)?;
            }
            None => row.astray += 1,
        }
        meter.at(at + 1, method);
    }
    Ok(row)
}
