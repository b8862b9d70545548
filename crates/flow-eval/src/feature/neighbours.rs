//! Balls that reach to the k-th neighbour: a set's estimate of its own support.

use std::cmp::Ordering;

use crate::pairwise::{Columns, SquaredDistance, for_each_pair, map_blocks};
use crate::{EvalError, Points};

/// A ball around each point of a set, up to its k-th nearest other point.
///
/// Where more than k neighbours lie at the radius or nearer, as they do where points repeat or lie
/// on a grid, the edge of the ball counts in part: its points share what the inside leaves of k. So
/// a ball holds k neighbours in every case.
pub(crate) struct Balls<'a> {
    centres: Points<'a>,
    columns: Columns,
    squared_radii: Vec<f64>,
    /// What a point on the edge counts: 1 where no two neighbours tie.
    edges: Vec<f64>,
}

/// The k nearest others of a point, and how many beyond them tie with the k-th.
struct Nearest {
    squares: Vec<f64>,
    beyond: usize,
}

#[expect(clippy::float_cmp, reason = "a tie is the same number to the last bit")]
impl Nearest {
    fn new(k: usize) -> Self {
        Self { squares: vec![f64::INFINITY; k], beyond: 0 }
    }

    fn last(&self) -> f64 {
        self.squares[self.squares.len() - 1]
    }

    fn add(&mut self, square: f64) {
        let last = self.last();
        if square < last {
            let rank = self.squares.partition_point(|&x| x <= square);
            self.squares[rank..].rotate_right(1);
            self.squares[rank] = square;
            self.beyond = if self.last() == last { self.beyond + 1 } else { 0 };
        } else if square == last {
            self.beyond += 1;
        }
    }

    /// What the edge counts: the neighbours that are needed of it over those that lie on it.
    fn edge(&self) -> f64 {
        let needed = self.squares.iter().filter(|&&square| square == self.last()).count();
        needed as f64 / (needed + self.beyond) as f64
    }
}

impl<'a> Balls<'a> {
    pub(crate) fn new(centres: Points<'a>, k: usize) -> Result<Self, EvalError> {
        if k == 0 {
            return Err(EvalError::Parameter { name: "k", value: 0.0, expected: "at least 1" });
        }
        let n = centres.len();
        if n <= k {
            let needed = k.saturating_add(1);
            return Err(EvalError::TooFew { metric: "a k-th neighbour", n, needed });
        }
        let columns = Columns::new(centres);
        let balls = map_blocks(n, |range| {
            let offset = range.start;
            let mut nearest: Vec<Nearest> = range.clone().map(|_| Nearest::new(k)).collect();
            for_each_pair(
                &SquaredDistance,
                centres,
                range,
                &columns,
                |_| 0,
                |i, j, values| {
                    let others = (j..).zip(values.iter()).filter(|(j, _)| *j != i);
                    others.for_each(|(_, &square)| nearest[i - offset].add(square));
                },
            );
            nearest.iter().map(|nearest| (nearest.last(), nearest.edge())).collect::<Vec<_>>()
        });
        let (squared_radii, edges) = balls.into_iter().flatten().unzip();
        Ok(Self { centres, columns, squared_radii, edges })
    }

    /// How many balls hold each point, edges in part.
    pub(crate) fn around(&self, points: Points<'_>) -> Vec<f64> {
        let counts = map_blocks(points.len(), |range| {
            let offset = range.start;
            let mut counts = vec![0.0; range.len()];
            for_each_pair(
                &SquaredDistance,
                points,
                range,
                &self.columns,
                |_| 0,
                |i, j, values| {
                    let balls = self.squared_radii[j..].iter().zip(&self.edges[j..]);
                    let held = |(d, (r, edge)): (&f64, (&f64, &f64))| match d.total_cmp(r) {
                        Ordering::Less => 1.0,
                        Ordering::Equal => *edge,
                        Ordering::Greater => 0.0,
                    };
                    counts[i - offset] += values.iter().zip(balls).map(held).sum::<f64>();
                },
            );
            counts
        });
        counts.concat()
    }

    /// How many balls hold at least one of the points.
    pub(crate) fn occupied(&self, points: Points<'_>) -> usize {
        let columns = Columns::new(points);
        let counts = map_blocks(self.centres.len(), |range| {
            let offset = range.start;
            let mut hit = vec![false; range.len()];
            for_each_pair(
                &SquaredDistance,
                self.centres,
                range,
                &columns,
                |_| 0,
                |i, _, values| {
                    hit[i - offset] |= values.iter().any(|&d| d <= self.squared_radii[i]);
                },
            );
            hit.into_iter().filter(|hit| *hit).count()
        });
        counts.into_iter().sum()
    }
}
