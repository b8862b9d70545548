//! The noise of stochastic samplers, by sample and step.

use burn::tensor::{Tensor, TensorData};
use flow_path::stream::{Purpose, Streams};
use rand_distr::{Distribution, StandardNormal};

/// Gives the standard normal noise of each step.
///
/// A closure from step and state to noise of the state's shape is one, so that a caller can replay
/// recorded noise: `|step, _: &Tensor<2>| recorded[step].clone()`.
pub trait Noise {
    /// The noise of step `step`, with the shape, type and device of `like`.
    fn draw(&self, step: usize, like: &Tensor<2>) -> Tensor<2>;
}

impl<F: Fn(usize, &Tensor<2>) -> Tensor<2>> Noise for F {
    fn draw(&self, step: usize, like: &Tensor<2>) -> Tensor<2> {
        self(step, like)
    }
}

/// One stream for each sample and step of a seed: sample `i` meets the same noise whatever its
/// batch.
///
/// Samples and steps are numbered below `2^32`; a batch beyond panics rather than repeat the noise
/// of another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seeded {
    /// Seed of the run.
    pub seed: u64,
    /// Index of the sample in the first row of the batch.
    pub first: usize,
}

impl Seeded {
    /// Noise of `seed` for batches that begin at sample 0.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed, first: 0 }
    }

    /// The same noise for a batch that begins at sample `first`.
    #[must_use]
    pub fn starting_at(self, first: usize) -> Self {
        Self { first, ..self }
    }
}

impl Noise for Seeded {
    fn draw(&self, step: usize, like: &Tensor<2>) -> Tensor<2> {
        let shape = like.dims();
        let size = shape[1..].iter().product();
        let streams = Streams::new(self.seed);
        let numbered = |last: Option<usize>| last.is_some_and(|last| last as u64 <= 1 << 32);
        assert!(
            numbered(self.first.checked_add(shape[0])) && numbered(Some(step)),
            "samples and steps are numbered below 2^32, got sample {} and {} more, step {step}",
            self.first,
            shape[0]
        );
        let row = |i: usize| {
            // A stream has one index: the sample above, the step in the lower 32 bits.
            let index = ((i as u64) << 32) | step as u64;
            StandardNormal.sample_iter(streams.rng(index, Purpose::Sampler)).take(size)
        };
        let rows: Vec<f32> = (self.first..self.first + shape[0]).flat_map(row).collect();
        Tensor::from_data(TensorData::new(rows, shape), (&like.device(), like.dtype()))
    }
}
