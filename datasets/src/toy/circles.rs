//! Concentric circles with Gaussian noise.

use std::f64::consts::TAU;

use rand::{Rng, RngExt};

use super::{Toy, normal, planar};

/// Equal mixture of uniform circles about the origin, blurred by Gaussian noise.
///
/// `x = r (cos θ, sin θ) + noise · ε`, with `r` one of `radii`, `θ ~ U[0, 2π)`, `ε ~ N(0, I)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Circles {
    /// Radii of the circles.
    pub radii: Vec<f64>,
    /// Standard deviation of the noise in each coordinate.
    pub noise: f64,
}

impl Default for Circles {
    /// Radii 3 and 1.5 with noise 0.24, as in Grathwohl et al. (2019), "FFJORD", arXiv:1810.01367.
    fn default() -> Self {
        Self { radii: vec![3.0, 1.5], noise: 0.24 }
    }
}

impl Toy for Circles {
    fn dim(&self) -> usize {
        2
    }

    fn sample(&self, n: usize, rng: &mut dyn Rng) -> Vec<f32> {
        planar(n, rng, |rng| {
            let radius = self.radii[rng.random_range(0..self.radii.len())];
            let (sin, cos) = (TAU * rng.random::<f64>()).sin_cos();
            [cos, sin].map(|unit| radius * unit + self.noise * normal(rng))
        })
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn without_noise_every_point_lies_on_a_circle() {
        let circles = Circles { noise: 0.0, ..Circles::default() };
        let points = circles.sample(1_000, &mut ChaCha8Rng::seed_from_u64(0));
        let outer =
            points.chunks_exact(2).filter(|x| (x[0].hypot(x[1]) - 3.0).abs() < 1e-5).count();
        let inner =
            points.chunks_exact(2).filter(|x| (x[0].hypot(x[1]) - 1.5).abs() < 1e-5).count();
        assert_eq!(outer + inner, 1_000);
        // Binomial(1000, 1/2): 5 standard deviations are 79.
        assert!(outer.abs_diff(500) < 79, "{outer} of 1000 points on the outer circle");
    }
}
