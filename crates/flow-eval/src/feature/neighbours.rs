//! Balls that reach to the k-th neighbour: a set's estimate of its own support.

use crate::pairwise::{Columns, SquaredDistance, for_each_pair, map_blocks};
use crate::{EvalError, Points};

/// A ball around each point of a set, up to its k-th nearest other point.
pub(crate) struct Balls<'a> {
    centres: Points<'a>,
    columns: Columns,
    squared_radii: Vec<f64>,
}

impl<'a> Balls<'a> {
    pub(crate) fn new(centres: Points<'a>, k: usize) -> Result<Self, EvalError> {
        if k == 0 {
            return Err(EvalError::Parameter { name: "k", value: 0.0, expected: "at least 1" });
        }
        let n = centres.len();
        if n <= k {
            return Err(EvalError::TooFew { metric: "a k-th neighbour", n, needed: k + 1 });
        }
        let columns = Columns::new(centres);
        let squared_radii = map_blocks(n, |range| {
            let offset = range.start;
            let mut nearest = vec![f64::INFINITY; range.len() * k];
            for_each_pair(
                &SquaredDistance,
                centres,
                range,
                &columns,
                |_| 0,
                |i, j, values| {
                    let nearest = &mut nearest[(i - offset) * k..][..k];
                    for (j, &value) in (j..).zip(values.iter()) {
                        if j != i && value < nearest[k - 1] {
                            let rank = nearest.partition_point(|&x| x <= value);
                            nearest[rank..].rotate_right(1);
                            nearest[rank] = value;
                        }
                    }
                },
            );
            nearest.chunks_exact(k).map(|nearest| nearest[k - 1]).collect::<Vec<_>>()
        });
        Ok(Self { centres, columns, squared_radii: squared_radii.concat() })
    }

    /// How many balls hold each point.
    pub(crate) fn around(&self, points: Points<'_>) -> Vec<usize> {
        let counts = map_blocks(points.len(), |range| {
            let offset = range.start;
            let mut counts = vec![0; range.len()];
            for_each_pair(
                &SquaredDistance,
                points,
                range,
                &self.columns,
                |_| 0,
                |i, j, values| {
                    let radii = &self.squared_radii[j..];
                    counts[i - offset] += values.iter().zip(radii).filter(|(d, r)| d <= r).count();
                },
            );
            counts
        });
        counts.concat()
    }

    /// How many balls hold at least one of the points.
    pub(crate) fn occupied(&self, points: Points<'_>) -> usize {
        let columns = Columns::new(points);
        let counts = map_blocks(self.centres.len(), |range| {
            let offset = range.start;
            let mut hit = vec![false; range.len()];
            for_each_pair(
                &SquaredDistance,
                self.centres,
                range,
                &columns,
                |_| 0,
                |i, _, values| {
                    hit[i - offset] |= values.iter().any(|&d| d <= self.squared_radii[i]);
                },
            );
            hit.into_iter().filter(|hit| *hit).count()
        });
        counts.into_iter().sum()
    }
}
