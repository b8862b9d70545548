//! The divergence of a velocity, from vector-Jacobian products.

use std::ops::Range;

use burn::tensor::{Device, Tensor, TensorData};
use flow_path::Prediction;
use flow_path::stream::{Purpose, Streams};
use rand::RngExt;

use crate::noise::normal_rows;
use crate::predictor::Predictor;
use crate::pullback::pull_back;

/// A way to the divergence `div v = tr dv/dx` of a predictor's velocity.
///
/// The tape holds one evaluation and nothing but its input is tracked: networks must be on a device
/// without autodiff. Each row's velocity must depend on that row alone, so there is no divergence
/// through batch normalisation.
pub trait Divergence {
    /// Estimates for each sample, 1 for an exact divergence.
    fn estimates(&self) -> usize;

    /// The velocity at `x` and `t`, and the estimates of its divergence, per unit time.
    ///
    /// # Shapes
    /// - `x` and the velocity: `[B, d]`; the divergence: `[B, K]` with `K` estimates
    ///
    /// # Panics
    /// If the velocity carries no gradient, as where a field is computed on the host.
    fn evaluate(&self, predictor: &dyn Predictor, x: &Tensor<2>, t: f64) -> (Tensor<2>, Tensor<2>);
}

/// The exact divergence, `sum_i e_i . (dv/dx) e_i` over all `d` unit vectors.
///
/// A pass evaluates the batch once for each of `chunk` unit vectors, forward and backward, so its
/// memory is that of `B * chunk` rows, and `d / chunk` passes make one divergence. No rows have no
/// divergence, and nothing is asked for them. A NaN in a row stays in that row's divergence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExactTrace {
    /// Unit vectors in a pass; 0 counts as 1.
    pub chunk: usize,
}

impl Divergence for ExactTrace {
    fn estimates(&self) -> usize {
        1
    }

    fn evaluate(&self, predictor: &dyn Predictor, x: &Tensor<2>, t: f64) -> (Tensor<2>, Tensor<2>) {
        let (rows, size) = rows_and_size(x);
        if rows * size == 0 {
            return (x.clone(), Tensor::zeros([rows, 1], (&x.device(), x.dtype())));
        }
        let chunk = self.chunk.clamp(1, size);
        let pass = |start: usize| {
            let copies = chunk.min(size - start);
            let units = unit_vectors(start, copies, x);
            let (v, form) = quadratic_form(predictor, x.clone().repeat_dim(0, copies), t, units);
            (v.narrow(0, 0, rows), form.reshape([copies, rows]).sum_dim(0))
        };
        let (velocity, first) = pass(0);
        let trace = (chunk..size).step_by(chunk).fold(first, |sum, start| sum + pass(start).1);
        (velocity, trace.reshape([rows, 1]))
    }
}

/// The unit vectors `start..start + copies`, each for all rows of `x` before the next.
fn unit_vectors(start: usize, copies: usize, x: &Tensor<2>) -> Tensor<2> {
    let (rows, size) = rows_and_size(x);
    let mut units = vec![0.0_f32; copies * size];
    (0..copies).for_each(|k| units[k * size + start + k] = 1.0);
    let units = TensorData::new(units, [copies, 1, size]);
    let mut shape = x.dims();
    shape[0] = copies * rows;
    Tensor::<3>::from_data(units, (&x.device(), x.dtype()))
        .expand([copies, rows, size])
        .reshape(shape)
}

/// The law of a random probe `z`, with `E z z^T = I`.
///
/// For a solve with the Jacobian's integral `A` and its symmetric part `S`, one probe estimates
/// `tr A` with the variance given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Probe {
    /// Signs, `-1` or `1`: variance `2 sum_{i != j} S_ij^2`, none for a diagonal Jacobian.
    #[default]
    Rademacher,
    /// Standard normal: variance `2 sum_{i, j} S_ij^2`, never less.
    Gaussian,
}

/// Hutchinson's estimator of the divergence, `z . (dv/dx) z`, for probes that stay fixed.
///
/// The probes are data, not draws of each evaluation: a field that changed between the stages of a
/// step would leave an adaptive solver without a step that satisfies it. Estimates of a
/// log-density are unbiased; the exponential of one is not.
///
/// # Reference
/// Hutchinson (1990), "A Stochastic Estimator of the Trace of the Influence Matrix for Laplacian
/// Smoothing Splines"; Grathwohl, Chen, Bettencourt, Sutskever & Duvenaud (2019), "FFJORD",
/// arXiv:1810.01367.
#[derive(Clone, Debug)]
pub struct Hutchinson {
    probes: Vec<Tensor<2>>,
}

impl Hutchinson {
    /// The estimator with the given probes, one estimate for each.
    ///
    /// # Shapes
    /// - each probe: that of the batch, `[B, d]`
    ///
    /// # Panics
    /// If there are no probes.
    #[must_use]
    pub fn new(probes: Vec<Tensor<2>>) -> Self {
        assert!(!probes.is_empty(), "expected at least one probe, got none");
        Self { probes }
    }

    /// The estimator with `probes` random probes for each of the samples `range` of `seed`.
    ///
    /// A sample's probes depend on the seed and on its number alone, whatever the batch.
    ///
    /// Each sample has `size` numbers.
    ///
    /// # Panics
    /// If `probes` is zero.
    #[must_use]
    pub fn draw(
        law: Probe,
        probes: usize,
        seed: u64,
        range: Range<usize>,
        size: usize,
        device: &Device,
    ) -> Self {
        let rows = range.len();
        let numbers = match law {
            Probe::Rademacher => sign_rows(seed, range, probes * size),
            Probe::Gaussian => normal_rows(seed, Purpose::Probe, range, probes * size),
        };
        let numbers = TensorData::new(numbers, [rows, probes, size]);
        let numbers = Tensor::<3>::from_data(numbers, device);
        let probe = |k| numbers.clone().narrow(1, k, 1).reshape([rows, size]);
        Self::new((0..probes).map(probe).collect())
    }
}

fn sign_rows(seed: u64, range: Range<usize>, size: usize) -> Vec<f32> {
    let streams = Streams::new(seed);
    let row = |i: usize| {
        let mut rng = streams.rng(i as u64, Purpose::Probe);
        (0..size).map(move |_| if rng.random() { 1.0 } else { -1.0 })
    };
    range.flat_map(row).collect()
}

impl Divergence for Hutchinson {
    fn estimates(&self) -> usize {
        self.probes.len()
    }

    fn evaluate(&self, predictor: &dyn Predictor, x: &Tensor<2>, t: f64) -> (Tensor<2>, Tensor<2>) {
        let estimate =
            |z: &Tensor<2>| quadratic_form(predictor, x.clone(), t, z.clone().cast(x.dtype()));
        let (velocity, first) = estimate(&self.probes[0]);
        let others = self.probes[1..].iter().map(|z| estimate(z).1);
        (velocity, Tensor::stack(std::iter::once(first).chain(others).collect(), 1))
    }
}

/// The velocity `v` and, for each row, `z . (dv/dx) z`.
fn quadratic_form(
    predictor: &dyn Predictor,
    x: Tensor<2>,
    t: f64,
    z: Tensor<2>,
) -> (Tensor<2>, Tensor<1>) {
    let (rows, size) = rows_and_size(&x);
    let velocity = |x: &Tensor<2>| predictor.predict(Prediction::Velocity, x, t);
    let (v, transposed) = pull_back("velocity", velocity, x, |_| z.clone());
    (v, (transposed * z).reshape([rows, size]).sum_dim(1).reshape([rows]))
}

fn rows_and_size(x: &Tensor<2>) -> (usize, usize) {
    let dims = x.dims();
    (dims[0], dims[1..].iter().product())
}
