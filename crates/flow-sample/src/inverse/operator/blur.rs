//! Pictures out of focus.

use burn::tensor::{Device, Tensor, TensorData};

use super::LinearOperator;

/// A Gaussian blur of pictures, `A x = K_h x K_w^T` for each channel.
///
/// Near the border the weights are those of the pixels that exist, with the sum 1. That makes the
/// matrices unsymmetric, so that a blur is not its own adjoint, which is `K_h^T y K_w`.
#[derive(Clone, Debug)]
pub struct Blur {
    shape: [usize; 3],
    down: Tensor<2>,
    across: Tensor<2>,
}

impl Blur {
    /// For pictures of a shape `[channels, height, width]`, with a standard deviation in pixels.
    ///
    /// # Panics
    /// If the standard deviation is not positive.
    #[must_use]
    pub fn new(shape: [usize; 3], std: f64, device: &Device) -> Self {
        assert!(0.0 < std, "expected a positive standard deviation, got {std}");
        let [_, height, width] = shape;
        let side = |pixels: usize| {
            let weights = weights(pixels, std);
            Tensor::from_data(TensorData::new(weights, [pixels, pixels]), device)
        };
        Self { shape, down: side(height), across: side(width) }
    }

    /// `K_h x K_w^T` of every channel, for the matrices given.
    fn both(&self, x: &Tensor<2>, down: Tensor<2>, across: Tensor<2>) -> Tensor<2> {
        let ([rows, size], [channels, height, width]) = (x.dims(), self.shape);
        let pictures = x.clone().reshape([rows * channels, height, width]);
        let [down, across] = [down, across].map(|k| k.cast(x.dtype()).unsqueeze_dim::<3>(0));
        down.matmul(pictures).matmul(across.transpose()).reshape([rows, size])
    }
}

/// The weights of all pixels of a line for each of them, with the sum 1.
fn weights(pixels: usize, std: f64) -> Vec<f32> {
    let row = |i: usize| {
        let weight = move |j: usize| (-0.5 * ((i as f64 - j as f64) / std).powi(2)).exp();
        let total: f64 = (0..pixels).map(weight).sum();
        (0..pixels).map(move |j| (weight(j) / total) as f32)
    };
    (0..pixels).flat_map(row).collect()
}

impl LinearOperator for Blur {
    fn sizes(&self) -> (usize, usize) {
        let size = self.shape.iter().product();
        (size, size)
    }

    fn apply(&self, x: &Tensor<2>) -> Tensor<2> {
        self.both(x, self.down.clone(), self.across.clone())
    }

    fn adjoint(&self, y: &Tensor<2>) -> Tensor<2> {
        self.both(y, self.down.clone().transpose(), self.across.clone().transpose())
    }
}
