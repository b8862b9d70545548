//! Features of the FID network beside those of PyTorch (`reference/inception.py`).
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

use std::collections::BTreeMap;
use std::sync::OnceLock;

use burn::tensor::{Device, Tensor, TensorData};
use flow_nn::{Inception, NetworkError, Weights};
use serde::Deserialize;

#[derive(Deserialize)]
struct Reference {
    shapes: BTreeMap<String, Vec<usize>>,
    side: usize,
    step: usize,
    features: Vec<Vec<f64>>,
    mean: Vec<f64>,
}

fn reference() -> Reference {
    serde_json::from_str(include_str!("reference/inception.json")).unwrap()
}

/// A multiplicative hash of the index, in 32 bits, as a number in [0, 1).
fn numbers(seed: u32, count: usize) -> impl Iterator<Item = f64> {
    (0..count as u32).map(move |i| {
        let mut x = i.wrapping_add(seed.wrapping_mul(0x9E37_79B1));
        for factor in [0x85EB_CA6B, 0xC2B2_AE35] {
            x = (x ^ (x >> 16)).wrapping_mul(factor);
        }
        x ^= x >> 16;
        f64::from(x >> 8) / f64::from(1 << 24)
    })
}

/// The weights that the script gave to PyTorch.
fn weights() -> Weights {
    let shapes = reference().shapes;
    let array = |(seed, (name, shape)): (usize, (&String, &Vec<usize>))| {
        let values = numbers(seed as u32, shape.iter().product()).map(|u| {
            let value = if name.ends_with("conv.weight") {
                let inputs: usize = shape[1..].iter().product();
                (u - 0.5) * (24.0 / inputs as f64).sqrt()
            } else if name.ends_with("running_mean") || name.ends_with("bn.bias") {
                (u - 0.5) * 0.2
            } else {
                0.75 + 0.5 * u
            };
            value as f32
        });
        (name.clone(), TensorData::new(values.collect::<Vec<f32>>(), shape.clone()))
    };
    shapes.iter().enumerate().map(array).collect()
}

/// `[2, 2048]` features of the script's two images.
fn features() -> &'static [f32] {
    static FEATURES: OnceLock<Vec<f32>> = OnceLock::new();
    FEATURES.get_or_init(|| {
        let (device, side) = (Device::flex(), reference().side);
        let network = Inception::new(&weights(), &device).unwrap();
        let pixels: Vec<f32> =
            numbers(999, 2 * 3 * side * side).map(|u| (2.0 * u - 1.0) as f32).collect();
        let x = Tensor::from_data(TensorData::new(pixels, [2, 3, side, side]), &device);
        let features = network.features(x);
        assert_eq!(features.dims(), [2, Inception::FEATURES]);
        features.into_data().try_into_vec().unwrap()
    })
}

#[test]
fn the_features_are_those_of_pytorch() {
    let Reference { step, features: want, mean, .. } = reference();
    for (row, (want, mean)) in want.iter().zip(&mean).enumerate() {
        let got = &features()[row * 2048..(row + 1) * 2048];
        for (k, want) in want.iter().enumerate() {
            // The reference is in f64; 94 layers in f32 lose 6e-7 of the largest feature in
            // PyTorch.
            let error = (f64::from(got[k * step]) - want).abs();
            assert!(error < 1e-4, "image {row}, feature {}: off by {error}", k * step);
        }
        let sum: f64 = got.iter().copied().map(f64::from).sum();
        assert!((sum / 2048.0 - mean).abs() < 1e-5, "{}", sum / 2048.0);
    }
    let apart = features()[..2048].iter().zip(&features()[2048..]);
    let apart = apart.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(apart > 1e-2, "two images have the same features, up to {apart}: no test");
}

#[test]
fn weights_of_another_network_are_named() {
    let device = Device::flex();
    let mut lacking = weights();
    lacking.remove("Mixed_6c.branch_pool.conv.weight");
    let error = Inception::new(&lacking, &device).unwrap_err();
    assert!(error.to_string().contains("`Mixed_6c.branch_pool.conv.weight`"), "{error}");
    let mut other = weights();
    other.insert("Mixed_5b.branch1x1.bn.bias".into(), TensorData::new(vec![0.0_f32; 3], [3]));
    let error = Inception::new(&other, &device).unwrap_err();
    assert!(matches!(error, NetworkError::ShapeOfWeight { .. }), "{error}");
}
