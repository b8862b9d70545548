//! Coordinates as vectors: sinusoids over a band of frequencies, then a small MLP.

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor, TensorData};
use flow_kernels::Activation;
use serde::{Deserialize, Serialize};

use crate::error::{NetworkError, frequency, multiple, positive};
use crate::graph::{Graph, Value};
use crate::layer::linear;

/// Angular frequencies of a sinusoidal encoding, in radians per unit of the coordinate.
///
/// `K` frequencies lie geometrically between both ends,
/// `w_k = lowest (highest / lowest)^(k / (K - 1))`. The band must suit the data: with the 1 to 1e-4
/// radians per unit of a position in a text, nearly all sinusoids of a coordinate of size 3 are
/// constant.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Band {
    /// Lowest angular frequency.
    pub lowest: f64,
    /// Highest angular frequency.
    pub highest: f64,
}

impl Default for Band {
    fn default() -> Self {
        Self { lowest: 0.1, highest: 10.0 }
    }
}

impl Band {
    /// Refuses ends that are no positive numbers or in the wrong order.
    pub(crate) fn check(self) -> Result<(), NetworkError> {
        frequency("band.lowest", self.lowest)?;
        frequency("band.highest", self.highest)?;
        let (value, need) = (self.highest, "above band.lowest");
        if self.lowest < self.highest {
            return Ok(());
        }
        Err(NetworkError::OutOfRange { field: "band.highest", value, need })
    }

    pub(super) fn frequencies(&self, count: usize) -> Vec<f32> {
        let last = count.saturating_sub(1).max(1) as f64;
        let ratio = self.highest / self.lowest;
        (0..count).map(|k| (self.lowest * ratio.powf(k as f64 / last)) as f32).collect()
    }
}

/// `gelu(W2 gelu(W1 e(x) + b1) + b2)` with `e(x) = [cos(w_k x_i), sin(w_k x_i)]` for every
/// coordinate `i`.
///
/// # Reference
/// Vaswani et al. (2017), "Attention Is All You Need", arXiv:1706.03762, section 3.5, for the
/// sinusoids; Guo & Schwing (2025), "Variational Rectified Flow Matching", arXiv:2502.09616,
/// appendix D.1, for their use on positions and times, each with two layers and GELU.
#[derive(Module, Debug)]
pub struct CoordinateEncoder {
    inner: Linear,
    outer: Linear,
    dim: usize,
    frequencies: Vec<f32>,
}

impl CoordinateEncoder {
    /// `features` sinusoids of `dim` coordinates together, a multiple of `2 dim`, mapped to `width`
    /// numbers.
    ///
    /// # Errors
    /// When a size is zero, `features` is no multiple of `2 dim`, or a frequency is not positive.
    pub fn new(
        dim: usize,
        features: usize,
        band: Band,
        width: usize,
        device: &Device,
    ) -> Result<Self, NetworkError> {
        positive("dim", dim)?;
        positive("features", features)?;
        positive("hidden", width)?;
        multiple("features", features, 2 * dim)?;
        frequency("band.lowest", band.lowest)?;
        frequency("band.highest", band.highest)?;
        Ok(Self {
            inner: LinearConfig::new(features, width).init(device),
            outer: LinearConfig::new(width, width).init(device),
            dim,
            frequencies: band.frequencies(features / (2 * dim)),
        })
    }

    /// A coordinate that is not finite makes its row so.
    ///
    /// # Shapes
    /// - `x`: `[B, dim]`, output: `[B, width]`
    ///
    /// # Panics
    /// When `x` has another number of coordinates.
    #[must_use]
    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let [rows, dim] = x.dims();
        assert!(dim == self.dim, "expected points of [{rows}, {}], got [{rows}, {dim}]", self.dim);
        let hidden = linear(&self.inner, self.sinusoids(x), Activation::Gelu);
        linear(&self.outer, hidden, Activation::Gelu)
    }

    /// The same as operations, `[B, dim] -> [B, width]`.
    pub(crate) fn graph(&self, graph: &mut dyn Graph, x: Value) -> Value {
        let sinusoids = graph.sinusoids(x, self.dim, &self.frequencies);
        let hidden = graph.linear(&self.inner, sinusoids, Activation::Gelu);
        graph.linear(&self.outer, hidden, Activation::Gelu)
    }

    /// `[B, dim] -> [B, 2 K dim]`
    fn sinusoids(&self, x: Tensor<2>) -> Tensor<2> {
        let count = self.frequencies.len();
        let frequencies = TensorData::new(self.frequencies.clone(), [1, 1, count]);
        let frequencies = Tensor::<3>::from_data(frequencies, &x.device());
        let [batch, _] = x.dims();
        let angle = (x.unsqueeze_dim::<3>(2) * frequencies).reshape([batch, self.dim * count]);
        Tensor::cat(vec![angle.clone().cos(), angle.sin()], 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sinusoids_match_their_formula_for_every_coordinate() {
        let device = Device::flex();
        let band = Band { lowest: 0.5, highest: 8.0 };
        let encoder = CoordinateEncoder::new(2, 12, band, 3, &device).unwrap();
        let x = Tensor::from_floats([[0.3, -1.7]], &device);
        let out: Vec<f32> = encoder.sinusoids(x).into_data().try_into_vec().unwrap();
        for (i, x) in [0.3_f64, -1.7].into_iter().enumerate() {
            for (k, w) in [0.5, 2.0, 8.0].into_iter().enumerate() {
                // Angles up to 14 carry an f32 rounding of 14 * 6e-8 = 1e-6.
                assert!((f64::from(out[3 * i + k]) - (w * x).cos()).abs() < 3e-6);
                assert!((f64::from(out[6 + 3 * i + k]) - (w * x).sin()).abs() < 3e-6);
            }
        }
    }
}
