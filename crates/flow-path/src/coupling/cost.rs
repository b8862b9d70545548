//! Transport costs within a batch.

use super::scan::add_squared_differences;
use crate::PathError;
use crate::error::Side;

/// A square matrix of costs, row-major: data rows against noise rows.
#[derive(Clone, Debug, PartialEq)]
pub struct CostMatrix {
    n: usize,
    values: Vec<f64>,
}

impl CostMatrix {
    /// The matrix of `n` rows and columns with entries `cost(row, column)`.
    pub fn from_fn(n: usize, mut cost: impl FnMut(usize, usize) -> f64) -> Self {
        let values = (0..n * n).map(|k| cost(k / n, k % n)).collect();
        Self { n, values }
    }

    /// Number of rows and of columns.
    #[must_use]
    pub fn size(&self) -> usize {
        self.n
    }

    /// One row.
    #[must_use]
    pub fn row(&self, i: usize) -> &[f64] {
        &self.values[i * self.n..(i + 1) * self.n]
    }

    /// All entries, row after row.
    #[must_use]
    pub fn as_slice(&self) -> &[f64] {
        &self.values
    }

    /// Mean over the rows of the cost of a pairing: `columns[i]` for row `i`.
    #[must_use]
    pub fn mean_cost(&self, columns: &[usize]) -> f64 {
        let total: f64 = columns.iter().enumerate().map(|(i, &j)| self.row(i)[j]).sum();
        total / self.n as f64
    }
}

/// Squared Euclidean distances `|x1_i - x0_j|^2` between the rows of a batch.
///
/// # Errors
/// If the batch is empty, its sides differ in size, or a number is not finite.
pub fn squared_distances(x0: &[f32], x1: &[f32], dim: usize) -> Result<CostMatrix, PathError> {
    let n = row_count(x0, x1, dim)?;
    check_finite(Side::Noise, x0, dim)?;
    check_finite(Side::Data, x1, dim)?;
    if dim < LANES {
        return Ok(CostMatrix { n, values: squared_distances_by_coordinate(x0, x1, dim) });
    }
    Ok(CostMatrix::from_fn(n, |i, j| {
        squared_distance(&x1[i * dim..(i + 1) * dim], &x0[j * dim..(j + 1) * dim])
    }))
}

/// In few dimensions, a coordinate of all columns at a time.
fn squared_distances_by_coordinate(x0: &[f32], x1: &[f32], dim: usize) -> Vec<f64> {
    let n = x0.len() / dim;
    let coordinates: Vec<f32> =
        (0..dim).flat_map(|k| x0.iter().skip(k).step_by(dim)).copied().collect();
    let mut values = vec![0.0; n * n];
    for (row, x1) in values.chunks_exact_mut(n).zip(x1.chunks_exact(dim)) {
        for (&x1, x0) in x1.iter().zip(coordinates.chunks_exact(n)) {
            add_squared_differences(x1, x0, row);
        }
    }
    values
}

/// Numbers that are summed side by side.
const LANES: usize = 8;

/// Number of rows on either side of a batch.
pub(super) fn row_count(x0: &[f32], x1: &[f32], dim: usize) -> Result<usize, PathError> {
    assert!(0 < dim, "rows need at least one number");
    for (side, len) in [(Side::Noise, x0.len()), (Side::Data, x1.len())] {
        assert_eq!(len % dim, 0, "the {side} has {len} numbers, not a multiple of {dim}");
    }
    let (noise, data) = (x0.len() / dim, x1.len() / dim);
    match (noise, data) {
        (0, 0) => Err(PathError::EmptyBatch),
        _ if noise != data => Err(PathError::RowCounts { noise, data }),
        _ => Ok(data),
    }
}

fn check_finite(side: Side, rows: &[f32], dim: usize) -> Result<(), PathError> {
    match rows.iter().position(|x| !x.is_finite()) {
        Some(k) => Err(PathError::NotFinite { side, row: k / dim }),
        None => Ok(()),
    }
}

/// Sums in single precision within blocks, which vectorises, and in double precision across them.
fn squared_distance(a: &[f32], b: &[f32]) -> f64 {
    const BLOCK: usize = 64 * LANES;
    let block = |a: &[f32], b: &[f32]| -> f64 {
        let mut lanes = [0.0f32; LANES];
        let (a_chunks, b_chunks) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
        let rest = a_chunks.remainder().iter().zip(b_chunks.remainder());
        let rest: f64 = rest.map(|(x, y)| f64::from(x - y).powi(2)).sum();
        for (x, y) in a_chunks.zip(b_chunks) {
            for lane in 0..LANES {
                let difference = x[lane] - y[lane];
                lanes[lane] += difference * difference;
            }
        }
        lanes.iter().copied().map(f64::from).sum::<f64>() + rest
    };
    a.chunks(BLOCK).zip(b.chunks(BLOCK)).map(|(a, b)| block(a, b)).sum()
}
