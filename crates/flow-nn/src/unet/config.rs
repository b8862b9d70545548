//! Sizes of a U-Net and the check that they fit together.

use burn::nn::{GroupNormConfig, LinearConfig};
use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use super::{Attention, Downsample, ResidualBlock, Stage, Training, UNet, Unit, Upsample};
use crate::config::NetworkConfig;
use crate::embed::{
    ClassEmbedding, LatentEmbedding, TIME_SCALE, TimeEmbedding, VectorEmbedding, is_usual,
    time_scale,
};
use crate::error::{NetworkError, multiple, positive};
use crate::footprint::Footprint;
use crate::layer::{conv_config, zero_conv};
use crate::signature::Signature;

/// Sizes of a [`UNet`].
///
/// Resolution `i` has `height / 2^i` by `width / 2^i` pixels and `channels * multipliers[i]`
/// channels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UNetConfig {
    /// Channels at the full resolution.
    pub channels: usize,
    /// Channel multiplier of each resolution.
    pub multipliers: Vec<usize>,
    /// Residual blocks per resolution.
    pub blocks: usize,
    /// Resolutions with attention after each block, by their height in pixels; the middle has it
    /// always.
    pub attention: Vec<usize>,
    /// Channels of an attention head.
    pub head_channels: usize,
    /// Groups of each group norm.
    pub groups: usize,
    /// Radians that a time in `[0, 1]` spans in the fastest of its sinusoids; a few for flow maps.
    #[serde(default = "time_scale", skip_serializing_if = "is_usual")]
    pub time_scale: u32,
    /// Where the latent enters, if there is one.
    #[serde(default, skip_serializing_if = "Fusion::is_default")]
    pub fusion: Fusion,
}

/// Where a latent enters a [`UNet`].
///
/// # Reference
/// Guo & Schwing (2025), "Variational Rectified Flow Matching", arXiv:2502.09616, section 4.4.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fusion {
    /// Its embedding is added to that of the time, before both become scales and shifts of the
    /// group norms.
    #[default]
    AdaptiveNorm,
    /// Its embedding is mixed into every pixel of the smallest image, before that grows again:
    /// `h <- 0.9 e(z) + 0.1 h`. The embedding is projected to the channels there, which the paper
    /// leaves open.
    BottleneckSum,
}

impl Fusion {
    // Serde calls this with a reference.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Default for UNetConfig {
    fn default() -> Self {
        Self {
            channels: 32,
            multipliers: vec![1, 2, 2],
            blocks: 1,
            attention: vec![7],
            head_channels: 32,
            groups: 8,
            time_scale: TIME_SCALE,
            fusion: Fusion::default(),
        }
    }
}

impl UNetConfig {
    /// Refuses sizes that do not fit together, or an image of this shape.
    fn check(&self, [image_channels, height, width]: [usize; 3]) -> Result<(), NetworkError> {
        for (field, value) in [
            ("channels of the image", image_channels),
            ("height of the image", height),
            ("width of the image", width),
            ("channels", self.channels),
            ("multipliers", self.multipliers.len()),
            ("blocks", self.blocks),
            ("head_channels", self.head_channels),
            ("groups", self.groups),
            ("time_scale", self.time_scale as usize),
        ] {
            positive(field, value)?;
        }
        multiple("channels", self.channels, 2)?;
        for &multiplier in &self.multipliers {
            positive("multipliers", multiplier)?;
            multiple("channels * multiplier", self.channels * multiplier, self.groups)?;
        }
        let halvings = self.multipliers.len() - 1;
        for size in [height, width] {
            let factor = 1_usize.checked_shl(halvings as u32);
            if factor.is_none_or(|factor| !size.is_multiple_of(factor)) {
                return Err(NetworkError::TooManyLevels { size, halvings });
            }
        }
        let have: Vec<usize> = (0..=halvings).map(|level| height >> level).collect();
        for &asked in &self.attention {
            let Some(level) = have.iter().position(|&size| size == asked) else {
                return Err(NetworkError::NoSuchResolution { asked, have });
            };
            let channels = self.channels * self.multipliers[level];
            multiple("channels at an attention resolution", channels, self.head_channels)?;
        }
        let last = self.channels * self.multipliers[halvings];
        multiple("channels of the middle", last, self.head_channels)
    }

    pub(super) fn has_attention(&self, height: usize, level: usize) -> bool {
        self.attention.contains(&(height >> level))
    }
}

impl NetworkConfig for UNetConfig {
    const KIND: &'static str = "unet";
    const ABOUT: &'static str = "a U-Net of the ADM family for images of any height and width";
    const TIME_SCALE_KEY: &'static [&'static str] = &["time_scale"];
    type Network = UNet;

    /// # Errors
    /// When rows are no images, a size is zero, channels do not divide into groups or heads, the
    /// image cannot be halved often enough, attention is asked for at a resolution that does not
    /// exist, or a context is no image of the same height and width.
    fn init(&self, signature: &Signature, device: &Device) -> Result<UNet, NetworkError> {
        let shape @ [image_channels, height, _] = signature.image(Self::KIND)?;
        self.check(shape)?;
        let context_channels = context_channels(signature)?;
        let &Signature { classes, vector, latent, two_times, .. } = signature;
        let mut build = Builder { config: self, device, modulated: 0 };
        let widths: Vec<usize> = self.multipliers.iter().map(|m| m * self.channels).collect();
        let levels = widths.len();

        let mut skips = vec![self.channels];
        let mut channels = self.channels;
        let mut down = Vec::with_capacity(levels);
        for (level, &width) in widths.iter().enumerate() {
            let mut units = Vec::with_capacity(self.blocks);
            for _ in 0..self.blocks {
                units.push(build.unit(channels, width, self.has_attention(height, level)));
                channels = width;
                skips.push(channels);
            }
            let downsample = (level + 1 < levels).then(|| Downsample::new(channels, device));
            skips.extend(downsample.is_some().then_some(channels));
            down.push(Stage { units, downsample, upsample: None });
        }
        let bottleneck = channels;
        let middle = [build.unit(channels, channels, true), build.unit(channels, channels, false)];
        let mut up = Vec::with_capacity(levels);
        for (level, &width) in widths.iter().enumerate().rev() {
            let mut units = Vec::with_capacity(self.blocks + 1);
            for _ in 0..=self.blocks {
                let skip = skips.pop().expect("the decoder mirrors the encoder");
                units.push(build.unit(channels + skip, width, self.has_attention(height, level)));
                channels = width;
            }
            let upsample = (level > 0).then(|| Upsample::new(channels, device));
            up.push(Stage { units, downsample: None, upsample });
        }
        let embedding = 4 * self.channels;
        Ok(UNet {
            time: TimeEmbedding::scaled(self.time_scale, self.channels, embedding, device),
            class: (classes > 0).then(|| ClassEmbedding::new(classes, embedding, device)),
            latent: (latent > 0).then(|| {
                let output = match self.fusion {
                    Fusion::AdaptiveNorm => embedding,
                    Fusion::BottleneckSum => bottleneck,
                };
                LatentEmbedding::new(latent, embedding, output, device)
            }),
            fusion: self.fusion,
            modulation: LinearConfig::new(embedding, build.modulated).init(device),
            input: conv_config(image_channels + context_channels, self.channels, 3).init(device),
            down,
            middle,
            up,
            norm: GroupNormConfig::new(self.groups, channels).init(device),
            output: zero_conv(channels, image_channels, 3, device),
            vector: (vector > 0).then(|| VectorEmbedding::new(vector, embedding, device)),
            duration: two_times.then(|| {
                TimeEmbedding::starting_at_zero(self.time_scale, self.channels, embedding, device)
            }),
            signature: signature.clone(),
            training: Training::default(),
        })
    }

    fn footprint(&self, signature: &Signature) -> Footprint {
        self.counted(signature)
    }
}

/// Input channels that a context adds: its own, and one that says where it is hidden.
pub(super) fn context_channels(signature: &Signature) -> Result<usize, NetworkError> {
    let [_, height, width] = signature.image(UNetConfig::KIND)?;
    match *signature.context {
        [] => Ok(0),
        [0, ..] => Err(NetworkError::Zero { field: "channels of the conditioning image" }),
        [channels, h, w] if [h, w] == [height, width] => Ok(channels + 1),
        _ => Err(NetworkError::Shape {
            kind: UNetConfig::KIND,
            need: "a conditioning image of the height and width of its rows",
            shape: signature.context.clone(),
        }),
    }
}

/// Builds units and counts the scales and shifts that they need.
struct Builder<'a> {
    config: &'a UNetConfig,
    device: &'a Device,
    modulated: usize,
}

impl Builder<'_> {
    fn unit(&mut self, from: usize, to: usize, attention: bool) -> Unit {
        self.modulated += 2 * to;
        let Self { config, device, .. } = self;
        Unit {
            block: ResidualBlock::new(from, to, config.groups, device),
            attention: attention
                .then(|| Attention::new(to, config.head_channels, config.groups, device)),
        }
    }
}
