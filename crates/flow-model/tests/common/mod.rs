//! Small models of several kinds.
#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Device, Tensor};
use flow_model::{Model, ModelConfig, Registry};
use flow_nn::{DynNetwork, Signature};
use toml::Table;

pub(crate) const MLP: &str = r#"
    kind = "mlp"
    hidden = 16
    depth = 2
    time_features = 8
    fourier = { octaves = 2, wavelength = 8.0 }
"#;
pub(crate) const SPLIT: &str = r#"
    kind = "split-mlp"
    features = 16
    band = { lowest = 0.1, highest = 10.0 }
    hidden = 16
    depth = 2
"#;
pub(crate) const UNET: &str = r#"
    kind = "unet"
    channels = 8
    multipliers = [1, 2]
    blocks = 1
    attention = [4]
    head_channels = 8
    groups = 4
"#;
pub(crate) const DIT: &str = r#"
    kind = "dit"
    hidden = 8
    depth = 1
    heads = 2
    patch = 2
"#;

/// A network of a section, whose output layers are stirred: fresh ones would answer zero.
pub(crate) fn network(section: &str, signature: &Signature, seed: u64) -> DynNetwork {
    let section: Table = section.parse().unwrap();
    let network = Registry::default().build(&section, signature, seed, &Device::flex()).unwrap();
    network.map(&mut Stir)
}

struct Stir;

impl ModuleMapper for Stir {
    fn map_float<const D: usize>(&mut self, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
        parameter.map(|p| {
            let shape = p.dims();
            let n: usize = shape.iter().product();
            let values: Vec<f32> =
                (0..n).map(|i| ((i * 7919) % 1000) as f32 / 2500.0 - 0.2).collect();
            let noise = burn::tensor::TensorData::new(values, shape);
            p + Tensor::from_data(noise, &Device::flex())
        })
    }
}

pub(crate) fn config(section: &str, signature: &Signature) -> ModelConfig {
    ModelConfig::new(signature.clone(), section.parse().unwrap())
}

pub(crate) fn model(section: &str, signature: &Signature, seed: u64) -> Model {
    let (network, config) = (network(section, signature, seed), config(section, signature));
    let config = ModelConfig { learned_without: true, ..config };
    Model::new(&Registry::default(), config, network, &Device::flex()).unwrap()
}

/// One model of each kind of network, and of what they are told.
pub(crate) fn models() -> Vec<(&'static str, Model)> {
    let points = Signature::of([2]);
    let images = Signature::of([1, 8, 8]);
    vec![
        ("mlp", model(MLP, &points, 1)),
        ("mlp with classes", model(MLP, &Signature { classes: 3, ..points.clone() }, 2)),
        ("split-mlp with a latent", model(SPLIT, &Signature { latent: 2, ..points }, 3)),
        ("unet with classes", model(UNET, &Signature { classes: 2, ..images.clone() }, 4)),
        ("dit with classes", model(DIT, &Signature { classes: 2, ..images }, 5)),
    ]
}
