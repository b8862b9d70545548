//! Burn's layers hold the parameters, `flow-kernels` does the arithmetic.

use burn::module::Param;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{GroupNorm, Initializer, Linear, LinearConfig, PaddingConfig2d};
use burn::tensor::{Device, Tensor};
use flow_kernels::{Activation, Precision, conv2d_in, group_norm_act, linear_act_in};

/// `act(x W + b)`, `[B, in] -> [B, out]`.
pub(crate) fn linear(layer: &Linear, x: Tensor<2>, activation: Activation) -> Tensor<2> {
    linear_in(layer, x, activation, Precision::F32)
}

/// [`linear`] with products of operands in a precision.
pub(crate) fn linear_in(
    layer: &Linear,
    x: Tensor<2>,
    activation: Activation,
    precision: Precision,
) -> Tensor<2> {
    let bias = layer.bias.as_ref().map(Param::val);
    linear_act_in(x, layer.weight.val(), bias, activation, precision)
}

/// Layers one after another, `[B, in] -> [B, out]`. The first, which may read what must not be
/// rounded, multiplies in `f32`, and those between hidden numbers in a precision.
pub(crate) fn through(
    layers: &[Linear],
    x: Tensor<2>,
    activation: Activation,
    precision: Precision,
) -> Tensor<2> {
    let layers = layers.iter().enumerate();
    layers.fold(x, |h, (i, layer)| match i {
        0 => linear(layer, h, activation),
        _ => linear_in(layer, h, activation, precision),
    })
}

/// `depth` linear layers of `width` numbers, the first of which sees `input`.
pub(crate) fn stack(input: usize, width: usize, depth: usize, device: &Device) -> Vec<Linear> {
    let sizes = (0..depth).map(|i| if i == 0 { input } else { width });
    sizes.map(|from| LinearConfig::new(from, width).init(device)).collect()
}

/// A `kernel x kernel` convolution that keeps the size at stride 1,
/// `[B, C, H, W] -> [B, C', H', W']`.
pub(crate) fn conv(layer: &Conv2d, x: Tensor<4>) -> Tensor<4> {
    conv_in(layer, x, Precision::F32)
}

/// [`conv`] with products of operands in a precision.
pub(crate) fn conv_in(layer: &Conv2d, x: Tensor<4>, precision: Precision) -> Tensor<4> {
    let (bias, padding) = (layer.bias.as_ref().map(Param::val), layer.kernel_size[0] / 2);
    conv2d_in(x, layer.weight.val(), bias, layer.stride[0], padding, precision)
}

/// `act(gamma (x - mean) / std + beta)` over groups of channels.
pub(crate) fn norm(layer: &GroupNorm, x: Tensor<4>, activation: Activation) -> Tensor<4> {
    let (gamma, beta) = affine(layer);
    group_norm_act(x, layer.num_groups, layer.epsilon, gamma, beta, activation)
}

/// Adaptive group norm, `silu((1 + scale) norm(x) + shift)` with one scale and shift per sample.
///
/// # Shapes
/// - `x`: `[B, C, H, W]`, `scale` and `shift`: `[B, C]`
///
/// # Reference
/// Dhariwal & Nichol (2021), "Diffusion Models Beat GANs on Image Synthesis", arXiv:2105.05233,
/// section 3.
pub(crate) fn adaptive_norm_silu(
    layer: &GroupNorm,
    x: Tensor<4>,
    scale: Tensor<2>,
    shift: Tensor<2>,
) -> Tensor<4> {
    let (gamma, beta) = affine(layer);
    let scale = scale + 1.0;
    group_norm_act(
        x,
        layer.num_groups,
        layer.epsilon,
        gamma * scale.clone(),
        beta * scale + shift,
        Activation::Silu,
    )
}

/// The layer's own scale and shift, each `[1, C]`.
fn affine(layer: &GroupNorm) -> (Tensor<2>, Tensor<2>) {
    let (Some(gamma), Some(beta)) = (&layer.gamma, &layer.beta) else {
        unreachable!("group norms of this crate are affine");
    };
    (gamma.val().unsqueeze(), beta.val().unsqueeze())
}

/// A convolution of odd size `kernel` with PyTorch's default initialisation.
pub(crate) fn conv_config(from: usize, to: usize, kernel: usize) -> Conv2dConfig {
    let padding = kernel / 2;
    Conv2dConfig::new([from, to], [kernel, kernel])
        .with_padding(PaddingConfig2d::Explicit(padding, padding, padding, padding))
}

/// A convolution whose output is zero at first, so that a residual block starts as the identity.
pub(crate) fn zero_conv(from: usize, to: usize, kernel: usize, device: &Device) -> Conv2d {
    conv_config(from, to, kernel).with_initializer(Initializer::Zeros).init(device)
}
