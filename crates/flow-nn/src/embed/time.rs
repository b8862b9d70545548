//! Time as a vector: sinusoids of many frequencies, then a small MLP.

use std::f64::consts::LN_10;

use burn::module::Module;
use burn::nn::{Initializer, Linear, LinearConfig};
use burn::tensor::{Device, Tensor, TensorData};
use flow_kernels::Activation;

use crate::layer::linear;

/// Angular frequencies from the highest down, in geometric progression.
#[derive(Clone, Copy, Debug)]
struct Frequencies {
    /// The highest, in radians per unit of time.
    highest: f64,
    /// Ratio of the highest to the lowest, which the progression ends before.
    range: f64,
}

/// Of a time: `t` in `[0, 1]` spans as many radians as 1,000 diffusion steps would.
const TIMES: Frequencies = Frequencies { highest: 1000.0, range: 1e4 };

/// Of a duration. Losses of flow maps differentiate a network by it: a wiggle of a thousand radians that
/// is a thousandth of the output is as large as the output in the derivative, and the loss that is taught
/// by it diverges.
const DURATIONS: Frequencies = Frequencies { highest: 20.0, range: 100.0 };

/// Sinusoidal embedding of a continuous time, followed by two linear layers.
///
/// `e(t) = [cos(1000 w_k t), sin(1000 w_k t)]`, `w_k = 10000^(-k/K)`, `k = 0..K-1`, then
/// `W2 silu(W1 e + b1) + b2`.
///
/// # Reference
/// Vaswani et al. (2017), "Attention Is All You Need", arXiv:1706.03762, section 3.5;
/// Ho et al. (2020), arXiv:2006.11239, appendix B, for its use with time.
#[derive(Module, Debug)]
pub struct TimeEmbedding {
    inner: Linear,
    outer: Linear,
    sinusoids: usize,
    #[module(skip)]
    frequencies: Frequencies,
}

impl TimeEmbedding {
    /// `sinusoids` features mapped to `width` numbers.
    ///
    /// # Panics
    /// When `sinusoids` is odd or a number is zero.
    #[must_use]
    pub fn new(sinusoids: usize, width: usize, device: &Device) -> Self {
        assert!(
            0 < sinusoids && sinusoids.is_multiple_of(2) && 0 < width,
            "expected an even number of sinusoids and a width, got {sinusoids} and {width}"
        );
        Self {
            inner: LinearConfig::new(sinusoids, width).init(device),
            outer: LinearConfig::new(width, width).init(device),
            sinusoids,
            frequencies: TIMES,
        }
    }

    /// An embedding of durations, zero for all of them until it is trained: a network that gets it in
    /// addition begins as it was.
    ///
    /// Its frequencies are `20 * 100^(-k/K)`, slow enough for derivatives by the duration to be of the
    /// size of the output.
    ///
    /// # Panics
    /// When `sinusoids` is odd or a number is zero.
    #[must_use]
    pub fn starting_at_zero(sinusoids: usize, width: usize, device: &Device) -> Self {
        let outer = LinearConfig::new(width, width).with_initializer(Initializer::Zeros);
        let outer = outer.init(device);
        Self { outer, frequencies: DURATIONS, ..Self::new(sinusoids, width, device) }
    }

    /// A time that is not finite makes its row so.
    ///
    /// # Shapes
    /// - `t`: `[B]`, output: `[B, width]`
    #[must_use]
    pub fn forward(&self, t: Tensor<1>) -> Tensor<2> {
        let hidden =
            linear(&self.inner, sinusoids(t, self.sinusoids, self.frequencies), Activation::Silu);
        linear(&self.outer, hidden, Activation::Identity)
    }
}

/// `[cos(w w_k t), sin(w w_k t)]` with `w` the highest frequency, `[B] -> [B, n]`.
fn sinusoids(t: Tensor<1>, n: usize, Frequencies { highest, range }: Frequencies) -> Tensor<2> {
    let half = n / 2;
    let frequencies: Vec<f32> = (0..half)
        .map(|k| {
            let fraction = k as f64 / half as f64;
            (highest * (-(range.log10()) * LN_10 * fraction).exp()) as f32
        })
        .collect();
    let frequencies = Tensor::<2>::from_data(TensorData::new(frequencies, [1, half]), &t.device());
    let angle = t.unsqueeze_dim::<2>(1) * frequencies; // [B, n/2]
    Tensor::cat(vec![angle.clone().cos(), angle.sin()], 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sinusoids_match_their_formula() {
        let device = Device::flex();
        let out = sinusoids(Tensor::from_floats([0.0, 0.37], &device), 8, TIMES);
        let out: Vec<f32> = out.into_data().try_into_vec().unwrap();
        assert_eq!(&out[..8], &[1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0]);
        for k in 0..4 {
            let angle = 0.37 * 1000.0 * 1e4_f64.powf(-(k as f64) / 4.0);
            // An angle of 370 carries an f32 rounding of 370 * 6e-8 = 2e-5.
            assert!((f64::from(out[8 + k]) - angle.cos()).abs() < 1e-4);
            assert!((f64::from(out[12 + k]) - angle.sin()).abs() < 1e-4);
        }
    }
}
