//! The posterior of images: a convolutional tower for each image seen, then two layers over all of
//! them.

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::nn::{GroupNorm, GroupNormConfig, Linear, LinearConfig};
use burn::tensor::{Device, Tensor};
use flow_kernels::Activation;
use serde::{Deserialize, Serialize};

use super::{DiagonalGaussian, PathPoints, Posterior, PosteriorInput};
use crate::embed::TimeEmbedding;
use crate::error::{NetworkError, multiple, positive};
use crate::footprint::Footprint;
use crate::layer::{conv, conv_config, linear, norm, zero_conv};

/// Sizes of an [`ImageEncoder`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageEncoderConfig {
    /// Channels at the full resolution.
    pub channels: usize,
    /// Channel multiplier of each resolution; the image is halved between them.
    pub multipliers: Vec<usize>,
    /// Groups of each group norm.
    pub groups: usize,
}

impl Default for ImageEncoderConfig {
    fn default() -> Self {
        Self { channels: 16, multipliers: vec![1, 2, 4], groups: 8 }
    }
}

impl ImageEncoderConfig {
    /// Builds the network for images of shape `[channels, height, width]`, which looks at `inputs`
    /// and answers with a latent of `latent` numbers.
    ///
    /// # Errors
    /// When a size is zero, there is no input, or channels do not divide into groups.
    pub fn init(
        &self,
        shape: [usize; 3],
        inputs: &[PosteriorInput],
        latent: usize,
        device: &Device,
    ) -> Result<ImageEncoder, NetworkError> {
        for (field, value) in [
            ("channels of the image", shape[0]),
            ("inputs", inputs.len()),
            ("latent", latent),
            ("channels", self.channels),
            ("multipliers", self.multipliers.len()),
            ("groups", self.groups),
        ] {
            positive(field, value)?;
        }
        multiple("channels", self.channels, 2)?;
        let widths: Vec<usize> = self.multipliers.iter().map(|m| m * self.channels).collect();
        for &width in &widths {
            positive("multipliers", width)?;
            multiple("channels * multiplier", width, self.groups)?;
        }
        let last = widths[widths.len() - 1];
        let seen =
            |wanted: bool| inputs.iter().filter(move |i| (**i == PosteriorInput::T) == wanted);
        let (times, images) = (seen(true).count(), seen(false).count());
        Ok(ImageEncoder {
            towers: seen(false).map(|_| Tower::new(self, shape[0], &widths, device)).collect(),
            time: (0 < times).then(|| TimeEmbedding::new(self.channels, last, device)),
            joined: LinearConfig::new((images + times.min(1)) * last, last).init(device),
            out: LinearConfig::new(last, 2 * latent).init(device),
            latent,
            images: seen(false).copied().collect(),
            shape,
        })
    }

    /// What a network for images of this shape with these inputs and `latent` numbers would take.
    #[must_use]
    pub fn footprint(
        &self,
        shape: [usize; 3],
        inputs: &[PosteriorInput],
        latent: usize,
    ) -> Footprint {
        let [image_channels, height, width] = shape.map(|side| side as f64);
        let channels = self.channels as f64;
        let widths: Vec<f64> = self.multipliers.iter().map(|&m| m as f64 * channels).collect();
        let last = widths.last().copied().unwrap_or_default();
        let images = inputs.iter().filter(|input| **input != PosteriorInput::T).count();
        let mut all = Footprint::default();
        for _ in 0..images {
            let mut pixels = height * width;
            all.conv(image_channels, widths.first().copied().unwrap_or_default(), 3.0, pixels);
            for (level, &width) in widths.iter().enumerate() {
                for _ in 0..2 {
                    all.norm(width, pixels);
                    all.conv(width, width, 3.0, pixels);
                }
                if let Some(&next) = widths.get(level + 1) {
                    pixels /= 4.0;
                    all.conv(width, next, 3.0, pixels);
                }
            }
            all.norm(last, pixels);
        }
        let times = usize::from(images < inputs.len());
        if 0 < times {
            all.linear(channels, last);
            all.linear(last, last);
        }
        all.linear((images + times) as f64 * last, last);
        all.linear(last, 2.0 * latent as f64);
        all
    }
}

/// `[mu, ln sigma^2] = W2 silu(W1 [tower(image_1), .., e(t)] + b1) + b2`.
///
/// A tower has a residual block at each resolution, halves the image between them, and ends in the
/// mean over pixels.
///
/// # Reference
/// Guo & Schwing (2025), "Variational Rectified Flow Matching", arXiv:2502.09616, appendix D.2, for
/// the parts: an encoder per input, residual blocks with pooling, two linear layers. Group norms
/// and sizes are ours.
#[derive(Module, Debug)]
pub struct ImageEncoder {
    towers: Vec<Tower>,
    time: Option<TimeEmbedding>,
    joined: Linear,
    out: Linear,
    latent: usize,
    #[module(skip)]
    images: Vec<PosteriorInput>,
    /// Channels, height and width.
    #[module(skip)]
    shape: [usize; 3],
}

impl Posterior for ImageEncoder {
    fn forward(&self, seen: &PathPoints) -> DiagonalGaussian {
        let [channels, height, width] = self.shape;
        let look = |(tower, input): (&Tower, &PosteriorInput)| {
            let rows = match input {
                PosteriorInput::X0 => &seen.x0,
                PosteriorInput::X1 => &seen.x1,
                PosteriorInput::Xt => &seen.x_t,
                PosteriorInput::T => unreachable!("the time is not among the images"),
            };
            tower.forward(rows.clone().reshape([rows.dims()[0], channels, height, width]))
        };
        let mut h: Vec<Tensor<2>> = self.towers.iter().zip(&self.images).map(look).collect();
        h.extend(self.time.as_ref().map(|time| time.forward(seen.t.clone())));
        let h = linear(&self.joined, Tensor::cat(h, 1), Activation::Silu);
        DiagonalGaussian::from_output(linear(&self.out, h, Activation::Identity))
    }

    fn latent(&self) -> usize {
        self.latent
    }
}

/// From an image to a vector.
#[derive(Module, Debug)]
struct Tower {
    input: Conv2d,
    blocks: Vec<Block>,
    norm: GroupNorm,
}

/// `x + conv2(silu(norm(conv1(silu(norm(x))))))`, then a 3x3 convolution to the next resolution.
#[derive(Module, Debug)]
struct Block {
    norm1: GroupNorm,
    conv1: Conv2d,
    norm2: GroupNorm,
    conv2: Conv2d,
    down: Option<Conv2d>,
}

impl Tower {
    fn new(
        config: &ImageEncoderConfig,
        image_channels: usize,
        widths: &[usize],
        device: &Device,
    ) -> Self {
        let group_norm = |channels| GroupNormConfig::new(config.groups, channels).init(device);
        let block = |(level, &width): (usize, &usize)| Block {
            norm1: group_norm(width),
            conv1: conv_config(width, width, 3).init(device),
            norm2: group_norm(width),
            conv2: zero_conv(width, width, 3, device),
            down: widths
                .get(level + 1)
                .map(|&next| conv_config(width, next, 3).with_stride([2, 2]).init(device)),
        };
        Self {
            input: conv_config(image_channels, widths[0], 3).init(device),
            blocks: widths.iter().enumerate().map(block).collect(),
            norm: group_norm(widths[widths.len() - 1]),
        }
    }

    /// `[B, C, H, W] -> [B, C']`
    fn forward(&self, x: Tensor<4>) -> Tensor<2> {
        let h = self.blocks.iter().fold(conv(&self.input, x), |h, block| block.forward(h));
        let h = norm(&self.norm, h, Activation::Silu);
        let [b, c, height, width] = h.dims();
        h.reshape([b, c, height * width]).mean_dim(2).squeeze_dim(2)
    }
}

impl Block {
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let h = conv(&self.conv1, norm(&self.norm1, x.clone(), Activation::Silu));
        let h = x + conv(&self.conv2, norm(&self.norm2, h, Activation::Silu));
        match &self.down {
            Some(down) => conv(down, h),
            None => h,
        }
    }
}
