//! Noise, one stream per sample.

use std::ops::Range;

use burn::tensor::{Device, Tensor, TensorData};
use flow_path::Source;
use flow_path::stream::{Purpose, Streams};
use rand_distr::{Distribution, StandardNormal};

use crate::predictor::Predictor;

/// Standard normal rows `range` of `seed`, each of `size` numbers.
///
/// Row `i` depends on the seed and on `i` alone, so sample `i` is the same whatever the batch.
#[must_use]
pub fn normal_rows(seed: u64, purpose: Purpose, range: Range<usize>, size: usize) -> Vec<f32> {
    let streams = Streams::new(seed);
    let row = |i: usize| {
        let rng = streams.rng(i as u64, purpose);
        StandardNormal.sample_iter(rng).take(size)
    };
    range.flat_map(row).collect()
}

/// Samples `range` of the prior `N(0, prior_std^2 I)` of a predictor's schedule.
///
/// # Shapes
/// - `shape`: that of one sample; output: `[B, shape..]`
#[must_use]
pub fn prior<const D: usize>(
    seed: u64,
    range: Range<usize>,
    shape: &[usize],
    predictor: &dyn Predictor<D>,
    device: &Device,
) -> Tensor<D> {
    let mut full = vec![range.len()];
    full.extend(shape);
    let rows = normal_rows(seed, Purpose::Noise, range, shape.iter().product());
    let noise = Tensor::from_data(TensorData::new(rows, full), device);
    noise * predictor.schedule().prior_std()
}

/// Samples `range` of a source, which takes the place of the [`prior`] of paths that start from another law.
///
/// Row `i` depends on the seed and on `i` alone.
///
/// # Shapes
/// - `shape`: that of one sample; output: `[B, shape..]`
#[must_use]
pub fn starts<const D: usize>(
    seed: u64,
    range: Range<usize>,
    shape: &[usize],
    source: &Source,
    device: &Device,
) -> Tensor<D> {
    let mut full = vec![range.len()];
    full.extend(shape);
    let (streams, size) = (Streams::new(seed), shape.iter().product());
    let row = |i: usize| source.sample(1, size, &mut streams.rng(i as u64, Purpose::Noise));
    Tensor::from_data(TensorData::new(range.flat_map(row).collect(), full), device)
}

/// Latents of the samples `range`, each from the prior `N(0, I)` and held along the whole path of its sample.
///
/// Row `i` depends on the seed and on `i` alone, and not on the noise.
///
/// # Shapes
/// - output: `[B, size]`
///
/// # Reference
/// Guo & Schwing (2025), "Variational Rectified Flow Matching", arXiv:2502.09616, algorithm 2.
#[must_use]
pub fn latents(seed: u64, range: Range<usize>, size: usize, device: &Device) -> Tensor<2> {
    let shape = [range.len(), size];
    let rows = normal_rows(seed, Purpose::Latent, range, size);
    Tensor::from_data(TensorData::new(rows, shape), device)
}
