//! Inception score.

use crate::standard_error::mean_and_std_error;
use crate::{EvalError, Points, Score};

/// How far the probabilities of a row may be from a sum of 1: room for a softmax in f32.
const ROUNDING: f64 = 1e-3;

/// Inception score, `exp(E KL(p(y|x) || p(y)))`, of the class probabilities that a classifier gives
/// to generated images.
///
/// Each row of `probabilities` is `p(y|x)` of one image; `p(y)` is their mean. It lies between 1
/// and the number of classes, and says nothing about real data: score those too. It may be called
/// the *Inception* score only where that network gave the probabilities. The value is that of all
/// images at once, not the mean over ten splits that some report, which is biased downward.
///
/// The standard error is to first order: the divergence of an image is its influence on their mean.
///
/// # Errors
/// When a row has a negative entry or does not sum to 1.
///
/// # Reference
/// Salimans et al. (2016), "Improved Techniques for Training GANs", arXiv:1606.03498.
pub fn inception_score(probabilities: Points<'_>) -> Result<Score, EvalError> {
    let (n, classes) = (probabilities.len(), probabilities.dim());
    let mut marginal = vec![0.0; classes];
    for (row, given_x) in probabilities.rows().enumerate() {
        let sum: f64 = given_x.iter().copied().map(f64::from).sum();
        if (sum - 1.0).abs() > ROUNDING || given_x.iter().any(|p| *p < 0.0) {
            return Err(EvalError::NotADistribution { row, sum });
        }
        for (total, &p) in marginal.iter_mut().zip(given_x) {
            *total += f64::from(p) / sum / n as f64;
        }
    }
    let divergence = |given_x: &[f32]| {
        let sum: f64 = given_x.iter().copied().map(f64::from).sum();
        let given_x = given_x.iter().map(|&p| f64::from(p) / sum);
        let terms = given_x.zip(&marginal).filter(|(p, _)| 0.0 < *p).map(|(p, q)| p * (p / q).ln());
        terms.sum::<f64>()
    };
    let divergences: Vec<f64> = probabilities.rows().map(divergence).collect();
    let (mean, std_error) = mean_and_std_error(&divergences);
    let score = Score::higher("Inception score", mean.exp(), n);
    Score { std_error: std_error.map(|e| e * mean.exp()), ..score }.measured()
}
