//! Wasserstein distance in any dimension, by the optimal assignment.

use crate::pairwise::{Columns, SquaredDistance, for_each_pair, map_blocks};
use crate::points::{shared_dim, shared_len};
use crate::{EvalError, Points, Score};

/// Most points to a set: their costs take `8 n^2` bytes, 128 MiB.
const LIMIT: usize = 4096;

/// Wasserstein distance of order 2 between two equally large sets, exactly.
///
/// `W_2^2 = min over permutations p of mean_i |x_i - y_p(i)|^2`, by shortest augmenting paths in
/// `O(n^3)`. Its floor falls as slowly as `n^(-1/dim)`, so it says little in high dimensions. It carries
/// no standard error of its own: use [`bootstrap`](crate::bootstrap).
///
/// # Errors
/// Sets of different dimensions or sizes, and more than 4,096 points.
///
/// # Reference
/// Jonker & Volgenant (1987), "A Shortest Augmenting Path Algorithm for Dense and Sparse Linear
/// Assignment Problems", Computing 38.
pub fn wasserstein_assignment(a: Points<'_>, b: Points<'_>) -> Result<Score, EvalError> {
    const NAME: &str = "Wasserstein-2";
    shared_dim(a, b)?;
    let n = shared_len(a, b, NAME)?;
    if n > LIMIT {
        return Err(EvalError::TooMany { metric: NAME, n, limit: LIMIT });
    }
    let columns = Columns::new(b);
    let costs = map_blocks(n, |range| {
        let offset = range.start;
        let mut block = vec![0.0; range.len() * n];
        for_each_pair(
            &SquaredDistance,
            a,
            range,
            &columns,
            |_| 0,
            |i, j, values| {
                block[(i - offset) * n + j..][..values.len()].copy_from_slice(values);
            },
        );
        block
    });
    Ok(Score::lower(NAME, (least_cost(&costs.concat(), n) / n as f64).sqrt(), n))
}

/// The least sum of one entry from each row and each column of an `n` by `n` matrix.
fn least_cost(cost: &[f64], n: usize) -> f64 {
    let mut matching =
        Matching { cost, n, column_of: vec![NONE; n], row_of: vec![NONE; n], price: vec![0.0; n] };
    let mut free = matching.reduce_columns();
    for _ in 0..2 {
        free = matching.reduce_rows(&free);
    }
    let mut search =
        Search { distance: vec![0.0; n], from: vec![0; n], open: vec![], done: vec![] };
    for row in free {
        matching.augment(row, &mut search);
    }
    matching.column_of.iter().zip(cost.chunks_exact(n)).map(|(&j, row)| row[j]).sum()
}

const NONE: usize = usize::MAX;

/// A partial assignment in which every row has a column of least reduced cost, `cost - price`.
struct Matching<'a> {
    cost: &'a [f64],
    n: usize,
    column_of: Vec<usize>,
    row_of: Vec<usize>,
    price: Vec<f64>,
}

impl Matching<'_> {
    fn row(&self, i: usize) -> &[f64] {
        &self.cost[i * self.n..(i + 1) * self.n]
    }

    /// Prices each column at its cheapest row and gives it to that row, where the row is free; returns
    /// the rows that stay free.
    fn reduce_columns(&mut self) -> Vec<usize> {
        let mut cheapest = vec![0; self.n];
        self.price.copy_from_slice(&self.cost[..self.n]);
        for (i, row) in self.cost.chunks_exact(self.n).enumerate() {
            for ((price, cheapest), &cost) in self.price.iter_mut().zip(&mut cheapest).zip(row) {
                if cost < *price {
                    (*price, *cheapest) = (cost, i);
                }
            }
        }
        for (j, i) in cheapest.into_iter().enumerate() {
            if self.column_of[i] == NONE {
                (self.column_of[i], self.row_of[j]) = (j, i);
            }
        }
        (0..self.n).filter(|&i| self.column_of[i] == NONE).collect()
    }

    /// Gives each free row its best column, at the price where its second choice is as good; returns
    /// the rows displaced.
    fn reduce_rows(&mut self, free: &[usize]) -> Vec<usize> {
        let mut displaced = Vec::new();
        for &i in free {
            let (mut best, mut first, mut second) = (0, f64::INFINITY, f64::INFINITY);
            for (j, (cost, price)) in self.row(i).iter().zip(&self.price).enumerate() {
                let reduced = cost - price;
                if reduced < first {
                    (best, first, second) = (j, reduced, first);
                } else if reduced < second {
                    second = reduced;
                }
            }
            if second.is_finite() {
                self.price[best] -= second - first;
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

    /// Assigns a free row along the shortest path to a free column.
    fn augment(&mut self, start: usize, search: &mut Search) {
        let mut column = search.run(self, start);
        let length = search.distance[column];
        for &j in &search.done {
            self.price[j] += search.distance[j] - length;
        }
        loop {
            let row = search.from[column];
            self.row_of[column] = row;
            let previous = std::mem::replace(&mut self.column_of[row], column);
            if row == start {
                break;
            }
            column = previous;
        }
    }
}

/// Dijkstra's search over columns along reduced costs.
struct Search {
    distance: Vec<f64>,
    from: Vec<usize>,
    open: Vec<usize>,
    done: Vec<usize>,
}

impl Search {
    /// The nearest free column from a free row.
    fn run(&mut self, matching: &Matching<'_>, start: usize) -> usize {
        self.distance.fill(f64::INFINITY);
        self.open.clear();
        self.open.extend(0..matching.n);
        self.done.clear();
        let (mut row, mut offset) = (start, 0.0);
        loop {
            let costs = matching.row(row);
            let (mut nearest, mut least) = (0, f64::INFINITY);
            for (k, &j) in self.open.iter().enumerate() {
                let through = costs[j] - matching.price[j] + offset;
                if through < self.distance[j] {
                    (self.distance[j], self.from[j]) = (through, row);
                }
                if self.distance[j] < least {
                    (nearest, least) = (k, self.distance[j]);
                }
            }
            let column = self.open.swap_remove(nearest);
            row = matching.row_of[column];
            if row == NONE {
                return column;
            }
            self.done.push(column);
            offset = least - (matching.row(row)[column] - matching.price[column]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cheapest_permutation(cost: &[f64], n: usize, row: usize, used: u32) -> f64 {
        if row == n {
            return 0.0;
        }
        (0..n)
            .filter(|j| used & 1 << j == 0)
            .map(|j| cost[row * n + j] + cheapest_permutation(cost, n, row + 1, used | 1 << j))
            .fold(f64::INFINITY, f64::min)
    }

    #[test]
    fn the_cost_is_that_of_the_cheapest_permutation() {
        // Small whole numbers, so that ties abound and a wrong cost is off by 1 or more.
        for n in 1..=7 {
            for seed in 0..50_usize {
                let hash = |k: usize| (k * 7919 + seed * 104_729 + k * k * 31) % 97 % 10;
                let cost: Vec<f64> = (0..n * n).map(|k| hash(k) as f64).collect();
                let excess = least_cost(&cost, n) - cheapest_permutation(&cost, n, 0, 0);
                assert!(excess.abs() < 0.5, "{cost:?}: {excess}");
            }
        }
    }
}
