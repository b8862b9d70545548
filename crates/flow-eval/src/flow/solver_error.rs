//! What too few steps of the solver cost.

use super::trajectories::{Trajectories, squared_distances};
use crate::points::{shared_dim, shared_len};
use crate::{EvalError, Points, Score};

/// Mean squared error per coordinate of each point against its reference, such as the solution with a
/// thousand steps from the same noise.
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
    Ok(Score::lower(NAME, 0.0, n).with_mean_of(&errors))
}

/// The cost at which an error is first reached, along a curve of (cost, error) with increasing costs.
///
/// Interpolates the logarithms of both, in which the error of a solver of fixed order is a straight line.
/// `None` when the curve never comes down to `error`. With it "half the evaluations at equal error" becomes
/// a number: the ratio of two costs.
///
/// ```
/// let second_order = [(10.0, 1e-2), (100.0, 1e-4)];
/// let cost = flow_eval::cost_at_error(&second_order, 1e-3).unwrap();
/// assert!((cost - 10.0 * 10_f64.sqrt()).abs() < 1e-9);
/// assert_eq!(flow_eval::cost_at_error(&second_order, 1e-5), None);
/// ```
#[must_use]
pub fn cost_at_error(curve: &[(f64, f64)], error: f64) -> Option<f64> {
    let end = curve.iter().position(|&(_, e)| e <= error)?;
    let (cost, below) = curve[end];
    let Some(&(cost_before, above)) = end.checked_sub(1).map(|before| &curve[before]) else {
        return Some(cost);
    };
    if below <= 0.0 {
        return Some(cost);
    }
    let fraction = (above / error).ln() / (above / below).ln();
    Some(cost_before * (cost / cost_before).powf(fraction))
}

/// How much of the way is left at each time, `E|x_t - x_1| / E|x_0 - x_1|`: from 1 to 0.
///
/// A straight line for straight trajectories at constant speed; flat at first where the noise lingers, as
/// along a variance preserving path.
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
