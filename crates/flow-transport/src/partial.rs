//! The cheapest assignment of only some rows and columns.

use crate::assignment::assign_among_equals;
use crate::{CostMatrix, TransportError};

/// Pairs only `pairs` of the rows and columns one to one: those, and in that way, that cost least
/// together.
///
/// `columns[i]` of the result is the partner of row `i`, or `None` for the rows that are left out.
///
/// Solved exactly as an assignment with dummy partners for what is left out, of
/// `rows + columns - pairs` rows and columns: up to four times the memory of the costs.
///
/// # Errors
/// If more pairs are asked for than there are rows or columns, if no `pairs` of them avoid the
/// forbidden ones, or if the extended costs are too many for memory.
///
/// # Reference
/// Chapel, Alaya & Gasso (2020), "Partial Optimal Transport with Applications on Positive-Unlabeled
/// Learning", arXiv:2002.08276 (dummy points).
pub fn assign_some(cost: &CostMatrix, pairs: usize) -> Result<PartialAssignment, TransportError> {
    let (rows, columns) = (cost.rows(), cost.columns());
    if pairs > rows.min(columns) {
        return Err(TransportError::PairCount { pairs, rows, columns });
    }
    let (cost, _) = cost.in_safe_units()?;
    let largest = cost.largest();
    // Dearer than two real pairs, by an amount that neither drowns small costs nor is drowned.
    let dear = 2.0 * largest + if 0.0 < largest { largest.min(1.0) } else { 1.0 };
    let size = rows + columns - pairs;
    // Rows and columns beyond the real ones are dummies: free against real ones, dear against each
    // other.
    let extended = CostMatrix::from_fn(size, size, |i, j| match (i < rows, j < columns) {
        (true, true) => cost.row(i)[j],
        (false, false) => dear,
        _ => 0.0,
    })?;
    let found = match assign_among_equals(&extended) {
        Err(TransportError::Infeasible { .. }) => {
            return Err(TransportError::TooFewAllowed { pairs });
        }
        found => found?.columns,
    };
    let real = |&column: &usize| (column < columns).then_some(column);
    let (of_rows, of_dummies) = found.split_at(rows);
    Ok(PartialAssignment {
        columns: of_rows.iter().map(real).collect(),
        left_out: of_dummies.iter().filter_map(real).collect(),
    })
}

/// An assignment that leaves out some rows and some columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartialAssignment {
    /// The column of each row, `None` for a row that is left out.
    pub columns: Vec<Option<usize>>,
    /// The columns that are left out, in the order in which the solver left them.
    pub left_out: Vec<usize>,
}

impl PartialAssignment {
    /// The assigned pairs of a row and a column.
    pub fn pairs(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        self.columns.iter().enumerate().filter_map(|(i, &j)| j.map(|j| (i, j)))
    }
}
