//! Noise, one stream per sample.

use std::ops::Range;

use burn::tensor::{Device, Tensor, TensorData};
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
