//! Energy distance.

use super::two_sample::u_statistic;
use crate::pairwise::PairFunction;
use crate::{EvalError, Points, Score};

/// `-|x - y|`
struct NegativeDistance;

impl PairFunction for NegativeDistance {
    fn term(x: f64, y: f64) -> f64 {
        (x - y) * (x - y)
    }

    fn finish(&self, sums: &mut [f64]) {
        for value in sums {
            *value = -value.sqrt();
        }
    }
}

/// Energy distance, `2 E|X - Y| - E|X - X'| - E|Y - Y'|`, estimated without bias.
///
/// It is 0 exactly when the two distributions are equal, needs no parameter and sees every
/// direction at once. Being unbiased, the estimate is negative now and then when they are. In one
/// dimension it is `2 * integral (F - G)^2`, twice Cramer's distance; note that some libraries
/// return its square root.
///
/// The standard error is that of the jackknife over the points of both sets, cautious by a factor
/// of `sqrt(2)` where the distributions agree. Time `O(n^2 dim)`, memory `O(n dim)`.
///
/// # Errors
/// Sets of different dimensions, and fewer than three points in one of them.
///
/// # Reference
/// Szekely & Rizzo (2013), "Energy statistics: A class of statistics based on distances", Journal
/// of Statistical Planning and Inference 143.
pub fn energy_distance(a: Points<'_>, b: Points<'_>) -> Result<Score, EvalError> {
    u_statistic(&NegativeDistance, a, b, "energy distance")
}
