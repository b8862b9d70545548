//! The two sides of a batch, checked.

use flow_transport::{CostMatrix, squared_distances};

use crate::PathError;
use crate::error::Side;

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

/// Squared distances `|x1_i - x0_j|^2`: data rows against noise rows.
pub(super) fn costs(x0: &[f32], x1: &[f32], dim: usize) -> Result<CostMatrix, PathError> {
    row_count(x0, x1, dim)?;
    for (side, rows) in [(Side::Noise, x0), (Side::Data, x1)] {
        if let Some(k) = rows.iter().position(|x| !x.is_finite()) {
            return Err(PathError::NotFinite { side, row: k / dim, value: rows[k] });
        }
    }
    Ok(squared_distances(x1, x0, dim)?)
}
