//! The residual block, where time and class enter.

use burn::module::{Module, ModuleMapper, ModuleVisitor};
use burn::nn::conv::Conv2d;
use burn::nn::{GroupNorm, GroupNormConfig};
use burn::tensor::{Device, Tensor};
use flow_kernels::{Activation, Precision};

use crate::graph::{Graph, Value};
use crate::layer::{adaptive_norm_silu, conv_config, conv_in, norm, zero_conv};

/// `skip(x) + conv2(silu(adaptive_norm(conv1(silu(norm(x))))))`.
#[derive(Module, Debug)]
pub(super) struct ResidualBlock {
    norm1: GroupNorm,
    conv1: Conv2d,
    norm2: GroupNorm,
    conv2: Conv2d,
    skip: Option<Conv2d>,
    channels: usize,
}

impl ResidualBlock {
    pub(super) fn new(from: usize, to: usize, groups: usize, device: &Device) -> Self {
        // A concatenation may have a number of channels that `groups` does not divide.
        let input_groups = (1..=groups).rev().find(|&g| from.is_multiple_of(g)).unwrap_or(1);
        Self {
            norm1: GroupNormConfig::new(input_groups, from).init(device),
            conv1: conv_config(from, to, 3).init(device),
            norm2: GroupNormConfig::new(groups, to).init(device),
            conv2: zero_conv(to, to, 3, device),
            skip: (from != to).then(|| conv_config(from, to, 1).init(device)),
            channels: to,
        }
    }

    /// Channels that leave the block.
    pub(super) fn channels(&self) -> usize {
        self.channels
    }

    /// What comes out: the branch beside `skip(x)`.
    ///
    /// # Shapes
    /// - `x`: `[B, C, H, W]`, `branch` and output: `[B, C', H, W]`
    pub(super) fn around(
        &self,
        branch: Tensor<4>,
        x: Tensor<4>,
        precision: Precision,
    ) -> Tensor<4> {
        match &self.skip {
            Some(skip) => branch + conv_in(skip, x, precision),
            None => branch + x,
        }
    }

    /// What is added to `skip(x)`.
    ///
    /// # Shapes
    /// - `x`: `[B, C, H, W]`, `scale` and `shift`: `[B, C']`, output: `[B, C', H, W]`
    pub(super) fn branch(
        &self,
        x: Tensor<4>,
        scale: Tensor<2>,
        shift: Tensor<2>,
        precision: Precision,
    ) -> Tensor<4> {
        let h = norm(&self.norm1, x, Activation::Silu);
        let h = conv_in(&self.conv1, h, precision);
        let h = adaptive_norm_silu(&self.norm2, h, scale, shift);
        conv_in(&self.conv2, h, precision)
    }

    /// Shows the layers of the branch.
    pub(super) fn visit_branch(&self, visitor: &mut impl ModuleVisitor) {
        self.norm1.visit(visitor);
        self.conv1.visit(visitor);
        self.norm2.visit(visitor);
        self.conv2.visit(visitor);
    }

    /// The same block with other weights in these layers.
    pub(super) fn map_branch(self, mapper: &mut impl ModuleMapper) -> Self {
        Self {
            norm1: self.norm1.map(mapper),
            conv1: self.conv1.map(mapper),
            norm2: self.norm2.map(mapper),
            conv2: self.conv2.map(mapper),
            ..self
        }
    }

    /// The same as operations, with `scale` and `shift` of `[B, C', 1, 1]`.
    pub(super) fn graph(
        &self,
        graph: &mut dyn Graph,
        x: Value,
        [scale, shift]: [Value; 2],
    ) -> Value {
        let h = graph.norm(&self.norm1, x);
        let h = graph.activate(h, Activation::Silu);
        let h = graph.conv(&self.conv1, h);
        let h = graph.norm(&self.norm2, h);
        let scale = graph.plus(scale, 1.0);
        let h = graph.multiply(h, scale);
        let h = graph.add(h, shift);
        let h = graph.activate(h, Activation::Silu);
        let h = graph.conv(&self.conv2, h);
        let skip = self.skip.as_ref().map_or(x, |skip| graph.conv(skip, x));
        graph.add(h, skip)
    }
}
