//! Two-dimensional convolution.

use burn::tensor::{Tensor, module, ops::ConvOptions};

use crate::Precision;

/// Convolution with a square stride and zero padding (cross-correlation, as in all networks).
///
/// `y[b, o, i, j] = bias[o] + sum_{c, u, v} weight[o, c, u, v] x[b, c, s i + u - p, s j + v - p]`,
/// where `x` is zero outside its borders. Its gradients for `g = dL/dy` are
///
/// - `dL/dx[b, c, k, l] = sum weight[o, c, u, v] g[b, o, i, j]` over all `s i + u - p = k` and
///   `s j + v - p = l`, for `s = 1` again a convolution, of `g` with the flipped weight;
/// - `dL/dweight[o, c, u, v] = sum_{b, i, j} g[b, o, i, j] x[b, c, s i + u - p, s j + v - p]`;
/// - `dL/dbias[o] = sum_{b, i, j} g[b, o, i, j]`.
///
/// # Shapes
/// `x`: `[B, C_in, H, W]`; `weight`: `[C_out, C_in, k_h, k_w]`; `bias`: `[C_out]`; result:
/// `[B, C_out, (H + 2p - k_h) / s + 1, (W + 2p - k_w) / s + 1]`.
///
/// # Panics
/// If the shapes do not fit, the stride is zero, or the kernel exceeds the padded input.
#[must_use]
pub fn conv2d(
    x: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    stride: usize,
    padding: usize,
) -> Tensor<4> {
    conv2d_in(x, weight, bias, stride, padding, Precision::F32)
}

/// [`conv2d`] with the operands of its products, forward and in the gradients of `x` and of the
/// weight, rounded to a precision where that [is native](Precision::is_native_to) and pays: for
/// square kernels of odd size that keep the size of images of 16 pixels or more, from 16 channels
/// or more to as many.
///
/// # Panics
/// As [`conv2d`].
#[must_use]
pub fn conv2d_in(
    x: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    stride: usize,
    padding: usize,
    precision: Precision,
) -> Tensor<4> {
    let ([_, c, h, w], [o, channels, kernel_h, kernel_w]) = (x.dims(), weight.dims());
    assert!(
        channels == c,
        "conv2d: expected a weight of shape [{o}, {c}, {kernel_h}, {kernel_w}], got [{o}, \
         {channels}, {kernel_h}, {kernel_w}]"
    );
    assert!(
        0 < stride && kernel_h <= h + 2 * padding && kernel_w <= w + 2 * padding,
        "conv2d: a [{kernel_h}, {kernel_w}] kernel of stride {stride} does not fit images of \
         [{h}, {w}] with padding {padding}"
    );
    if let Some(bias) = &bias {
        let dims = bias.dims();
        assert!(dims == [o], "conv2d: expected a bias of shape [{o}], got {dims:?}");
    }
    #[cfg(feature = "flex")]
    if crate::flex::runs(&x) {
        return crate::flex::conv2d(x, weight, bias, stride, padding, precision);
    }
    // Only the kernels round.
    let _ = precision;
    composition(x, weight, bias, stride, padding)
}

fn composition(
    x: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    stride: usize,
    padding: usize,
) -> Tensor<4> {
    module::conv2d(x, weight, bias, ConvOptions::new([stride; 2], [padding; 2], [1; 2], 1))
}
