//! The U-Net of torchcfm, from the arguments of its class.

use flow_nn::Band;
use serde::Deserialize;

use super::config::{AdmUNetConfig, Heads, MOST_BLOCKS, MOST_CHANNELS, MOST_LEVELS};
use super::places::all;
use crate::claims::Claim;
use crate::error::ImportError;
use crate::family::Family;
use crate::known::{Known, Others};
use crate::operation::Sizes;
use crate::transformer::{Described, described, or_null, with_null};

/// The arguments of `UNetModelWrapper`, by their names.
#[expect(clippy::struct_excessive_bools, reason = "they are the arguments of another program")]
#[derive(Debug, Deserialize)]
pub(crate) struct TorchcfmUNetConfig {
    dim: [usize; 3],
    num_channels: usize,
    num_res_blocks: usize,
    channel_mult: Option<Vec<usize>>,
    #[serde(default = "one")]
    num_heads: usize,
    num_head_channels: Option<i64>,
    #[serde(default = "sixteen")]
    attention_resolutions: String,
    #[serde(default)]
    use_scale_shift_norm: bool,
    #[serde(default)]
    resblock_updown: bool,
    #[serde(default)]
    use_new_attention_order: bool,
    num_classes: Option<usize>,
    #[serde(default)]
    class_cond: bool,
    #[serde(flatten)]
    others: Others,
}

/// Precision and checkpoints are of training; the last four are notes of those who wrote our
/// reference files.
const KNOWN: Known = Known {
    harmless: &["dropout", "use_checkpoint", "use_fp16", "library", "cls", "call", "resolved"],
    fixed: &[("learn_sigma", "false"), ("num_heads_upsample", "-1")],
};

fn one() -> usize {
    1
}

fn sixteen() -> String {
    "16".into()
}

impl TorchcfmUNetConfig {
    pub(crate) const KEYS: &'static str =
        "dim, num_channels and num_res_blocks, the arguments of UNetModelWrapper";

    /// Its time is ours, in radians as it is, and it gives the velocity.
    pub(crate) fn describe(self) -> Result<Described, ImportError> {
        let family = Family::TorchcfmUnet.name();
        let refuse =
            |key, value: String, need| Err(ImportError::Unsupported { family, key, value, need });
        KNOWN.check(Family::TorchcfmUnet, &self.others)?;
        let side = self.dim[2];
        let Some(multipliers) = self.channel_mult.clone().or_else(|| usual(side)) else {
            return refuse("channel_mult", "null".into(), "given for images of this size");
        };
        let parse = |text: &str| text.trim().parse::<usize>().ok().filter(|&pixels| 0 < pixels);
        let Some(pixels) =
            self.attention_resolutions.split(',').map(parse).collect::<Option<Vec<_>>>()
        else {
            let need = "numbers of pixels with commas between them";
            return refuse("attention_resolutions", self.attention_resolutions, need);
        };
        if !(4..=MOST_CHANNELS).contains(&self.num_channels) {
            return refuse("num_channels", self.num_channels.to_string(), "from 4 to 1048576");
        }
        let channels: Vec<usize> =
            multipliers.iter().map(|m| m.saturating_mul(self.num_channels)).collect();
        let fit = channels.iter().all(|channels| (1..=MOST_CHANNELS).contains(channels));
        if !fit || !(1..=MOST_LEVELS).contains(&multipliers.len()) {
            let need = "from 1 to 32 factors that give 1 to 1048576 channels";
            let short = multipliers.len() <= MOST_LEVELS;
            let count = || format!("{} numbers", multipliers.len());
            let value = if short { format!("{multipliers:?}") } else { count() };
            return refuse("channel_mult", value, need);
        }
        if MOST_BLOCKS < self.num_res_blocks {
            return refuse("num_res_blocks", self.num_res_blocks.to_string(), "at most 1000");
        }
        let factors: Vec<usize> = pixels.iter().map(|pixels| side / pixels).collect();
        let heads = match self.num_head_channels {
            Some(each) if 0 < each => Heads::Channels(each as usize),
            _ => Heads::Count(self.num_heads),
        };
        let half = self.num_channels / 2;
        let lowest = 1e4_f64.powf(-(half as f64 - 1.0) / half as f64);
        let network = AdmUNetConfig {
            width: self.num_channels,
            channels,
            blocks: self.num_res_blocks,
            attention: (0..multipliers.len()).map(|at| factors.contains(&(1 << at))).collect(),
            heads,
            modulated: self.use_scale_shift_norm,
            residual_resampling: self.resblock_updown,
            time: Band { lowest, highest: 1.0 },
            ..AdmUNetConfig::default()
        };
        let classes = self.num_classes.filter(|_| self.class_cond).unwrap_or(0);
        // Blocks are numbered through, the first convolution being number 0; what follows a block
        // at its size stands beside it.
        let (blocks, levels) = (network.blocks, network.channels.len());
        let attention = network.attention.clone();
        let theirs = |way, at: usize, unit: usize| {
            let place = match way {
                "down" => format!("input_blocks.{}", 1 + at * (blocks + 1) + unit),
                "up" => format!("output_blocks.{}", at * (blocks + 1) + unit),
                _ => {
                    let residual = format!("middle_block.{}", 2 * unit);
                    return [residual, "middle_block.1".into()];
                }
            };
            [format!("{place}.0"), format!("{place}.1")]
        };
        let resampled = |way, at: usize| {
            if way == "down" {
                return format!("input_blocks.{}.0", (at + 1) * (blocks + 1));
            }
            let beside = 1 + usize::from(attention[levels - 1 - at]);
            format!("output_blocks.{}.{beside}", at * (blocks + 1) + blocks)
        };
        let sizes = Sizes {
            hidden: 4 * network.width,
            classes,
            heads: (!self.use_new_attention_order).then_some(network.heads),
            places: all(&network, &theirs, &resampled),
            claims: self.claims(&network, &multipliers, classes),
            ..Sizes::default()
        };
        Ok(described(&network, self.dim, classes, sizes))
    }

    fn claims(&self, network: &AdmUNetConfig, multipliers: &[usize], classes: usize) -> Vec<Claim> {
        let &Self { dim: [image, ..], num_channels: width, num_res_blocks: blocks, .. } = self;
        let (levels, input) = (multipliers.len(), "input_blocks.0.0.weight");
        let (structure, sizes) =
            ("channel_mult, num_res_blocks", format!("{multipliers:?}, {blocks}"));
        let mut claims = vec![
            Claim::side("dim", format!("{:?}", self.dim), (input, 1), [image]),
            Claim::side("learn_sigma", false, ("out.2.weight", 0), [image]),
            Claim::side("num_channels", width, ("time_embed.0.weight", 1), [width]),
            Claim::count(structure, sizes, "input_blocks.", levels * (blocks + 1)),
        ];
        for (level, (&channels, &attention)) in
            network.channels.iter().zip(&network.attention).enumerate()
        {
            let first = format!("input_blocks.{}", 1 + level * (blocks + 1));
            let (output, multiplier) = (format!("{first}.0.out_layers.3.weight"), "channel_mult");
            let value = format!("{multipliers:?}");
            claims.push(Claim::side(multiplier, value, (output, 0), [channels]));
            let (pixels, key) = (&self.attention_resolutions, "attention_resolutions");
            claims.push(Claim::there(key, pixels, format!("{first}.1."), attention));
        }
        let (told, scaled) = ("input_blocks.1.0.emb_layers.1.weight", self.use_scale_shift_norm);
        let rows = network.channels[0].saturating_mul(1 + usize::from(scaled));
        claims.push(Claim::side("use_scale_shift_norm", scaled, (told, 0), [rows]));
        if 1 < levels {
            let (by_block, begin) =
                (self.resblock_updown, format!("input_blocks.{}.0.op.", blocks + 1));
            claims.push(Claim::there("resblock_updown", by_block, begin, !by_block));
        }
        let (key, value) = if self.class_cond {
            ("num_classes", or_null(self.num_classes))
        } else {
            ("class_cond", "false".into())
        };
        claims.push(Claim::there(key, &value, "label_emb.", 0 < classes));
        claims.push(Claim::side(key, &value, ("label_emb.weight", 0), with_null(classes)));
        claims
    }
}

/// The multipliers that torchcfm takes for images of a size.
fn usual(side: usize) -> Option<Vec<usize>> {
    match side {
        256 => Some(vec![1, 1, 2, 2, 4, 4]),
        128 => Some(vec![1, 1, 2, 3, 4]),
        64 => Some(vec![1, 2, 3, 4]),
        32 => Some(vec![1, 2, 2, 2]),
        28 => Some(vec![1, 2, 2]),
        _ => None,
    }
}
