//! Data uniform on the dark squares of a board.

use rand::{Rng, RngExt};

use super::quadrature::{Truncated, truncated};
use super::{Marginal, Target};
use crate::Coefficients;

/// Uniform data on every second square of a board of `cells` by `cells` squares over
/// `[-half_width, half_width]^2`, the lower left one included.
///
/// Given a square, the coordinates of the data are independent truncated Gaussians.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkerboard {
    cells: usize,
    half_width: f64,
}

impl Default for Checkerboard {
    /// The usual board: four by four squares over `[-4, 4]^2`.
    fn default() -> Self {
        Self { cells: 4, half_width: 4.0 }
    }
}

impl Checkerboard {
    /// A board of `cells` by `cells` squares over `[-half_width, half_width]^2`.
    ///
    /// # Panics
    /// If the board is empty or its width not finite.
    #[must_use]
    pub fn new(cells: usize, half_width: f64) -> Self {
        assert!(
            0 < cells && 0.0 < half_width && half_width.is_finite(),
            "expected a board, got {cells} cells of {half_width}"
        );
        Self { cells, half_width }
    }

    /// Whether a point lies on a dark square.
    #[must_use]
    pub fn contains(&self, x: &[f64]) -> bool {
        let cell = |x: f64| ((x + self.half_width) / self.cell_width()).floor();
        let (i, j) = (cell(x[0]), cell(x[1]));
        let inside = |k: f64| 0.0 <= k && k < self.cells as f64;
        inside(i) && inside(j) && (i + j) % 2.0 == 0.0
    }

    fn cell_width(&self) -> f64 {
        2.0 * self.half_width / self.cells as f64
    }

    fn cell_start(&self, k: usize) -> f64 {
        k as f64 * self.cell_width() - self.half_width
    }

    fn dark_cells(&self) -> impl Iterator<Item = (usize, usize)> {
        let n = self.cells;
        (0..n).flat_map(move |i| (0..n).map(move |j| (i, j))).filter(|(i, j)| (i + j) % 2 == 0)
    }

    fn dark_area(&self) -> f64 {
        self.dark_cells().count() as f64 * self.cell_width().powi(2)
    }
}

impl Target for Checkerboard {
    fn dim(&self) -> usize {
        2
    }

    fn marginal(&self, x: &[f64], c: &Coefficients) -> Marginal {
        let along = |x: f64| -> Vec<Truncated> {
            let cell = |k| truncated(x, self.cell_start(k), self.cell_start(k + 1), c);
            (0..self.cells).map(cell).collect()
        };
        let (first, second) = (along(x[0]), along(x[1]));
        let squares: Vec<Marginal> =
            self.dark_cells().map(|(i, j)| square(x, [&first[i], &second[j]], c)).collect();
        // Uniform density: the log-weight of a square is that of its area, which its mass lacks.
        Marginal::mix(&vec![-self.dark_area().ln(); squares.len()], &squares)
    }

    fn sample(&self, n: usize, rng: &mut dyn Rng) -> Vec<f64> {
        let dark: Vec<(usize, usize)> = self.dark_cells().collect();
        let mut rows = Vec::with_capacity(2 * n);
        for _ in 0..n {
            let (i, j) = dark[rng.random_range(0..dark.len())];
            for k in [i, j] {
                rows.push(self.cell_start(k) + self.cell_width() * rng.random::<f64>());
            }
        }
        rows
    }

    fn log_density(&self, x: &[f64]) -> f64 {
        if self.contains(x) { -self.dark_area().ln() } else { f64::NEG_INFINITY }
    }

    fn smallest_sigma(&self) -> f64 {
        f64::MIN_POSITIVE
    }
}

/// The marginal of unit density on one square.
fn square(x: &[f64], axes: [&Truncated; 2], c: &Coefficients) -> Marginal {
    let data: Vec<f64> = axes.iter().map(|a| a.mean).collect();
    let noise: Vec<f64> = x.iter().zip(&data).map(|(x, y)| (x - c.alpha * y) / c.sigma).collect();
    let variance: f64 = axes.iter().map(|a| a.variance).sum();
    let gain = c.det() / c.sigma;
    Marginal {
        log_density: axes.iter().map(|a| a.log_mass).sum(),
        score: noise.iter().map(|e| -e / c.sigma).collect(),
        velocity: data.iter().zip(&noise).map(|(y, e)| c.velocity(*e, *y)).collect(),
        divergence: (2.0 * c.d_sigma + gain * c.alpha * variance / c.sigma) / c.sigma,
        velocity_variance: gain * gain * variance,
        data,
        noise,
    }
}
