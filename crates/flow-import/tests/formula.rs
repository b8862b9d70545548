//! U-Nets of other programs as large as those programs make them, whose weights follow from a
//! formula: `benches/peers/import_unets.py` filled them with the same numbers, and wrote down what
//! they answer.

#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;

use std::collections::BTreeMap;
use std::fs;

use burn::tensor::Device;
use common::{Io, config, largest, output};
use flow_import::{Family, Import};
use flow_model::Model;
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use serde_json::Value;

/// FNV-1a of 64 bits.
fn fnv(name: &str) -> u64 {
    let step = |h: u64, byte: u8| (h ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
    name.bytes().fold(0xcbf2_9ce4_8422_2325, step)
}

/// Number `i`, from 1 on, of the stream of splitmix64 from a seed, in `[-1, 1)`.
fn uniform(seed: u64, i: u64) -> f64 {
    let z = seed.wrapping_add(i.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    let z = z ^ (z >> 31);
    2.0 * ((z >> 11) as f64 / (1_u64 << 53) as f64) - 1.0
}

/// The bytes of an array: vectors lie within 0.5 of zero, gains within 0.5 of one, and what sums
/// over `n` numbers has the variance `1 / n`.
fn array(name: &str, shape: &[usize]) -> Vec<u8> {
    let seed = fnv(name);
    let (size, middle) = match shape {
        [_] => (0.5, if name.ends_with(".weight") { 1.0 } else { 0.0 }),
        [_, each @ ..] => ((3.0 / each.iter().product::<usize>() as f64).sqrt(), 0.0),
        [] => panic!("{name} is no array"),
    };
    let count = shape.iter().product::<usize>() as u64;
    let numbers = (1..=count).map(|i| (size * uniform(seed, i) + middle) as f32);
    numbers.flat_map(f32::to_le_bytes).collect()
}

/// The network of a file of shapes, as an import of its weights makes it.
fn model(family: Family, name: &str) -> Model {
    let text = fs::read_to_string(config(name)).unwrap();
    let mut said: BTreeMap<String, Value> = serde_json::from_str(&text).unwrap();
    let arrays: BTreeMap<String, Vec<usize>> =
        serde_json::from_value(said.remove("arrays").unwrap()).unwrap();
    let bytes: BTreeMap<&String, Vec<u8>> =
        arrays.iter().map(|(name, shape)| (name, array(name, shape))).collect();
    let views = bytes.iter().map(|(name, bytes)| {
        (name, TensorView::new(Dtype::F32, arrays[*name].clone(), bytes).unwrap())
    });
    let folder = tempfile::tempdir().unwrap();
    let [weights, config] = ["w.safetensors", "c.json"].map(|name| folder.path().join(name));
    fs::write(&weights, safetensors::serialize(views, None).unwrap()).unwrap();
    fs::write(&config, said["config"].to_string()).unwrap();
    Import::new(family, weights).with_config(config).run(&Device::flex()).unwrap().model
}

/// The largest difference to the answers of a file, whose times are turned to ours.
fn error(model: &Model, name: &str, clock: fn(f32) -> f32) -> f32 {
    let io = Io::open(&format!("{name}_io"));
    let t = io.numbers("t").into_iter().map(clock).collect();
    largest(&output(model, &io, t), &io.numbers("output"))
}

#[test]
fn the_numbers_are_those_of_the_script() {
    let first = |name: &str| uniform(fnv(name), 1);
    assert_eq!(fnv("a"), 0xaf63_dc4c_8601_ec8c);
    assert!((first("out.0.bias") - -0.8873442174677979).abs() < 1e-15, "{}", first("out.0.bias"));
}

/// Sums of some hundred products of numbers of size 1 in single precision, through a dozen layers.
#[test]
fn u_nets_of_torchcfm_for_28_pixels_answer_as_there() {
    for name in ["formula_unet28", "formula_unet28_class"] {
        let model = model(Family::TorchcfmUnet, name);
        let found = error(&model, name, |t| t);
        assert!(found < 1e-5, "{name}: {found}");
        // The control: a clock that runs the other way changes the answers far more than that.
        let turned = error(&model, name, |t| 1.0 - t);
        assert!(turned > 1e-3, "{name}: {turned}");
    }
}

/// Our time `(999 - k) / 1000` is rounded: 6e-8 of a second hand that turns by 1,000 radians.
#[test]
fn a_u_net_of_diffusers_without_classes_answers_as_there() {
    let name = "formula_unet2d";
    let model = model(Family::DiffusersUnet2d, name);
    let found = error(&model, name, |k| ((999.0 - f64::from(k)) / 1000.0) as f32);
    assert!(found < 1e-4, "{found}");
    assert!(error(&model, name, |k| k / 1000.0) > 1e-2);
}
