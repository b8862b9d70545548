//! Small models of every kind of network, told everything that they can be.
#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

use burn::module::{Module, ModuleMapper, Param};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor, TensorData};
use flow_model::{Model, ModelConfig, Registry};
use flow_nn::{Condition, Network, NetworkConfig, NetworkError, Signature, Time};
use serde::{Deserialize, Serialize};

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
const ADM: &str = r#"
    kind = "adm-unet"
    width = 8
    channels = [8, 16]
    blocks = 1
    attention = [false, true]
    heads = { count = 2 }
    groups = 4
    epsilon = 1e-6
    modulated = false
    residual_resampling = false
    normed_middle = false
    time = { lowest = 0.1, highest = 1000.0 }
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
    let known = Registry::default().with::<OwnConfig>();
    let (registry, device) = (flow_import::registry(known), Device::flex());
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
    // The other choices of the U-Net of other programs.
    let modulated = ADM
        .replace("count = 2", "channels = 8")
        .replace("modulated = false", "modulated = true")
        .replace("resampling = false", "resampling = true")
        .replace("middle = false", "middle = true");
    let by_class = Signature { classes: 3, ..Signature::of([2, 8, 12]) };
    vec![
        ("adm-unet", model(ADM, images.clone(), as_it_is)),
        ("adm-unet-modulated", model(&modulated, by_class, as_it_is)),
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

/// A network of the user's own, which does not name its operations.
#[derive(Module, Debug)]
struct Own {
    layer: Linear,
    #[module(skip)]
    signature: Signature,
}

impl Network for Own {
    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn forward(&self, x: Tensor<2>, _: Time, _: &Condition) -> Tensor<2> {
        self.layer.forward(x)
    }
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct OwnConfig {}

impl NetworkConfig for OwnConfig {
    const KIND: &'static str = "own";
    const ABOUT: &'static str = "a layer";
    type Network = Own;

    fn init(&self, signature: &Signature, device: &Device) -> Result<Own, NetworkError> {
        let size = signature.size();
        let layer = LinearConfig::new(size, size).init(device);
        Ok(Own { layer, signature: signature.clone() })
    }
}

/// A model of a network that does not name its operations.
pub(crate) fn without_graph() -> Model {
    model("kind = \"own\"", Signature::of([2]), |_| {})
}

/// A flow map that has learned jumps and no velocity.
pub(crate) fn of_jumps() -> Model {
    model(MLP, Signature { two_times: true, ..Signature::of([2]) }, |config| {
        config.sample.sampler = "flow-map".parse().unwrap();
        config.learned_velocity = false;
    })
}
