//! Equal mixtures of isotropic Gaussians with known centres.

use std::f64::consts::{SQRT_2, TAU};

use rand::{Rng, RngExt};

use super::{Toy, normal};

/// Largest coordinate and spread: no draw comes near the end of `f32` then.
const LARGEST: f64 = 1e37;

/// Equal-weight mixture `1/K Σ_k N(μ_k, s² I)`.
#[derive(Clone, Debug, PartialEq)]
pub struct GaussianMixture {
    centres: Vec<Vec<f64>>,
    std: f64,
}

impl GaussianMixture {
    /// A mixture with the given centres `μ_k` (each of the same length) and common `std` `s ≥ 0`.
    ///
    /// # Panics
    /// If there is no centre, if centres differ in length, if `std` is negative, or if a number is
    /// not finite or larger than 1e37, beyond which a draw may leave the range of `f32`.
    #[must_use]
    pub fn new(centres: Vec<Vec<f64>>, std: f64) -> Self {
        assert!(!centres.is_empty(), "a mixture: expected at least one centre, got none");
        let dim = centres[0].len();
        for centre in &centres {
            assert_eq!(centre.len(), dim, "centres of a mixture: expected {dim} coordinates");
            for x in centre {
                assert!(
                    x.abs() <= LARGEST,
                    "a centre: expected at most {LARGEST:e} in size, got {x}"
                );
            }
        }
        assert!((0.0..=LARGEST).contains(&std), "std: expected 0 to {LARGEST:e}, got {std}");
        Self { centres, std }
    }

    /// `count` centres at equal angles on a circle: `μ_k = radius (cos 2πk/count, sin 2πk/count)`.
    ///
    /// # Panics
    /// As [`GaussianMixture::new`].
    #[must_use]
    pub fn on_a_circle(count: usize, radius: f64, std: f64) -> Self {
        let centre = |k| {
            let (sin, cos) = (TAU * k as f64 / count as f64).sin_cos();
            vec![radius * cos, radius * sin]
        };
        Self::new((0..count).map(centre).collect(), std)
    }

    /// Eight Gaussians with `std` 1/(2√2) on a circle of radius 2√2.
    ///
    /// # Reference
    /// Constants of the toy experiments of Grathwohl et al. (2019), "FFJORD", arXiv:1810.01367.
    #[must_use]
    pub fn eight_gaussians() -> Self {
        Self::on_a_circle(8, 2.0 * SQRT_2, 0.5 / SQRT_2)
    }

    /// One Gaussian of mean (1.5, -0.5) and `std` 0.5: every answer of flow matching has a closed
    /// form.
    #[must_use]
    pub fn gaussian() -> Self {
        Self::new(vec![vec![1.5, -0.5]], 0.5)
    }

    /// Six Gaussians on a circle of the given radius, `std` 0.1: radius 1/3 is the source and 1 the
    /// target of a transport between two non-Gaussian distributions.
    ///
    /// The paper states no `std`; with 0.1 the mean log-density of the target is about zero, where
    /// its plots end.
    ///
    /// # Reference
    /// Guo & Schwing (2025), "Variational Rectified Flow Matching", arXiv:2502.09616, section 4.2.
    #[must_use]
    pub fn six_on_a_ring(radius: f64) -> Self {
        Self::on_a_circle(6, radius, 0.1)
    }

    /// Two Gaussians on the line at -1 and 1, `std` 0.25.
    ///
    /// The paper states no `std`; 0.25 is read off its figures.
    ///
    /// # Reference
    /// Guo & Schwing (2025), "Variational Rectified Flow Matching", arXiv:2502.09616, section 4.1.
    #[must_use]
    pub fn two_modes() -> Self {
        Self::new(vec![vec![-1.0], vec![1.0]], 0.25)
    }

    /// The centres `μ_k`.
    #[must_use]
    pub fn centres(&self) -> &[Vec<f64>] {
        &self.centres
    }

    /// The common standard deviation `s` of each coordinate about its centre.
    #[must_use]
    pub fn std(&self) -> f64 {
        self.std
    }
}

impl Toy for GaussianMixture {
    fn dim(&self) -> usize {
        self.centres[0].len()
    }

    fn sample(&self, n: usize, rng: &mut dyn Rng) -> Vec<f32> {
        let mut points = Vec::with_capacity(n * self.dim());
        for _ in 0..n {
            let centre = &self.centres[rng.random_range(0..self.centres.len())];
            points.extend(centre.iter().map(|mu| (mu + self.std * normal(rng)) as f32));
        }
        points
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn the_first_centre_of_a_circle_lies_on_the_axis_and_all_at_the_radius() {
        let ring = GaussianMixture::eight_gaussians();
        assert_eq!(ring.centres()[0], [2.0 * SQRT_2, 0.0]);
        for centre in ring.centres() {
            assert!((centre[0].hypot(centre[1]) - 2.0 * SQRT_2).abs() < 1e-12);
        }
        let neighbours = [&ring.centres()[0], &ring.centres()[1]];
        let gap = (neighbours[0][0] - neighbours[1][0]).hypot(neighbours[0][1] - neighbours[1][1]);
        assert!((gap - 4.0 * SQRT_2 * (TAU / 16.0).sin()).abs() < 1e-12, "chord {gap}");
    }

    #[test]
    fn draws_gather_at_each_centre_with_the_stated_spread() {
        let ring = GaussianMixture::six_on_a_ring(1.0);
        let points = ring.sample(12_000, &mut ChaCha8Rng::seed_from_u64(0));
        for centre in ring.centres() {
            // Half the distance between neighbours is 0.5: five standard deviations.
            let near: Vec<_> = points
                .chunks_exact(2)
                .map(|x| [f64::from(x[0]) - centre[0], f64::from(x[1]) - centre[1]])
                .filter(|d| d[0].hypot(d[1]) < 0.5)
                .collect();
            // Binomial(12000, 1/6): 5 standard deviations are 204.
            assert!(near.len().abs_diff(2_000) < 204, "{} draws at {centre:?}", near.len());
            let variance =
                near.iter().flatten().map(|d| d * d).sum::<f64>() / (2 * near.len()) as f64;
            // Relative standard error 1/√2000 = 2.2 %; five of them are 11 %.
            assert!((variance / 0.01 - 1.0).abs() < 0.11, "variance {variance} at {centre:?}");
        }
    }

    #[test]
    fn two_modes_have_second_moment_one_plus_the_variance() {
        let points = GaussianMixture::two_modes().sample(40_000, &mut ChaCha8Rng::seed_from_u64(1));
        let second = points.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>() / 40_000.0;
        // Var(x²) = 4 s² + 2 s⁴ = 0.26, so five standard errors are 0.0127.
        assert!((second - 1.0625).abs() < 0.0127, "second moment {second}");
    }

    #[test]
    #[should_panic(expected = "expected 2 coordinates")]
    fn centres_of_different_length_are_refused() {
        let _ = GaussianMixture::new(vec![vec![0.0, 0.0], vec![1.0]], 1.0);
    }
}
