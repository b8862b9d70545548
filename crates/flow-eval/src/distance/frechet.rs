//! Frechet distance between the Gaussians that match the moments of two sets.

use rand::seq::SliceRandom;
use rayon::prelude::*;

use crate::matrix::trace_sqrt_of_product;
use crate::moments::MOST_DIMENSIONS;
use crate::points::{at_least, shared_dim};
use crate::random::{Purpose, stream};
use crate::standard_error::jackknife_variance;
use crate::{EvalError, Moments, Points, Score};

const NAME: &str = "Frechet distance";

/// Parts of a set that the jackknife leaves out in turn.
const PARTS: usize = 10;

/// Frechet distance, `|m1 - m2|^2 + Tr(S1 + S2 - 2 (S1 S2)^{1/2})`.
///
/// The squared Wasserstein distance of order 2 between two Gaussians with the means and covariances
/// of the sets. It is FID only where the points are features of one particular Inception network;
/// name it by its features otherwise. The estimate is biased upward by about `1 / n`, and by much
/// while `n` is no large multiple of the dimension: compare at equal `n` only, and beside the
/// floor.
///
/// The standard error is that of the jackknife that leaves out a tenth of one set at a time. Which
/// points make a tenth is drawn, always alike, so that sets sorted by class have the error of
/// shuffled ones. That makes 20 further evaluations of `O(dim^3)`; [`frechet_between`] does
/// without.
///
/// # Errors
/// Sets of different dimensions or of more than 32,768, and fewer than 20 points in one of them.
///
/// # Reference
/// Dowson & Landau (1982), "The Frechet Distance between Multivariate Normal Distributions",
/// Journal of Multivariate Analysis 12; as a score: Heusel et al. (2017), arXiv:1706.08500,
/// equation 6.
pub fn frechet(a: Points<'_>, b: Points<'_>) -> Result<Score, EvalError> {
    let dim = shared_dim(a, b)?;
    if MOST_DIMENSIONS < dim {
        let (value, expected) = (dim as f64, "at most 32768, whose covariance takes 8 GiB");
        return Err(EvalError::Parameter { name: "dimension", value, expected });
    }
    at_least(2 * PARTS, a, b, NAME)?;
    let (parts_a, parts_b) = (parts(a, 0), parts(b, 1));
    let (all_a, all_b) = (merged(&parts_a, None), merged(&parts_b, None));
    let score = frechet_between(&all_a, &all_b)?;
    let each = |without: &(dyn Fn(usize) -> Result<f64, EvalError> + Sync)| {
        (0..PARTS).into_par_iter().map(without).collect::<Result<Vec<_>, _>>()
    };
    let without_a = each(&|part| distance(&merged(&parts_a, Some(part)), &all_b))?;
    let without_b = each(&|part| distance(&all_a, &merged(&parts_b, Some(part))))?;
    let variance = jackknife_variance(&without_a) + jackknife_variance(&without_b);
    Ok(score.with_std_error(variance.sqrt()))
}

/// [`frechet`] from streamed or stored moments, without a standard error.
///
/// Covariances that were kept as float32 are taken as such: an eigenvalue below 0 by no more than
/// `1e-6` of the greatest counts as 0.
///
/// # Errors
/// Moments of different dimensions, of fewer than two points, with a covariance that is none, and a
/// distance beyond the range of `f64`.
pub fn frechet_between(a: &Moments, b: &Moments) -> Result<Score, EvalError> {
    if a.dim() != b.dim() {
        return Err(EvalError::Dimensions { a: a.dim(), b: b.dim() });
    }
    Score::lower(NAME, distance(a, b)?, a.n().min(b.n())).measured()
}

fn distance(a: &Moments, b: &Moments) -> Result<f64, EvalError> {
    let (s1, s2) = (a.covariance_matrix()?, b.covariance_matrix()?);
    let shift: f64 = a.mean().iter().zip(b.mean()).map(|(m1, m2)| (m1 - m2).powi(2)).sum();
    let traces = s1.trace() + s2.trace();
    let distance = shift + traces - 2.0 * trace_sqrt_of_product(s1, s2)?;
    // Rounding may take the distance of equal moments below 0; NaN stays what it is.
    Ok(if distance < 0.0 { 0.0 } else { distance })
}

/// Moments of tenths of the points, drawn without replacement.
fn parts(points: Points<'_>, set: usize) -> Vec<Moments> {
    let mut order: Vec<usize> = (0..points.len()).collect();
    order.shuffle(&mut stream(0, Purpose::Jackknife, set));
    let bound = |part: usize| part * order.len() / PARTS;
    let part = |part| {
        let rows = points.gather(&order[bound(part)..bound(part + 1)]);
        Moments::of(Points::from_parts(&rows, points.dim()))
    };
    (0..PARTS).map(part).collect()
}

fn merged(parts: &[Moments], without: Option<usize>) -> Moments {
    let mut all = Moments::new(parts[0].dim());
    for (_, part) in parts.iter().enumerate().filter(|(index, _)| Some(*index) != without) {
        all.merge(part);
    }
    all
}
