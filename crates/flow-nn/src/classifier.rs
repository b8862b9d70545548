//! A small classifier of images, whose features measure generated ones.

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::nn::{GroupNorm, GroupNormConfig, Linear, LinearConfig};
use burn::tensor::{Device, Tensor};
use flow_kernels::Activation;

use crate::error::{NetworkError, positive};
use crate::layer::{conv, conv_config, linear, norm};

/// Sizes of a [`Classifier`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClassifierConfig {
    /// Channels of the image.
    pub image_channels: usize,
    /// Channels of the first convolution, a multiple of 8; the others have twice as many.
    pub channels: usize,
    /// Number of classes.
    pub classes: usize,
}

impl ClassifierConfig {
    /// Builds the network.
    ///
    /// # Errors
    /// When a size is zero or `channels` is no multiple of 8.
    pub fn init(&self, device: &Device) -> Result<Classifier, NetworkError> {
        let Self { image_channels, channels, classes } = *self;
        positive("image_channels", image_channels)?;
        positive("channels", channels)?;
        positive("classes", classes)?;
        crate::error::multiple("channels", channels, 8)?;
        let wide = 2 * channels;
        let block = |from, to, stride| ConvBlock {
            conv: conv_config(from, to, 3).with_stride([stride, stride]).init(device),
            norm: GroupNormConfig::new(8, to).init(device),
        };
        Ok(Classifier {
            blocks: vec![
                block(image_channels, channels, 1),
                block(channels, wide, 2),
                block(wide, wide, 1),
                block(wide, wide, 2),
            ],
            features: LinearConfig::new(wide, wide).init(device),
            logits: LinearConfig::new(wide, classes).init(device),
        })
    }
}

/// Four convolutions, two of them of stride 2, a mean over pixels and two linear layers.
#[derive(Module, Debug)]
pub struct Classifier {
    blocks: Vec<ConvBlock>,
    features: Linear,
    logits: Linear,
}

#[derive(Module, Debug)]
struct ConvBlock {
    conv: Conv2d,
    norm: GroupNorm,
}

impl Classifier {
    /// What the last layer sees.
    ///
    /// # Shapes
    /// - `x`: `[B, C, H, W]` in [-1, 1], output: `[B, 2 channels]`
    #[must_use]
    pub fn features(&self, x: Tensor<4>) -> Tensor<2> {
        let h = self
            .blocks
            .iter()
            .fold(x, |h, block| norm(&block.norm, conv(&block.conv, h), Activation::Silu));
        let [b, c, height, width] = h.dims();
        let mean = h.reshape([b, c, height * width]).mean_dim(2).squeeze_dim(2); // [B, C]
        linear(&self.features, mean, Activation::Silu)
    }

    /// Logarithms of the class probabilities, up to a constant per row.
    ///
    /// # Shapes
    /// - `features`: as [`Classifier::features`] gives them, output: `[B, classes]`
    #[must_use]
    pub fn logits(&self, features: Tensor<2>) -> Tensor<2> {
        linear(&self.logits, features, Activation::Identity)
    }
}
