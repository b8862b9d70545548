//! Wasserstein distances between sets of any sizes, by the optimal plan.

use flow_transport::{CostMatrix, assign, transport};

use crate::pairwise::{
    Columns, Manhattan, PairFunction, SquaredDistance, for_each_pair, map_blocks,
};
use crate::points::shared_dim;
use crate::{EvalError, Points, Score};

/// Most pairs of points: their costs take 8 bytes each, 128 MiB.
const MOST_PAIRS: usize = 1 << 24;

/// What it costs to move a unit of mass from one point to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ground {
    /// `sum_k |x_k - y_k|`, for a distance of order 1: the ground distance of tables.
    Manhattan,
    /// `|x - y|`, for a distance of order 1.
    Euclidean,
    /// `|x - y|^2`, for a distance of order 2, which is the root of the mean cost.
    SquaredEuclidean,
}

/// Wasserstein distance between two sets of any sizes, exactly.
///
/// `W = min over plans of the mean cost`, where each point of a set weighs the same. Sets of equal
/// sizes meet one to one, by [`flow_transport::assign`]; others by [`flow_transport::transport`],
/// which takes longer. Its floor falls as slowly as `n^(-1/dim)`: read it beside its
/// [`floor`](crate::floor()). It carries no standard error of its own: use
/// [`bootstrap`](crate::bootstrap).
///
/// # Errors
/// Sets of different dimensions, more than 16,777,216 pairs, and sums beyond the range of `f64`.
///
/// # Panics
/// Never: points are finite, so their costs are.
///
/// # Reference
/// Peyre & Cuturi (2019), "Computational Optimal Transport", arXiv:1803.00567, section 2.3.
pub fn wasserstein(a: Points<'_>, b: Points<'_>, ground: Ground) -> Result<Score, EvalError> {
    const FINITE: &str = "distances of finite points are finite, and few enough for memory";
    shared_dim(a, b)?;
    let name = match ground {
        Ground::Manhattan => "Wasserstein-1 (l1)",
        Ground::Euclidean => "Wasserstein-1",
        Ground::SquaredEuclidean => "Wasserstein-2",
    };
    // The larger set as rows, as the solver likes it.
    let (a, b) = if a.len() < b.len() { (b, a) } else { (a, b) };
    let (n, m) = (a.len(), b.len());
    let pairs = n.saturating_mul(m);
    if MOST_PAIRS < pairs {
        return Err(EvalError::TooMany { metric: name, n: pairs, limit: MOST_PAIRS });
    }
    let costs = match ground {
        Ground::Manhattan => costs(&Manhattan, a, b),
        Ground::Euclidean => costs(&Euclidean, a, b),
        Ground::SquaredEuclidean => costs(&SquaredDistance, a, b),
    };
    let costs = CostMatrix::from_vec(n, m, costs).expect(FINITE);
    let mean = if n == m {
        let pairs = assign(&costs).expect(FINITE);
        pairs.pairs().map(|(i, j)| costs.row(i)[j]).sum::<f64>() / n as f64
    } else {
        let unit = gcd(n, m);
        let (row, column) = ((m / unit) as u64, (n / unit) as u64);
        let plan = transport(&costs, &vec![row; n], &vec![column; m]).expect(FINITE);
        let total: f64 = plan.iter().map(|s| s.mass as f64 * costs.row(s.row)[s.column]).sum();
        total / (n as f64 * row as f64)
    };
    let value = if ground == Ground::SquaredEuclidean { mean.sqrt() } else { mean };
    Score::lower(name, value, m).measured()
}

/// `|x - y|`
struct Euclidean;

impl PairFunction for Euclidean {
    fn term(x: f64, y: f64) -> f64 {
        (x - y) * (x - y)
    }

    fn finish(&self, sums: &mut [f64]) {
        for sum in sums {
            *sum = sum.sqrt();
        }
    }
}

fn costs<F: PairFunction>(function: &F, a: Points<'_>, b: Points<'_>) -> Vec<f64> {
    let (n, columns) = (b.len(), Columns::new(b));
    let blocks = map_blocks(a.len(), |range| {
        let offset = range.start;
        let mut block = vec![0.0; range.len() * n];
        for_each_pair(
            function,
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
    blocks.concat()
}

/// Greatest common divisor, by Euclid.
fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}
