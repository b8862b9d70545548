//! A marginal at one point: density, means, score, velocity; and their sum over a mixture.

/// The marginal `p_t` at a point `x`: density, posterior means and the velocity with its
/// derivatives.
#[derive(Clone, Debug, PartialEq)]
pub struct Marginal {
    /// `log p_t(x)`, in nats.
    pub log_density: f64,
    /// Posterior mean of the data, `E[x_1 | x_t = x]`.
    pub data: Vec<f64>,
    /// Posterior mean of the noise, `E[x_0 | x_t = x]`.
    pub noise: Vec<f64>,
    /// Score `grad log p_t(x)`.
    pub score: Vec<f64>,
    /// Velocity `u_t(x) = alpha' E[x_1 | x] + sigma' E[x_0 | x]`.
    pub velocity: Vec<f64>,
    /// Divergence of the velocity.
    pub divergence: f64,
    /// Total variance of the conditional velocity given `x_t = x`, summed over dimensions.
    ///
    /// Its mean over `t` and `x` is the least conditional flow-matching loss: what a perfect
    /// network still pays.
    pub velocity_variance: f64,
}

impl Marginal {
    /// The marginal of a mixture from those of its components and their log-weights.
    ///
    /// Responsibilities are a softmax in the log domain. Velocities mix as means, and the
    /// differences between components add to the divergence and, by the law of total variance, to
    /// the variance:
    /// `div u = sum_k r_k (div u_k + (s_k - s) . u_k)`.
    pub(super) fn mix(log_weights: &[f64], components: &[Self]) -> Self {
        let joint = |(w, m): (&f64, &Self)| w + m.log_density;
        let logs: Vec<f64> = log_weights.iter().zip(components).map(joint).collect();
        let (log_density, shares) = softmax(&logs);
        let mean = |of: fn(&Self) -> &[f64]| weighted_mean(&shares, components.iter().map(of));
        let score = mean(|m| &m.score);
        let velocity = mean(|m| &m.velocity);
        let (mut divergence, mut velocity_variance) = (0.0, 0.0);
        for (share, m) in shares.iter().zip(components) {
            let (mut flux, mut spread) = (0.0, 0.0);
            for i in 0..velocity.len() {
                flux += (m.score[i] - score[i]) * m.velocity[i];
                spread += (m.velocity[i] - velocity[i]).powi(2);
            }
            if *share != 0.0 {
                divergence += share * (m.divergence + flux);
                velocity_variance += share * (m.velocity_variance + spread);
            }
        }
        Self {
            log_density,
            data: mean(|m| &m.data),
            noise: mean(|m| &m.noise),
            score,
            velocity,
            divergence,
            velocity_variance,
        }
    }
}

/// Logarithm of the sum of exponentials, and the softmax.
pub(super) fn softmax(logs: &[f64]) -> (f64, Vec<f64>) {
    let largest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if largest.is_infinite() && !logs.iter().any(|l| l.is_nan()) {
        // Atoms met exactly, or a point too far from all: those that are alike share alike.
        let alike = |l: &f64| f64::from(u8::from(l.total_cmp(&largest).is_eq()));
        let count: f64 = logs.iter().map(alike).sum();
        return (largest, logs.iter().map(|l| alike(l) / count).collect());
    }
    let shares: Vec<f64> = logs.iter().map(|l| (l - largest).exp()).collect();
    let total: f64 = shares.iter().sum();
    (largest + total.ln(), shares.iter().map(|s| s / total).collect())
}

/// Mean of rows with the given shares; a share of zero leaves its row unread.
pub(super) fn weighted_mean<'a>(shares: &[f64], rows: impl Iterator<Item = &'a [f64]>) -> Vec<f64> {
    let mut mean = Vec::new();
    for (share, row) in shares.iter().zip(rows) {
        mean.resize(row.len(), 0.0);
        if *share != 0.0 {
            for (m, value) in mean.iter_mut().zip(row) {
                *m += share * value;
            }
        }
    }
    mean
}
