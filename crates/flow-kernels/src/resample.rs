//! Resampling of images.

use burn::tensor::Tensor;

/// Replicates every pixel into a `factor x factor` block.
///
/// `y[b, c, i, j] = x[b, c, i / factor, j / factor]` with integer division; the gradient of a pixel
/// is the sum of `dL/dy` over its block.
///
/// # Shapes
/// `x`: `[B, C, H, W]`; result: `[B, C, factor H, factor W]`.
///
/// # Panics
/// If `factor` is zero.
#[must_use]
pub fn upsample_nearest(x: Tensor<4>, factor: usize) -> Tensor<4> {
    assert!(0 < factor, "upsample_nearest: the factor must be positive, got 0");
    #[cfg(feature = "flex")]
    if crate::flex::runs(&x) {
        return crate::flex::upsample_nearest(x, factor);
    }
    composition(x, factor)
}

fn composition(x: Tensor<4>, factor: usize) -> Tensor<4> {
    let [b, c, h, w] = x.dims();
    x.reshape([b, c, h, 1, w, 1]).expand([b, c, h, factor, w, factor]).reshape([
        b,
        c,
        h * factor,
        w * factor,
    ])
}
