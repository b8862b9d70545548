//! Curves in the plane with Gaussian noise: moons, a Swiss roll, spirals.

use std::f64::consts::PI;

use rand::{Rng, RngExt};

use super::{Toy, normal, planar};

/// Two interleaved half circles.
///
/// With `θ ~ U[0, π)`, the upper moon is `(cos θ, sin θ)` and the lower `(1 − cos θ, ½ − sin θ)`,
/// each with probability 1/2. The point is `2 (moon − (½, ¼) + noise · ε)`, which has mean zero.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TwoMoons {
    /// Standard deviation of the noise in each coordinate, in units of the moons' radius.
    pub noise: f64,
}

impl Default for TwoMoons {
    /// Noise 0.1.
    fn default() -> Self {
        Self { noise: 0.1 }
    }
}

impl Toy for TwoMoons {
    fn dim(&self) -> usize {
        2
    }

    fn sample(&self, n: usize, rng: &mut dyn Rng) -> Vec<f32> {
        planar(n, rng, |rng| {
            let upper = rng.random::<bool>();
            let (sin, cos) = (PI * rng.random::<f64>()).sin_cos();
            let [x, y] = if upper { [cos, sin] } else { [1.0 - cos, 0.5 - sin] };
            [x - 0.5, y - 0.25].map(|centred| 2.0 * (centred + self.noise * normal(rng)))
        })
    }
}

/// A spiral of one and a half turns with constant pitch.
///
/// `x = (θ (cos θ, sin θ) + noise · ε) / 5`, with `θ ~ U[3π/2, 9π/2)`.
///
/// # Reference
/// A planar section of the surface of Marsland (2009), "Machine Learning: An Algorithmic
/// Perspective", scaled as in Grathwohl et al. (2019), "FFJORD", arXiv:1810.01367.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SwissRoll {
    /// Standard deviation of the noise in each coordinate, before the division by 5.
    pub noise: f64,
}

impl Default for SwissRoll {
    /// Noise 1.
    fn default() -> Self {
        Self { noise: 1.0 }
    }
}

impl Toy for SwissRoll {
    fn dim(&self) -> usize {
        2
    }

    fn sample(&self, n: usize, rng: &mut dyn Rng) -> Vec<f32> {
        planar(n, rng, |rng| {
            let theta = 1.5 * PI * (1.0 + 2.0 * rng.random::<f64>());
            let (sin, cos) = theta.sin_cos();
            [cos, sin].map(|unit| (theta * unit + self.noise * normal(rng)) / 5.0)
        })
    }
}

/// Two arms of an Archimedean spiral, one the other turned by half a turn.
///
/// `x = ± θ/3 (−cos θ, sin θ) + noise · ε`, with `θ = 3π √u`, `u ~ U[0, 1)`, so that the arms end
/// at radius π and the density along them is nearly constant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spirals {
    /// Standard deviation of the noise in each coordinate.
    pub noise: f64,
}

impl Default for Spirals {
    /// Noise 0.1.
    fn default() -> Self {
        Self { noise: 0.1 }
    }
}

impl Toy for Spirals {
    fn dim(&self) -> usize {
        2
    }

    fn sample(&self, n: usize, rng: &mut dyn Rng) -> Vec<f32> {
        planar(n, rng, |rng| {
            let sign = if rng.random::<bool>() { 1.0 } else { -1.0 };
            let theta = 3.0 * PI * rng.random::<f64>().sqrt();
            let (sin, cos) = theta.sin_cos();
            [-cos, sin].map(|unit| sign * theta / 3.0 * unit + self.noise * normal(rng))
        })
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    fn mean(points: &[f32], axis: usize) -> f64 {
        let n = points.len() / 2;
        points.iter().skip(axis).step_by(2).map(|x| f64::from(*x)).sum::<f64>() / n as f64
    }

    #[test]
    fn two_moons_have_mean_zero() {
        let points = TwoMoons::default().sample(40_000, &mut ChaCha8Rng::seed_from_u64(0));
        // Standard deviations 1.75 and 0.99 at most: five standard errors are below 0.05.
        assert!(mean(&points, 0).abs() < 0.05 && mean(&points, 1).abs() < 0.05);
    }

    #[test]
    fn without_noise_each_moon_is_a_half_circle_of_radius_two() {
        let points = TwoMoons { noise: 0.0 }.sample(1_000, &mut ChaCha8Rng::seed_from_u64(1));
        for x in points.chunks_exact(2) {
            let upper = (x[0] + 1.0).hypot(x[1] + 0.5);
            let lower = (x[0] - 1.0).hypot(x[1] - 0.5);
            assert!((upper - 2.0).abs() < 1e-5 || (lower - 2.0).abs() < 1e-5, "{x:?}");
        }
    }

    #[test]
    fn without_noise_the_roll_has_its_angle_as_radius() {
        let points = SwissRoll { noise: 0.0 }.sample(1_000, &mut ChaCha8Rng::seed_from_u64(2));
        for x in points.chunks_exact(2) {
            let (x, y) = (f64::from(x[0]), f64::from(x[1]));
            let radius = 5.0 * x.hypot(y);
            assert!((1.5 * PI - 1e-5..4.5 * PI + 1e-5).contains(&radius), "radius {radius}");
            // Rounding of the coordinates to f32 is about 3e-7 of the radius.
            assert!((5.0 * x - radius * radius.cos()).abs() < 1e-4, "({x}, {y})");
        }
    }

    #[test]
    fn without_noise_the_spirals_are_each_other_turned_by_half_a_turn() {
        let points = Spirals { noise: 0.0 }.sample(1_000, &mut ChaCha8Rng::seed_from_u64(3));
        let mut first_arm = 0;
        for x in points.chunks_exact(2) {
            let (x, y) = (f64::from(x[0]), f64::from(x[1]));
            let radius = x.hypot(y);
            let on = |sign: f64| (x + sign * radius * (3.0 * radius).cos()).abs() < 1e-4;
            assert!(on(1.0) || on(-1.0), "({x}, {y})");
            first_arm += usize::from(on(1.0));
        }
        // Binomial(1000, 1/2): 5 standard deviations are 79.
        assert!(first_arm.abs_diff(500) < 79, "{first_arm} of 1000 points on the first arm");
    }
}
