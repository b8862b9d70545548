//! The two-sample U-statistic that energy distance and maximum mean discrepancy share.

use crate::pairwise::{Columns, PairFunction, for_each_pair, map_blocks, sum};
use crate::points::{at_least, shared_dim};
use crate::standard_error::jackknife_variance;
use crate::{EvalError, Points, Score};

/// Sums of a kernel over pairs, by point.
struct Sums {
    rows: Vec<f64>,
    columns: Vec<f64>,
}

/// Sums of `k(x_i, y_j)` over all columns from `first_column(i)` on.
fn sums<K: PairFunction>(
    kernel: &K,
    rows: Points<'_>,
    columns: &Columns,
    first_column: impl Fn(usize) -> usize + Sync,
) -> Sums {
    let blocks = map_blocks(rows.len(), |range| {
        let offset = range.start;
        let mut block = Sums { rows: vec![0.0; range.len()], columns: vec![0.0; columns.len()] };
        for_each_pair(kernel, rows, range, columns, &first_column, |i, j, values| {
            block.rows[i - offset] += sum(values);
            for (total, value) in block.columns[j..].iter_mut().zip(values) {
                *total += *value;
            }
        });
        block
    });
    let mut all = Sums { rows: vec![], columns: vec![0.0; columns.len()] };
    for block in blocks {
        all.rows.extend(block.rows);
        for (total, value) in all.columns.iter_mut().zip(block.columns) {
            *total += value;
        }
    }
    all
}

/// `sum_{j != i} k(x_i, x_j)` for each `i`.
fn sums_within<K: PairFunction>(kernel: &K, points: Points<'_>, columns: &Columns) -> Vec<f64> {
    let upper = sums(kernel, points, columns, |i| i + 1);
    upper.rows.iter().zip(&upper.columns).map(|(row, column)| row + column).collect()
}

/// `mean_{i != j} k(x_i, x_j) + mean_{i != j} k(y_i, y_j) - 2 mean_{i, j} k(x_i, y_j)`, unbiased,
/// with the standard error of the delete-one jackknife over the points of both sets.
///
/// Where the two distributions agree the statistic is degenerate, and the jackknife's variance is
/// then twice the true one: near the floor the standard error is cautious by a factor of `sqrt(2)`.
pub(crate) fn u_statistic<K: PairFunction>(
    kernel: &K,
    a: Points<'_>,
    b: Points<'_>,
    name: &'static str,
) -> Result<Score, EvalError> {
    shared_dim(a, b)?;
    let smaller = at_least(3, a, b, name)?;
    let (columns_a, columns_b) = (Columns::new(a), Columns::new(b));
    let cross = sums(kernel, a, &columns_b, |_| 0);
    let (aa, bb) = (sums_within(kernel, a, &columns_a), sums_within(kernel, b, &columns_b));
    let (total_aa, total_bb, total_ab) = (sum(&aa), sum(&bb), sum(&cross.rows));

    let (n, m) = (a.len() as f64, b.len() as f64);
    let within = |total: f64, n: f64| total / (n * (n - 1.0));
    let statistic = |mean_aa: f64, mean_bb: f64, mean_ab: f64| mean_aa + mean_bb - 2.0 * mean_ab;
    let (mean_aa, mean_bb) = (within(total_aa, n), within(total_bb, m));
    let value = statistic(mean_aa, mean_bb, total_ab / (n * m));

    let without_a = aa.iter().zip(&cross.rows).map(|(own, other)| {
        let mean_aa = within(total_aa - 2.0 * own, n - 1.0);
        statistic(mean_aa, mean_bb, (total_ab - other) / ((n - 1.0) * m))
    });
    let without_b = bb.iter().zip(&cross.columns).map(|(own, other)| {
        let mean_bb = within(total_bb - 2.0 * own, m - 1.0);
        statistic(mean_aa, mean_bb, (total_ab - other) / (n * (m - 1.0)))
    });
    let variance = jackknife_variance(&without_a.collect::<Vec<_>>())
        + jackknife_variance(&without_b.collect::<Vec<_>>());
    Score::lower(name, value, smaller).with_std_error(variance.sqrt()).measured()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pairwise::SquaredDistance;

    fn mean(pairs: impl Iterator<Item = f64>) -> f64 {
        let (count, total) = pairs.fold((0, 0.0), |(n, total), x| (n + 1, total + x));
        total / f64::from(count)
    }

    /// The statistic of the squared distance by its definition, without point `without` of either
    /// set.
    fn brute_force(a: &[f32], b: &[f32], without: (Option<usize>, Option<usize>)) -> f64 {
        let keep = |x: &[f32], without| -> Vec<f64> {
            let kept = x.iter().enumerate().filter(|(i, _)| Some(*i) != without);
            kept.map(|(_, x)| f64::from(*x)).collect()
        };
        let (a, b) = (keep(a, without.0), keep(b, without.1));
        let within =
            |x: &[f64]| mean((0..x.len()).flat_map(|i| (0..i).map(move |j| (x[i] - x[j]).powi(2))));
        let across = mean(a.iter().flat_map(|x| b.iter().map(move |y| (x - y).powi(2))));
        within(&a) + within(&b) - 2.0 * across
    }

    #[test]
    fn value_and_jackknife_are_those_of_the_definition() {
        // More points than a tile has columns, and no multiple of it.
        let a: Vec<f32> = (0..150_u16).map(|i| f32::from(i * i % 97)).collect();
        let b: Vec<f32> = (0..131_u16).map(|i| f32::from(i * i % 83)).collect();
        let [points_a, points_b] = [&a, &b].map(|rows| Points::new(rows, 1).unwrap());
        let score = u_statistic(&SquaredDistance, points_a, points_b, "").unwrap();

        let without_a: Vec<f64> = (0..150).map(|i| brute_force(&a, &b, (Some(i), None))).collect();
        let without_b: Vec<f64> = (0..131).map(|i| brute_force(&a, &b, (None, Some(i)))).collect();
        let variance = jackknife_variance(&without_a) + jackknife_variance(&without_b);
        // Values of about 1,000, added in other orders.
        let expected = brute_force(&a, &b, (None, None));
        assert!((score.value - expected).abs() < 1e-9, "{} {expected}", score.value);
        let std_error = score.std_error.unwrap();
        assert!((std_error - variance.sqrt()).abs() < 1e-9, "{std_error} {}", variance.sqrt());
    }
}
