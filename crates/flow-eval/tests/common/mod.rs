//! Sets of points for the tests.
#![allow(dead_code, reason = "each test file uses a part")]

use flow_eval::Points;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

/// `n` points of a standard normal distribution in `dim` dimensions.
pub(crate) fn normal(n: usize, dim: usize, seed: u64) -> Vec<f32> {
    let rng = ChaCha8Rng::seed_from_u64(seed);
    StandardNormal.sample_iter(rng).take(n * dim).collect()
}

/// Normal points rounded to multiples of 1/256, so that small sums and shifts of them are exact.
pub(crate) fn lattice(n: usize, dim: usize, seed: u64) -> Vec<f32> {
    normal(n, dim, seed).into_iter().map(|x| (x * 256.0).round() / 256.0).collect()
}

/// Every coordinate moved by `shift`.
pub(crate) fn shifted(points: &[f32], shift: f32) -> Vec<f32> {
    points.iter().map(|x| x + shift).collect()
}

/// A view that must hold.
pub(crate) fn points(rows: &[f32], dim: usize) -> Points<'_> {
    Points::new(rows, dim).expect("the rows are whole and finite")
}

#[track_caller]
pub(crate) fn assert_close(got: f64, expected: f64, tolerance: f64) {
    let error = (got - expected).abs();
    assert!(error <= tolerance, "got {got}, expected {expected}: off by {error:e}");
}

/// Mean and standard deviation.
pub(crate) fn mean_and_std(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|x| (x - mean).powi(2)).sum();
    (mean, (squares / (n - 1.0)).sqrt())
}
