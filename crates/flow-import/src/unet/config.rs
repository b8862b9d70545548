//! Sizes of a U-Net of the ADM family, and how its parts follow each other.

use std::iter;

use burn::tensor::Device;
use flow_nn::{
    Band, ClassEmbedding, Footprint, NetworkConfig, NetworkError, Signature, TimeEmbedding,
};
use serde::{Deserialize, Serialize};

use super::layer::{Parts, Resample, Unit};
use super::{AdmUNet, Stage};

/// Sizes of an [`AdmUNet`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdmUNetConfig {
    /// Sinusoids of a time; its embedding has four times as many numbers.
    pub width: usize,
    /// Channels of each size of the image, the full one first; each next one has half its sides.
    pub channels: Vec<usize>,
    /// Residual blocks of each size.
    pub blocks: usize,
    /// Whether a size has attention after each block; the middle always has.
    pub attention: Vec<bool>,
    /// Heads of an attention.
    pub heads: Heads,
    /// Groups of each group norm.
    pub groups: usize,
    /// What is added to a variance by group norms.
    pub epsilon: f64,
    /// Whether the embedding is the scale and shift of group norms, in place of a summand.
    pub modulated: bool,
    /// Whether sizes change by residual blocks, in place of convolutions.
    pub residual_resampling: bool,
    /// Whether the attention in the middle has a group norm.
    pub normed_middle: bool,
    /// Frequencies of the sinusoids.
    pub time: Band,
}

/// Residual blocks of a size that no network has: more are refused before they are counted out.
pub(super) const MOST_BLOCKS: usize = 1_000;

/// Sizes of the image that no network has: each has half the sides of the one before.
pub(super) const MOST_LEVELS: usize = 32;

/// Channels that no layer has.
pub(super) const MOST_CHANNELS: usize = 1 << 20;

/// Heads of an attention over a number of channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Heads {
    /// So many.
    Count(usize),
    /// One for so many channels.
    Channels(usize),
}

impl Heads {
    /// Their number.
    pub(crate) fn of(self, channels: usize) -> usize {
        match self {
            Self::Count(count) => count,
            Self::Channels(each) => channels / each.max(1),
        }
    }
}

impl Default for AdmUNetConfig {
    fn default() -> Self {
        Self {
            width: 32,
            channels: vec![32, 64, 64],
            blocks: 1,
            attention: vec![true, false, false],
            heads: Heads::Count(1),
            groups: 32,
            epsilon: 1e-5,
            modulated: false,
            residual_resampling: false,
            normed_middle: true,
            time: Band { lowest: 0.1, highest: 1000.0 },
        }
    }
}

/// The channels that go into a residual block and come out of it, and whether attention follows.
pub(super) struct Step {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) attention: bool,
}

impl AdmUNetConfig {
    /// The blocks of each size on the way down, of the middle, and of each size on the way up.
    pub(super) fn steps(&self) -> (Vec<Vec<Step>>, [Step; 2], Vec<Vec<Step>>) {
        let levels = self.channels.len();
        let mut now = self.channels[0];
        let mut skips = vec![now];
        let mut down = Vec::with_capacity(levels);
        for (level, (&to, &attention)) in iter::zip(&self.channels, &self.attention).enumerate() {
            let mut steps = Vec::with_capacity(self.blocks);
            for _ in 0..self.blocks {
                steps.push(Step { from: now, to, attention });
                now = to;
                skips.push(now);
            }
            skips.extend((level + 1 < levels).then_some(now));
            down.push(steps);
        }
        let middle = [true, false].map(|attention| Step { from: now, to: now, attention });
        let mut up = Vec::with_capacity(levels);
        for (&to, &attention) in iter::zip(&self.channels, &self.attention).rev() {
            let mut steps = Vec::with_capacity(self.blocks + 1);
            for _ in 0..=self.blocks {
                let skip = skips.pop().expect("as many blocks go up as left a skip going down");
                steps.push(Step { from: now + skip, to, attention });
                now = to;
            }
            up.push(steps);
        }
        (down, middle, up)
    }

    /// Refuses sizes that are none or too large, before anything is made of so many.
    pub(super) fn check_counts(&self) -> Result<(), NetworkError> {
        let channels = self.channels.iter().map(|&channels| ("channels", channels, MOST_CHANNELS));
        for (field, value, most) in [
            ("width", self.width, MOST_CHANNELS),
            ("sizes in channels", self.channels.len(), MOST_LEVELS),
            ("sizes in attention", self.attention.len(), MOST_LEVELS),
            ("blocks", self.blocks, MOST_BLOCKS),
            ("groups", self.groups, MOST_CHANNELS),
        ]
        .into_iter()
        .chain(channels)
        {
            if value == 0 {
                return Err(NetworkError::Zero { field });
            }
            if most < value {
                return Err(NetworkError::TooMany { field, value, most });
            }
        }
        for (field, value, most, need) in [
            ("epsilon", self.epsilon, 1.0, "positive and below 1"),
            ("time.lowest", self.time.lowest, f64::INFINITY, "a positive number"),
            ("time.highest", self.time.highest, f64::INFINITY, "a positive number"),
        ] {
            if !(0.0 < value && value < most) {
                return Err(NetworkError::OutOfRange { field, value, need });
            }
        }
        Ok(())
    }

    /// Refuses sizes that do not fit together, or an image of these sides.
    fn check_sizes(&self, [channels, height, width]: [usize; 3]) -> Result<(), NetworkError> {
        self.check_counts()?;
        if channels == 0 {
            return Err(NetworkError::Zero { field: "channels of the image" });
        }
        let divides = |field, value: usize, divisor: usize| match value {
            0 => Err(NetworkError::Zero { field }),
            _ if divisor == 0 || !value.is_multiple_of(divisor) => {
                Err(NetworkError::NotDivisible { field, value, divisor })
            }
            _ => Ok(()),
        };
        divides("width", self.width, 4)?;
        divides("sizes in attention", self.attention.len(), self.channels.len())?;
        let (down, middle, up) = self.steps();
        for step in down.iter().flatten().chain(&middle).chain(up.iter().flatten()) {
            divides("channels", step.from, self.groups)?;
            divides("channels", step.to, self.groups)?;
            if step.attention {
                let (Heads::Count(parts) | Heads::Channels(parts)) = self.heads;
                if parts == 0 {
                    return Err(NetworkError::Zero { field: "heads" });
                }
                divides("channels with attention", step.to, parts)?;
            }
        }
        let halvings = self.channels.len() - 1;
        for size in [height, width] {
            let factor = 1_usize.checked_shl(halvings as u32);
            if size == 0 || factor.is_none_or(|factor| !size.is_multiple_of(factor)) {
                return Err(NetworkError::TooManyLevels { size, halvings });
            }
        }
        Ok(())
    }
}

impl NetworkConfig for AdmUNetConfig {
    const KIND: &'static str = "adm-unet";
    const ABOUT: &'static str = "the U-Net of torchcfm and diffusers, for images";
    type Network = AdmUNet;

    /// # Errors
    /// When rows are no images, the signature names a condition that is no class, sizes are zero or
    /// too large, do not fit together or the image, or a number is out of its range.
    fn init(&self, signature: &Signature, device: &Device) -> Result<AdmUNet, NetworkError> {
        let shape @ [image_channels, ..] = signature.image(Self::KIND)?;
        let conditions = [
            ("vector", 0 < signature.vector),
            ("context", !signature.context.is_empty()),
            ("latent", 0 < signature.latent),
            ("second time", signature.two_times),
        ];
        Signature::refuse(Self::KIND, &conditions)?;
        self.check_sizes(shape)?;
        let embedding = 4 * self.width;
        let parts = Parts {
            groups: self.groups,
            epsilon: self.epsilon,
            embedding,
            modulated: self.modulated,
            device,
        };
        let unit = |step: &Step, normed: bool| Unit {
            residual: parts.residual(step.from, step.to),
            attention: step
                .attention
                .then(|| parts.attention(step.to, self.heads.of(step.to), normed)),
        };
        let resample = |channels: usize, stride: usize| {
            let by_block = self.residual_resampling;
            Resample {
                conv: (!by_block).then(|| parts.conv(channels, channels, 3, stride)),
                residual: by_block.then(|| parts.residual(channels, channels)),
            }
        };
        let last = self.channels.len() - 1;
        let (down, middle, up) = self.steps();
        let stage = |(level, steps): (usize, Vec<Step>), stride: usize| Stage {
            units: steps.iter().map(|step| unit(step, true)).collect(),
            resample: (level < last).then(|| resample(steps[steps.len() - 1].to, stride)),
        };
        Ok(AdmUNet {
            time: TimeEmbedding::within(self.time, self.width, embedding, device),
            class: (0 < signature.classes)
                .then(|| ClassEmbedding::new(signature.classes, embedding, device)),
            input: parts.conv(image_channels, self.channels[0], 3, 1),
            down: down.into_iter().enumerate().map(|at| stage(at, 2)).collect(),
            middle: middle.map(|step| unit(&step, self.normed_middle)),
            up: up.into_iter().enumerate().map(|at| stage(at, 1)).collect(),
            norm: parts.norm(self.channels[0]),
            output: parts.conv(self.channels[0], image_channels, 3, 1),
            signature: signature.clone(),
        })
    }

    fn footprint(&self, signature: &Signature) -> Footprint {
        self.counted(signature)
    }
}
