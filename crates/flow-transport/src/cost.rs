//! Costs between the points of two sets.

use std::borrow::Cow;
use std::ops::Range;

use crate::TransportError;
use crate::scan::largest_magnitude;

/// A matrix of costs, row-major: rows of one set against rows of another.
///
/// Every entry is a number, or positive infinity for a pair that is forbidden: NaN and minus
/// infinity are refused where a matrix is made, so that no solver meets them.
#[derive(Clone, Debug, PartialEq)]
pub struct CostMatrix {
    rows: usize,
    columns: usize,
    values: Vec<f64>,
}

impl CostMatrix {
    /// The most bytes that the entries of one matrix may take, 4 GiB: 23,170 points against as
    /// many.
    ///
    /// Beyond it a matrix is refused rather than left to the system, which may promise memory that
    /// it does not have and end the process when the entries are written.
    pub const LARGEST_BYTES: u128 = 4 << 30;

    /// The matrix with entries `cost(row, column)`.
    ///
    /// # Errors
    /// If an entry is NaN or minus infinity, or the entries are too many for memory.
    pub fn from_fn(
        rows: usize,
        columns: usize,
        mut cost: impl FnMut(usize, usize) -> f64,
    ) -> Result<Self, TransportError> {
        let mut values = reserve(rows, columns)?;
        for i in 0..rows {
            values.extend((0..columns).map(|j| cost(i, j)));
        }
        Self::from_vec(rows, columns, values)
    }

    /// The matrix of the given entries, row after row.
    ///
    /// # Errors
    /// If an entry is NaN or minus infinity.
    ///
    /// # Panics
    /// If there are not `rows * columns` entries.
    pub fn from_vec(rows: usize, columns: usize, values: Vec<f64>) -> Result<Self, TransportError> {
        let entries = rows.checked_mul(columns);
        assert_eq!(entries, Some(values.len()), "expected {rows} rows of {columns} costs");
        let refused = |value: &f64| value.is_nan() || *value == f64::NEG_INFINITY;
        match values.iter().position(refused) {
            None => Ok(Self { rows, columns, values }),
            Some(at) => {
                let (row, column) = (at / columns, at % columns);
                Err(TransportError::Cost { row, column, value: values[at] })
            }
        }
    }

    /// A matrix of entries that are known to be numbers.
    pub(crate) fn of_numbers(rows: usize, columns: usize, values: Vec<f64>) -> Self {
        Self { rows, columns, values }
    }

    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// One row.
    ///
    /// # Panics
    /// If there is no such row.
    #[must_use]
    pub fn row(&self, i: usize) -> &[f64] {
        &self.values[i * self.columns..(i + 1) * self.columns]
    }

    /// All entries, row after row.
    #[must_use]
    pub fn as_slice(&self) -> &[f64] {
        &self.values
    }

    /// The costs of columns against rows.
    ///
    /// # Errors
    /// If memory has no room for a second matrix.
    pub fn transposed(&self) -> Result<Self, TransportError> {
        let mut values = reserve(self.columns, self.rows)?;
        for j in 0..self.columns {
            values.extend((0..self.rows).map(|i| self.values[i * self.columns + j]));
        }
        Ok(Self { rows: self.columns, columns: self.rows, values })
    }

    /// The costs of the first, third, fifth row against as many columns.
    pub(crate) fn every_other(&self) -> Result<Self, TransportError> {
        let (rows, columns) = (self.rows.div_ceil(2), self.columns.div_ceil(2));
        let mut values = reserve(rows, columns)?;
        for i in 0..rows {
            values.extend(self.row(2 * i).iter().step_by(2));
        }
        Ok(Self { rows, columns, values })
    }

    /// Mean of the entries that are not forbidden; NaN if there are none.
    pub(crate) fn mean(&self) -> f64 {
        let finite = || self.values.iter().filter(|cost| cost.is_finite());
        finite().sum::<f64>() / finite().count() as f64
    }

    /// The largest magnitude of an entry that is not forbidden.
    pub(crate) fn largest(&self) -> f64 {
        let largest = largest_magnitude(&self.values);
        if largest.is_finite() {
            return largest;
        }
        let finite: Vec<f64> = self.values.iter().copied().filter(|c| c.is_finite()).collect();
        largest_magnitude(&finite)
    }

    /// Whether every entry is finite and of a size at which sums neither overflow nor vanish.
    pub(crate) fn is_ordinary(&self) -> bool {
        SAFE.contains(&largest_magnitude(&self.values))
    }

    /// A row or a column whose every pair is forbidden, as the error that says so.
    pub(crate) fn without_partner(&self) -> Option<TransportError> {
        let may_pair = |cost: &f64| cost.is_finite();
        let error = |side, index| TransportError::Infeasible { side, index };
        if let Some(row) = (0..self.rows).find(|&i| !self.row(i).iter().any(may_pair)) {
            return Some(error("row", row));
        }
        let column = |j: usize| self.values[j..].iter().step_by(self.columns).any(may_pair);
        (0..self.columns).find(|&j| !column(j)).map(|j| error("column", j))
    }

    /// The same problem in units in which sums of costs neither overflow nor vanish, and that unit.
    ///
    /// Units are powers of two, so that no digit is lost; costs of ordinary size stay as they are.
    pub(crate) fn in_safe_units(&self) -> Result<(Cow<'_, Self>, f64), TransportError> {
        let largest = self.largest();
        if largest == 0.0 || SAFE.contains(&largest) {
            return Ok((Cow::Borrowed(self), 1.0));
        }
        let unit = if 1.0 < largest { 2f64.powi(200) } else { 2f64.powi(-500) };
        let mut values = reserve(self.rows, self.columns)?;
        values.extend(self.values.iter().map(|cost| cost / unit));
        Ok((Cow::Owned(Self { values, ..*self }), unit))
    }
}

/// Magnitudes of which a million can be added, and a millionth resolved.
const SAFE: Range<f64> = 1e-270..1e270;

/// Room for the entries of a matrix, if memory has it.
fn reserve(rows: usize, columns: usize) -> Result<Vec<f64>, TransportError> {
    let bytes = 8 * rows as u128 * columns as u128;
    let limit = CostMatrix::LARGEST_BYTES;
    let mut values = Vec::new();
    if bytes > limit || values.try_reserve_exact(rows * columns).is_err() {
        return Err(TransportError::TooLarge { rows, columns, bytes, limit });
    }
    Ok(values)
}

/// Room for as many costs as [`reserve`] gives, filled with zeros.
pub(crate) fn zeros(rows: usize, columns: usize) -> Result<Vec<f64>, TransportError> {
    let mut values = reserve(rows, columns)?;
    values.resize(rows * columns, 0.0);
    Ok(values)
}
