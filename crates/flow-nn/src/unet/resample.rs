//! Halving and doubling an image.

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::tensor::{Device, Tensor};
use flow_kernels::{Precision, upsample_nearest};

use crate::layer::{conv, conv_config, conv_in};

/// A 3x3 convolution of stride 2, `[B, C, H, W] -> [B, C, H/2, W/2]`.
#[derive(Module, Debug)]
pub(super) struct Downsample {
    pub(super) conv: Conv2d,
}

impl Downsample {
    pub(super) fn new(channels: usize, device: &Device) -> Self {
        Self { conv: conv_config(channels, channels, 3).with_stride([2, 2]).init(device) }
    }

    pub(super) fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        conv(&self.conv, x)
    }
}

/// Nearest-neighbour doubling and a 3x3 convolution, `[B, C, H, W] -> [B, C, 2H, 2W]`.
#[derive(Module, Debug)]
pub(super) struct Upsample {
    pub(super) conv: Conv2d,
}

impl Upsample {
    pub(super) fn new(channels: usize, device: &Device) -> Self {
        Self { conv: conv_config(channels, channels, 3).init(device) }
    }

    pub(super) fn forward(&self, x: Tensor<4>, precision: Precision) -> Tensor<4> {
        conv_in(&self.conv, upsample_nearest(x, 2), precision)
    }
}
