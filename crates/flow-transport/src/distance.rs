//! Squared Euclidean distances as costs.

use crate::TransportError;
use crate::cost::{CostMatrix, zeros};
use crate::scan::add_squared_differences;

/// Squared Euclidean distances `|a_i - b_j|^2` between the rows of two sets, `dim` numbers each.
///
/// In 8 dimensions or more squares are added in single precision within blocks, which vectorises,
/// and in double precision across them; where single precision would overflow or lose digits the
/// distance is formed again in double precision. So a distance is within `5e-6` of its value,
/// relatively, whatever finite numbers the rows hold.
///
/// # Errors
/// If a number is not finite, or the distances are too many for memory.
///
/// # Panics
/// If `dim` is zero, or a set is not made of whole rows.
pub fn squared_distances(a: &[f32], b: &[f32], dim: usize) -> Result<CostMatrix, TransportError> {
    assert!(0 < dim, "rows need at least one number");
    for (set, numbers) in [("first", a), ("second", b)] {
        let len = numbers.len();
        assert_eq!(len % dim, 0, "the {set} set has {len} numbers, not a multiple of {dim}");
        if let Some(k) = numbers.iter().position(|x| !x.is_finite()) {
            return Err(TransportError::Coordinate { set, row: k / dim, value: numbers[k] });
        }
    }
    let (rows, columns) = (a.len() / dim, b.len() / dim);
    let mut values = zeros(rows, columns)?;
    if columns == 0 {
        return Ok(CostMatrix::of_numbers(rows, columns, values));
    }
    if dim < LANES {
        by_coordinate(a, b, dim, &mut values);
    } else {
        for (row, a) in values.chunks_exact_mut(columns).zip(a.chunks_exact(dim)) {
            for (distance, b) in row.iter_mut().zip(b.chunks_exact(dim)) {
                *distance = squared_distance(a, b);
            }
        }
    }
    Ok(CostMatrix::of_numbers(rows, columns, values))
}

/// Numbers that are summed side by side.
const LANES: usize = 8;

/// In few dimensions, a coordinate of all columns at a time.
fn by_coordinate(a: &[f32], b: &[f32], dim: usize, values: &mut [f64]) {
    let columns = b.len() / dim;
    let coordinates: Vec<f32> =
        (0..dim).flat_map(|k| b.iter().skip(k).step_by(dim)).copied().collect();
    for (row, a) in values.chunks_exact_mut(columns).zip(a.chunks_exact(dim)) {
        for (&x, b) in a.iter().zip(coordinates.chunks_exact(columns)) {
            add_squared_differences(x, b, row);
        }
    }
    if largest(a) + largest(b) > f32::MAX {
        // Differences of single precision overflow between numbers of nearly the largest size.
        for (row, a) in values.chunks_exact_mut(columns).zip(a.chunks_exact(dim)) {
            for (distance, b) in row.iter_mut().zip(b.chunks_exact(dim)) {
                *distance = in_double_precision(a, b);
            }
        }
    }
}

fn largest(numbers: &[f32]) -> f32 {
    numbers.iter().fold(0.0, |largest, x| largest.max(x.abs()))
}

/// Single precision keeps its digits in squares above this one, even if thousands of them
/// underflow.
const LEAST_SINGLE: f64 = 1e-30;

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
    let distance = a.chunks(BLOCK).zip(b.chunks(BLOCK)).map(|(a, b)| block(a, b)).sum();
    if (LEAST_SINGLE..f64::INFINITY).contains(&distance) {
        distance
    } else {
        in_double_precision(a, b)
    }
}

/// Squares of `f32` differences lie between `1e-90` and `1e78`: no sum of them leaves an `f64`.
fn in_double_precision(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(&x, &y)| (f64::from(x) - f64::from(y)).powi(2)).sum()
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "small whole numbers and powers of two are exact")]
mod tests {
    use super::*;

    #[test]
    fn distances_of_every_finite_scale_keep_their_digits() {
        for dim in [1, 2, 7, 8, 20, 600] {
            for scale in [1e-40_f32, 1e-24, 1e-20, 1e-15, 1.0, 1e19, 1e30, 1e37] {
                // Rows of 0, 1, 2, 3 times the scale, the others in the opposite order.
                let set = |of: fn(usize) -> usize| -> Vec<f32> {
                    (0..4 * dim).map(|k| of(k / dim) as f32 * scale).collect()
                };
                let costs = squared_distances(&set(|i| i), &set(|i| 3 - i), dim).unwrap();
                for i in 0..4 {
                    for j in 0..4 {
                        let step = (i as f64 - (3 - j) as f64) * f64::from(scale);
                        let want = step * step * dim as f64;
                        let error = (costs.row(i)[j] - want).abs();
                        // 64 additions in single precision.
                        let tolerance = 5e-6;
                        assert!(error <= tolerance * want, "dim {dim}, scale {scale}: {error:e}");
                    }
                }
            }
        }
    }

    #[test]
    fn one_far_point_does_not_blur_the_others() {
        let mut a = vec![0.0_f32; 24];
        a[8..16].fill(1e30);
        a[16..].fill(1e-25);
        let costs = squared_distances(&a, &a[..8], 8).unwrap();
        let near = f64::from(1e-25_f32).powi(2) * 8.0;
        assert!((costs.row(2)[0] / near - 1.0).abs() < 1e-12, "{}", costs.row(2)[0]);
        assert!((costs.row(1)[0] / 8e60 - 1.0).abs() < 1e-6, "{}", costs.row(1)[0]);
        assert_eq!(costs.row(0)[0], 0.0);
    }
}
