//! A set of points in a vector space: the input of every score.

use crate::EvalError;

/// A non-empty set of finite points, row-major: point `i` is `rows[i * dim..(i + 1) * dim]`.
///
/// A point may be a location in the plane, a flattened image or a vector of features.
///
/// ```
/// use flow_eval::Points;
///
/// let points = Points::new(&[0.0, 0.0, 3.0, 4.0], 2)?;
/// assert_eq!((points.len(), points.dim()), (2, 2));
/// assert_eq!(points.row(1), [3.0, 4.0]);
/// # Ok::<(), flow_eval::EvalError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Points<'a> {
    rows: &'a [f32],
    dim: usize,
}

impl<'a> Points<'a> {
    /// Views `rows` as points of dimension `dim`.
    ///
    /// # Errors
    /// When there are no points, when the last row is incomplete, and when a number is NaN or
    /// infinite.
    pub fn new(rows: &'a [f32], dim: usize) -> Result<Self, EvalError> {
        if rows.is_empty() || dim == 0 {
            return Err(EvalError::Empty);
        }
        if !rows.len().is_multiple_of(dim) {
            return Err(EvalError::PartialRow { len: rows.len(), dim });
        }
        if let Some(at) = rows.iter().position(|x| !x.is_finite()) {
            let (row, column, value) = (at / dim, at % dim, f64::from(rows[at]));
            return Err(EvalError::NotFinite { row, column, value });
        }
        Ok(Self { rows, dim })
    }

    /// Number of points, at least one.
    #[must_use]
    #[allow(clippy::len_without_is_empty, reason = "a set of points is never empty")]
    pub fn len(&self) -> usize {
        self.rows.len() / self.dim
    }

    /// Numbers in each point.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Point `i`.
    ///
    /// # Panics
    /// When there is no such point.
    #[must_use]
    pub fn row(&self, i: usize) -> &'a [f32] {
        &self.rows[i * self.dim..(i + 1) * self.dim]
    }

    /// All points in order.
    pub fn rows(&self) -> std::slice::ChunksExact<'a, f32> {
        self.rows.chunks_exact(self.dim)
    }

    /// All numbers, row-major.
    #[must_use]
    pub fn as_slice(&self) -> &'a [f32] {
        self.rows
    }

    /// The first `n` points, or all when there are fewer; at least one.
    ///
    /// Of a sorted set they are no sample: draw the rows, or shuffle the set, first.
    #[must_use]
    pub fn first(&self, n: usize) -> Self {
        let n = n.clamp(1, self.len());
        Self { rows: &self.rows[..n * self.dim], dim: self.dim }
    }

    /// The points of the given indices, one after another, for [`Points::from_parts`].
    pub(crate) fn gather(&self, indices: &[usize]) -> Vec<f32> {
        indices.iter().flat_map(|&i| self.row(i)).copied().collect()
    }

    /// Rows that are known to be finite and whole.
    pub(crate) fn from_parts(rows: &'a [f32], dim: usize) -> Self {
        debug_assert!(!rows.is_empty() && rows.len().is_multiple_of(dim));
        Self { rows, dim }
    }
}

/// The dimension that two sets share.
pub(crate) fn shared_dim(a: Points<'_>, b: Points<'_>) -> Result<usize, EvalError> {
    if a.dim == b.dim { Ok(a.dim) } else { Err(EvalError::Dimensions { a: a.dim, b: b.dim }) }
}

/// The number of points that two paired sets share.
pub(crate) fn shared_len(
    a: Points<'_>,
    b: Points<'_>,
    metric: &'static str,
) -> Result<usize, EvalError> {
    if a.len() == b.len() {
        Ok(a.len())
    } else {
        Err(EvalError::UnequalCounts { metric, a: a.len(), b: b.len() })
    }
}

/// The size of the smaller set, which must be at least `needed`.
pub(crate) fn at_least(
    needed: usize,
    a: Points<'_>,
    b: Points<'_>,
    metric: &'static str,
) -> Result<usize, EvalError> {
    let n = a.len().min(b.len());
    if n < needed { Err(EvalError::TooFew { metric, n, needed }) } else { Ok(n) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_points_are_refused() {
        assert_eq!(Points::new(&[], 2), Err(EvalError::Empty));
        assert_eq!(Points::new(&[1.0], 0), Err(EvalError::Empty));
    }

    #[test]
    fn an_incomplete_row_is_refused() {
        let error = EvalError::PartialRow { len: 3, dim: 2 };
        assert_eq!(Points::new(&[1.0, 2.0, 3.0], 2), Err(error));
    }

    #[test]
    fn the_first_number_that_is_not_finite_is_named() {
        let error = Points::new(&[1.0, 2.0, 3.0, f32::INFINITY], 2).unwrap_err();
        assert_eq!(error, EvalError::NotFinite { row: 1, column: 1, value: f64::INFINITY });
        assert!(Points::new(&[f32::NAN], 1).is_err());
    }
}
