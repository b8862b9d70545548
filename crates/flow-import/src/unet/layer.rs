//! The parts of a U-Net of the ADM family: residual blocks, attention, resampling.

use burn::module::{Module, Param};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{GroupNorm, GroupNormConfig, Linear, LinearConfig, PaddingConfig2d};
use burn::tensor::{Device, Tensor};
use flow_kernels::{Activation, attention, conv2d, group_norm_act, linear_act, upsample_nearest};

/// What all parts of a network are made with.
pub(super) struct Parts<'a> {
    pub(super) groups: usize,
    pub(super) epsilon: f64,
    pub(super) embedding: usize,
    pub(super) modulated: bool,
    pub(super) device: &'a Device,
}

impl Parts<'_> {
    pub(super) fn norm(&self, channels: usize) -> GroupNorm {
        GroupNormConfig::new(self.groups, channels).with_epsilon(self.epsilon).init(self.device)
    }

    pub(super) fn conv(&self, from: usize, to: usize, kernel: usize, stride: usize) -> Conv2d {
        let padding = kernel / 2;
        Conv2dConfig::new([from, to], [kernel, kernel])
            .with_stride([stride, stride])
            .with_padding(PaddingConfig2d::Explicit(padding, padding, padding, padding))
            .init(self.device)
    }

    pub(super) fn residual(&self, from: usize, to: usize) -> Residual {
        let told = if self.modulated { 2 * to } else { to };
        Residual {
            norm1: self.norm(from),
            conv1: self.conv(from, to, 3, 1),
            told: LinearConfig::new(self.embedding, told).init(self.device),
            norm2: self.norm(to),
            conv2: self.conv(to, to, 3, 1),
            skip: (from != to).then(|| self.conv(from, to, 1, 1)),
            modulated: self.modulated,
        }
    }

    pub(super) fn attention(&self, channels: usize, heads: usize, normed: bool) -> Attention {
        Attention {
            norm: normed.then(|| self.norm(channels)),
            qkv: self.conv(channels, 3 * channels, 1, 1),
            out: self.conv(channels, channels, 1, 1),
            heads,
        }
    }
}

/// A convolution that keeps the size at stride 1.
pub(super) fn conv(layer: &Conv2d, x: Tensor<4>) -> Tensor<4> {
    let bias = layer.bias.as_ref().map(Param::val);
    conv2d(x, layer.weight.val(), bias, layer.stride[0], layer.kernel_size[0] / 2)
}

/// Group norm with its own scale and shift, and those of each image where they are given.
pub(super) fn norm(
    layer: &GroupNorm,
    x: Tensor<4>,
    told: Option<[Tensor<2>; 2]>,
    activation: Activation,
) -> Tensor<4> {
    let (Some(gamma), Some(beta)) = (&layer.gamma, &layer.beta) else {
        unreachable!("group norms of this crate are affine");
    };
    let (mut scale, mut shift) = (gamma.val().unsqueeze(), beta.val().unsqueeze());
    if let Some([more, moved]) = told {
        let more = more + 1.0;
        (scale, shift) = (scale * more.clone(), shift * more + moved);
    }
    group_norm_act(x, layer.num_groups, layer.epsilon, scale, shift, activation)
}

/// How a residual block changes the size of its image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Size {
    Kept,
    Halved,
    Doubled,
}

impl Size {
    /// Means of 2 x 2 pixels, or each pixel four times.
    fn of(self, x: Tensor<4>) -> Tensor<4> {
        match self {
            Self::Kept => x,
            Self::Halved => {
                let [b, c, h, w] = x.dims();
                let squares: Tensor<4> = x.reshape([b * c * h / 2, 2, w / 2, 2]);
                squares.mean_dim(1).mean_dim(3).reshape([b, c, h / 2, w / 2])
            }
            Self::Doubled => upsample_nearest(x, 2),
        }
    }
}

/// `skip(x) + conv2(silu(norm2(conv1(silu(norm1(x))) + e)))` with `e` a layer of the embedding,
/// which may be the scale and shift of the second norm instead of a summand.
#[derive(Module, Debug)]
pub(super) struct Residual {
    pub(super) norm1: GroupNorm,
    pub(super) conv1: Conv2d,
    pub(super) told: Linear,
    pub(super) norm2: GroupNorm,
    pub(super) conv2: Conv2d,
    pub(super) skip: Option<Conv2d>,
    pub(super) modulated: bool,
}

impl Residual {
    /// # Shapes
    /// - `x`: `[B, C, H, W]`, `embedding`: `[B, E]` or `[1, E]`, after its SiLU
    pub(super) fn forward(&self, x: Tensor<4>, embedding: &Tensor<2>, size: Size) -> Tensor<4> {
        let h = size.of(norm(&self.norm1, x.clone(), None, Activation::Silu));
        let (h, x) = (conv(&self.conv1, h), size.of(x));
        let bias = self.told.bias.as_ref().map(Param::val);
        let told =
            linear_act(embedding.clone(), self.told.weight.val(), bias, Activation::Identity);
        let h = if self.modulated {
            let c = h.dims()[1];
            let told = [told.clone().narrow(1, 0, c), told.narrow(1, c, c)];
            norm(&self.norm2, h, Some(told), Activation::Silu)
        } else {
            let [rows, c] = told.dims();
            norm(&self.norm2, h + told.reshape([rows, c, 1, 1]), None, Activation::Silu)
        };
        let h = conv(&self.conv2, h);
        match &self.skip {
            Some(skip) => h + conv(skip, x),
            None => h + x,
        }
    }
}

/// `x + W softmax(q k^T / sqrt(d)) v` over the pixels, with several heads.
#[derive(Module, Debug)]
pub(super) struct Attention {
    pub(super) norm: Option<GroupNorm>,
    pub(super) qkv: Conv2d,
    pub(super) out: Conv2d,
    pub(super) heads: usize,
}

impl Attention {
    pub(super) fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let [b, c, h, w] = x.dims();
        let seen = match &self.norm {
            Some(layer) => norm(layer, x.clone(), None, Activation::Identity),
            None => x.clone(),
        };
        let qkv = conv(&self.qkv, seen);
        let [q, k, v] = [0, 1, 2].map(|i| {
            qkv.clone()
                .narrow(1, i * c, c)
                .reshape([b, self.heads, c / self.heads, h * w])
                .swap_dims(2, 3) // [B, heads, HW, d]
        });
        let y = attention(q, k, v).swap_dims(2, 3).reshape([b, c, h, w]);
        x + conv(&self.out, y)
    }
}

/// A residual block and, where there is one, attention.
#[derive(Module, Debug)]
pub(super) struct Unit {
    pub(super) residual: Residual,
    pub(super) attention: Option<Attention>,
}

impl Unit {
    pub(super) fn forward(&self, x: Tensor<4>, embedding: &Tensor<2>) -> Tensor<4> {
        let h = self.residual.forward(x, embedding, Size::Kept);
        match &self.attention {
            Some(attention) => attention.forward(h),
            None => h,
        }
    }
}

/// The way to the next size: a convolution of stride 2 or of the doubled image, or a residual
/// block.
#[derive(Module, Debug)]
pub(super) struct Resample {
    pub(super) conv: Option<Conv2d>,
    pub(super) residual: Option<Residual>,
}

impl Resample {
    pub(super) fn forward(&self, x: Tensor<4>, embedding: &Tensor<2>, size: Size) -> Tensor<4> {
        if let Some(residual) = &self.residual {
            return residual.forward(x, embedding, size);
        }
        let x = if size == Size::Doubled { size.of(x) } else { x };
        match &self.conv {
            Some(layer) => conv(layer, x),
            None => x,
        }
    }
}
