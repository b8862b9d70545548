//! Wasserstein distance in any dimension, by the optimal assignment.

use flow_transport::{CostMatrix, assign};

use crate::pairwise::{Columns, SquaredDistance, for_each_pair, map_blocks};
use crate::points::{shared_dim, shared_len};
use crate::{EvalError, Points, Score};

/// Most points to a set: their costs take `8 n^2` bytes, 128 MiB.
const LIMIT: usize = 4096;

/// Wasserstein distance of order 2 between two equally large sets, exactly.
///
/// `W_2^2 = min over permutations p of mean_i |x_i - y_p(i)|^2`, by [`flow_transport::assign`] in
/// `O(n^3)`. Its floor falls as slowly as `n^(-1/dim)`, so it says little in high dimensions. It
/// carries no standard error of its own: use [`bootstrap`](crate::bootstrap).
///
/// # Errors
/// Sets of different dimensions or sizes, and more than 4,096 points.
///
/// # Panics
/// Never: points are finite, so their costs are.
pub fn wasserstein_assignment(a: Points<'_>, b: Points<'_>) -> Result<Score, EvalError> {
    const NAME: &str = "Wasserstein-2";
    const FINITE: &str = "distances of finite points are finite, and few enough for memory";
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
    let costs = CostMatrix::from_vec(n, n, costs.concat()).expect(FINITE);
    let pairs = assign(&costs).expect(FINITE);
    let total: f64 = pairs.pairs().map(|(i, j)| costs.row(i)[j]).sum();
    Ok(Score::lower(NAME, (total / n as f64).sqrt(), n))
}
