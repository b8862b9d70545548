//! Small models of every kind of network, told everything that they can be.
#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Device, Tensor, TensorData};
use flow_model::{Model, ModelConfig, Registry};
use flow_nn::Signature;

pub(crate) const MLP: &str = r#"
    kind = "mlp"
    hidden = 16
    depth = 2
    time_features = 8
    fourier = { octaves = 2, wavelength = 8.0 }
"#;
const TORCHCFM: &str = r#"
    kind = "torchcfm-mlp"
    hidden = 16
    depth = 2
"#;
const SPLIT: &str = r#"
    kind = "split-mlp"
    features = 16
    band = { lowest = 0.1, highest = 10.0 }
    hidden = 16
    depth = 2
"#;
const UNET: &str = r#"
    kind = "unet"
    channels = 8
    multipliers = [1, 2]
    blocks = 1
    attention = [4]
    head_channels = 8
    groups = 4
"#;
const DIT: &str = r#"
    kind = "dit"
    hidden = 16
    depth = 2
    heads = 2
    patch = 2
"#;

/// Puts noise into every parameter: output layers that start at zero would hide all before them.
struct Stir;

impl ModuleMapper for Stir {
    fn map_float<const D: usize>(&mut self, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
        parameter.map(|p| {
            let shape = p.dims();
            let noise = TensorData::new(numbers(shape.iter().product(), 0.1), shape);
            p + Tensor::from_data(noise, &Device::flex())
        })
    }
}

/// Numbers between `-size` and `size`, the same everywhere.
pub(crate) fn numbers(n: usize, size: f32) -> Vec<f32> {
    (0..n).map(|i| (((i * 7919) % 1000) as f32 / 500.0 - 1.0) * size).collect()
}

/// A model of a network of a section, changed by `change`.
pub(crate) fn model(
    section: &str,
    signature: Signature,
    change: impl FnOnce(&mut ModelConfig),
) -> Model {
    let (registry, device) = (flow_import::registry(Registry::default()), Device::flex());
    let mut config = ModelConfig::new(signature, section.parse().unwrap());
    config.learned_without = true;
    "midpoint".clone_into(&mut config.sample.solver);
    change(&mut config);
    let network = registry.build(&config.network, &config.signature, 3, &device).unwrap();
    Model::new(&registry, config, network.map(&mut Stir), &device).unwrap()
}

/// One model of each kind of network, and of what they are told.
pub(crate) fn models() -> Vec<(&'static str, Model)> {
    let points = Signature::of([2]);
    let images = Signature::of([1, 8, 8]);
    let told = |shape: &[usize], context: &[usize]| Signature {
        classes: 3,
        vector: 2,
        context: context.to_vec(),
        latent: 2,
        ..Signature::of(shape)
    };
    let as_it_is = |_: &mut ModelConfig| {};
    let within = |config: &mut ModelConfig| config.sample.guidance_interval = [0.2, 0.7];
    let jumps = |config: &mut ModelConfig| config.sample.sampler = "flow-map".parse().unwrap();
    let map = Signature { two_times: true, classes: 3, ..points.clone() };
    vec![
        ("mlp", model(MLP, points.clone(), as_it_is)),
        (
            "mlp-classes-vector",
            model(MLP, Signature { classes: 3, vector: 2, ..points.clone() }, within),
        ),
        ("mlp-flow-map", model(MLP, map.clone(), jumps)),
        ("mlp-flow-map-as-velocity", model(MLP, map, as_it_is)),
        (
            "mlp-always-told",
            model(MLP, Signature { vector: 2, ..points.clone() }, |config| {
                config.learned_without = false;
            }),
        ),
        ("torchcfm-mlp", model(TORCHCFM, points.clone(), as_it_is)),
        ("split-mlp-latent", model(SPLIT, Signature { latent: 2, ..points }, as_it_is)),
        ("unet", model(UNET, images.clone(), as_it_is)),
        ("unet-told", model(UNET, told(&[3, 8, 12], &[2, 8, 12]), as_it_is)),
        ("dit-columns", model(DIT, told(&[3], &[4]), as_it_is)),
        (
            "dit-flow-map",
            model(DIT, Signature { two_times: true, classes: 3, ..images.clone() }, jumps),
        ),
        ("dit-image", model(DIT, images, as_it_is)),
        ("dit-told", model(DIT, told(&[3, 8, 12], &[2, 8, 12]), as_it_is)),
    ]
}

/// A model whose network predicts the noise.
pub(crate) fn of_noise() -> Model {
    model(MLP, Signature::of([2]), |config| config.prediction = "noise".parse().unwrap())
}

/// A U-Net of another program, which does not name its operations.
pub(crate) fn without_graph() -> Model {
    let section = r#"
        kind = "adm-unet"
        width = 8
        channels = [8]
        blocks = 1
        attention = [false]
        heads = { count = 1 }
        groups = 4
        epsilon = 1e-5
        modulated = false
        residual_resampling = false
        normed_middle = true
        time = { lowest = 0.1, highest = 1000.0 }
    "#;
    model(section, Signature::of([1, 4, 4]), |_| {})
}

/// A flow map that has learned jumps and no velocity.
pub(crate) fn of_jumps() -> Model {
    model(MLP, Signature { two_times: true, ..Signature::of([2]) }, |config| {
        config.sample.sampler = "flow-map".parse().unwrap();
        config.learned_velocity = false;
    })
}
