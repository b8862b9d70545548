//! Standard errors in closed form and by the jackknife.

/// The mean of independent samples and its standard error, which one sample does not have, nor
/// samples whose squares leave the range of `f64`.
pub(crate) fn mean_and_std_error(samples: &[f64]) -> (f64, Option<f64>) {
    let n = samples.len() as f64;
    let mean = samples.iter().sum::<f64>() / n;
    let squares: f64 = samples.iter().map(|x| (x - mean).powi(2)).sum();
    let std_error = (squares / (n - 1.0) / n).sqrt();
    (mean, std_error.is_finite().then_some(std_error))
}

/// The jackknife's variance of an estimate, from its values without each of `n` independent parts.
///
/// `(n - 1) / n * sum_i (u_i - mean(u))^2` (Efron & Stein 1981, "The Jackknife Estimate of
/// Variance", Annals of Statistics 9).
pub(crate) fn jackknife_variance(without: &[f64]) -> f64 {
    let n = without.len() as f64;
    let mean = without.iter().sum::<f64>() / n;
    without.iter().map(|u| (u - mean).powi(2)).sum::<f64>() * (n - 1.0) / n
}
