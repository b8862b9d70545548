//! Self-attention over the pixels of an image.

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::nn::{GroupNorm, GroupNormConfig};
use burn::tensor::{Device, Tensor};
use flow_kernels::{Activation, Precision};

use crate::graph::{Graph, Value};
use crate::layer::{conv_config, conv_in, norm, zero_conv};

/// `x + W softmax(q k^T / sqrt(d)) v` with several heads.
///
/// # Reference
/// Vaswani et al. (2017), "Attention Is All You Need", arXiv:1706.03762, equation 1.
#[derive(Module, Debug)]
pub(super) struct Attention {
    norm: GroupNorm,
    qkv: Conv2d,
    out: Conv2d,
    heads: usize,
}

impl Attention {
    pub(super) fn new(
        channels: usize,
        head_channels: usize,
        groups: usize,
        device: &Device,
    ) -> Self {
        Self {
            norm: GroupNormConfig::new(groups, channels).init(device),
            qkv: conv_config(channels, 3 * channels, 1).init(device),
            out: zero_conv(channels, channels, 1, device),
            heads: channels / head_channels,
        }
    }

    /// # Shapes
    /// - `x`: `[B, C, H, W]`, output the same
    pub(super) fn forward(&self, x: Tensor<4>, precision: Precision) -> Tensor<4> {
        let [b, c, h, w] = x.dims();
        let qkv = norm(&self.norm, x.clone(), Activation::Identity);
        let qkv = conv_in(&self.qkv, qkv, precision);
        let [q, k, v] = [0, 1, 2].map(|i| {
            qkv.clone()
                .narrow(1, i * c, c)
                .reshape([b, self.heads, c / self.heads, h * w])
                .swap_dims(2, 3) // [B, heads, HW, d]
        });
        let y = flow_kernels::attention(q, k, v).swap_dims(2, 3).reshape([b, c, h, w]);
        x + conv_in(&self.out, y, precision)
    }

    /// The same as operations.
    pub(super) fn graph(&self, graph: &mut dyn Graph, x: Value) -> Value {
        let channels = self.out.weight.lazy_shape()[0];
        let qkv = graph.norm(&self.norm, x);
        let qkv = graph.conv(&self.qkv, qkv);
        let y = graph.attention_of_pixels(qkv, x, [self.heads, channels]);
        let y = graph.conv(&self.out, y);
        graph.add(x, y)
    }
}
