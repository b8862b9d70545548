//! Maximum mean discrepancy and the kernel inception distance.

use rand::seq::SliceRandom;

use super::kernel::{Gaussian, Kernel, Polynomial};
use super::two_sample::u_statistic;
use crate::points::{at_least, shared_dim};
use crate::random::{Purpose, stream};
use crate::{EvalError, Points, Score};

/// Squared maximum mean discrepancy, `E k(X, X') + E k(Y, Y') - 2 E k(X, Y)`, estimated without
/// bias.
///
/// The squared distance between the mean embeddings of the two distributions. Being unbiased, the
/// estimate is negative now and then when they are equal. The standard error is that of the
/// jackknife over the points of both sets, cautious by a factor of `sqrt(2)` where the
/// distributions agree. Time `O(n^2 dim)`, memory `O(n dim)`.
///
/// # Errors
/// Sets of different dimensions, fewer than three points in one of them, a kernel whose parameters
/// are out of range, and one whose values leave the range of `f64`.
///
/// # Reference
/// Gretton, Borgwardt, Rasch, Scholkopf & Smola (2012), "A Kernel Two-Sample Test", Journal of
/// Machine Learning Research 13, Lemma 6.
pub fn mmd(a: Points<'_>, b: Points<'_>, kernel: &Kernel) -> Result<Score, EvalError> {
    const NAME: &str = "squared MMD";
    match kernel {
        Kernel::Gaussian { bandwidths } => u_statistic(&Gaussian::new(bandwidths)?, a, b, NAME),
        Kernel::Polynomial { degree } => {
            u_statistic(&Polynomial::new(*degree, a.dim())?, a, b, NAME)
        }
    }
}

/// Kernel inception distance: the squared MMD of features under the cubic kernel
/// `(x.y / dim + 1)^3`, averaged over blocks.
///
/// Each set is shuffled and cut into `blocks` parts of equal size; the k-th parts are compared
/// without bias. The parts are independent, so the spread of the block values gives an unbiased
/// standard error. It may be called the kernel *inception* distance only where the points are
/// features of that network.
///
/// # Errors
/// Sets of different dimensions, fewer than two blocks, fewer than three points to a block, and
/// kernels beyond the range of `f64`.
///
/// # Reference
/// Binkowski, Sutherland, Arbel & Gretton (2018), "Demystifying MMD GANs", arXiv:1801.01401;
/// disjoint blocks: Zaremba, Gretton & Blaschko (2013), "B-tests: Low Variance Kernel Two-Sample
/// Tests", arXiv:1307.1954.
pub fn kid(a: Points<'_>, b: Points<'_>, blocks: usize, seed: u64) -> Result<Score, EvalError> {
    const NAME: &str = "KID";
    let dim = shared_dim(a, b)?;
    if blocks < 2 {
        let value = blocks as f64;
        return Err(EvalError::Parameter { name: "blocks", value, expected: "at least 2" });
    }
    let n = at_least(blocks.saturating_mul(3), a, b, NAME)?;
    let kernel = Polynomial::new(3, dim)?;
    let shuffled = |points: Points<'_>, index| {
        let mut order: Vec<usize> = (0..points.len()).collect();
        order.shuffle(&mut stream(seed, Purpose::Subset, index));
        points.gather(&order)
    };
    let (rows_a, rows_b) = (shuffled(a, 0), shuffled(b, 1));
    let part = |rows: &[f32]| rows.len() / dim / blocks * dim;
    let parts = rows_a.chunks_exact(part(&rows_a)).zip(rows_b.chunks_exact(part(&rows_b)));
    let values = parts
        .take(blocks)
        .map(|(rows_a, rows_b)| {
            let (a, b) = (Points::from_parts(rows_a, dim), Points::from_parts(rows_b, dim));
            u_statistic(&kernel, a, b, NAME).map(|score| score.value)
        })
        .collect::<Result<Vec<_>, _>>()?;
    Score::lower(NAME, 0.0, n).with_mean_of(&values).with_seed(seed).measured()
}
