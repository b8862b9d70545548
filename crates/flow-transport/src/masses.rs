//! Optimal transport between masses, exactly: sets of different sizes.

use crate::{CostMatrix, TransportError};

/// Mass that goes from a row to a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shipment {
    /// Where it comes from.
    pub row: usize,
    /// Where it goes to.
    pub column: usize,
    /// How much it is, above zero.
    pub mass: u64,
}

/// The cheapest plan that moves `rows[i]` units out of each row and `columns[j]` into each column.
///
/// Masses are whole numbers, so that plans add up without rounding: to weigh `n` points evenly
/// against `m`, give each row `m` units and each column `n`. Shipments come in the order of the
/// columns. Of plans of equal cost one is found, the same one each time.
///
/// Each row in turn sends its units along shortest paths of reduced costs until none is left. One
/// path takes `O(n m)` and there are about as many as shipments, at least as many as rows: give the
/// larger set as rows. For equal masses on both sides [`assign`](crate::assign) is much faster.
///
/// # Errors
/// If the masses do not add up to the same, or the forbidden pairs allow no plan.
///
/// # Panics
/// If there is not one mass for each row and each column, or they add up beyond a `u64`.
///
/// # Reference
/// Ahuja, Magnanti & Orlin (1993), "Network Flows", section 9.7, successive shortest paths.
pub fn transport(
    cost: &CostMatrix,
    rows: &[u64],
    columns: &[u64],
) -> Result<Vec<Shipment>, TransportError> {
    let expected = (cost.rows(), cost.columns());
    let got = (rows.len(), columns.len());
    assert_eq!(expected, got, "expected masses of {expected:?} rows and columns, got {got:?}");
    let [out, into] = [rows, columns].map(total);
    if out != into {
        return Err(TransportError::Masses { rows: out, columns: into });
    }
    let mut network = Network::new(cost, columns);
    for (row, &mass) in rows.iter().enumerate() {
        let mut left = mass;
        while 0 < left {
            left -= network.send(row, left)?;
        }
    }
    let of_column = |(column, sources): (usize, &Vec<(usize, u64)>)| {
        let shipment = move |&(row, mass): &(usize, u64)| Shipment { row, column, mass };
        sources.iter().map(shipment).collect::<Vec<_>>()
    };
    Ok(network.sources.iter().enumerate().flat_map(of_column).collect())
}

fn total(masses: &[u64]) -> u64 {
    let sum = masses.iter().try_fold(0_u64, |sum, &mass| sum.checked_add(mass));
    sum.expect("masses that add up to a u64")
}

/// The plan so far, optimal for the mass that it moves, with the dual variables that prove it.
struct Network<'a> {
    cost: &'a CostMatrix,
    /// `cost[i][j] >= row_duals[i] + column_duals[j]`, with equality where mass moves.
    row_duals: Vec<f64>,
    column_duals: Vec<f64>,
    /// Which rows send to each column, and how much.
    sources: Vec<Vec<(usize, u64)>>,
    /// Units that each column still takes.
    room: Vec<u64>,
}

/// A search for the nearest column with room.
struct Search {
    /// Distances, infinite where nothing is known, and the row that a column is reached from.
    to_column: Vec<f64>,
    from_row: Vec<usize>,
    settled: Vec<bool>,
    /// Rows that are reached, their distances, and the column that each is reached from.
    reached: Vec<(usize, f64)>,
    from_column: Vec<Option<usize>>,
}

impl<'a> Network<'a> {
    fn new(cost: &'a CostMatrix, columns: &[u64]) -> Self {
        let least = |i: usize| cost.row(i).iter().copied().fold(f64::INFINITY, f64::min);
        Self {
            cost,
            row_duals: (0..cost.rows()).map(least).collect(),
            column_duals: vec![0.0; columns.len()],
            sources: vec![Vec::new(); columns.len()],
            room: columns.to_vec(),
        }
    }

    /// Sends up to `most` units from a row to the nearest column with room, and says how many.
    fn send(&mut self, row: usize, most: u64) -> Result<u64, TransportError> {
        let (rows, columns) = (self.cost.rows(), self.cost.columns());
        let mut search = Search {
            to_column: vec![f64::INFINITY; columns],
            from_row: vec![row; columns],
            settled: vec![false; columns],
            reached: vec![(row, 0.0)],
            from_column: vec![None; rows],
        };
        let mut looked_from = 0;
        let end = loop {
            while let Some(&(from, distance)) = search.reached.get(looked_from) {
                self.look(&mut search, from, distance);
                looked_from += 1;
            }
            let open = (0..columns).filter(|&j| !search.settled[j]);
            let nearest = open.min_by(|&a, &b| search.to_column[a].total_cmp(&search.to_column[b]));
            let Some(column) = nearest.filter(|&j| search.to_column[j].is_finite()) else {
                return Err(TransportError::Infeasible { side: "row", index: row });
            };
            if 0 < self.room[column] {
                break column;
            }
            search.settled[column] = true;
            let distance = search.to_column[column];
            for &(source, _) in &self.sources[column] {
                if source != row && search.from_column[source].is_none() {
                    search.from_column[source] = Some(column);
                    search.reached.push((source, distance));
                }
            }
        };
        self.raise_duals(&search, search.to_column[end]);
        Ok(self.augment(&search, row, end, most))
    }

    /// Improves the distances of the columns by those over one row.
    fn look(&self, search: &mut Search, row: usize, distance: f64) {
        let shift = distance - self.row_duals[row];
        let allowed = |(_, cost): &(usize, &f64)| cost.is_finite();
        for (j, &cost) in self.cost.row(row).iter().enumerate().filter(allowed) {
            // Rounding must not make a way shorter than its beginning.
            let over = (cost + shift - self.column_duals[j]).max(distance);
            if over < search.to_column[j] && !search.settled[j] {
                search.to_column[j] = over;
                search.from_row[j] = row;
            }
        }
    }

    fn raise_duals(&mut self, search: &Search, end: f64) {
        for &(row, distance) in &search.reached {
            self.row_duals[row] += end - distance;
        }
        for (j, &settled) in search.settled.iter().enumerate() {
            if settled {
                self.column_duals[j] -= end - search.to_column[j];
            }
        }
    }

    /// Moves as many units as fit along the path that ends at a column.
    fn augment(&mut self, search: &Search, start: usize, end: usize, most: u64) -> u64 {
        let mut mass = most.min(self.room[end]);
        let back = |column: usize| {
            let row = search.from_row[column];
            (row, search.from_column[row].filter(|_| row != start))
        };
        let mut at = end;
        while let (row, Some(column)) = back(at) {
            let sends = self.sources[column].iter().find(|(source, _)| *source == row);
            mass = mass.min(sends.expect("a row is reached from where it sends mass").1);
            at = column;
        }
        self.room[end] -= mass;
        let mut at = end;
        loop {
            let (row, before) = back(at);
            match self.sources[at].iter_mut().find(|(source, _)| *source == row) {
                Some((_, sent)) => *sent += mass,
                None => self.sources[at].push((row, mass)),
            }
            let Some(column) = before else { return mass };
            for (source, sent) in &mut self.sources[column] {
                if *source == row {
                    *sent -= mass;
                }
            }
            self.sources[column].retain(|(_, sent)| 0 < *sent);
            at = column;
        }
    }
}
