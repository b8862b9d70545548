//! Bits per dimension of images with integer pixels.

use std::f64::consts::LN_2;

use rand::{Rng, RngExt};

/// Integer pixels `0..levels` with uniform noise, on the scale on which images are trained: uniform
/// dequantisation.
///
/// Images are trained as `2 pixel / max - 1` with `max = levels - 1`, black at -1 and white at 1. A
/// pixel is spread over the cell around that number, `x = 2 (pixel + u - 1/2) / max - 1` with `u`
/// uniform in `[0, 1)`, so that the mean of what is scored is what was trained; the cells reach
/// from `-1 - 1/max` to `1 + 1/max`. A pixel's probability is the mean of the density of `x` over
/// its cell, which is `2/max` wide, so that
///
/// `-log2 P(pixels) / d <= -E_u log2 p(x) / d + log2(max/2)`,
///
/// the right side being bits per dimension. With 256 levels the offset is 6.994 bits. A scale of
/// `(pixel + u) / 128 - 1` has an offset of 7, and is another one than that of training.
///
/// The bound holds for any density. It is close only for one that was trained on such noisy pixels
/// too: a density trained on the pixels alone is free to gather on 256 points, and the noise moves
/// the rows away from them.
///
/// # Reference
/// Theis, van den Oord & Bethge (2016), "A Note on the Evaluation of Generative Models",
/// arXiv:1511.01844; Lipman et al. (2023), arXiv:2210.02747, equations 36 and 37.
///
/// ```
/// use flow_sample::Dequantise;
///
/// let bytes = Dequantise { levels: 256 };
/// // A uniform density over all cells of three dimensions codes each byte in 8 bits.
/// let width: f64 = 2.0 * 256.0 / 255.0;
/// let bits = bytes.bits_per_dim(-3.0 * width.ln(), 3);
/// assert!((bits - 8.0).abs() < 1e-12);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dequantise {
    /// Values that a pixel may have, at least two.
    pub levels: u32,
}

impl Dequantise {
    /// Pixels with uniform noise, each in its cell around the number that training sees.
    ///
    /// # Panics
    /// With fewer than two levels, or for a pixel that is none of them.
    #[must_use]
    pub fn draw(self, pixels: &[u8], rng: &mut dyn Rng) -> Vec<f32> {
        let half = self.half_scale();
        let noisy = |pixel: &u8| {
            let levels = self.levels;
            assert!(u32::from(*pixel) < levels, "expected a pixel below {levels}, got {pixel}");
            (f64::from(*pixel) + rng.random::<f64>() - 0.5) / half - 1.0
        };
        pixels.iter().map(noisy).map(|x| x as f32).collect()
    }

    /// Bits that the scale adds to each dimension, `log2(max/2)`.
    ///
    /// # Panics
    /// With fewer than two levels.
    #[must_use]
    pub fn offset(self) -> f64 {
        self.half_scale().log2()
    }

    /// Bits per dimension of an image of `dim` numbers whose log-density on the scale of training
    /// is `nats`.
    ///
    /// Infinite for a density of zero, and not a number for `nats` that is none or for an image
    /// without numbers.
    ///
    /// # Panics
    /// With fewer than two levels.
    #[must_use]
    pub fn bits_per_dim(self, nats: f64, dim: usize) -> f64 {
        -nats / (dim as f64 * LN_2) + self.offset()
    }

    /// Pixels for each unit of the scale of training, `max/2`.
    fn half_scale(self) -> f64 {
        let levels = self.levels;
        assert!(2 <= levels, "expected pixels of at least two levels, got {levels}");
        f64::from(levels - 1) / 2.0
    }
}

/// `log (1/K) sum_k exp(l_k)`, without overflow; not a number if there are none or one of them is
/// not a number.
///
/// For the log-densities of `K` noisy copies of an image it is the importance-weighted estimate of
/// its log-probability, which grows with `K` towards the truth. The mean of the `l_k` does not. The
/// `l_k` must be exact: with the error of a random probe in each, `E exp(l_k)` is too large, by a
/// factor `exp(s^2 / 2)` for a normal error of variance `s^2`.
///
/// # Reference
/// Burda, Grosse & Salakhutdinov (2016), "Importance Weighted Autoencoders", arXiv:1509.00519.
#[must_use]
pub fn log_mean_exp(logs: &[f64]) -> f64 {
    let largest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let number = !logs.is_empty() && !logs.iter().any(|log| log.is_nan());
    if largest.is_infinite() && number {
        return largest;
    }
    let sum: f64 = logs.iter().map(|l| (l - largest).exp()).sum();
    largest + (sum / logs.len() as f64).ln()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::float_cmp, reason = "an infinity is exact")]

    use flow_path::stream::{Purpose, Streams};

    use super::*;

    const BYTES: Dequantise = Dequantise { levels: 256 };

    /// Uniform over `[-1 - 1/255, 1 + 1/255]` each byte has 8 bits; a standard normal has
    /// `log2(sqrt(2 pi)) = 1.3257480647` bits at zero, and the scale adds `log2(127.5) =
    /// 6.9943534369`.
    #[test]
    fn known_densities_have_their_bits_per_dimension() {
        for dim in [1, 3, 784] {
            let d = dim as f64;
            let width: f64 = 2.0 + 2.0 / 255.0;
            assert!((BYTES.bits_per_dim(-d * width.ln(), dim) - 8.0).abs() < 1e-10);
            let normal = -0.5 * d * std::f64::consts::TAU.ln();
            assert!((BYTES.bits_per_dim(normal, dim) - 8.3201015016).abs() < 1e-9);
        }
        let width: f64 = 2.0 * 17.0 / 16.0;
        let digits = Dequantise { levels: 17 };
        assert!((digits.bits_per_dim(-width.ln(), 1) - 17_f64.log2()).abs() < 1e-12);
        assert_eq!(BYTES.bits_per_dim(f64::NEG_INFINITY, 3), f64::INFINITY);
    }

    /// A generator whose numbers are equally spaced: the mean over `u` is a midpoint rule, exact
    /// for a line.
    struct Even(u64);

    impl rand::TryRng for Even {
        type Error = std::convert::Infallible;

        fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
            Ok((self.try_next_u64()? >> 32) as u32)
        }

        fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
            self.0 = self.0.wrapping_add(1 << 54);
            Ok(self.0)
        }

        fn try_fill_bytes(&mut self, _: &mut [u8]) -> Result<(), Self::Error> {
            unreachable!("uniform numbers are drawn by words")
        }
    }

    #[test]
    fn the_mean_of_a_noisy_pixel_is_the_number_that_was_trained() {
        for levels in [2, 17, 256_u32] {
            for k in 0..levels {
                let trained = 2.0 * f64::from(k) / f64::from(levels - 1) - 1.0;
                // 1024 values of u, in the middle of 1024 equal parts of [0, 1).
                let noisy = Dequantise { levels }
                    .draw(&[k as u8; 1024], &mut Even(0_u64.wrapping_sub(1 << 53)));
                let mean = noisy.iter().map(|x| f64::from(*x)).sum::<f64>() / 1024.0;
                // Single precision rounds each number by up to 6e-8, half of them up.
                assert!((mean - trained).abs() < 1e-7, "{k} of {levels}: {mean}, not {trained}");
            }
        }
    }

    #[test]
    fn noisy_pixels_stay_in_their_cells() {
        let pixels: Vec<u8> = (0..=255).cycle().take(2560).collect();
        let mut rng = Streams::new(1).rng(0, Purpose::Dequantise);
        let noisy = BYTES.draw(&pixels, &mut rng);
        for (x, pixel) in noisy.iter().zip(&pixels) {
            let place = (f64::from(*x) + 1.0) * 127.5 - f64::from(*pixel);
            // Rounding to f32 moves a place by up to 128 * 6e-8.
            assert!((-0.5 - 1e-5..=0.5 + 1e-5).contains(&place), "{pixel} became {x}");
        }
    }

    #[test]
    #[should_panic(expected = "expected a pixel below 17, got 17")]
    fn a_pixel_beyond_its_levels_is_refused() {
        let _ =
            Dequantise { levels: 17 }.draw(&[16, 17], &mut Streams::new(1).rng(0, Purpose::Data));
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
