//! The transformers of SiT and diffusers, from their configurations.

use flow_model::ModelConfig;
use flow_nn::{Band, DitConfig, Embeddings, NetworkConfig, Signature};
use flow_path::{Prediction, ScheduleConfig, VariancePreserving};
use serde::Deserialize;
use toml::{Table, Value};

use crate::error::ImportError;
use crate::family::Family;
use crate::operation::Sizes;

/// Sinusoids of a time in both families.
const SINUSOIDS: usize = 256;

/// The configuration of a network of SiT: the arguments of its class.
#[derive(Debug, Deserialize)]
pub(crate) struct SitConfig {
    input_size: usize,
    patch_size: usize,
    in_channels: usize,
    hidden_size: usize,
    depth: usize,
    num_heads: usize,
    num_classes: usize,
    #[serde(default = "four")]
    mlp_ratio: f64,
}

/// The `config.json` of a network of diffusers.
#[derive(Debug, Deserialize)]
pub(crate) struct DiffusersConfig {
    sample_size: usize,
    patch_size: usize,
    in_channels: usize,
    num_layers: usize,
    num_attention_heads: usize,
    attention_head_dim: usize,
    num_embeds_ada_norm: usize,
    #[serde(default = "epsilon")]
    norm_eps: f64,
    #[serde(default = "gelu")]
    activation_fn: String,
    #[serde(default = "ada_norm_zero")]
    norm_type: String,
    #[serde(default)]
    norm_elementwise_affine: bool,
}

fn four() -> f64 {
    4.0
}

fn epsilon() -> f64 {
    1e-5
}

fn gelu() -> String {
    "gelu-approximate".into()
}

fn ada_norm_zero() -> String {
    "ada_norm_zero".into()
}

/// A description of ours with the sizes that its arrays need.
pub(crate) type Described = (ModelConfig, Sizes);

impl SitConfig {
    pub(crate) const KEYS: &'static str =
        "input_size, patch_size, in_channels, hidden_size, depth, num_heads and num_classes";

    /// Its time is ours, in radians as it is: frequencies from 1 down.
    pub(crate) fn describe(self) -> Result<Described, ImportError> {
        let family = Family::Sit.name();
        if 1e-9 < (self.mlp_ratio - four()).abs() {
            let value = self.mlp_ratio.to_string();
            return Err(ImportError::Unsupported { family, key: "mlp_ratio", value, need: "4" });
        }
        let half = SINUSOIDS / 2;
        let lowest = 1e4_f64.powf(-(half as f64 - 1.0) / half as f64);
        let network = DitConfig {
            hidden: self.hidden_size,
            depth: self.depth,
            heads: self.num_heads,
            patch: self.patch_size,
            time: Band { lowest, highest: 1.0 },
            ..DitConfig::default()
        };
        let shape = [self.in_channels, self.input_size, self.input_size];
        let sizes = sizes(&network, shape, self.num_classes);
        Ok(described(&network, shape, self.num_classes, sizes))
    }
}

impl DiffusersConfig {
    pub(crate) const KEYS: &'static str = "sample_size, patch_size, in_channels, num_layers, \
        num_attention_heads, attention_head_dim and num_embeds_ada_norm";

    /// Its 1,000 steps count to the noise, of the diffusion with the usual rates; it gives the
    /// noise.
    pub(crate) fn describe(self) -> Result<Described, ImportError> {
        let family = Family::DiffusersDit.name();
        let unsupported =
            |key, value: String, need| Err(ImportError::Unsupported { family, key, value, need });
        if self.activation_fn != gelu() {
            return unsupported("activation_fn", self.activation_fn, "gelu-approximate");
        }
        if self.norm_type != ada_norm_zero() {
            return unsupported("norm_type", self.norm_type, "ada_norm_zero");
        }
        if self.norm_elementwise_affine {
            return unsupported("norm_elementwise_affine", "true".into(), "false");
        }
        let network = DitConfig {
            hidden: self.num_attention_heads.saturating_mul(self.attention_head_dim),
            depth: self.num_layers,
            heads: self.num_attention_heads,
            patch: self.patch_size,
            // 1 to 1/10000 radians per step, and 1,000 steps.
            time: Band { lowest: 0.1, highest: 1000.0 },
            embeddings: Embeddings::EachBlock,
            mlp_epsilon: self.norm_eps,
        };
        let last = SINUSOIDS as f64 / 2.0 - 1.0;
        let frequencies = (0..SINUSOIDS / 2).map(|k| 1e4_f64.powf(-(k as f64) / last)).collect();
        let shape = [self.in_channels, self.sample_size, self.sample_size];
        let classes = self.num_embeds_ada_norm;
        let sizes = Sizes { frequencies, ..sizes(&network, shape, classes) };
        let (config, sizes) = described(&network, shape, classes, sizes);
        let schedule = ScheduleConfig::Vp(VariancePreserving::default());
        Ok((ModelConfig { prediction: Prediction::Noise, schedule, ..config }, sizes))
    }
}

/// The sizes that the arrays of a transformer need.
fn sizes(network: &DitConfig, [channels, height, width]: [usize; 3], classes: usize) -> Sizes {
    Sizes {
        depth: network.depth,
        hidden: network.hidden,
        patch: network.patch,
        channels,
        patches: [height, width].map(|side| side / network.patch.max(1)),
        classes,
        ..Sizes::default()
    }
}

/// A model of images with a network of ours.
pub(crate) fn described<C: NetworkConfig>(
    network: &C,
    shape: [usize; 3],
    classes: usize,
    sizes: Sizes,
) -> Described {
    let mut section = Table::try_from(network).expect("sizes are numbers and words");
    section.insert("kind".into(), Value::String(C::KIND.into()));
    (ModelConfig::new(Signature { classes, ..Signature::of(shape) }, section), sizes)
}
