//! Coverage: the fraction of a real table that generated rows reach.

use crate::points::shared_dim;
use crate::table::nearest::{nearest, nearest_k};
use crate::{EvalError, Points, Score};

/// Share of the real rows that have a generated row nearer than their `k`-th real neighbour, in
/// `l1`.
///
/// It is the coverage of [`density_coverage`](crate::density_coverage) in the distance of tables,
/// for rows that went through [`Gower`](crate::Gower), and with open balls: a generated row at the
/// very distance of the neighbour does not count. The authors' program takes `k = 2`. The standard
/// error is binomial, with the balls taken as given.
///
/// # Errors
/// Sets of different dimensions, and no more than `k >= 1` real rows.
///
/// # Reference
/// Naeem, Oh, Uh, Choi & Yoo (2020), arXiv:2002.09797; Jolicoeur-Martineau, Fatras & Kachman
/// (2024), arXiv:2309.09968, for tables.
pub fn table_coverage(
    real: Points<'_>,
    generated: Points<'_>,
    k: usize,
) -> Result<Score, EvalError> {
    shared_dim(real, generated)?;
    if k == 0 {
        return Err(EvalError::Parameter { name: "k", value: 0.0, expected: "at least 1" });
    }
    if real.len() <= k {
        let (n, needed) = (real.len(), k.saturating_add(1));
        return Err(EvalError::TooFew { metric: "a k-th neighbour", n, needed });
    }
    // Each row is the nearest of itself.
    let radii = nearest_k(real, real, k + 1).into_iter().map(|nearest| nearest[k].0);
    let reached = nearest(real, generated);
    let covered = reached.iter().zip(radii).filter(|(d, radius)| **d < *radius).count();
    let n = real.len().min(generated.len());
    Ok(Score::higher("coverage (l1)", 0.0, n).with_fraction(covered, real.len()))
}
