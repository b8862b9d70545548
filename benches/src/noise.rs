//! Standard normal numbers, the same in every run.

use burn::tensor::{Tensor, TensorData};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, StandardNormal};

use crate::device;

/// `n` numbers of a seed, on the host.
#[must_use]
pub fn numbers(n: usize, seed: u64) -> Vec<f32> {
    StandardNormal.sample_iter(ChaCha8Rng::seed_from_u64(seed)).take(n).collect()
}

/// A tensor of such numbers.
#[must_use]
pub fn tensor<const D: usize>(dims: [usize; D], seed: u64) -> Tensor<D> {
    let numbers = numbers(dims.iter().product(), seed);
    Tensor::from_data(TensorData::new(numbers, dims), &device())
}
