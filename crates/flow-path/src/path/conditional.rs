//! Gaussian paths conditioned on any latent variable.

use std::f64::consts::PI;

use burn::prelude::*;

use super::{AffinePath, PathSample};
use crate::times::column;
use crate::{Schedule, Times};

/// Mean and standard deviation of `p_t(x | z)` for a batch of latents, with their time derivatives.
#[derive(Clone, Debug)]
pub struct Moments<const D: usize> {
    /// Mean `mu_t(z)`, `[B, ..]`.
    pub mean: Tensor<D>,
    /// Time derivative of the mean, `[B, ..]`.
    pub d_mean: Tensor<D>,
    /// Standard deviation `sigma_t(z)`, one per sample.
    pub std: Vec<f64>,
    /// Time derivative of the standard deviation, one per sample.
    pub d_std: Vec<f64>,
}

/// A family of Gaussian paths `p_t(x | z) = N(mu_t(z), sigma_t(z)^2 I)` over a latent `z` of any
/// kind.
///
/// Flow matching holds for every latent: if the mixture `p_t = E_z p_t(. | z)` starts at the noise
/// and ends at the data, regressing `u_t(x | z)` learns a velocity that generates it. `z = x_1` is
/// the original construction, `z = (x_0, x_1)` couples noise and data, and a user's own `z` needs
/// only [`ConditionalPath::moments`].
///
/// # Reference
/// Tong et al. (2024), "Improving and Generalizing Flow-Based Generative Models with Minibatch
/// Optimal Transport", arXiv:2302.00482.
pub trait ConditionalPath<Z, const D: usize> {
    /// Moments of `p_t(x | z)`, one latent and one time per sample.
    fn moments(&self, z: &Z, t: &Times) -> Moments<D>;

    /// Points `mu + sigma noise` and their velocities `mu' + sigma' noise`.
    ///
    /// # Shapes
    /// `noise` is `[B, ..]`, standard normal.
    fn sample_given(&self, z: &Z, noise: Tensor<D>, t: &Times) -> PathSample<D> {
        let m = self.moments(z, t);
        let (std, d_std) = (column(&noise, m.std), column(&noise, m.d_std));
        PathSample {
            t: t.clone(),
            x_t: m.mean + std * noise.clone(),
            dx_t: m.d_mean + d_std * noise,
        }
    }

    /// Conditional velocity at given points, `u_t(x | z) = (sigma'/sigma)(x - mu) + mu'`.
    ///
    /// # Shapes
    /// `x` and the output are `[B, ..]`.
    fn velocity(&self, x: Tensor<D>, z: &Z, t: &Times) -> Tensor<D> {
        let m = self.moments(z, t);
        let rate = m.d_std.iter().zip(&m.std).map(|(d, s)| d / s).collect();
        column(&x, rate) * (x - m.mean) + m.d_mean
    }

    /// Conditional score at given points, `-(x - mu) / sigma^2`.
    ///
    /// # Shapes
    /// `x` and the output are `[B, ..]`.
    fn score(&self, x: Tensor<D>, z: &Z, t: &Times) -> Tensor<D> {
        let m = self.moments(z, t);
        let precision = m.std.iter().map(|s| -1.0 / (s * s)).collect();
        column(&x, precision) * (x - m.mean)
    }

    /// Conditional log-density of given points, in nats.
    ///
    /// # Shapes
    /// `x` is `[B, ..]`, the output `[B]`.
    fn log_density(&self, x: Tensor<D>, z: &Z, t: &Times) -> Tensor<1> {
        let batch = x.dims()[0];
        let d = x.shape().num_elements() / batch;
        let m = self.moments(z, t);
        let scale = column(&x, m.std.iter().map(|s| s.recip()).collect());
        let constant =
            m.std.iter().map(|s| -(d as f64) * (s.ln() + 0.5 * (2.0 * PI).ln())).collect();
        let distance = ((x - m.mean) * scale).square().reshape([batch, d]).sum_dim(1); // [B, 1]
        (column(&distance, constant) - distance * 0.5).squeeze_dim(1)
    }
}

/// `z = x_1`: the affine path of a schedule, given the data alone.
impl<const D: usize, S: Schedule> ConditionalPath<Tensor<D>, D> for AffinePath<S> {
    fn moments(&self, x1: &Tensor<D>, t: &Times) -> Moments<D> {
        Moments {
            mean: t.column(x1, |t| self.schedule.at(t).alpha) * x1.clone(),
            d_mean: t.column(x1, |t| self.schedule.at(t).d_alpha) * x1.clone(),
            std: t.iter().map(|t| self.schedule.at(t).sigma).collect(),
            d_std: t.iter().map(|t| self.schedule.at(t).d_sigma).collect(),
        }
    }
}
