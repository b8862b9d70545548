//! All pairs of two sets, in tiles that stay in the cache and fill the vector units.

use std::ops::Range;

use rayon::prelude::*;

use crate::Points;

/// Columns whose sums stay in registers while the coordinates pass.
const LANES: usize = 8;

/// Columns that one row meets at a time: with a few hundred dimensions a tile fits the L2 cache.
const TILE: usize = 16 * LANES;

/// Blocks of rows that are worked on in parallel. Fixed, so that sums do not depend on the threads.
const BLOCKS: usize = 64;

/// What is known of a pair of points: a sum over their coordinates, then a function of it.
pub(crate) trait PairFunction: Sync {
    /// The term of one coordinate.
    fn term(x: f64, y: f64) -> f64;

    /// Turns the sums over the coordinates into the values.
    fn finish(&self, sums: &mut [f64]);
}

/// `|x - y|^2`
pub(crate) struct SquaredDistance;

impl PairFunction for SquaredDistance {
    fn term(x: f64, y: f64) -> f64 {
        (x - y) * (x - y)
    }

    fn finish(&self, _: &mut [f64]) {}
}

/// `sum_k |x_k - y_k|`
pub(crate) struct Manhattan;

impl PairFunction for Manhattan {
    fn term(x: f64, y: f64) -> f64 {
        (x - y).abs()
    }

    fn finish(&self, _: &mut [f64]) {}
}

/// A set laid out for [`for_each_pair`]: in groups of columns, each `[dim, LANES]`, padded with
/// zeros.
pub(crate) struct Columns {
    groups: Vec<f32>,
    len: usize,
    dim: usize,
}

impl Columns {
    pub(crate) fn new(points: Points<'_>) -> Self {
        let (len, dim) = (points.len(), points.dim());
        let mut groups = vec![0.0; len.next_multiple_of(LANES) * dim];
        for (j, row) in points.rows().enumerate() {
            let group = &mut groups[j / LANES * LANES * dim..];
            for (k, &x) in row.iter().enumerate() {
                group[k * LANES + j % LANES] = x;
            }
        }
        Self { groups, len, dim }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }
}

/// Visits the pairs of some rows with all columns from `first_column(row)` on.
///
/// `visit` gets the row, a column and the values for that column and the ones after it.
pub(crate) fn for_each_pair<F: PairFunction>(
    function: &F,
    rows: Points<'_>,
    range: Range<usize>,
    columns: &Columns,
    first_column: impl Fn(usize) -> usize,
    mut visit: impl FnMut(usize, usize, &mut [f64]),
) {
    let mut values = [0.0; TILE];
    for (index, tile) in columns.groups.chunks(TILE * columns.dim).enumerate() {
        let start = index * TILE;
        let end = columns.len.min(start + TILE);
        for i in range.clone() {
            let first = first_column(i).max(start);
            if first >= end {
                continue;
            }
            let groups = tile.chunks_exact(LANES * columns.dim);
            for (values, group) in values.as_chunks_mut().0.iter_mut().zip(groups) {
                *values = sum_terms(F::term, rows.row(i), group);
            }
            let values = &mut values[first - start..end - start];
            function.finish(values);
            visit(i, first, values);
        }
    }
}

fn sum_terms(term: impl Fn(f64, f64) -> f64, row: &[f32], group: &[f32]) -> [f64; LANES] {
    let mut sums = [0.0; LANES];
    for (&x, ys) in row.iter().zip(group.as_chunks::<LANES>().0) {
        for (sum, &y) in sums.iter_mut().zip(ys) {
            *sum += term(f64::from(x), f64::from(y));
        }
    }
    sums
}

/// Maps blocks of the rows `0..n` in parallel, in the order of the rows.
pub(crate) fn map_blocks<T: Send>(n: usize, map: impl Fn(Range<usize>) -> T + Sync) -> Vec<T> {
    let block = n.div_ceil(BLOCKS);
    (0..n.div_ceil(block))
        .into_par_iter()
        .map(|index| map(index * block..n.min((index + 1) * block)))
        .collect()
}

/// A sum in four lanes.
pub(crate) fn sum(values: &[f64]) -> f64 {
    let (quads, rest) = values.as_chunks::<4>();
    let mut lanes = [0.0; 4];
    for quad in quads {
        for (lane, x) in lanes.iter_mut().zip(quad) {
            *lane += x;
        }
    }
    lanes.iter().sum::<f64>() + rest.iter().sum::<f64>()
}
