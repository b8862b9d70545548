//! Straightness, length and energy of trajectories.

use super::trajectories::Trajectories;
use crate::{EvalError, Score};

/// Straightness, `integral E|(x_1 - x_0) / T - dx/dt|^2 dt` with `T` the duration: 0 for straight
/// lines at constant speed, which one Euler step solves.
///
/// The velocity of a step is its displacement over its duration, so curvature within a step is not
/// seen and the value grows with the number of steps towards its limit. The standard error is that
/// of the mean over trajectories.
///
/// # Reference
/// Liu, Gong & Liu (2023), "Flow Straight and Fast: Learning to Generate and Transfer Data with
/// Rectified Flow", arXiv:2209.03003, equation 4, on `[0, 1]`.
#[must_use]
pub fn straightness(trajectories: &Trajectories<'_>) -> Score {
    let duration = trajectories.duration();
    let excess: Vec<f64> = trajectories
        .sum_over_steps(|square, step| square / step)
        .iter()
        .zip(trajectories.squared_chords())
        // By Jensen's inequality not below 0, up to rounding.
        .map(|(energy, chord)| (energy - chord / duration).max(0.0))
        .collect();
    Score::lower("straightness", 0.0, excess.len()).with_mean_of(&excess)
}

/// Path energy, `integral E|dx/dt|^2 dt`.
///
/// Never below `W_2^2 / T` of the distributions at both ends, which optimal transport attains
/// (Benamou & Brenier 2000, "A Computational Fluid Mechanics Solution to the Monge-Kantorovich Mass
/// Transfer Problem"). The standard error is that of the mean over trajectories.
#[must_use]
pub fn path_energy(trajectories: &Trajectories<'_>) -> Score {
    let energies = trajectories.sum_over_steps(|square, step| square / step);
    Score::lower("path energy", 0.0, energies.len()).with_mean_of(&energies)
}

/// Mean length of the trajectories over the mean distance from start to end: 1 for straight lines,
/// whatever their speed; more for curves and turns.
///
/// The standard error is that of a ratio of means, to first order.
///
/// # Errors
/// When every trajectory ends where it began.
pub fn path_length_ratio(trajectories: &Trajectories<'_>) -> Result<Score, EvalError> {
    let lengths = trajectories.sum_over_steps(|square, _| square.sqrt());
    let chords: Vec<f64> = trajectories.squared_chords().into_iter().map(f64::sqrt).collect();
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let chord = mean(&chords);
    if chord == 0.0 {
        return Err(EvalError::NoDisplacement);
    }
    let ratio = mean(&lengths) / chord;
    let residuals: Vec<f64> = lengths
        .iter()
        .zip(&chords)
        .map(|(length, c)| ratio + (length - ratio * c) / chord)
        .collect();
    Score::lower("path length ratio", ratio, lengths.len()).with_mean_of(&residuals).measured()
}
