//! Column by column: does each have the law of the real one?

use super::column::Column;
use crate::points::{at_least, shared_dim};
use crate::{EvalError, Points, Score};

/// The distance between the laws of each column: Kolmogorov-Smirnov for numbers, total variation
/// for categories. Both lie between 0 and 1.
///
/// `sup_x |F(x) - G(x)|` of the two distribution functions, and `1/2 sum_k |p_k - q_k|` of the two
/// sets of shares. Neither looks at more than one column: see
/// [`association_difference`](crate::association_difference) for pairs. The floor of two sets of
/// `n` rows of one law is about `0.87 sqrt(2 / n)` for numbers; measure it with real rows. The
/// standard error is that of the difference at the number, or over the categories, where it is
/// greatest, which takes its place as given.
///
/// # Errors
/// Sets of different dimensions, columns of which the kind is not known, a category that is none,
/// and sets of one row.
pub fn marginal_distances(
    generated: Points<'_>,
    real: Points<'_>,
    columns: &[Column],
) -> Result<Vec<Score>, EvalError> {
    shared_dim(generated, real)?;
    let n = at_least(2, generated, real, "a law of a column")?;
    [generated, real].into_iter().try_for_each(|rows| Column::check(columns, rows))?;
    let score = |(at, &column): (usize, &Column)| {
        let [a, b] = [generated, real].map(|rows| Column::of(rows, at));
        let (name, value, shares) = match column {
            Column::Number => kolmogorov(a, b),
            Column::Category(levels) => total_variation(&a, &b, levels),
        };
        let variance = |p: f64, n: usize| p * (1.0 - p) / n as f64;
        let [p, q] = shares;
        let std_error = (variance(p, generated.len()) + variance(q, real.len())).sqrt();
        Score::lower(format!("{name} of column {at}"), value, n).with_std_error(std_error)
    };
    Ok(columns.iter().enumerate().map(score).collect())
}

/// The greatest difference of two distribution functions, and what both are there.
fn kolmogorov(mut a: Vec<f64>, mut b: Vec<f64>) -> (&'static str, f64, [f64; 2]) {
    a.sort_unstable_by(f64::total_cmp);
    b.sort_unstable_by(f64::total_cmp);
    let (mut i, mut j, mut found) = (0, 0, (0.0, [0.0, 0.0]));
    while i < a.len() && j < b.len() {
        // Past every number equal to the next one, in both sets.
        let x = a[i].min(b[j]);
        i += a[i..].partition_point(|&y| y <= x);
        j += b[j..].partition_point(|&y| y <= x);
        let shares = [i as f64 / a.len() as f64, j as f64 / b.len() as f64];
        let difference = (shares[0] - shares[1]).abs();
        if found.0 < difference {
            found = (difference, shares);
        }
    }
    ("Kolmogorov-Smirnov distance", found.0, found.1)
}

/// Half the sum of the differences of all shares, and the two masses of the categories that the
/// first set has too much of.
fn total_variation(a: &[f64], b: &[f64], levels: usize) -> (&'static str, f64, [f64; 2]) {
    let shares = |values: &[f64]| {
        let mut shares = vec![0.0; levels];
        for &k in values {
            shares[k as usize] += 1.0 / values.len() as f64;
        }
        shares
    };
    let (p, q) = (shares(a), shares(b));
    let over = p.iter().zip(&q).filter(|(p, q)| q < p);
    let masses = over.fold([0.0, 0.0], |[a, b], (p, q)| [a + p, (b + q).min(1.0)]);
    let masses = masses.map(|mass: f64| mass.min(1.0));
    ("total variation", (masses[0] - masses[1]).max(0.0), masses)
}
