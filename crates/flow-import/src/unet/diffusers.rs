//! `UNet2DModel` of diffusers, from its `config.json`.

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

/// The keys of the configuration that change what the network computes.
#[derive(Debug, Deserialize)]
pub(crate) struct UNet2dConfig {
    sample_size: Sides,
    in_channels: usize,
    out_channels: usize,
    layers_per_block: usize,
    block_out_channels: Vec<usize>,
    down_block_types: Vec<String>,
    up_block_types: Vec<String>,
    #[serde(default = "eight")]
    attention_head_dim: Option<usize>,
    norm_num_groups: usize,
    num_class_embeds: Option<usize>,
    #[serde(default = "epsilon")]
    norm_eps: f64,
    #[serde(default)]
    freq_shift: f64,
    #[serde(default = "default")]
    resnet_time_scale_shift: String,
    #[serde(flatten)]
    others: Others,
}

const KNOWN: Known = Known {
    harmless: &["dropout"],
    fixed: &[
        ("_class_name", "UNet2DModel"),
        ("act_fn", "silu"),
        ("add_attention", "true"),
        ("attn_norm_num_groups", "null"),
        ("center_input_sample", "false"),
        ("class_embed_type", "null"),
        ("downsample_padding", "1"),
        ("downsample_type", "conv"),
        ("flip_sin_to_cos", "true"),
        ("mid_block_scale_factor", "1"),
        ("mid_block_type", "UNetMidBlock2D"),
        ("time_embedding_dim", "null"),
        ("time_embedding_type", "positional"),
        ("upsample_type", "conv"),
    ],
};

/// The height and width of images: one number for both, or two.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(untagged)]
enum Sides {
    Square(usize),
    Both([usize; 2]),
}

fn epsilon() -> f64 {
    1e-5
}

#[expect(clippy::unnecessary_wraps, reason = "the default of a key that may be null")]
fn eight() -> Option<usize> {
    Some(8)
}

fn default() -> String {
    "default".into()
}

impl UNet2dConfig {
    pub(crate) const KEYS: &'static str = "sample_size, in_channels, out_channels, \
        layers_per_block, block_out_channels, down_block_types, up_block_types and norm_num_groups";

    /// Refuses what would make another network than the one that is built here.
    fn check(&self) -> Result<(), ImportError> {
        let family = Family::DiffusersUnet2d.name();
        let unsupported =
            |key, value: String, need| Err(ImportError::Unsupported { family, key, value, need });
        KNOWN.check(Family::DiffusersUnet2d, &self.others)?;
        let widths = &self.block_out_channels;
        let first = widths.first().copied().unwrap_or(0);
        let shift = self.freq_shift;
        for (key, value, fits, need) in [
            (
                "out_channels",
                self.out_channels.to_string(),
                self.out_channels == self.in_channels,
                "as many as in_channels",
            ),
            (
                "block_out_channels",
                format!("[{first}, ..]"),
                (1..=MOST_LEVELS).contains(&widths.len())
                    && widths.iter().all(|w| (4..=MOST_CHANNELS).contains(w)),
                "at most 32 numbers from 4 to 1048576",
            ),
            (
                "layers_per_block",
                self.layers_per_block.to_string(),
                self.layers_per_block <= MOST_BLOCKS,
                "at most 1000",
            ),
            // At half the first channels the frequencies would have no end.
            ("freq_shift", shift.to_string(), (0.0..=1.0).contains(&shift), "from 0 to 1"),
        ] {
            if !fits {
                return unsupported(key, value, need);
            }
        }
        Ok(())
    }

    /// Its 1,000 steps count to the noise; along which diffusion, its scheduler says.
    pub(crate) fn describe(self) -> Result<Described, ImportError> {
        let family = Family::DiffusersUnet2d.name();
        let unsupported =
            |key, value: String, need| Err(ImportError::Unsupported { family, key, value, need });
        self.check()?;
        let modulated = match self.resnet_time_scale_shift.as_str() {
            "default" => false,
            "scale_shift" => true,
            other => {
                let need = "default or scale_shift";
                return unsupported("resnet_time_scale_shift", other.into(), need);
            }
        };
        let mut attention = Vec::new();
        for (down, up) in self.down_block_types.iter().zip(self.up_block_types.iter().rev()) {
            attention.push(match (down.as_str(), up.as_str()) {
                ("DownBlock2D", "UpBlock2D") => false,
                ("AttnDownBlock2D", "AttnUpBlock2D") => true,
                _ => {
                    let need = "DownBlock2D or AttnDownBlock2D, and up_block_types its mirror";
                    return unsupported("down_block_types", down.clone(), need);
                }
            });
        }
        let width = self.block_out_channels[0];
        let (half, levels) = (width / 2, self.block_out_channels.len());
        if attention.len() != levels || self.up_block_types.len() != levels {
            let need = "as many as block_out_channels";
            return unsupported("down_block_types", format!("{} blocks", attention.len()), need);
        }
        let claims = self.claims(modulated, &attention);
        let last = half as f64 - self.freq_shift;
        let frequencies: Vec<f64> = (0..half).map(|k| 1e4_f64.powf(-(k as f64) / last)).collect();
        let network = AdmUNetConfig {
            width,
            channels: self.block_out_channels,
            blocks: self.layers_per_block,
            attention,
            heads: self.attention_head_dim.map_or(Heads::Count(1), Heads::Channels),
            groups: self.norm_num_groups,
            epsilon: self.norm_eps,
            modulated,
            residual_resampling: false,
            normed_middle: !modulated,
            // In radians per unit of our time, which is a thousand steps.
            time: Band { lowest: 1000.0 * frequencies[half - 1], highest: 1000.0 },
        };
        let theirs = |way, at: usize, unit: usize| {
            let place = match way {
                "middle" => "mid_block".to_owned(),
                way => format!("{way}_blocks.{at}"),
            };
            [format!("{place}.resnets.{unit}"), format!("{place}.attentions.{unit}")]
        };
        let resampled = |way, at: usize| format!("{way}_blocks.{at}.{way}samplers.0");
        let classes = self.num_class_embeds.unwrap_or(0);
        let sizes = Sizes {
            hidden: 4 * width,
            classes,
            frequencies,
            places: all(&network, &theirs, &resampled),
            claims,
            ..Sizes::default()
        };
        let [height, width] = match self.sample_size {
            Sides::Square(side) => [side, side],
            Sides::Both(sides) => sides,
        };
        let shape = [self.in_channels, height, width];
        Ok(described(&network, shape, classes, sizes))
    }

    fn claims(&self, modulated: bool, attention: &[bool]) -> Vec<Claim> {
        let &Self { in_channels, out_channels, layers_per_block: blocks, .. } = self;
        let (widths, shift) = (&self.block_out_channels, &self.resnet_time_scale_shift);
        let value = format!("{widths:?}");
        let mut claims = vec![
            Claim::side("in_channels", in_channels, ("conv_in.weight", 1), [in_channels]),
            Claim::side("out_channels", out_channels, ("conv_out.weight", 0), [out_channels]),
            Claim::count("block_out_channels", &value, "down_blocks.", widths.len()),
            Claim::count("layers_per_block", blocks, "down_blocks.0.resnets.", blocks),
        ];
        for (at, (&width, &attention)) in widths.iter().zip(attention).enumerate() {
            let output = format!("down_blocks.{at}.resnets.0.conv1.weight");
            claims.push(Claim::side("block_out_channels", &value, (output, 0), [width]));
            let (kind, begin) =
                (&self.down_block_types[at], format!("down_blocks.{at}.attentions."));
            claims.push(Claim::there("down_block_types", kind, begin, attention));
        }
        let told = "down_blocks.0.resnets.0.time_emb_proj.weight";
        let rows = widths[0].saturating_mul(1 + usize::from(modulated));
        claims.push(Claim::side("resnet_time_scale_shift", shift, (told, 0), [rows]));
        let (classes, value) = (self.num_class_embeds.unwrap_or(0), or_null(self.num_class_embeds));
        let (key, table) = ("num_class_embeds", "class_embedding.weight");
        claims.push(Claim::there(key, &value, "class_embedding.", 0 < classes));
        claims.push(Claim::side(key, &value, (table, 0), with_null(classes)));
        claims
    }
}
