//! Moments of a Gaussian truncated to an interval, by quadrature.

use std::f64::consts::PI;
use std::sync::LazyLock;

use crate::Coefficients;

const NODES: usize = 48;

/// Exponent at which the integrand is no longer followed: `e^-40` is below a rounding error.
const CUT: f64 = 40.0;

/// The posterior of one coordinate of uniform data on an interval.
pub(super) struct Truncated {
    /// `ln int N(x; alpha y, sigma^2) dy` over the interval.
    pub(super) log_mass: f64,
    /// Posterior mean of the data `y`.
    pub(super) mean: f64,
    /// Posterior variance of the data `y`.
    pub(super) variance: f64,
}

/// The Gaussian likelihood of `x` integrated over data `y` in `[low, high]`.
///
/// The difference of two error functions has the same value, and no correct digits far from the
/// interval, close to the noise, or for the variance near an edge. The integrand is a log-concave
/// bump: where it matters it spans at most 18 of its own widths, on which a Gauss-Legendre rule of
/// 48 nodes is exact to rounding.
pub(super) fn truncated(x: f64, low: f64, high: f64, c: &Coefficients) -> Truncated {
    let likeliest = x / c.alpha;
    // Without data in `x` (0 / 0 at pure noise) every point of the interval is as likely.
    let free = likeliest.is_nan() && !x.is_nan();
    let peak = if free { f64::midpoint(low, high) } else { likeliest.clamp(low, high) };
    // How far from the peak the log-likelihood falls by CUT.
    let (precision, residual) = (c.alpha / c.sigma, (x - c.alpha * peak) / c.sigma);
    let slope = residual.abs();
    let reach = 2.0 * CUT / (precision * (slope + (slope * slope + 2.0 * CUT).sqrt()));
    // Offsets from the peak keep their digits where the reach is far below a rounding of the peak.
    let (start, end) = ((low - peak).max(-reach), (high - peak).min(reach));
    let half = 0.5 * (end - start);
    let offset = |node: f64| start + half * (1.0 + node);
    // The likelihood at `peak + y` over that at the peak.
    let weigh = |y: f64| (precision * y * (residual - 0.5 * precision * y)).exp();
    let integrate = |f: &dyn Fn(f64) -> f64| -> f64 {
        let term = |(node, weight): &(f64, f64)| weight * weigh(offset(*node)) * f(offset(*node));
        half * RULE.iter().map(term).sum::<f64>()
    };
    let mass = integrate(&|_| 1.0);
    let mean = integrate(&|y| y) / mass;
    Truncated {
        log_mass: mass.ln() - 0.5 * residual * residual - (c.sigma * (2.0 * PI).sqrt()).ln(),
        mean: peak + mean,
        variance: integrate(&|y| (y - mean).powi(2)) / mass,
    }
}

/// Gauss-Legendre nodes and weights on `[-1, 1]`.
static RULE: LazyLock<[(f64, f64); NODES]> = LazyLock::new(|| {
    std::array::from_fn(|k| {
        let mut node = (PI * (k as f64 + 0.75) / (NODES as f64 + 0.5)).cos();
        let mut slope = 1.0;
        // Newton's method on the Legendre polynomial, from Tricomi's estimate of its root.
        for _ in 0..8 {
            let (mut before, mut value) = (1.0, node);
            for degree in 2..=NODES {
                let n = degree as f64;
                (before, value) =
                    (value, ((2.0 * n - 1.0) * node * value - (n - 1.0) * before) / n);
            }
            slope = NODES as f64 * (node * value - before) / (node * node - 1.0);
            node -= value / slope;
        }
        (node, 2.0 / ((1.0 - node * node) * slope * slope))
    })
});
