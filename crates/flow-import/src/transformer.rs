//! The transformers of SiT and diffusers, from their configurations.

use flow_model::ModelConfig;
use flow_nn::{Band, DitConfig, Embeddings, NetworkConfig, Signature};
use serde::Deserialize;
use toml::{Table, Value};

use crate::claims::Claim;
use crate::error::ImportError;
use crate::family::Family;
use crate::known::{Known, LARGEST, Others};
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
    learn_sigma: Option<bool>,
    class_dropout_prob: Option<f64>,
    #[serde(flatten)]
    others: Others,
}

const SIT: Known = Known {
    // A note of those who wrote our reference files.
    harmless: &["out_channels_of_the_linear"],
    // What the program calls its interpolation and its model's output.
    fixed: &[("mlp_ratio", "4"), ("path_type", "Linear"), ("prediction", "velocity")],
};

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
    out_channels: Option<usize>,
    #[serde(default = "epsilon")]
    norm_eps: f64,
    #[serde(flatten)]
    others: Others,
}

/// Groups are those of networks without patches.
const DIFFUSERS: Known = Known {
    harmless: &["dropout", "norm_num_groups", "upcast_attention"],
    fixed: &[
        ("_class_name", "DiTTransformer2DModel or Transformer2DModel"),
        ("activation_fn", "gelu-approximate"),
        ("attention_bias", "true"),
        ("attention_type", "default"),
        ("caption_channels", "null"),
        ("cross_attention_dim", "null"),
        ("double_self_attention", "false"),
        ("interpolation_scale", "null or 1"),
        ("norm_elementwise_affine", "false"),
        ("norm_type", "ada_norm_zero"),
        ("num_vector_embeds", "null"),
        ("only_cross_attention", "false"),
        ("use_additional_conditions", "null or false"),
        ("use_linear_projection", "false"),
    ],
};

fn epsilon() -> f64 {
    1e-5
}

/// A description of ours with the sizes that its arrays need.
pub(crate) type Described = (ModelConfig, Sizes);

impl SitConfig {
    pub(crate) const KEYS: &'static str =
        "input_size, patch_size, in_channels, hidden_size, depth, num_heads and num_classes";

    /// Its time is ours, in radians as it is: frequencies from 1 down.
    pub(crate) fn describe(self) -> Result<Described, ImportError> {
        SIT.check(Family::Sit, &self.others)?;
        if self.num_heads == 0 || !self.hidden_size.is_multiple_of(self.num_heads) {
            let (family, value) = (Family::Sit.name(), self.num_heads.to_string());
            let need = "a divisor of hidden_size";
            return Err(ImportError::Unsupported { family, key: "num_heads", value, need });
        }
        if let Some(dropout) = self.class_dropout_prob.filter(|p| !(0.0..=1.0).contains(p)) {
            let (family, key) = (Family::Sit.name(), "class_dropout_prob");
            let (value, need) = (dropout.to_string(), "from 0 to 1");
            return Err(ImportError::Unsupported { family, key, value, need });
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
        let sizes = Sizes { claims: self.claims(), ..sizes(&network, shape, self.num_classes) };
        Ok(described(&network, shape, self.num_classes, sizes))
    }

    /// The linear layer at the end tells whether the network was trained with a variance too, and
    /// the table of classes whether without them now and then.
    fn claims(&self) -> Vec<Claim> {
        let &Self { patch_size: patch, in_channels: channels, num_classes: classes, .. } = self;
        let (input, table) = ("x_embedder.proj.weight", "y_embedder.embedding_table.weight");
        let output = "final_layer.linear.weight";
        let patches = self.input_size / patch.max(1);
        let mut claims = vec![
            Claim::side("in_channels", channels, (input, 1), [channels]),
            Claim::side("patch_size", patch, (input, 2), [patch]),
            Claim::side("hidden_size", self.hidden_size, (input, 0), [self.hidden_size]),
            Claim::count("depth", self.depth, "blocks.", self.depth),
            Claim::side("num_classes", classes, (table, 0), with_null(classes)),
            Claim::side("input_size", self.input_size, ("pos_embed", 1), [product(&[patches; 2])]),
        ];
        if let Some(sigma) = self.learn_sigma {
            let rows = product(&[patch, patch, channels, 1 + usize::from(sigma)]);
            claims.push(Claim::side("learn_sigma", sigma, (output, 0), [rows]));
        }
        if let Some(dropout) = self.class_dropout_prob {
            let rows = with_null(classes)[usize::from(0.0 < dropout)];
            claims.push(Claim::side("class_dropout_prob", dropout, (table, 0), [rows]));
        }
        claims
    }
}

impl DiffusersConfig {
    pub(crate) const KEYS: &'static str = "sample_size, patch_size, in_channels, num_layers, \
        num_attention_heads, attention_head_dim and num_embeds_ada_norm";

    /// Its 1,000 steps count to the noise; along which diffusion, its scheduler says.
    pub(crate) fn describe(self) -> Result<Described, ImportError> {
        DIFFUSERS.check(Family::DiffusersDit, &self.others)?;
        let hidden = self.num_attention_heads.saturating_mul(self.attention_head_dim);
        let network = DitConfig {
            hidden: hidden.min(LARGEST as usize),
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
        let claims = self.claims(network.hidden);
        let sizes = Sizes { frequencies, claims, ..sizes(&network, shape, classes) };
        Ok(described(&network, shape, classes, sizes))
    }

    fn claims(&self, hidden: usize) -> Vec<Claim> {
        let &Self { patch_size: patch, in_channels: channels, num_layers: layers, .. } = self;
        let (input, classes) = ("pos_embed.proj.weight", self.num_embeds_ada_norm);
        let (heads, each) = (self.num_attention_heads, self.attention_head_dim);
        let (width, widths) =
            ("num_attention_heads, attention_head_dim", format!("{heads}, {each}"));
        let table = "transformer_blocks.0.norm1.emb.class_embedder.embedding_table.weight";
        let mut claims = vec![
            Claim::side("in_channels", channels, (input, 1), [channels]),
            Claim::side("patch_size", patch, (input, 2), [patch]),
            Claim::side(width, widths, (input, 0), [hidden]),
            Claim::count("num_layers", layers, "transformer_blocks.", layers),
            Claim::side("num_embeds_ada_norm", classes, (table, 0), with_null(classes)),
        ];
        if let Some(out) = self.out_channels {
            let rows = product(&[patch, patch, out]);
            claims.push(Claim::side("out_channels", out, ("proj_out_2.weight", 0), [rows]));
        }
        claims
    }
}

/// Rows of a table of classes: without a vector for no class, and with one.
pub(crate) fn with_null(classes: usize) -> [usize; 2] {
    [classes, classes.saturating_add(1)]
}

/// A value that may be left out, as JSON has it.
pub(crate) fn or_null(value: Option<usize>) -> String {
    value.map_or_else(|| "null".into(), |value| value.to_string())
}

/// A product of sizes that a file may claim, the largest number if it is larger.
fn product(sizes: &[usize]) -> usize {
    sizes.iter().fold(1, |product, &size| product.saturating_mul(size))
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
