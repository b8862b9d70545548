//! Toy distributions: points known in closed form, drawn from a seeded generator.
//!
//! Every toy is a formula with published constants as its default, so two machines with the same
//! seed hold the same points and no file is needed.

mod checkerboard;
mod circles;
mod curves;
mod mixture;
mod pinwheel;

use std::fmt::Debug;

use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

pub use checkerboard::Checkerboard;
pub use circles::Circles;
pub use curves::{Spirals, SwissRoll, TwoMoons};
pub use mixture::GaussianMixture;
pub use pinwheel::Pinwheel;

/// A distribution over points that can be drawn from without a file.
pub trait Toy: Debug + Send + Sync {
    /// Number of coordinates of a point.
    fn dim(&self) -> usize;

    /// Draws `n` independent points.
    ///
    /// # Shapes
    /// Returns `[n, dim]` in row-major order.
    fn sample(&self, n: usize, rng: &mut dyn Rng) -> Vec<f32>;

    /// The set that carries all the mass, for toys whose set is not the whole space.
    ///
    /// `None` where Gaussian noise reaches every point.
    fn support(&self) -> Option<&dyn Support> {
        None
    }
}

/// A closed set of points, to measure how much mass a model puts outside it.
pub trait Support {
    /// Whether the point `x` lies in the set.
    ///
    /// # Panics
    /// If `x` does not have the dimension of the set.
    fn contains(&self, x: &[f32]) -> bool;
}

/// Names that [`toy`] knows.
pub const TOYS: &[&str] = &[
    "checkerboard",
    "gaussian",
    "eight-gaussians",
    "two-moons",
    "circles",
    "pinwheel",
    "rings",
    "rings-source",
    "two-modes-1d",
    "swiss-roll",
    "spirals",
];

/// The toy of that name with its default constants, or `None` if no toy has it.
///
/// `rings` is the target of the six-to-six Gaussian problem of Guo & Schwing (2025) and
/// `rings-source` is its source.
///
/// ```
/// use rand::SeedableRng;
///
/// let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(0);
/// let board = flow_datasets::toy("checkerboard").expect("a listed toy");
/// let points = board.sample(100, &mut rng);
/// assert_eq!(points.len(), 100 * board.dim());
/// ```
#[must_use]
pub fn toy(name: &str) -> Option<Box<dyn Toy>> {
    Some(match name {
        "checkerboard" => Box::new(Checkerboard),
        "gaussian" => Box::new(GaussianMixture::gaussian()),
        "eight-gaussians" => Box::new(GaussianMixture::eight_gaussians()),
        "two-moons" => Box::new(TwoMoons::default()),
        "circles" => Box::new(Circles::default()),
        "pinwheel" => Box::new(Pinwheel::default()),
        "rings" => Box::new(GaussianMixture::six_on_a_ring(1.0)),
        "rings-source" => Box::new(GaussianMixture::six_on_a_ring(1.0 / 3.0)),
        "two-modes-1d" => Box::new(GaussianMixture::two_modes()),
        "swiss-roll" => Box::new(SwissRoll::default()),
        "spirals" => Box::new(Spirals::default()),
        _ => return None,
    })
}

/// Draws `n` planar points, one call of `point` for each.
fn planar(
    n: usize,
    rng: &mut dyn Rng,
    mut point: impl FnMut(&mut dyn Rng) -> [f64; 2],
) -> Vec<f32> {
    (0..n).flat_map(|_| point(rng).map(|coordinate| coordinate as f32)).collect()
}

/// One draw of N(0, 1).
fn normal(rng: &mut dyn Rng) -> f64 {
    StandardNormal.sample(rng)
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn every_listed_name_draws_finite_points_of_its_dimension() {
        for name in TOYS {
            let toy = toy(name).unwrap();
            let points = toy.sample(500, &mut ChaCha8Rng::seed_from_u64(0));
            assert_eq!(points.len(), 500 * toy.dim(), "{name}");
            // Large enough for every toy, small enough to catch a wrong unit.
            assert!(points.iter().all(|x| x.is_finite() && x.abs() < 10.0), "{name}");
        }
    }

    #[test]
    fn a_seed_names_its_points() {
        for name in TOYS {
            let toy = toy(name).unwrap();
            let draw = |seed| toy.sample(64, &mut ChaCha8Rng::seed_from_u64(seed));
            assert_eq!(draw(7), draw(7), "{name}");
            assert_ne!(draw(7), draw(8), "{name}: the seed must matter");
        }
    }

    #[test]
    fn points_do_not_depend_on_how_many_are_drawn_at_once() {
        for name in TOYS {
            let toy = toy(name).unwrap();
            let whole = toy.sample(10, &mut ChaCha8Rng::seed_from_u64(3));
            let mut rng = ChaCha8Rng::seed_from_u64(3);
            let parts = [toy.sample(4, &mut rng), toy.sample(6, &mut rng)].concat();
            assert_eq!(whole, parts, "{name}");
        }
    }

    #[test]
    fn an_unknown_name_is_no_toy() {
        assert!(toy("chequerboard").is_none());
    }
}
