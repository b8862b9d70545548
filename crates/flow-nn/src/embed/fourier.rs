//! Fourier features of a point: what lets a small MLP draw sharp edges.

use std::f64::consts::TAU;

use burn::tensor::{Tensor, TensorData};
use serde::{Deserialize, Serialize};

use crate::error::{NetworkError, frequency};
use crate::graph::{Graph, Value};

/// Sines and cosines of each coordinate at octaves of a longest wavelength.
///
/// `phi(x) = [x, cos(2 pi 2^k x / L), sin(2 pi 2^k x / L)]`, `k = 0..octaves-1`, per coordinate.
///
/// # Reference
/// Tancik et al. (2020), "Fourier Features Let Networks Learn High Frequency Functions in Low
/// Dimensional Domains", arXiv:2006.10739, equation 5 (axis-aligned frequencies).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FourierFeatures {
    /// Number of frequencies per coordinate.
    pub octaves: usize,
    /// Longest wavelength `L`, in the units of `x`.
    pub wavelength: f64,
}

impl FourierFeatures {
    /// Refuses frequencies that are not positive numbers.
    pub(crate) fn check(&self) -> Result<(), NetworkError> {
        if self.octaves == 0 {
            return Ok(());
        }
        if !(0.0 < self.wavelength && self.wavelength.is_finite()) {
            let (field, value) = ("fourier.wavelength", self.wavelength);
            return Err(NetworkError::OutOfRange { field, value, need: "a positive number" });
        }
        let lowest = TAU / self.wavelength;
        frequency("the lowest frequency, 2 pi / fourier.wavelength,", lowest)?;
        let highest = lowest * (self.octaves as f64 - 1.0).exp2();
        frequency("the highest frequency, 2^(fourier.octaves - 1) times the lowest,", highest)
    }

    /// Number of features of a point of dimension `dim`, the point itself included.
    #[must_use]
    pub fn width(&self, dim: usize) -> usize {
        dim * (1 + 2 * self.octaves)
    }

    /// A coordinate that is not finite makes its features so. With a wavelength that is not
    /// positive, or so many octaves that a frequency overflows, no feature means anything: networks
    /// refuse to be built so.
    ///
    /// # Shapes
    /// - `x`: `[B, d]`, output: `[B, d (1 + 2 octaves)]`
    #[must_use]
    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        if self.octaves == 0 {
            return x;
        }
        let [batch, dim] = x.dims();
        let frequencies = TensorData::new(self.frequencies(), [1, 1, self.octaves]);
        let frequencies = Tensor::<3>::from_data(frequencies, &x.device());
        let angle = (x.clone().unsqueeze_dim::<3>(2) * frequencies) // [B, d, octaves]
            .reshape([batch, dim * self.octaves]);
        Tensor::cat(vec![x, angle.clone().cos(), angle.sin()], 1)
    }

    /// The same as operations, `[B, dim] -> [B, dim (1 + 2 octaves)]`.
    pub(crate) fn graph(&self, graph: &mut dyn Graph, x: Value, dim: usize) -> Value {
        if self.octaves == 0 {
            return x;
        }
        let sinusoids = graph.sinusoids(x, dim, &self.frequencies());
        graph.concat(&[x, sinusoids], 1)
    }

    fn frequencies(&self) -> Vec<f32> {
        (0..self.octaves).map(|k| (TAU / self.wavelength * (k as f64).exp2()) as f32).collect()
    }
}
