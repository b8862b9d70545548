//! Precision and recall, density and coverage.

use serde::Serialize;

use super::neighbours::Balls;
use crate::points::shared_dim;
use crate::{EvalError, Points, Score};

/// Fidelity and variety: how much of each set lies in the support of the other.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct PrecisionRecall {
    /// Fraction of the generated points within the real support.
    pub precision: Score,
    /// Fraction of the real points within the generated support.
    pub recall: Score,
}

/// Precision and recall of generated points, by balls up to the k-th neighbour.
///
/// The support of a set is the union of the balls around its points that reach to their k-th
/// nearest other point. An outlier of the real data makes a large ball and so a generous precision,
/// which [`density_coverage`] mends. The standard errors are binomial, with the balls taken as
/// given. Time `O(n^2 dim)`; the paper takes `k = 3` and equally large sets.
///
/// # Errors
/// Sets of different dimensions, and sets that do not have more than `k >= 1` points.
///
/// # Reference
/// Kynkaanniemi, Karras, Laine, Lehtinen & Aila (2019), "Improved Precision and Recall Metric for
/// Assessing Generative Models", arXiv:1904.06991.
pub fn precision_recall(
    real: Points<'_>,
    generated: Points<'_>,
    k: usize,
) -> Result<PrecisionRecall, EvalError> {
    shared_dim(real, generated)?;
    let n = real.len().min(generated.len());
    let covered = |name, balls: Balls<'_>, points: Points<'_>| {
        let inside = balls.around(points).into_iter().filter(|count| 0.0 < *count).count();
        Score::higher(name, 0.0, n).with_fraction(inside, points.len())
    };
    Ok(PrecisionRecall {
        precision: covered("precision", Balls::new(real, k)?, generated),
        recall: covered("recall", Balls::new(generated, k)?, real),
    })
}

/// Fidelity and variety against the real support alone.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct DensityCoverage {
    /// Real balls around a generated point, over `k`, on average; not bounded by 1.
    pub density: Score,
    /// Fraction of the real balls that hold a generated point.
    pub coverage: Score,
}

/// Density and coverage of generated points, by balls around the real points.
///
/// Density counts in how many balls a point lies, so that one outlier's ball weighs little; for
/// equal distributions it is about 1, and coverage about `1 - 2^(-k)` for large equal sets. The
/// standard errors take the balls as given. Time `O(n^2 dim)`; the paper takes `k = 5`.
///
/// Where points repeat or lie on a grid, more than `k` of them may lie no farther than the k-th.
/// Those at its very distance then count in part, so that a ball holds `k` of them and density is
/// about 1 for equal distributions there too. (The authors' code counts the open ball, and gives 0
/// for two atoms.)
///
/// # Errors
/// Sets of different dimensions, and no more than `k >= 1` real points.
///
/// # Reference
/// Naeem, Oh, Uh, Choi & Yoo (2020), "Reliable Fidelity and Diversity Metrics for Generative
/// Models", arXiv:2002.09797.
pub fn density_coverage(
    real: Points<'_>,
    generated: Points<'_>,
    k: usize,
) -> Result<DensityCoverage, EvalError> {
    shared_dim(real, generated)?;
    let n = real.len().min(generated.len());
    let balls = Balls::new(real, k)?;
    let densities: Vec<f64> =
        balls.around(generated).into_iter().map(|count| count / k as f64).collect();
    Ok(DensityCoverage {
        density: Score::higher("density", 0.0, n).with_mean_of(&densities),
        coverage: Score::higher("coverage", 0.0, n)
            .with_fraction(balls.occupied(generated), real.len()),
    })
}
