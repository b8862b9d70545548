//! The U-Net of torchcfm, from the arguments of its class.

use flow_nn::Band;
use serde::Deserialize;

use super::config::{AdmUNetConfig, Heads};
use super::places::all;
use crate::error::ImportError;
use crate::family::Family;
use crate::known::{Known, Others};
use crate::operation::Sizes;
use crate::transformer::{Described, described};

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
        if multipliers.is_empty() || self.num_channels < 4 {
            return refuse("num_channels", self.num_channels.to_string(), "at least 4");
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
            channels: multipliers.iter().map(|m| m * self.num_channels).collect(),
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
            ..Sizes::default()
        };
        Ok(described(&network, self.dim, classes, sizes))
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
