//! Exact marginal fields of data whose noisy densities have a closed form.
//!
//! With these a model needs no training: velocity, score, denoiser, density and divergence are
//! known at every point and time, so that samplers, losses and likelihoods can be checked against
//! the truth.

mod checkerboard;
mod finite;
mod gaussian;
mod marginal;
mod mixture;
mod quadrature;

use std::fmt::Debug;

use burn::prelude::*;
use burn::tensor::TensorData;
pub use checkerboard::Checkerboard;
pub use finite::FiniteData;
pub use gaussian::Gaussian;
pub use marginal::Marginal;
pub use mixture::Mixture;
use rand::Rng;

use crate::times::column;
use crate::{Coefficients, Prediction, Schedule, Times};

/// A data distribution `q(x_1)` whose marginal under any affine path is known in closed form.
pub trait Target: Debug + Send + Sync {
    /// Numbers per data point.
    fn dim(&self) -> usize;

    /// The marginal at the point `x` where the path has the given coefficients.
    ///
    /// Not finite for a point that is not, or below [`Target::smallest_sigma`].
    fn marginal(&self, x: &[f64], c: &Coefficients) -> Marginal;

    /// `n` draws from the data distribution, row after row.
    fn sample(&self, n: usize, rng: &mut dyn Rng) -> Vec<f64>;

    /// Log-density of the data at `x`, in nats.
    fn log_density(&self, x: &[f64]) -> f64;

    /// Smallest `sigma` at which the marginal is finite everywhere; zero for smooth densities.
    fn smallest_sigma(&self) -> f64 {
        0.0
    }

    /// Posterior means of data and noise for a batch: `(E[x_1 | x_t], E[x_0 | x_t])`.
    ///
    /// The default visits the host; distributions made of Gaussians stay on the device.
    ///
    /// # Shapes
    /// `x` and both outputs are `[B, dim]`, with one set of coefficients per row; `B` may be 0.
    fn posterior_means(&self, x: Tensor<2>, c: &[Coefficients]) -> (Tensor<2>, Tensor<2>) {
        let options = (&x.device(), x.dtype());
        let dims = x.dims();
        let rows =
            x.into_data().convert::<f64>().try_into_vec::<f64>().expect("converted to f64 above");
        let (mut data, mut noise) =
            (Vec::with_capacity(rows.len()), Vec::with_capacity(rows.len()));
        for (row, c) in rows.chunks(self.dim()).zip(c) {
            let marginal = self.marginal(row, c);
            data.extend(marginal.data);
            noise.extend(marginal.noise);
        }
        let upload = |values| Tensor::from_data(TensorData::new(values, dims), options);
        (upload(data), upload(noise))
    }

    /// Where the flow takes a batch between two times given by their coefficients; nothing where
    /// that has no closed form.
    ///
    /// # Shapes
    /// `x` and the output are `[B, dim]`.
    fn flow_map(&self, x: Tensor<2>, from: &Coefficients, to: &Coefficients) -> Option<Tensor<2>> {
        let _ = (x, from, to);
        None
    }
}

/// The marginal field of a flow whose solution is known, at host points in double precision.
///
/// Points are slices of [`ExactField::dim`] numbers; times run from noise (0) to data (1).
pub trait ExactField: Debug + Send + Sync {
    /// Numbers per point.
    fn dim(&self) -> usize;

    /// Everything that is known about the marginal at `x` and time `t`.
    ///
    /// Finite for finite points at times within [`ExactField::span`].
    fn marginal(&self, x: &[f64], t: f64) -> Marginal;

    /// `n` draws from the data, row after row.
    fn sample(&self, n: usize, rng: &mut dyn Rng) -> Vec<f64>;

    /// Times at which the field is finite everywhere.
    fn span(&self) -> (f64, f64);

    /// Marginal velocity `u_t(x) = E[dx_t/dt | x_t = x]`.
    fn velocity(&self, x: &[f64], t: f64) -> Vec<f64> {
        self.marginal(x, t).velocity
    }

    /// Score `grad log p_t(x)`.
    fn score(&self, x: &[f64], t: f64) -> Vec<f64> {
        self.marginal(x, t).score
    }

    /// Posterior mean of the data, `E[x_1 | x_t = x]`: the ideal denoiser.
    fn posterior_mean(&self, x: &[f64], t: f64) -> Vec<f64> {
        self.marginal(x, t).data
    }

    /// Log-density `log p_t(x)`, in nats.
    fn log_density(&self, x: &[f64], t: f64) -> f64 {
        self.marginal(x, t).log_density
    }

    /// Divergence of the marginal velocity, per unit time.
    fn divergence(&self, x: &[f64], t: f64) -> f64 {
        self.marginal(x, t).divergence
    }
}

/// The exact field of a data distribution along a schedule.
///
/// # Example
/// ```
/// use flow_path::{Exact, ExactField, Gaussian, Linear};
///
/// let field = Exact::new(Gaussian::new(vec![1.5], 0.5), Linear::default());
/// assert!((field.velocity(&[0.5], 0.3)[0] - 1.43902439).abs() < 1e-8);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Exact<T, S> {
    /// The data distribution.
    pub target: T,
    /// The schedule.
    pub schedule: S,
}

impl<T: Target, S: Schedule> Exact<T, S> {
    /// The exact field of `target` along `schedule`.
    pub fn new(target: T, schedule: S) -> Self {
        Self { target, schedule }
    }

    /// What an ideal network would predict for a batch, on the device of `x`; a batch of no rows
    /// gives none.
    ///
    /// Numbers whose squares overflow the type of `x`, beyond about `1e18` in `f32`, may give NaN.
    ///
    /// # Shapes
    /// `x` and the output are `[B, ..]` with [`Target::dim`] numbers per sample; `t` holds `B`
    /// times.
    ///
    /// # Panics
    /// If a sample does not hold [`Target::dim`] numbers, or there is not one time per sample.
    #[must_use]
    pub fn predict<const D: usize>(
        &self,
        prediction: Prediction,
        x: Tensor<D>,
        t: &Times,
    ) -> Tensor<D> {
        let (shape, batch, dim) = (x.dims(), x.dims()[0], self.target.dim());
        assert_eq!(t.len(), batch, "expected one time per sample ({batch}), got {}", t.len());
        let numbers = shape.iter().product::<usize>();
        assert_eq!(numbers, batch * dim, "expected {dim} numbers per sample, got shape {shape:?}");
        let c: Vec<Coefficients> = t.iter().map(|t| self.schedule.at(t)).collect();
        let (data, noise) = self.target.posterior_means(x.reshape([batch, dim]), &c);
        let (p, q) = c.iter().map(|c| prediction.factors(c)).unzip();
        (column(&data, p) * data + column(&noise, q) * noise).reshape(shape)
    }
}

impl<T: Target, S: Schedule> ExactField for Exact<T, S> {
    fn dim(&self) -> usize {
        self.target.dim()
    }

    fn marginal(&self, x: &[f64], t: f64) -> Marginal {
        let (given, dim) = (x.len(), self.target.dim());
        assert_eq!(given, dim, "expected a point of {dim} numbers, got {given}");
        self.target.marginal(x, &self.schedule.at(t))
    }

    fn sample(&self, n: usize, rng: &mut dyn Rng) -> Vec<f64> {
        self.target.sample(n, rng)
    }

    fn span(&self) -> (f64, f64) {
        let (start, end) = self.schedule.span();
        let singular = self.schedule.at(end).sigma < self.target.smallest_sigma();
        (start, if singular { end - crate::ENDPOINT_MARGIN } else { end })
    }
}

/// Host numbers on the device of a tensor, in its type.
fn upload(values: &[f64], shape: [usize; 2], like: &Tensor<2>) -> Tensor<2> {
    Tensor::from_data(TensorData::new(values.to_vec(), shape), (&like.device(), like.dtype()))
}
