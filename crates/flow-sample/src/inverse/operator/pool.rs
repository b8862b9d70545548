//! Small pictures of large ones.

use burn::tensor::Tensor;

use super::LinearOperator;

/// Means over squares of `factor x factor` pixels: the picture in a smaller size, to be sharpened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool {
    shape: [usize; 3],
    factor: usize,
}

impl Pool {
    /// For pictures of a shape `[channels, height, width]`, smaller by `factor` in both directions.
    ///
    /// # Panics
    /// If the sides are no multiples of the factor.
    #[must_use]
    pub fn new(shape: [usize; 3], factor: usize) -> Self {
        let [_, height, width] = shape;
        assert!(
            0 < factor && height % factor == 0 && width % factor == 0,
            "expected sides of multiples of {factor}, got {height} x {width}"
        );
        Self { shape, factor }
    }

    /// Bands of `factor` rows of small pixels, in a batch of `rows` pictures, and pixels in one.
    fn bands(self, rows: usize) -> (usize, usize) {
        let [channels, height, width] = self.shape;
        (rows * channels * (height / self.factor), width / self.factor)
    }
}

impl LinearOperator for Pool {
    fn sizes(&self) -> (usize, usize) {
        let size: usize = self.shape.iter().product();
        (size, size / (self.factor * self.factor))
    }

    fn apply(&self, x: &Tensor<2>) -> Tensor<2> {
        let (rows, k) = (x.dims()[0], self.factor);
        let (bands, wide) = self.bands(rows);
        let squares = x.clone().reshape([bands, k, wide, k]);
        squares.mean_dim(1).mean_dim(3).reshape([rows, self.sizes().1])
    }

    fn adjoint(&self, y: &Tensor<2>) -> Tensor<2> {
        let (rows, k) = (y.dims()[0], self.factor);
        let (bands, wide) = self.bands(rows);
        let pixels = (y.clone() / (k * k) as f64).reshape([bands, 1, wide, 1]);
        pixels.expand([bands, k, wide, k]).reshape([rows, self.sizes().0])
    }
}
