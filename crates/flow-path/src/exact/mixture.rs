//! Data from a mixture of isotropic Gaussians.

use burn::prelude::*;
use burn::tensor::activation;
use rand::{Rng, RngExt};

use super::gaussian::{Gaussian, log_normal, marginal, normal};
use super::marginal::softmax;
use super::{Marginal, Target, upload};
use crate::Coefficients;
use crate::times::column;

/// Data from `sum_k w_k N(m_k, s_k^2 I)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Mixture {
    components: Vec<Gaussian>,
    log_weights: Vec<f64>,
}

impl Mixture {
    /// The mixture of the given components with equal weights.
    ///
    /// # Panics
    /// If there are no components or their dimensions differ.
    #[must_use]
    pub fn uniform(components: Vec<Gaussian>) -> Self {
        let weights = vec![1.0; components.len()];
        Self::weighted(components, &weights)
    }

    /// The mixture of the given components with weights in proportion to those given.
    ///
    /// # Panics
    /// If there are no components, their dimensions differ, or a weight is missing, not positive or
    /// not finite.
    #[must_use]
    pub fn weighted(components: Vec<Gaussian>, weights: &[f64]) -> Self {
        let (n, given) = (components.len(), weights.len());
        assert!(0 < n, "a mixture needs at least one component");
        assert_eq!(n, given, "expected one weight per component ({n}), got {given}");
        let dim = components[0].dim();
        for component in &components {
            let other = component.dim();
            assert_eq!(dim, other, "expected components of {dim} dimensions, got {other}");
        }
        let total: f64 = weights.iter().sum();
        assert!(total < f64::INFINITY, "expected weights of a finite sum, got {weights:?}");
        let log_weight = |w: &f64| {
            assert!(0.0 < *w && w.is_finite(), "expected positive weights, got {w}");
            (w / total).ln()
        };
        Self { log_weights: weights.iter().map(log_weight).collect(), components }
    }

    /// `modes` Gaussians of standard deviation `std` evenly on a circle in the plane.
    ///
    /// # Panics
    /// If there are no modes, or a number is not finite.
    #[must_use]
    pub fn ring(modes: usize, radius: f64, std: f64) -> Self {
        let angle = |k: usize| std::f64::consts::TAU * k as f64 / modes as f64;
        let mean = |k: usize| vec![radius * angle(k).cos(), radius * angle(k).sin()];
        Self::uniform((0..modes).map(|k| Gaussian::new(mean(k), std)).collect())
    }

    /// The components.
    #[must_use]
    pub fn components(&self) -> &[Gaussian] {
        &self.components
    }
}

impl Target for Mixture {
    fn dim(&self) -> usize {
        self.components[0].dim()
    }

    fn marginal(&self, x: &[f64], c: &Coefficients) -> Marginal {
        let component = |g: &Gaussian| marginal(x, g.mean(), g.std(), c);
        Marginal::mix(&self.log_weights, &self.components.iter().map(component).collect::<Vec<_>>())
    }

    fn sample(&self, n: usize, rng: &mut dyn Rng) -> Vec<f64> {
        let mut rows = Vec::with_capacity(n * self.dim());
        for _ in 0..n {
            let g = &self.components[draw_index(&self.log_weights, rng)];
            rows.extend(g.mean().iter().map(|m| m + g.std() * normal(rng)));
        }
        rows
    }

    fn log_density(&self, x: &[f64]) -> f64 {
        let joint = |(w, g): (&f64, &Gaussian)| w + g.log_density(x);
        softmax(&self.log_weights.iter().zip(&self.components).map(joint).collect::<Vec<_>>()).0
    }

    fn smallest_sigma(&self) -> f64 {
        self.components.iter().map(Target::smallest_sigma).fold(0.0, f64::max)
    }

    fn posterior_means(&self, x: Tensor<2>, c: &[Coefficients]) -> (Tensor<2>, Tensor<2>) {
        let means: Vec<f64> = self.components.iter().flat_map(Gaussian::mean).copied().collect();
        let stds: Vec<f64> = self.components.iter().map(Gaussian::std).collect();
        atoms_posterior_means(x, c, &means, &stds, &self.log_weights)
    }
}

/// Index drawn with probabilities given by their logarithms.
pub(super) fn draw_index(log_weights: &[f64], rng: &mut dyn Rng) -> usize {
    let mut left: f64 = rng.random();
    for (k, w) in log_weights.iter().enumerate() {
        left -= w.exp();
        if left < 0.0 {
            return k;
        }
    }
    log_weights.len() - 1
}

/// Posterior means of data and noise for a mixture of isotropic Gaussians, on the device.
///
/// Distances are differences rather than expanded squares, which lose all digits in single
/// precision near the data, and are formed for as many components at a time as fit [`CHUNK`]
/// numbers. Where their squares overflow the type of `x` (numbers beyond `1e19` in `f32`) the means
/// are NaN.
pub(super) fn atoms_posterior_means(
    x: Tensor<2>,
    c: &[Coefficients],
    means: &[f64],
    stds: &[f64],
    log_weights: &[f64],
) -> (Tensor<2>, Tensor<2>) {
    let ([batch, dim], atoms) = (x.dims(), stds.len());
    if batch == 0 {
        return (x.clone(), x);
    }
    let total = |c: &Coefficients, s: f64| c.sigma * c.sigma + c.alpha * c.alpha * s * s;
    let table = |f: &dyn Fn(&Coefficients, usize) -> f64| {
        let values: Vec<f64> = c.iter().flat_map(|c| (0..atoms).map(move |k| f(c, k))).collect();
        upload(&values, [batch, atoms], &x)
    };
    let alpha = column(&x, c.iter().map(|c| c.alpha).collect()); // [B, 1]
    let means = upload(means, [atoms, dim], &x); // [K, d]
    let chunk = (CHUNK / (batch * dim)).clamp(1, atoms);
    let distances = (0..atoms).step_by(chunk).map(|start| {
        let part = means.clone().narrow(0, start, chunk.min(atoms - start));
        let centred = x.clone().unsqueeze_dim::<3>(1)
            - alpha.clone().unsqueeze_dim::<3>(2) * part.unsqueeze_dim::<3>(0); // [B, k, d]
        centred.square().sum_dim(2).squeeze_dim::<2>(2)
    });
    let distances = Tensor::cat(distances.collect(), 1); // [B, K]
    let constant = table(&|c, k| log_weights[k] + log_normal(0.0, dim, total(c, stds[k]).sqrt()));
    let precision = table(&|c, k| total(c, stds[k]).recip());
    let shares = activation::softmax(constant - distances * precision * 0.5, 1);
    let weigh = |f: &dyn Fn(&Coefficients, f64) -> f64| {
        shares.clone() * table(&|c, k| f(c, stds[k]) / total(c, stds[k]))
    };
    let data = weigh(&|c, s| c.alpha * s * s).sum_dim(1) * x.clone()
        + weigh(&|c, _| c.sigma * c.sigma).matmul(means.clone());
    let noise = weigh(&|c, _| c.sigma).sum_dim(1) * x.clone()
        - weigh(&|c, _| c.sigma * c.alpha).matmul(means);
    (data, noise)
}

/// Numbers held at once for the differences between points and components.
const CHUNK: usize = 1 << 24;
