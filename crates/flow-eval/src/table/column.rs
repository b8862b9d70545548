//! The kind of a column of a table.

use serde::{Deserialize, Serialize};

use crate::{EvalError, Points};

/// Most categories of a column: pairs of columns are counted in a table of both.
const MOST_LEVELS: usize = 4096;

/// What a column of a table holds. In [`Points`] a category is its number, from 0 on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Column {
    /// Numbers whose distance means something: measurements, counts, dates.
    Number,
    /// One of so many categories without an order, `0..levels`.
    Category(usize),
}

impl Column {
    /// Refuses kinds that do not fit the rows: one for each column, whose categories exist.
    pub(crate) fn check(columns: &[Self], rows: Points<'_>) -> Result<(), EvalError> {
        if columns.len() != rows.dim() {
            return Err(EvalError::ColumnCount { kinds: columns.len(), columns: rows.dim() });
        }
        for kind in columns {
            if let Self::Category(n) = *kind
                && MOST_LEVELS < n
            {
                return Err(EvalError::TooMany { metric: "a category", n, limit: MOST_LEVELS });
            }
        }
        for (row, values) in rows.rows().enumerate() {
            for (column, (&kind, &value)) in columns.iter().zip(values).enumerate() {
                if let Self::Category(levels) = kind
                    && !(value.fract() == 0.0 && 0.0 <= value && (value as usize) < levels)
                {
                    let value = f64::from(value);
                    return Err(EvalError::NotACategory { row, column, value, levels });
                }
            }
        }
        Ok(())
    }

    /// The values of one column.
    pub(crate) fn of(rows: Points<'_>, column: usize) -> Vec<f64> {
        rows.rows().map(|row| f64::from(row[column])).collect()
    }
}
