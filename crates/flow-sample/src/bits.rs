//! Bits per dimension of images with integer pixels.

use std::f64::consts::LN_2;

use rand::{Rng, RngExt};

/// Integer pixels `0..levels` spread evenly over `[-1, 1)`: uniform dequantisation.
///
/// `x = (pixel + u) / (levels/2) - 1` with `u` uniform in `[0, 1)`. A pixel's probability is the
/// mean of the density of `x` over its cell, which is `2/levels` wide, so that
///
/// `-log2 P(pixels) / d <= -E_u log2 p(x) / d + log2(levels/2)`,
///
/// the right side being bits per dimension. With 256 levels the offset is 7 bits; a data scale of
/// 127.5 in place of 128 would need an offset of 6.994.
///
/// # Reference
/// Theis, van den Oord & Bethge (2016), "A Note on the Evaluation of Generative Models",
/// arXiv:1511.01844; Lipman et al. (2023), arXiv:2210.02747, equations 36 and 37.
///
/// ```
/// use flow_sample::Dequantise;
///
/// let bytes = Dequantise { levels: 256 };
/// // A uniform density on [-1, 1) over three dimensions codes each byte in 8 bits.
/// let bits = bytes.bits_per_dim(3.0 * 0.5_f64.ln(), 3);
/// assert!((bits - 8.0).abs() < 1e-12);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dequantise {
    /// Values that a pixel may have.
    pub levels: u32,
}

impl Dequantise {
    /// Pixels with uniform noise, on the scale `[-1, 1)`.
    #[must_use]
    pub fn draw(self, pixels: &[u8], rng: &mut dyn Rng) -> Vec<f32> {
        let half = f64::from(self.levels) / 2.0;
        let noisy = |pixel: &u8| (f64::from(*pixel) + rng.random::<f64>()) / half - 1.0;
        pixels.iter().map(noisy).map(|x| x as f32).collect()
    }

    /// Bits that the scale adds to each dimension, `log2(levels/2)`.
    #[must_use]
    pub fn offset(self) -> f64 {
        (f64::from(self.levels) / 2.0).log2()
    }

    /// Bits per dimension of an image of `dim` numbers whose log-density on `[-1, 1)` is `nats`.
    #[must_use]
    pub fn bits_per_dim(self, nats: f64, dim: usize) -> f64 {
        -nats / (dim as f64 * LN_2) + self.offset()
    }
}

/// `log (1/K) sum_k exp(l_k)`, without overflow; not a number if there are none.
///
/// For the log-densities of `K` noisy copies of an image it is the importance-weighted estimate of
/// its log-probability, which grows with `K` towards the truth. The mean of the `l_k` does not. The `l_k`
/// must be exact: with the error of a random probe in each, `E exp(l_k)` is too large, by a factor
/// `exp(s^2 / 2)` for a normal error of variance `s^2`.
///
/// # Reference
/// Burda, Grosse & Salakhutdinov (2016), "Importance Weighted Autoencoders", arXiv:1509.00519.
#[must_use]
pub fn log_mean_exp(logs: &[f64]) -> f64 {
    let largest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if largest == f64::NEG_INFINITY && !logs.is_empty() {
        return largest;
    }
    let sum: f64 = logs.iter().map(|l| (l - largest).exp()).sum();
    largest + (sum / logs.len() as f64).ln()
}

#[cfg(test)]
mod tests {
    use flow_path::stream::{Purpose, Streams};

    use super::*;

    const BYTES: Dequantise = Dequantise { levels: 256 };

    /// `8 = 1 + log2(128)`; a standard normal has `log2(sqrt(2 pi)) = 1.3257480647` bits at zero.
    #[test]
    fn known_densities_have_their_bits_per_dimension() {
        for dim in [1, 3, 784] {
            let d = dim as f64;
            assert!((BYTES.bits_per_dim(-d * LN_2, dim) - 8.0).abs() < 1e-10);
            let normal = -0.5 * d * std::f64::consts::TAU.ln();
            assert!((BYTES.bits_per_dim(normal, dim) - 8.3257480647).abs() < 1e-10);
        }
    }

    #[test]
    fn noisy_pixels_stay_in_their_cells() {
        let pixels: Vec<u8> = (0..=255).cycle().take(2560).collect();
        let mut rng = Streams::new(1).rng(0, Purpose::Dequantise);
        let noisy = BYTES.draw(&pixels, &mut rng);
        for (x, pixel) in noisy.iter().zip(&pixels) {
            let place = (f64::from(*x) + 1.0) * 128.0 - f64::from(*pixel);
            // Rounding to f32 moves a place by up to 128 * 6e-8.
            assert!((-1e-5..=1.0 + 1e-5).contains(&place), "{pixel} became {x}");
        }
        let mean = noisy.iter().map(|x| f64::from(*x)).sum::<f64>() / 2560.0;
        // The cells are centred on zero; u has the standard deviation 0.29 / 128.
        assert!(mean.abs() < 4.0 * 0.29 / 128.0 / 2560_f64.sqrt(), "{mean}");
    }

    #[test]
    fn importance_weights_average_probabilities() {
        let logs = [0.2_f64.ln() - 5000.0, 0.4_f64.ln() - 5000.0];
        assert!((log_mean_exp(&logs) - (0.3_f64.ln() - 5000.0)).abs() < 1e-12);
        assert!((log_mean_exp(&[-1.5]) + 1.5).abs() < 1e-15);
        assert!(log_mean_exp(&[f64::NEG_INFINITY; 2]) == f64::NEG_INFINITY);
        // The mean of the logarithms is a lower bound, and lower here.
        assert!(log_mean_exp(&logs) > f64::midpoint(logs[0], logs[1]) + 0.05);
    }
}
