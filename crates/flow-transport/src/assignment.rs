//! The linear assignment problem, exactly.

use crate::scan::{Tentative, lower_minima, two_least};
use crate::{CostMatrix, TransportError};

/// A cheapest one-to-one assignment, with the dual variables that prove it.
///
/// `row_duals[i] + column_duals[j] <= cost[i][j]` for all pairs, with equality on the assigned
/// ones. Where there are more rows than columns, or the reverse, the duals of the larger side are
/// at most zero, and zero for those that are left out.
#[derive(Clone, Debug, PartialEq)]
pub struct Assignment {
    /// The rows that are assigned, in increasing order: all of them unless there are fewer columns.
    pub rows: Vec<usize>,
    /// The column of each of them.
    pub columns: Vec<usize>,
    /// Dual variable of each row.
    pub row_duals: Vec<f64>,
    /// Dual variable of each column.
    pub column_duals: Vec<f64>,
}

impl Assignment {
    /// Total cost, the sum of all dual variables.
    #[must_use]
    pub fn cost(&self) -> f64 {
        self.row_duals.iter().sum::<f64>() + self.column_duals.iter().sum::<f64>()
    }

    /// The assigned pairs of a row and a column.
    pub fn pairs(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        self.rows.iter().copied().zip(self.columns.iter().copied())
    }

    /// The same pairs of the transposed costs.
    fn transposed(self) -> Self {
        let mut pairs: Vec<_> = self.pairs().map(|(i, j)| (j, i)).collect();
        pairs.sort_unstable();
        let (rows, columns) = pairs.into_iter().unzip();
        Self { rows, columns, row_duals: self.column_duals, column_duals: self.row_duals }
    }
}

/// Pairs rows with columns one to one, as many as the fewer of both, at the least total cost.
///
/// Time `O(m^2 n)` for `m <= n` of them, memory `O(m + n)` beside the costs (and a transposed copy
/// of them where rows are more than columns, and a third more for a large square). Column reduction
/// and augmenting row reduction settle most rows; a shortest augmenting path settles each of the
/// others. A large square starts from the duals of half its rows and columns, which are found in
/// the same way: the paths are a third as long then. Every loop runs over a whole row of costs, in
/// vectors. Of assignments of equal cost one is found, the same one each time.
///
/// An infinite cost forbids its pair. No rows or no columns give an empty assignment.
///
/// # Errors
/// If no assignment avoids the forbidden pairs, or memory has no room for the transposed costs.
///
/// # Reference
/// Jonker & Volgenant (1987), "A Shortest Augmenting Path Algorithm for Dense and Sparse Linear
/// Assignment Problems", Computing 38; the augmentation, and the case of more columns than rows,
/// follow Crouse (2016), "On Implementing 2D Rectangular Assignment Algorithms", IEEE Transactions
/// on Aerospace and Electronic Systems 52.
pub fn assign(cost: &CostMatrix) -> Result<Assignment, TransportError> {
    assign_halving(cost, WORTH_HALVING)
}

/// [`assign`] for costs of which many are equal by design: started in one piece, so that the choice
/// among equals stays that of the pairings which were trained with it.
pub(crate) fn assign_among_equals(cost: &CostMatrix) -> Result<Assignment, TransportError> {
    assign_halving(cost, usize::MAX)
}

/// An assignment that starts from half of the problem where it has `worth` rows or more.
fn assign_halving(cost: &CostMatrix, worth: usize) -> Result<Assignment, TransportError> {
    if cost.columns() < cost.rows() {
        return Ok(assign_halving(&cost.transposed()?, worth)?.transposed());
    }
    if cost.is_ordinary() {
        return assign_every_row(cost, worth);
    }
    let square = cost.rows() == cost.columns();
    if let Some(error) = cost.without_partner().filter(|e| square || e.is_about_a_row()) {
        return Err(error);
    }
    let (cost, unit) = cost.in_safe_units()?;
    let mut assignment = assign_every_row(&cost, worth)?;
    let duals = assignment.row_duals.iter_mut().chain(&mut assignment.column_duals);
    duals.for_each(|dual| *dual *= unit);
    Ok(assignment)
}

/// An assignment of every row, of which there are no more than columns.
fn assign_every_row(cost: &CostMatrix, worth: usize) -> Result<Assignment, TransportError> {
    let mut solver = Solver::new(cost);
    let all = 0..cost.rows();
    // A column that stays free must keep the dual zero, which either start would move.
    let mut free: Vec<usize> = if cost.rows() < cost.columns() {
        all.collect()
    } else if let Some(duals) = column_duals_from_half(cost, worth) {
        solver.column_duals = duals;
        all.collect()
    } else {
        solver.reduce_columns()
    };
    for _ in 0..2 {
        free = solver.reduce_rows(&free);
    }
    let row_duals = solver.row_duals();
    solver.augment_all(&free, row_duals)
}

/// The least size of a square that is worth a start from half of it.
const WORTH_HALVING: usize = 64;

/// Duals to start from, by an assignment of every other row and column of a square.
///
/// With the row duals `u` of that half, `v_j = min_i (cost[i][j] - u_i)` over its rows `i` is the
/// largest dual of column `j` that they allow (the c-transform of `u`). Where points are drawn from
/// one law, `u` is near what it is for all of them, and so is `v`. Any duals are a right start:
/// these only leave less to do. None if the square is small, if a column is forbidden to all of
/// those rows or they have no assignment, or if memory has no room for the half.
fn column_duals_from_half(cost: &CostMatrix, worth: usize) -> Option<Vec<f64>> {
    if cost.rows() < worth {
        return None;
    }
    let half = cost.every_other().ok()?;
    if half.without_partner().is_some() {
        return None;
    }
    let half = assign_every_row(&half, worth).ok()?;
    let mut duals = vec![f64::INFINITY; cost.columns()];
    for (i, u) in half.row_duals.iter().enumerate() {
        for (v, cost) in duals.iter_mut().zip(cost.row(2 * i)) {
            let reduced = cost - u;
            *v = if reduced < *v { reduced } else { *v };
        }
    }
    duals.iter().all(|v| v.is_finite()).then_some(duals)
}

const NONE: usize = usize::MAX;

struct Solver<'a> {
    cost: &'a CostMatrix,
    column_of: Vec<usize>,
    row_of: Vec<usize>,
    column_duals: Vec<f64>,
}

impl<'a> Solver<'a> {
    fn new(cost: &'a CostMatrix) -> Self {
        let (rows, columns) = (cost.rows(), cost.columns());
        Self {
            cost,
            column_of: vec![NONE; rows],
            row_of: vec![NONE; columns],
            column_duals: vec![0.0; columns],
        }
    }

    /// Gives each column its cheapest row, where that row is not taken yet; returns the free rows.
    fn reduce_columns(&mut self) -> Vec<usize> {
        let n = self.cost.columns();
        let mut cheapest = vec![0; n];
        self.column_duals.fill(f64::INFINITY);
        for i in 0..n {
            lower_minima(i, self.cost.row(i), &mut self.column_duals, &mut cheapest);
        }
        for (j, &i) in cheapest.iter().enumerate() {
            if self.column_of[i] == NONE {
                (self.column_of[i], self.row_of[j]) = (j, i);
            }
        }
        (0..n).filter(|&i| self.column_of[i] == NONE).collect()
    }

    /// Gives each free row its cheapest column, lowering that column's dual to the row's second
    /// choice; returns the rows displaced.
    fn reduce_rows(&mut self, free: &[usize]) -> Vec<usize> {
        let mut displaced = Vec::new();
        for &i in free {
            let (best, first, second) = two_least(self.cost.row(i), &self.column_duals);
            if second.is_finite() {
                self.column_duals[best] -= second - first;
            }
            let previous = std::mem::replace(&mut self.row_of[best], i);
            self.column_of[i] = best;
            if previous != NONE {
                self.column_of[previous] = NONE;
                displaced.push(previous);
            }
        }
        displaced
    }

    /// An assigned row's least reduced cost is that of its column.
    fn row_duals(&self) -> Vec<f64> {
        let duals = self.column_of.iter().enumerate().map(|(i, &j)| match j {
            NONE => two_least(self.cost.row(i), &self.column_duals).1,
            j => self.cost.row(i)[j] - self.column_duals[j],
        });
        duals.collect()
    }

    fn augment_all(
        mut self,
        free: &[usize],
        mut row_duals: Vec<f64>,
    ) -> Result<Assignment, TransportError> {
        let n = self.cost.columns();
        let mut search = Search {
            tentative: Tentative { distance: vec![0.0; n], from: vec![0; n], duals: vec![0.0; n] },
            done: vec![],
        };
        for &start in free {
            let (sink, length) = search.run(&self, &row_duals, start);
            if length == f64::INFINITY {
                return Err(TransportError::Infeasible { side: "row", index: start });
            }
            row_duals[start] += length;
            for &(j, distance) in &search.done {
                row_duals[self.row_of[j]] += length - distance;
                self.column_duals[j] -= length - distance;
            }
            let mut column = sink;
            loop {
                let row = search.tentative.from[column] as usize;
                self.row_of[column] = row;
                let previous = std::mem::replace(&mut self.column_of[row], column);
                if row == start {
                    break;
                }
                column = previous;
            }
        }
        let rows = (0..self.column_of.len()).collect();
        let (columns, column_duals) = (self.column_of, self.column_duals);
        Ok(Assignment { rows, columns, row_duals, column_duals })
    }
}

/// Dijkstra's search over columns along reduced costs.
struct Search {
    tentative: Tentative,
    /// The columns that were reached before the free one, and their distances.
    done: Vec<(usize, f64)>,
}

impl Search {
    /// The nearest unassigned column from a free row, and its distance: infinite if there is none.
    fn run(&mut self, solver: &Solver<'_>, row_duals: &[f64], start: usize) -> (usize, f64) {
        self.tentative.distance.fill(f64::INFINITY);
        self.tentative.duals.copy_from_slice(&solver.column_duals);
        self.done.clear();
        let (mut row, mut length) = (start, 0.0);
        loop {
            let offset = length - row_duals[row];
            // Among equals a free column ends the search.
            let is_free = |column: usize| solver.row_of[column] == NONE;
            let (nearest, least) = self.tentative.relax(row, offset, solver.cost.row(row), is_free);
            if solver.row_of[nearest] == NONE || least == f64::INFINITY {
                return (nearest, least);
            }
            self.done.push((nearest, least));
            self.tentative.distance[nearest] = f64::INFINITY;
            self.tentative.duals[nearest] = f64::NEG_INFINITY;
            (row, length) = (solver.row_of[nearest], least);
        }
    }
}
