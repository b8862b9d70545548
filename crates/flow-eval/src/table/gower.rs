//! Rows of a table as points in which distances mean something.

use crate::table::column::Column;
use crate::{EvalError, Points};

/// The space of Gower's distance: every column adds at most 1 to the `l1` distance of two rows.
///
/// A number becomes `(x - min) / (max - min)` with the range of the training rows, not clipped; a
/// column that is constant in them is only shifted. A category becomes a half at its own place of
/// as many as there are categories, so that two different ones are at the distance 1.
///
/// ```
/// use flow_eval::{Column, Gower, Points};
///
/// let train = [10.0, 0.0, 30.0, 2.0];
/// let gower = Gower::fit(Points::new(&train, 2)?, &[Column::Number, Column::Category(3)])?;
/// assert_eq!(gower.embed(Points::new(&[25.0, 1.0], 2)?)?, [0.75, 0.0, 0.5, 0.0]);
/// # Ok::<(), flow_eval::EvalError>(())
/// ```
///
/// # Reference
/// Gower (1971), "A General Coefficient of Similarity and Some of Its Properties", Biometrics 27;
/// as the protocol of Jolicoeur-Martineau, Fatras & Kachman (2024), arXiv:2309.09968, has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Gower {
    columns: Vec<Column>,
    /// Least number and range of each column.
    ranges: Vec<(f64, f64)>,
}

impl Gower {
    /// The space of some training rows, whose columns are of the given kinds.
    ///
    /// # Errors
    /// When there is not one kind for each column, or a category is none of its column.
    pub fn fit(train: Points<'_>, columns: &[Column]) -> Result<Self, EvalError> {
        Column::check(columns, train)?;
        let range = |column| {
            let values = Column::of(train, column);
            let low = values.iter().copied().fold(f64::INFINITY, f64::min);
            let span = values.iter().copied().fold(f64::NEG_INFINITY, f64::max) - low;
            (low, if span == 0.0 { 1.0 } else { span })
        };
        Ok(Self { columns: columns.to_vec(), ranges: (0..train.dim()).map(range).collect() })
    }

    /// Numbers in a row of the space.
    #[must_use]
    pub fn dim(&self) -> usize {
        let width = |column: &Column| match *column {
            Column::Number => 1,
            Column::Category(levels) => levels,
        };
        self.columns.iter().map(width).sum()
    }

    /// Rows of the table as rows of the space, [`Gower::dim`] numbers each.
    ///
    /// # Errors
    /// When rows have other columns, or a category is none of its column.
    pub fn embed(&self, rows: Points<'_>) -> Result<Vec<f32>, EvalError> {
        Column::check(&self.columns, rows)?;
        let mut embedded = Vec::with_capacity(rows.len() * self.dim());
        for row in rows.rows() {
            for ((&value, column), (low, span)) in row.iter().zip(&self.columns).zip(&self.ranges) {
                match *column {
                    Column::Number => {
                        // Numbers far beyond the training range stay within those of `f32`.
                        let scaled = ((f64::from(value) - low) / span) as f32;
                        embedded.push(scaled.clamp(f32::MIN, f32::MAX));
                    }
                    Column::Category(levels) => {
                        let half = |k: usize| if k == value as usize { 0.5 } else { 0.0 };
                        embedded.extend((0..levels).map(half));
                    }
                }
            }
        }
        Ok(embedded)
    }
}
