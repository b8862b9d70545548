//! Wasserstein distance on the line, by sorting.

use crate::{EvalError, Points, Score};

/// Wasserstein distance of order `p` between two sets of numbers, exactly.
///
/// `W_p^p = integral_0^1 |F^{-1}(q) - G^{-1}(q)|^p dq` with the quantile functions of the two sets,
/// which need not be equally large; for an infinite `p` the greatest difference. Time `O(n log n)`.
/// It carries no standard error of its own: use [`bootstrap`](crate::bootstrap).
///
/// Differences are divided by the greatest before they are raised to `p`, so that no power of them
/// leaves the range of `f64`.
///
/// # Errors
/// Empty sets, numbers that are not finite, and `p` below 1 or NaN.
///
/// # Reference
/// Peyre & Cuturi (2019), "Computational Optimal Transport", arXiv:1803.00567, section 2.6.
pub fn wasserstein_1d(a: &[f32], b: &[f32], p: f64) -> Result<Score, EvalError> {
    let (a, b) = (Points::new(a, 1)?, Points::new(b, 1)?);
    if !(1.0..=f64::INFINITY).contains(&p) {
        return Err(EvalError::Parameter { name: "p", value: p, expected: "at least 1" });
    }
    let (sorted_a, sorted_b) = (sorted(a.as_slice()), sorted(b.as_slice()));
    let greatest = quantile_pairs(a.len(), b.len())
        .map(|(i, j, _)| (sorted_a[i] - sorted_b[j]).abs())
        .fold(0.0, f64::max);
    let value = if greatest == 0.0 || p == f64::INFINITY {
        greatest
    } else {
        let cost = |x: f64, y: f64| ((x - y).abs() / greatest).powf(p);
        greatest * transport_cost(&sorted_a, &sorted_b, cost).powf(p.recip())
    };
    Score::lower(format!("Wasserstein-{p}"), value, a.len().min(b.len())).measured()
}

fn sorted(numbers: &[f32]) -> Vec<f64> {
    let mut numbers: Vec<f64> = numbers.iter().copied().map(f64::from).collect();
    numbers.sort_unstable_by(f64::total_cmp);
    numbers
}

/// Mean cost of moving the sorted masses `a` onto the sorted masses `b` in order, which is optimal
/// for convex costs.
pub(crate) fn transport_cost(a: &[f64], b: &[f64], cost: impl Fn(f64, f64) -> f64) -> f64 {
    quantile_pairs(a.len(), b.len()).map(|(i, j, mass)| mass * cost(a[i], b[j])).sum()
}

/// Which sorted points meet, and what mass they exchange.
///
/// Masses are counted in units of `1 / (n m)`, so that sets of any two sizes add up without
/// rounding.
pub(crate) fn quantile_pairs(n: usize, m: usize) -> impl Iterator<Item = (usize, usize, f64)> {
    let unit = 1.0 / (n as f64 * m as f64);
    let (mut i, mut j, mut left_a, mut left_b) = (0, 0, m, n);
    std::iter::from_fn(move || {
        if i == n {
            return None;
        }
        let mass = left_a.min(left_b);
        let pair = (i, j, mass as f64 * unit);
        left_a -= mass;
        left_b -= mass;
        if left_a == 0 {
            (i, left_a) = (i + 1, m);
        }
        if left_b == 0 {
            (j, left_b) = (j + 1, n);
        }
        Some(pair)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantile_pairs_exchange_all_mass() {
        for (n, m) in [(1, 1), (3, 3), (2, 3), (7, 4), (1, 5)] {
            let mut left = (vec![1.0 / n as f64; n], vec![1.0 / m as f64; m]);
            for (i, j, mass) in quantile_pairs(n, m) {
                left.0[i] -= mass;
                left.1[j] -= mass;
            }
            // Up to five subtractions of numbers below 1, each rounded to 1.1e-16.
            assert!(left.0.iter().chain(&left.1).all(|mass| mass.abs() < 1e-15), "{left:?}");
        }
    }
}
