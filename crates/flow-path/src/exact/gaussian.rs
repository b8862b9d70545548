//! Data from one isotropic Gaussian.

use std::f64::consts::PI;

use burn::prelude::*;
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

use super::{Marginal, Target, upload};
use crate::Coefficients;
use crate::times::column;

/// Data from `N(mean, std^2 I)`.
///
/// With `S^2 = alpha^2 std^2 + sigma^2`: `p_t = N(alpha mean, S^2 I)`, the velocity is
/// `alpha' mean + (S'/S)(x - alpha mean)`, its divergence `dim S'/S`, and the flow maps `x_0` to
/// `alpha_t mean + (S_t / S_0)(x_0 - alpha_0 mean)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Gaussian {
    mean: Vec<f64>,
    std: f64,
}

impl Gaussian {
    /// The Gaussian of the given mean and standard deviation.
    ///
    /// # Panics
    /// If the mean is empty, the standard deviation negative, or a number not finite.
    #[must_use]
    pub fn new(mean: Vec<f64>, std: f64) -> Self {
        assert!(!mean.is_empty(), "a Gaussian needs at least one dimension");
        assert!(mean.iter().all(|m| m.is_finite()), "expected a finite mean, got {mean:?}");
        assert!(
            (0.0..f64::INFINITY).contains(&std),
            "expected a standard deviation of at least zero, got {std}"
        );
        Self { mean, std }
    }

    /// The mean.
    #[must_use]
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// The standard deviation.
    #[must_use]
    pub fn std(&self) -> f64 {
        self.std
    }

    /// Where the flow takes the point `x` between two times given by their coefficients.
    ///
    /// Not finite where nothing spreads at the first of them: `sigma = 0` and a standard deviation
    /// of 0.
    #[must_use]
    pub fn transport(&self, x: &[f64], from: &Coefficients, to: &Coefficients) -> Vec<f64> {
        let stretch = self.total_std(to) / self.total_std(from);
        let move_one = |(x, m): (&f64, &f64)| to.alpha * m + stretch * (x - from.alpha * m);
        x.iter().zip(&self.mean).map(move_one).collect()
    }

    fn total_std(&self, c: &Coefficients) -> f64 {
        c.sigma.hypot(c.alpha * self.std)
    }
}

impl Target for Gaussian {
    fn dim(&self) -> usize {
        self.mean.len()
    }

    fn marginal(&self, x: &[f64], c: &Coefficients) -> Marginal {
        marginal(x, &self.mean, self.std, c)
    }

    fn sample(&self, n: usize, rng: &mut dyn Rng) -> Vec<f64> {
        let mut rows = Vec::with_capacity(n * self.dim());
        for _ in 0..n {
            rows.extend(self.mean.iter().map(|m| m + self.std * normal(rng)));
        }
        rows
    }

    fn log_density(&self, x: &[f64]) -> f64 {
        if self.std == 0.0 {
            return if x == self.mean { f64::INFINITY } else { f64::NEG_INFINITY };
        }
        log_normal(squared_distance(x, &self.mean), x.len(), self.std)
    }

    fn smallest_sigma(&self) -> f64 {
        if self.std == 0.0 { f64::MIN_POSITIVE } else { 0.0 }
    }

    fn posterior_means(&self, x: Tensor<2>, c: &[Coefficients]) -> (Tensor<2>, Tensor<2>) {
        let mean = upload(&self.mean, [1, self.dim()], &x);
        let col = |f: &dyn Fn(&Coefficients) -> f64| column(&x, c.iter().map(f).collect());
        let gain = |c: &Coefficients| (self.total_std(c).powi(-2), self.std * self.std);
        let data = col(&|c| gain(c).0 * gain(c).1 * c.alpha) * x.clone()
            + col(&|c| gain(c).0 * c.sigma * c.sigma) * mean.clone();
        let noise = col(&|c| gain(c).0 * c.sigma) * x.clone()
            - col(&|c| gain(c).0 * c.sigma * c.alpha) * mean;
        (data, noise)
    }

    /// As [`Gaussian::transport`].
    fn flow_map(&self, x: Tensor<2>, from: &Coefficients, to: &Coefficients) -> Option<Tensor<2>> {
        let mean = upload(&self.mean, [1, self.dim()], &x);
        let stretch = self.total_std(to) / self.total_std(from);
        Some((x - mean.clone() * from.alpha) * stretch + mean * to.alpha)
    }
}

/// The marginal of `N(mean, std^2 I)` under an affine path.
pub(super) fn marginal(x: &[f64], mean: &[f64], std: f64, c: &Coefficients) -> Marginal {
    let d = x.len() as f64;
    let variance = std * std;
    let total = c.sigma * c.sigma + c.alpha * c.alpha * variance;
    let centred: Vec<f64> = x.iter().zip(mean).map(|(x, m)| x - c.alpha * m).collect();
    let growth = (c.alpha * c.d_alpha * variance + c.sigma * c.d_sigma) / total;
    let data_gain = c.alpha * variance / total;
    Marginal {
        log_density: log_normal(centred.iter().map(|y| y * y).sum(), x.len(), total.sqrt()),
        data: mean.iter().zip(&centred).map(|(m, y)| m + data_gain * y).collect(),
        noise: centred.iter().map(|y| c.sigma / total * y).collect(),
        score: centred.iter().map(|y| -y / total).collect(),
        velocity: mean.iter().zip(&centred).map(|(m, y)| c.d_alpha * m + growth * y).collect(),
        divergence: d * growth,
        velocity_variance: d * c.det().powi(2) * variance / total,
    }
}

/// Log-density of `N(0, std^2 I)` at a squared distance from its mean.
pub(super) fn log_normal(squared_distance: f64, dim: usize, std: f64) -> f64 {
    -0.5 * squared_distance / (std * std) - dim as f64 * (std.ln() + 0.5 * (2.0 * PI).ln())
}

pub(super) fn squared_distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum()
}

pub(super) fn normal(rng: &mut dyn Rng) -> f64 {
    StandardNormal.sample(rng)
}
