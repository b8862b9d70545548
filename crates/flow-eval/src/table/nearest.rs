//! Distances of generated rows to the rows that a model was trained on.

use serde::Serialize;

use crate::pairwise::{Columns, Manhattan, for_each_pair, map_blocks};
use crate::points::shared_dim;
use crate::{EvalError, Points, Score};

/// The `l1` distance of each point to its nearest of another set.
pub(crate) fn nearest(points: Points<'_>, others: Points<'_>) -> Vec<f64> {
    over_others(points, others, f64::INFINITY, |least, _, values| {
        *least = values.iter().copied().fold(*least, f64::min);
    })
}

/// The `k` nearest of `others` to each point with their `l1` distances, the nearest first; of equal
/// distances the row that comes first.
pub(crate) fn nearest_k(
    points: Points<'_>,
    others: Points<'_>,
    k: usize,
) -> Vec<Vec<(f64, usize)>> {
    over_others(points, others, Vec::with_capacity(k + 1), |kept, first, values| {
        for (at, &distance) in values.iter().enumerate() {
            let rank = kept.partition_point(|(x, _)| *x <= distance);
            if rank < k {
                kept.insert(rank, (distance, first + at));
                kept.truncate(k);
            }
        }
    })
}

/// What each point keeps of its `l1` distances to another set, which come in parts, each with the
/// number of its first row.
fn over_others<T: Clone + Send + Sync>(
    points: Points<'_>,
    others: Points<'_>,
    empty: T,
    take: impl Fn(&mut T, usize, &[f64]) + Sync,
) -> Vec<T> {
    let columns = Columns::new(others);
    let blocks = map_blocks(points.len(), |range| {
        let offset = range.start;
        let mut kept = vec![empty.clone(); range.len()];
        let visit = |i: usize, first: usize, values: &mut [f64]| {
            take(&mut kept[i - offset], first, values);
        };
        for_each_pair(&Manhattan, points, range, &columns, |_| 0, visit);
        kept
    });
    blocks.concat()
}

/// How near generated rows come to the training rows, beside held-out rows.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Memorisation {
    /// Mean distance of a generated row to its nearest training row. The floor is that of the
    /// held-out rows: further below it is nearer than real rows are.
    pub distance: Score,
    /// Probability that a generated row is nearer to the training rows than a held-out row is, ties
    /// counted by half. One half is what real rows have; above, rows are copied or nearly so.
    pub nearer: Score,
}

/// Compares the distances of generated and of held-out rows to the nearest training row, in `l1`.
///
/// A model that repeats its training rows scores well in every distance to them and is useless,
/// and with few rows that is easy. Rows of a table go through [`Gower`](crate::Gower) first. The
/// standard error of the probability is that of both sets, by its influence on each row (DeLong,
/// DeLong & Clarke-Pearson 1988), which one row does not have.
///
/// # Errors
/// Sets of different dimensions, and sums beyond the range of `f64`.
///
/// # Reference
/// Meehan, Chaudhuri & Dasgupta (2020), "A Non-Parametric Test to Detect Data-Copying in Generative
/// Models", arXiv:2004.05675: the statistic, without their cells.
pub fn memorisation(
    generated: Points<'_>,
    train: Points<'_>,
    held_out: Points<'_>,
) -> Result<Memorisation, EvalError> {
    shared_dim(generated, train)?;
    shared_dim(held_out, train)?;
    let [mut made, mut real] = [generated, held_out].map(|rows| nearest(rows, train));
    let floor = real.iter().sum::<f64>() / real.len() as f64;
    let distance = Score::higher("distance to the nearest training row", 0.0, made.len());
    let distance = distance.with_mean_of(&made).measured()?;
    let distance = if floor.is_finite() { distance.with_floor(floor) } else { distance };

    made.sort_unstable_by(f64::total_cmp);
    real.sort_unstable_by(f64::total_cmp);
    let above: Vec<f64> = made.iter().map(|&x| 1.0 - share_below(&real, x)).collect();
    let below: Vec<f64> = real.iter().map(|&x| share_below(&made, x)).collect();
    let n = made.len().min(real.len());
    let made = Score::lower("nearer to training rows than held-out", 0.0, n).with_mean_of(&above);
    let real = Score::lower("", 0.0, n).with_mean_of(&below);
    let std_error = made.std_error.zip(real.std_error).map(|(a, b)| a.hypot(b));
    let nearer = Score { std_error, ..made }.with_floor(0.5);
    Ok(Memorisation { distance, nearer })
}

/// The share of sorted numbers below `x`, those equal to it counted by half.
fn share_below(sorted: &[f64], x: f64) -> f64 {
    let below = sorted.partition_point(|&y| y < x);
    let equal = sorted[below..].partition_point(|&y| y <= x);
    (below as f64 + 0.5 * equal as f64) / sorted.len() as f64
}
