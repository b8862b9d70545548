//! The error of a solver with few steps.

use super::trajectories::{Trajectories, squared_distances};
use crate::points::{shared_dim, shared_len};
use crate::{EvalError, Points, Score};

/// Mean squared error per coordinate of each point against its reference, such as the solution with
/// a thousand steps from the same noise.
///
/// The standard error is that of the mean over points.
///
/// # Errors
/// Sets of different dimensions or sizes.
pub fn mean_squared_error(reference: Points<'_>, points: Points<'_>) -> Result<Score, EvalError> {
    const NAME: &str = "mean squared error";
    let dim = shared_dim(reference, points)?;
    let n = shared_len(reference, points, NAME)?;
    let errors: Vec<f64> = squared_distances(reference, points)
        .into_iter()
        .map(|square| square / dim as f64)
        .collect();
    Score::lower(NAME, 0.0, n).with_mean_of(&errors).measured()
}

/// The cost at which an error is first reached, along a curve of (cost, error) with increasing
/// costs.
///
/// Interpolates the logarithms of both, in which the error of a solver of fixed order is a straight
/// line. `None` when the curve never comes down to `error`. With it "half the evaluations at equal
/// error" becomes a number: the ratio of two costs.
///
/// Points with a NaN are left out, as of a run that diverged. Where the point before has no
/// logarithm to start from (an infinite error, a cost of 0, costs that fall), or the error comes
/// down to 0 at once, the answer is the first cost that is known to suffice. It is never NaN.
///
/// ```
/// let second_order = [(10.0, 1e-2), (100.0, 1e-4)];
/// let cost = flow_eval::cost_at_error(&second_order, 1e-3).unwrap();
/// assert!((cost - 10.0 * 10_f64.sqrt()).abs() < 1e-9);
/// assert_eq!(flow_eval::cost_at_error(&second_order, 1e-5), None);
/// ```
#[must_use]
pub fn cost_at_error(curve: &[(f64, f64)], error: f64) -> Option<f64> {
    let known: Vec<(f64, f64)> =
        curve.iter().copied().filter(|(cost, e)| !cost.is_nan() && !e.is_nan()).collect();
    let end = known.iter().position(|&(_, e)| e <= error)?;
    let (cost, below) = known[end];
    let Some(&(from, above)) = end.checked_sub(1).map(|before| &known[before]) else {
        return Some(cost);
    };
    let costs_grow = 0.0 < from && from < cost && cost.is_finite();
    if !(costs_grow && 0.0 < below && above.is_finite()) {
        return Some(cost);
    }
    let fraction = (above.ln() - error.ln()) / (above.ln() - below.ln());
    Some((from * (cost / from).powf(fraction)).min(cost))
}

/// How much of the way is left at each time, `E|x_t - x_1| / E|x_0 - x_1|`: from 1 to 0.
///
/// A straight line for straight trajectories at constant speed; flat at first where the noise
/// lingers, as along a variance preserving path.
///
/// # Errors
/// When every trajectory ends where it began.
pub fn noise_residual(trajectories: &Trajectories<'_>) -> Result<Vec<f64>, EvalError> {
    let states = trajectories.states();
    let end = states[states.len() - 1];
    let left = |state: &Points<'_>| -> f64 {
        squared_distances(*state, end).into_iter().map(f64::sqrt).sum()
    };
    let start = left(&states[0]);
    if start == 0.0 {
        return Err(EvalError::NoDisplacement);
    }
    Ok(states.iter().map(|state| left(state) / start).collect())
}
