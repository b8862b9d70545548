//! Log-density of samples under a target that is known.

use crate::{EvalError, Points, Score};

/// Mean log-density of the points under a known target, in nats, with the standard error of that
/// mean.
///
/// For samples of the target itself it is minus the target's entropy. **More is not always
/// better**: samples that crowd around the modes exceed that level. Report it with the level as its
/// floor, and beside a distance.
///
/// # Errors
/// When the log-density of a point is NaN or positive infinity. Negative infinity, off the support,
/// is a value.
pub fn mean_log_density(
    points: Points<'_>,
    log_density: impl Fn(&[f32]) -> f64,
) -> Result<Score, EvalError> {
    let logs: Vec<f64> = points.rows().map(log_density).collect();
    if let Some(row) = logs.iter().position(|log| log.is_nan() || *log == f64::INFINITY) {
        return Err(EvalError::NotFinite { row, column: 0, value: logs[row] });
    }
    let score = Score::higher("log-density under the target", 0.0, points.len());
    Ok(score.with_mean_of(&logs).with_unit("nats"))
}
