//! Sliced Wasserstein distance: the mean, or the greatest, over directions.

use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;

use super::one_dimensional::{quantile_pairs, transport_cost};
use crate::points::shared_dim;
use crate::random::{Purpose, stream};
use crate::standard_error::mean_and_std_error;
use crate::{EvalError, Points, Score};

/// Numbers that all directions may have together: a gibibyte of them.
const MOST_PROJECTED: usize = 1 << 27;

/// Sliced Wasserstein distance of order 2, over random directions.
///
/// `SW_2^2 = E_theta W_2^2(theta.X, theta.Y)` with `theta` uniform on the unit sphere: the root of
/// the mean of exact squared distances on the line. A shift by `s` costs `|s| / sqrt(dim)`.
///
/// The standard error covers the choice of the directions, not that of the points; the floor shows
/// what the points do. A seed means the same directions for every pair of sets, so that scores
/// compare. Time `O(projections n (dim + log n))`.
///
/// # Errors
/// Sets of different dimensions, and no projections or too many for memory.
///
/// # Reference
/// Bonneel, Rabin, Peyre & Pfister (2015), "Sliced and Radon Wasserstein Barycenters of Measures",
/// Journal of Mathematical Imaging and Vision 51.
pub fn sliced_wasserstein(
    a: Points<'_>,
    b: Points<'_>,
    projections: usize,
    seed: u64,
) -> Result<Score, EvalError> {
    let squares = squared_by_direction(a, b, &directions(a, b, projections, seed)?);
    let (mean, std_error) = mean_and_std_error(&squares);
    let value = mean.sqrt();
    let score = Score::lower("sliced Wasserstein", value, a.len().min(b.len())).with_seed(seed);
    // d sqrt(m) = dm / (2 sqrt(m)); equal sets are at distance 0 in every direction.
    let std_error = std_error.map(|e| if value > 0.0 { e / (2.0 * value) } else { 0.0 });
    Score { std_error, ..score }.measured()
}

/// Greatest Wasserstein distance of order 2 that was found over directions.
///
/// The best of `projections` random directions, then improved by ascent: at `theta` the gradient of
/// `W_2^2(theta.X, theta.Y)` is `2 E[(theta.d) d]` with `d` the difference of the points that meet
/// on the line. The landscape has many hills, so the result is a lower bound of the true maximum.
/// It sees a difference in one direction that the mean over directions dilutes.
///
/// # Errors
/// Sets of different dimensions, and no projections or too many for memory.
///
/// # Reference
/// Deshpande et al. (2019), "Max-Sliced Wasserstein Distance and its use for GANs",
/// arXiv:1904.05877.
pub fn max_sliced_wasserstein(
    a: Points<'_>,
    b: Points<'_>,
    projections: usize,
    seed: u64,
) -> Result<Score, EvalError> {
    let directions = directions(a, b, projections, seed)?;
    let squares = squared_by_direction(a, b, &directions);
    let (mut best, mut square) = (0, squares[0]);
    for (index, &candidate) in squares.iter().enumerate() {
        if candidate > square {
            (best, square) = (index, candidate);
        }
    }
    let square = climb(a, b, directions[best].clone(), square);
    let name = "max-sliced Wasserstein";
    Score::lower(name, square.sqrt(), a.len().min(b.len())).with_seed(seed).measured()
}

fn directions(
    a: Points<'_>,
    b: Points<'_>,
    projections: usize,
    seed: u64,
) -> Result<Vec<Vec<f64>>, EvalError> {
    let dim = shared_dim(a, b)?;
    if !(1..=MOST_PROJECTED / dim).contains(&projections) {
        let (value, expected) =
            (projections as f64, "at least 1, and times the dimension at most 134217728");
        return Err(EvalError::Parameter { name: "projections", value, expected });
    }
    let direction = |index| {
        let rng = stream(seed, Purpose::Projection, index);
        unit(StandardNormal.sample_iter(rng).take(dim).collect())
    };
    Ok((0..projections).map(direction).collect())
}

fn unit(vector: Vec<f64>) -> Vec<f64> {
    let norm = vector.iter().map(|x| x * x).sum::<f64>().sqrt();
    vector.into_iter().map(|x| x / norm).collect()
}

fn squared_by_direction(a: Points<'_>, b: Points<'_>, directions: &[Vec<f64>]) -> Vec<f64> {
    directions
        .par_iter()
        .map(|theta| {
            let shadow = |points| {
                let mut shadow = project(points, theta);
                shadow.sort_unstable_by(f64::total_cmp);
                shadow
            };
            transport_cost(&shadow(a), &shadow(b), |x, y| (x - y) * (x - y))
        })
        .collect()
}

fn project(points: Points<'_>, theta: &[f64]) -> Vec<f64> {
    points.rows().map(|row| row.iter().zip(theta).map(|(&x, c)| f64::from(x) * c).sum()).collect()
}

/// Ascends `W_2^2` from `theta`, with steps that grow when they help and shrink when they do not.
fn climb(a: Points<'_>, b: Points<'_>, mut theta: Vec<f64>, mut height: f64) -> f64 {
    const STEPS: usize = 100;
    const SHORTEST: f64 = 1e-4;
    let mut step = 1.0;
    let mut slope = gradient(a, b, &theta);
    for _ in 0..STEPS {
        if step < SHORTEST || height == 0.0 {
            break;
        }
        // Along the gradient `theta` is stretched by `height`, so `step` is relative to that.
        let next = unit(theta.iter().zip(&slope).map(|(t, g)| t + step * g / height).collect());
        let reached = squared_by_direction(a, b, std::slice::from_ref(&next))[0];
        if reached > height {
            slope = gradient(a, b, &next);
            (theta, height, step) = (next, reached, step * 2.0);
        } else {
            step /= 4.0;
        }
    }
    height
}

/// `E[(theta.d) d]`, half the gradient of `W_2^2` along `theta`.
fn gradient(a: Points<'_>, b: Points<'_>, theta: &[f64]) -> Vec<f64> {
    let ranked = |points| {
        let shadow = project(points, theta);
        let mut order: Vec<usize> = (0..shadow.len()).collect();
        order.sort_unstable_by(|&i, &j| shadow[i].total_cmp(&shadow[j]));
        (shadow, order)
    };
    let ((shadow_a, order_a), (shadow_b, order_b)) = (ranked(a), ranked(b));
    let mut gradient = vec![0.0; theta.len()];
    for (i, j, mass) in quantile_pairs(a.len(), b.len()) {
        let (i, j) = (order_a[i], order_b[j]);
        let weight = mass * (shadow_a[i] - shadow_b[j]);
        for ((g, &x), &y) in gradient.iter_mut().zip(a.row(i)).zip(b.row(j)) {
            *g += weight * (f64::from(x) - f64::from(y));
        }
    }
    gradient
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Reference {
        a: Vec<f32>,
        b: Vec<f32>,
        directions: Vec<Vec<f64>>,
        sliced: f64,
        max_sliced: f64,
    }

    fn reference() -> Reference {
        serde_json::from_str(include_str!("../../tests/reference/scores.json")).unwrap()
    }

    #[test]
    fn along_the_same_directions_the_distances_are_those_of_pot() {
        let reference = reference();
        let [a, b] = [&reference.a, &reference.b].map(|rows| Points::new(rows, 3).unwrap());
        let squares = squared_by_direction(a, b, &reference.directions);
        let sliced = mean_and_std_error(&squares).0.sqrt();
        let greatest = squares.iter().copied().fold(0.0, f64::max).sqrt();
        // Both sides sort and add in f64.
        assert!((sliced - reference.sliced).abs() < 1e-12, "{sliced}");
        assert!((greatest - reference.max_sliced).abs() < 1e-12, "{greatest}");
    }

    #[test]
    fn the_gradient_is_that_of_finite_differences() {
        let reference = reference();
        let [a, b] = [&reference.a, &reference.b].map(|rows| Points::new(rows, 3).unwrap());
        let theta = unit(vec![0.3, -0.5, 0.8]);
        let slope = gradient(a, b, &theta);
        for k in 0..3 {
            let moved = |step: f64| {
                let mut theta = theta.clone();
                theta[k] += step;
                squared_by_direction(a, b, &[theta])[0]
            };
            // Piecewise quadratic in theta, so a central difference within a piece is exact to
            // rounding.
            let difference = (moved(1e-6) - moved(-1e-6)) / 2e-6;
            assert!((difference - 2.0 * slope[k]).abs() < 1e-8, "{difference} {}", slope[k]);
        }
    }
}
