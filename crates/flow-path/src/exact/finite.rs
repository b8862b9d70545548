//! Data that is a finite set of points.

use burn::prelude::*;
use rand::{Rng, RngExt};

use super::gaussian::{log_normal, squared_distance};
use super::marginal::{softmax, weighted_mean};
use super::mixture::atoms_posterior_means;
use super::{Marginal, Target};
use crate::Coefficients;

/// A finite data set, each point as likely as the others: the truth behind a training set.
///
/// The marginal velocity is the softmax-weighted mean of the conditional ones, equation 8 of Lipman
/// et al. (2023), arXiv:2210.02747. A network that reached it would repeat the data. Finite where
/// `sigma > 0` only.
#[derive(Clone, Debug, PartialEq)]
pub struct FiniteData {
    points: Vec<f64>,
    dim: usize,
}

impl FiniteData {
    /// The given points, row after row of `dim` numbers.
    ///
    /// # Panics
    /// If there are no points, the numbers do not fill whole rows, or one of them is not finite.
    #[must_use]
    pub fn new(points: Vec<f64>, dim: usize) -> Self {
        assert!(0 < dim && !points.is_empty(), "a finite data set needs at least one point");
        let numbers = points.len();
        assert_eq!(numbers % dim, 0, "expected rows of {dim} numbers, got {numbers} numbers");
        if let Some(k) = points.iter().position(|x| !x.is_finite()) {
            panic!("expected finite points, got {} in row {}", points[k], k / dim);
        }
        Self { points, dim }
    }

    /// Number of points.
    #[must_use]
    pub fn len(&self) -> usize {
        self.points.len() / self.dim
    }

    /// Whether there are no points: never.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.points.is_empty()
    }

    fn rows(&self) -> impl Iterator<Item = &[f64]> {
        self.points.chunks(self.dim)
    }
}

impl Target for FiniteData {
    fn dim(&self) -> usize {
        self.dim
    }

    fn marginal(&self, x: &[f64], c: &Coefficients) -> Marginal {
        let log_weight = -(self.len() as f64).ln();
        let joint = |row: &[f64]| {
            let distance: f64 = x.iter().zip(row).map(|(x, y)| (x - c.alpha * y).powi(2)).sum();
            log_weight + log_normal(distance, self.dim, c.sigma)
        };
        let (log_density, shares) = softmax(&self.rows().map(joint).collect::<Vec<_>>());
        let data = weighted_mean(&shares, self.rows());
        let spread = |(share, row): (&f64, &[f64])| share * squared_distance(row, &data);
        let variance: f64 = shares.iter().zip(self.rows()).map(spread).sum();
        let noise: Vec<f64> =
            x.iter().zip(&data).map(|(x, y)| (x - c.alpha * y) / c.sigma).collect();
        let gain = c.det() / c.sigma;
        Marginal {
            log_density,
            score: noise.iter().map(|e| -e / c.sigma).collect(),
            velocity: data.iter().zip(&noise).map(|(y, e)| c.velocity(*e, *y)).collect(),
            divergence: (self.dim as f64 * c.d_sigma + gain * c.alpha * variance / c.sigma)
                / c.sigma,
            velocity_variance: gain * gain * variance,
            data,
            noise,
        }
    }

    fn sample(&self, n: usize, rng: &mut dyn Rng) -> Vec<f64> {
        let mut rows = Vec::with_capacity(n * self.dim);
        for _ in 0..n {
            let k = rng.random_range(0..self.len());
            rows.extend_from_slice(&self.points[k * self.dim..(k + 1) * self.dim]);
        }
        rows
    }

    fn log_density(&self, x: &[f64]) -> f64 {
        if self.rows().any(|row| row == x) { f64::INFINITY } else { f64::NEG_INFINITY }
    }

    fn smallest_sigma(&self) -> f64 {
        f64::MIN_POSITIVE
    }

    fn posterior_means(&self, x: Tensor<2>, c: &[Coefficients]) -> (Tensor<2>, Tensor<2>) {
        let atoms = self.len();
        atoms_posterior_means(x, c, &self.points, &vec![0.0; atoms], &vec![0.0; atoms])
    }
}
