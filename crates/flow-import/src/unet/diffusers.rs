//! `UNet2DModel` of diffusers, from its `config.json`.

use flow_model::ModelConfig;
use flow_nn::Band;
use flow_path::{Prediction, ScheduleConfig, VariancePreserving};
use serde::Deserialize;

use super::config::{AdmUNetConfig, Heads};
use super::places::all;
use crate::error::ImportError;
use crate::family::Family;
use crate::operation::Sizes;
use crate::transformer::{Described, described};

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
    attention_head_dim: Option<usize>,
    norm_num_groups: usize,
    num_class_embeds: Option<usize>,
    #[serde(default = "epsilon")]
    norm_eps: f64,
    #[serde(default)]
    freq_shift: f64,
    #[serde(default = "yes")]
    flip_sin_to_cos: bool,
    #[serde(default = "yes")]
    add_attention: bool,
    #[serde(default)]
    center_input_sample: bool,
    #[serde(default = "one")]
    downsample_padding: usize,
    #[serde(default = "one_as_number")]
    mid_block_scale_factor: f64,
    #[serde(default = "silu")]
    act_fn: String,
    #[serde(default = "conv")]
    downsample_type: String,
    #[serde(default = "conv")]
    upsample_type: String,
    #[serde(default = "default")]
    resnet_time_scale_shift: String,
    #[serde(default = "positional")]
    time_embedding_type: String,
}

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

fn yes() -> bool {
    true
}

fn one() -> usize {
    1
}

fn one_as_number() -> f64 {
    1.0
}

fn silu() -> String {
    "silu".into()
}

fn conv() -> String {
    "conv".into()
}

fn default() -> String {
    "default".into()
}

fn positional() -> String {
    "positional".into()
}

impl UNet2dConfig {
    pub(crate) const KEYS: &'static str = "sample_size, in_channels, out_channels, \
        layers_per_block, block_out_channels, down_block_types, up_block_types and norm_num_groups";

    /// Refuses what would make another network than the one that is built here.
    fn check(&self) -> Result<(), ImportError> {
        let family = Family::DiffusersUnet2d.name();
        let unsupported =
            |key, value: String, need| Err(ImportError::Unsupported { family, key, value, need });
        for (key, value, need) in [
            ("act_fn", &self.act_fn, "silu"),
            ("downsample_type", &self.downsample_type, "conv"),
            ("upsample_type", &self.upsample_type, "conv"),
            ("time_embedding_type", &self.time_embedding_type, "positional"),
        ] {
            if value != need {
                return unsupported(key, value.clone(), need);
            }
        }
        let first = self.block_out_channels.first().copied().unwrap_or(0);
        let shift = self.freq_shift;
        for (key, value, fits, need) in [
            ("flip_sin_to_cos", "false".into(), self.flip_sin_to_cos, "true"),
            ("add_attention", "false".into(), self.add_attention, "true"),
            ("center_input_sample", "true".into(), !self.center_input_sample, "false"),
            (
                "downsample_padding",
                self.downsample_padding.to_string(),
                self.downsample_padding == 1,
                "1",
            ),
            (
                "mid_block_scale_factor",
                self.mid_block_scale_factor.to_string(),
                (self.mid_block_scale_factor - 1.0).abs() < 1e-9,
                "1",
            ),
            (
                "out_channels",
                self.out_channels.to_string(),
                self.out_channels == self.in_channels,
                "as many as in_channels",
            ),
            ("block_out_channels", format!("[{first}, ..]"), 4 <= first, "at least 4 each"),
            // At half the first channels the frequencies would have no end.
            ("freq_shift", shift.to_string(), (0.0..=1.0).contains(&shift), "from 0 to 1"),
        ] {
            if !fits {
                return unsupported(key, value, need);
            }
        }
        Ok(())
    }

    /// Its 1,000 steps count to the noise, of the diffusion with the usual rates; it gives the
    /// noise.
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
            ..Sizes::default()
        };
        let [height, width] = match self.sample_size {
            Sides::Square(side) => [side, side],
            Sides::Both(sides) => sides,
        };
        let shape = [self.in_channels, height, width];
        let (config, sizes) = described(&network, shape, classes, sizes);
        let schedule = ScheduleConfig::Vp(VariancePreserving::default());
        Ok((ModelConfig { prediction: Prediction::Noise, schedule, ..config }, sizes))
    }
}
