//! Five twisted Gaussian arms.

use std::f64::consts::TAU;

use rand::{Rng, RngExt};

use super::{Toy, normal, planar};

/// Gaussian arms around the origin, twisted by an angle that grows with the radius.
///
/// With `(u, v) = (1 + radial_std ε₁, tangential_std ε₂)` in the frame of arm `k` of `arms`, the
/// point is `scale · R(2πk/arms + twist · eᵘ) (u, v)`, where `R(θ)` turns by `θ`.
///
/// # Reference
/// Johnson et al. (2016), "Composing Graphical Models with Neural Networks for Structured
/// Representations and Fast Inference", arXiv:1603.06277.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pinwheel {
    /// Number of arms.
    pub arms: usize,
    /// Standard deviation along an arm, before scaling.
    pub radial_std: f64,
    /// Standard deviation across an arm, before scaling.
    pub tangential_std: f64,
    /// Angle in radians at `u = 0`.
    pub twist: f64,
    /// Factor on both coordinates.
    pub scale: f64,
}

impl Default for Pinwheel {
    /// Five arms, deviations 0.3 and 0.1, twist 0.25, scale 2.
    fn default() -> Self {
        Self { arms: 5, radial_std: 0.3, tangential_std: 0.1, twist: 0.25, scale: 2.0 }
    }
}

impl Toy for Pinwheel {
    fn dim(&self) -> usize {
        2
    }

    fn sample(&self, n: usize, rng: &mut dyn Rng) -> Vec<f32> {
        planar(n, rng, |rng| {
            let k = rng.random_range(0..self.arms);
            let u = 1.0 + self.radial_std * normal(rng);
            let v = self.tangential_std * normal(rng);
            let (sin, cos) = (TAU * k as f64 / self.arms as f64 + self.twist * u.exp()).sin_cos();
            [self.scale * (cos * u - sin * v), self.scale * (sin * u + cos * v)]
        })
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn second_moment_is_that_of_the_untwisted_arms() {
        // Turning keeps the norm: E|x|² = scale² (1 + radial_std² + tangential_std²) = 4.4.
        let points = Pinwheel::default().sample(40_000, &mut ChaCha8Rng::seed_from_u64(0));
        let second = points.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>() / 40_000.0;
        // |x|² has standard deviation about 4 · 2 · 0.3 = 2.5, so five standard errors are 0.063.
        assert!((second - 4.4).abs() < 0.063, "second moment {second}");
    }

    #[test]
    fn without_spread_the_arms_shrink_to_five_points() {
        let arms = Pinwheel { radial_std: 0.0, tangential_std: 0.0, ..Pinwheel::default() };
        let points = arms.sample(200, &mut ChaCha8Rng::seed_from_u64(1));
        let distance = |x: &[f32], k: i32| {
            let (sin, cos) = (TAU * f64::from(k) / 5.0 + 0.25 * 1.0_f64.exp()).sin_cos();
            (f64::from(x[0]) - 2.0 * cos).hypot(f64::from(x[1]) - 2.0 * sin)
        };
        for x in points.chunks_exact(2) {
            // Coordinates are rounded to f32.
            assert!((0..5).any(|k| distance(x, k) < 1e-6), "{x:?} is no arm's centre");
        }
    }
}
