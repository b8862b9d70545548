//! Time as a vector: sinusoids of many frequencies, then a small MLP.

use std::f64::consts::LN_10;

use burn::module::Module;
use burn::nn::{Initializer, Linear, LinearConfig};
use burn::tensor::{Device, Tensor, TensorData};
use flow_kernels::Activation;

use super::coordinate::Band;
use crate::graph::{Graph, Value};
use crate::layer::linear;

/// Angular frequencies from the highest down, in geometric progression.
#[derive(Clone, Copy, Debug)]
struct Frequencies {
    /// The highest, in radians per unit of time.
    highest: f64,
    /// Ratio of the highest to the lowest, which the progression ends before.
    range: f64,
}

/// Radians that a time in `[0, 1]` spans unless a network says otherwise: as many as 1,000
/// diffusion steps.
pub const TIME_SCALE: u32 = 1000;

/// Radians that a duration spans at most. Losses of flow maps differentiate a network by it: a
/// wiggle of a thousand radians that is a thousandth of the output is as large as the output in the
/// derivative, and the loss that is taught by it diverges.
const DURATION_SCALE: u32 = 20;

impl Frequencies {
    /// Four decades below a thousand radians, as many more or less as the scale has, and two at
    /// least.
    fn of(scale: u32) -> Self {
        Self { highest: scale.into(), range: (10.0 * f64::from(scale)).max(100.0) }
    }
}

/// [`TIME_SCALE`], which sections of networks leave out.
pub(crate) fn time_scale() -> u32 {
    TIME_SCALE
}

/// Whether a section of a network leaves its scale out.
// Serde calls this with a reference.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
pub(crate) fn is_usual(scale: &u32) -> bool {
    *scale == TIME_SCALE
}

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
    frequencies: Vec<f32>,
}

impl TimeEmbedding {
    /// `sinusoids` features mapped to `width` numbers.
    ///
    /// # Panics
    /// When `sinusoids` is odd or a number is zero.
    #[must_use]
    pub fn new(sinusoids: usize, width: usize, device: &Device) -> Self {
        Self::scaled(TIME_SCALE, sinusoids, width, device)
    }

    /// As [`TimeEmbedding::new`] with the highest frequency of `scale` radians,
    /// `w_k = (10 scale)^(-k/K)` and at least two decades of them: a few radians make a network
    /// smooth in time, which losses that differentiate it need.
    ///
    /// # Panics
    /// When `sinusoids` is odd or a number is zero.
    #[must_use]
    pub fn scaled(scale: u32, sinusoids: usize, width: usize, device: &Device) -> Self {
        sizes(scale, sinusoids, width);
        Self::of(frequencies(sinusoids, Frequencies::of(scale)), width, device)
    }

    /// As [`TimeEmbedding::new`] with the frequencies of a band, the highest first:
    /// `w_k = highest (lowest / highest)^(k / (K - 1))` in place of `1000 w_k`.
    ///
    /// # Panics
    /// When `sinusoids` is odd or a number is zero.
    #[must_use]
    pub fn within(band: Band, sinusoids: usize, width: usize, device: &Device) -> Self {
        sizes(1, sinusoids, width);
        let highest_first = Band { lowest: band.highest, highest: band.lowest };
        Self::of(highest_first.frequencies(sinusoids / 2), width, device)
    }

    fn of(frequencies: Vec<f32>, width: usize, device: &Device) -> Self {
        Self {
            inner: LinearConfig::new(2 * frequencies.len(), width).init(device),
            outer: LinearConfig::new(width, width).init(device),
            frequencies,
        }
    }

    /// An embedding of durations, zero for all of them until it is trained: a network that gets it
    /// in addition begins as it was.
    ///
    /// Its frequencies are those of a scale of at most 20 radians, slow enough for derivatives by
    /// the duration to be of the size of the output: those of a larger `scale` are
    /// `20 * 200^(-k/K)`.
    ///
    /// # Panics
    /// When `sinusoids` is odd or a number is zero.
    #[must_use]
    pub fn starting_at_zero(scale: u32, sinusoids: usize, width: usize, device: &Device) -> Self {
        sizes(scale, sinusoids, width);
        let frequencies = frequencies(sinusoids, Frequencies::of(scale.min(DURATION_SCALE)));
        Self::of(frequencies, width, device).at_zero(device)
    }

    /// As [`TimeEmbedding::starting_at_zero`] with the frequencies of a band, whose ends are moved
    /// down to 20 radians where they lie above.
    pub(crate) fn durations_within(
        band: Band,
        sinusoids: usize,
        width: usize,
        device: &Device,
    ) -> Self {
        let [lowest, highest] = [band.lowest, band.highest].map(|w| w.min(DURATION_SCALE.into()));
        Self::within(Band { lowest, highest }, sinusoids, width, device).at_zero(device)
    }

    /// The same, but zero for every time until it is trained.
    fn at_zero(self, device: &Device) -> Self {
        let width = self.outer.weight.lazy_shape()[0];
        let outer = LinearConfig::new(width, width).with_initializer(Initializer::Zeros);
        Self { outer: outer.init(device), ..self }
    }

    /// A time that is not finite makes its row so.
    ///
    /// # Shapes
    /// - `t`: `[B]`, output: `[B, width]`
    #[must_use]
    pub fn forward(&self, t: Tensor<1>) -> Tensor<2> {
        let hidden = linear(&self.inner, sinusoids(t, &self.frequencies), Activation::Silu);
        linear(&self.outer, hidden, Activation::Identity)
    }

    /// The same as operations, `[B, 1] -> [B, width]`.
    pub fn graph(&self, graph: &mut dyn Graph, t: Value) -> Value {
        let sinusoids = graph.sinusoids(t, 1, &self.frequencies);
        let hidden = graph.linear(&self.inner, sinusoids, Activation::Silu);
        graph.linear(&self.outer, hidden, Activation::Identity)
    }
}

fn sizes(scale: u32, sinusoids: usize, width: usize) {
    assert!(
        0 < scale && 0 < sinusoids && sinusoids.is_multiple_of(2) && 0 < width,
        "expected a scale and an even number of sinusoids, got {scale} and {sinusoids} for {width}"
    );
}

/// `w r^(-2 k / n)` for `n` sinusoids, half as many, with `w` the highest frequency and `r` the
/// range.
fn frequencies(n: usize, Frequencies { highest, range }: Frequencies) -> Vec<f32> {
    let half = n / 2;
    let frequency = |k| {
        let fraction = f64::from(k) / half as f64;
        (highest * (-(range.log10()) * LN_10 * fraction).exp()) as f32
    };
    (0..half as u32).map(frequency).collect()
}

/// `[cos(w_k t), sin(w_k t)]`, `[B] -> [B, 2 K]`.
fn sinusoids(t: Tensor<1>, frequencies: &[f32]) -> Tensor<2> {
    let frequencies = TensorData::new(frequencies.to_vec(), [1, frequencies.len()]);
    let frequencies = Tensor::<2>::from_data(frequencies, (&t.device(), t.dtype()));
    let angle = t.unsqueeze_dim::<2>(1) * frequencies; // [B, n/2]
    Tensor::cat(vec![angle.clone().cos(), angle.sin()], 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sinusoids_match_their_formula() {
        let device = Device::flex();
        let frequencies = frequencies(8, Frequencies::of(TIME_SCALE));
        let out = sinusoids(Tensor::from_floats([0.0, 0.37], &device), &frequencies);
        let out: Vec<f32> = out.into_data().try_into_vec().unwrap();
        assert_eq!(&out[..8], &[1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0]);
        for k in 0..4 {
            let angle = 0.37 * 1000.0 * 1e4_f64.powf(-(k as f64) / 4.0);
            // An angle of 370 carries an f32 rounding of 370 * 6e-8 = 2e-5.
            assert!((f64::from(out[8 + k]) - angle.cos()).abs() < 1e-4);
            assert!((f64::from(out[12 + k]) - angle.sin()).abs() < 1e-4);
        }
    }

    #[test]
    fn durations_span_at_most_twenty_radians_whatever_the_times() {
        let device = Device::flex();
        let fastest = |band| {
            let duration = TimeEmbedding::durations_within(band, 10, 3, &device);
            (duration.frequencies[0], duration.frequencies[4])
        };
        let off = |(a, b): (f32, f32), want: (f32, f32)| {
            (a / want.0 - 1.0).abs().max((b / want.1 - 1.0).abs())
        };
        assert!(off(fastest(Band { lowest: 0.1, highest: 1000.0 }), (20.0, 0.1)) < 1e-5);
        assert!(off(fastest(Band { lowest: 0.2, highest: 6.0 }), (6.0, 0.2)) < 1e-5);
        // A band that lies above is one frequency.
        assert!(off(fastest(Band { lowest: 50.0, highest: 60.0 }), (20.0, 20.0)) < 1e-5);
        let scaled = TimeEmbedding::starting_at_zero(TIME_SCALE, 10, 3, &device);
        assert!((scaled.frequencies[0] - 20.0).abs() < 1e-5);
    }

    #[test]
    fn the_frequencies_of_a_band_run_from_its_highest_to_its_lowest() {
        let band = Band { lowest: 0.1, highest: 1000.0 };
        let time = TimeEmbedding::within(band, 10, 3, &Device::flex());
        for (k, &w) in time.frequencies.iter().enumerate() {
            let expected = 1000.0 * 1e-4_f64.powf(k as f64 / 4.0);
            assert!((f64::from(w) / expected - 1.0).abs() < 1e-6, "{w} for {expected}");
        }
    }
}
