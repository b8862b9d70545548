//! Uniform density on the dark squares of a board.

use rand::{Rng, RngExt};

use super::{Support, Toy, planar};

/// Uniform distribution on 8 of the 16 squares of a 4 × 4 board over `[-4, 4]²`.
///
/// Squares have side 2. Square `(i, j)`, with lower corner `(2i, 2j)` and `i, j` in `-2..2`, is
/// filled where `i + j` is even, so that each filled square has density 1/32.
///
/// Mean 0, variance 16/3 in each coordinate.
#[derive(Clone, Copy, Debug, Default)]
pub struct Checkerboard;

/// Side of a square.
const SIDE: f32 = 2.0;

impl Checkerboard {
    /// Lower corners of the eight filled squares.
    pub fn corners() -> impl Iterator<Item = [f32; 2]> {
        (-2..2_i8)
            .flat_map(|i| (-2..2_i8).map(move |j| (i, j)))
            .filter(|(i, j)| (i + j) % 2 == 0)
            .map(|(i, j)| [SIDE * f32::from(i), SIDE * f32::from(j)])
    }
}

impl Toy for Checkerboard {
    fn dim(&self) -> usize {
        2
    }

    fn sample(&self, n: usize, rng: &mut dyn Rng) -> Vec<f32> {
        let corners: Vec<_> = Self::corners().collect();
        planar(n, rng, |rng| {
            let corner = corners[rng.random_range(0..corners.len())];
            corner.map(|lower| f64::from(lower) + f64::from(SIDE) * rng.random::<f64>())
        })
    }

    fn support(&self) -> Option<&dyn Support> {
        Some(self)
    }
}

impl Support for Checkerboard {
    /// Whether `x` lies in a filled square, edges included: rounding to `f32` can put a draw there.
    fn contains(&self, x: &[f32]) -> bool {
        let [x, y] = x else {
            panic!("a point of the board: expected 2 coordinates, got {}", x.len())
        };
        Self::corners().any(|[left, bottom]| {
            (left..=left + SIDE).contains(x) && (bottom..=bottom + SIDE).contains(y)
        })
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn eight_squares_are_filled_and_their_neighbours_are_not() {
        assert_eq!(Checkerboard::corners().count(), 8);
        assert!(Checkerboard.contains(&[1.0, 1.0]) && Checkerboard.contains(&[-1.0, -1.0]));
        assert!(!Checkerboard.contains(&[1.0, -1.0]) && !Checkerboard.contains(&[3.0, 1.0]));
        assert!(!Checkerboard.contains(&[5.0, 1.0]), "the board ends at 4");
        assert!(!Checkerboard.contains(&[f32::NAN, 1.0]), "no square holds a NaN");
    }

    #[test]
    fn every_draw_lies_in_the_support_and_uniform_points_only_half_the_time() {
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let inside =
            |points: &[f32]| points.chunks_exact(2).filter(|x| Checkerboard.contains(x)).count();
        assert_eq!(inside(&Checkerboard.sample(20_000, &mut rng)), 20_000);
        let uniform = planar(20_000, &mut rng, |rng| [(); 2].map(|()| rng.random_range(-4.0..4.0)));
        // Binomial(20000, 1/2): 5 standard deviations are 354.
        let hits = inside(&uniform);
        assert!(hits.abs_diff(10_000) < 354, "{hits} of 20000 uniform points on the board");
    }

    #[test]
    fn each_square_receives_an_eighth_of_the_mass() {
        let points = Checkerboard.sample(16_000, &mut ChaCha8Rng::seed_from_u64(1));
        for [left, bottom] in Checkerboard::corners() {
            let count = points
                .chunks_exact(2)
                .filter(|x| x[0] >= left && x[0] < left + SIDE)
                .filter(|x| x[1] >= bottom && x[1] < bottom + SIDE)
                .count();
            // Binomial(16000, 1/8): 5 standard deviations are 209.
            assert!(count.abs_diff(2_000) < 209, "{count} points at ({left}, {bottom})");
        }
    }

    #[test]
    fn variance_is_sixteen_thirds() {
        let points = Checkerboard.sample(40_000, &mut ChaCha8Rng::seed_from_u64(2));
        let variance = points.iter().map(|x| x.powi(2)).sum::<f32>() / points.len() as f32;
        // Var(x²) = 4⁴/5 − (16/3)² = 22.8, so 5 standard errors over 80,000 coordinates are 0.085.
        assert!((variance - 16.0 / 3.0).abs() < 0.085, "variance {variance}");
    }
}
