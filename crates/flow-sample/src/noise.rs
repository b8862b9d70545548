//! Noise, one stream per sample.

use std::f64::consts::TAU;
use std::ops::Range;

use burn::tensor::{Device, Tensor, TensorData};
use flow_path::Source;
use flow_path::stream::{Purpose, Streams};
use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};

use crate::predictor::Predictor;

/// Standard normal rows `range` of `seed`, each of `size` numbers.
///
/// Row `i` depends on the seed and on `i` alone, so sample `i` is the same whatever the batch. An
/// empty range has no rows.
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
/// - output: `[B, size]`
#[must_use]
pub fn prior(
    seed: u64,
    range: Range<usize>,
    size: usize,
    predictor: &dyn Predictor,
    device: &Device,
) -> Tensor<2> {
    starts(seed, range, size, &Source::Normal, predictor, device)
}

/// Samples `range` of the starts of paths `prior_std x_0` with `x_0` from any source: the [`prior`]
/// of normal noise, and what takes its place for paths that start from another law.
///
/// Row `i` depends on the seed and on `i` alone, and is drawn for [`Purpose::Start`]: no sample
/// starts from a row of noise that training with the same seed has met. The starts of pairs that
/// are trained on are drawn for a purpose of their own, by [`starts_of`].
///
/// # Shapes
/// - output: `[B, size]`
///
/// # Panics
/// If the source is known and has another dimension than a sample.
#[must_use]
pub fn starts(
    seed: u64,
    range: Range<usize>,
    size: usize,
    source: &Source,
    predictor: &dyn Predictor,
    device: &Device,
) -> Tensor<2> {
    starts_of(Purpose::Start, seed, range, size, source, predictor, device)
}

/// As [`starts`], from the stream of a purpose, such as [`Purpose::Reflow`] for pairs to train on.
///
/// # Shapes
/// - output: `[B, size]`
///
/// # Panics
/// If the source is known and has another dimension than a sample.
#[must_use]
pub fn starts_of(
    purpose: Purpose,
    seed: u64,
    range: Range<usize>,
    size: usize,
    source: &Source,
    predictor: &dyn Predictor,
    device: &Device,
) -> Tensor<2> {
    let (streams, shape) = (Streams::new(seed), [range.len(), size]);
    let row = |i: usize| source.sample(1, size, &mut streams.rng(i as u64, purpose));
    let x0 = Tensor::from_data(TensorData::new(range.flat_map(row).collect(), shape), device);
    x0 * predictor.schedule().prior_std()
}

/// Latents of the samples `range`, each from the prior `N(0, I)` and held along the whole path of
/// its sample.
///
/// Row `i` depends on the seed and on `i` alone, not on the noise, and is drawn for
/// [`Purpose::SampleLatent`], apart from the latents of training.
///
/// # Shapes
/// - output: `[B, size]`
///
/// # Reference
/// Guo & Schwing (2025), "Variational Rectified Flow Matching", arXiv:2502.09616, algorithm 2.
#[must_use]
pub fn latents(seed: u64, range: Range<usize>, size: usize, device: &Device) -> Tensor<2> {
    latents_of(Purpose::SampleLatent, seed, range, size, device)
}

/// As [`latents`], from the stream of a purpose, such as [`Purpose::ReflowLatent`] for pairs to
/// train on.
///
/// # Shapes
/// - output: `[B, size]`
#[must_use]
pub fn latents_of(
    purpose: Purpose,
    seed: u64,
    range: Range<usize>,
    size: usize,
    device: &Device,
) -> Tensor<2> {
    let shape = [range.len(), size];
    let rows = normal_rows(seed, purpose, range, size);
    Tensor::from_data(TensorData::new(rows, shape), device)
}

/// Lengths of the samples `range`, drawn as often as `counts` says of 1, 2, .. elements.
///
/// Length `i` depends on the seed and on `i` alone.
///
/// # Panics
/// When nothing is counted.
#[must_use]
pub fn lengths(seed: u64, range: Range<usize>, counts: &[u64]) -> Vec<usize> {
    let (streams, rows) = (Streams::new(seed), counts.iter().sum());
    assert!(0 < rows, "expected counts of lengths, got {counts:?}");
    let one = |sample: usize| {
        let place = streams.rng(sample as u64, Purpose::Length).random_range(0..rows);
        let up_to = counts.iter().scan(0, |sum, &count| {
            *sum += count;
            Some(*sum)
        });
        1 + up_to.take_while(|&sum| sum <= place).count()
    };
    range.map(one).collect()
}

/// Latents of two numbers on a grid of `side x side`: what a square of equal probabilities holds,
/// row by row from the top, first coordinate to the right.
///
/// Coordinate `i` is the quantile at `(i + 1/2) / side`, so that neither end is infinite. A side of
/// 0 has none.
///
/// # Reference
/// Kingma & Welling (2014), "Auto-Encoding Variational Bayes", arXiv:1312.6114, appendix A, for
/// such pictures.
#[must_use]
pub fn latent_grid(side: usize) -> Vec<f32> {
    let quantiles: Vec<f32> =
        (0..side).map(|i| normal_quantile((i as f64 + 0.5) / side as f64) as f32).collect();
    let row = |&vertical: &f32| quantiles.iter().flat_map(move |&z| [z, vertical]);
    quantiles.iter().rev().flat_map(row).collect()
}

/// The `p`-quantile of the standard normal distribution, `P(Z <= z) = p`.
///
/// Newton's method on the distribution function, from the middle: it is convex below and concave
/// above, so every step comes nearer and none passes the root.
///
/// # Panics
/// If `p` does not lie between 0 and 1, both excluded: the quantiles there are infinite.
///
/// # Reference
/// Marsaglia (2004), "Evaluating the Normal Distribution", Journal of Statistical Software 11(4),
/// for the series of the distribution function.
fn normal_quantile(p: f64) -> f64 {
    assert!(0.0 < p && p < 1.0, "expected a probability between 0 and 1, got {p}");
    let mut z = 0.0_f64;
    for _ in 0..100 {
        let density = (-0.5 * z * z).exp() / TAU.sqrt();
        // z + z^3/3 + z^5/(3 5) + ..
        let (mut term, mut sum, mut odd) = (z, z, 1.0);
        while f64::EPSILON * sum.abs() < term.abs() {
            odd += 2.0;
            term *= z * z / odd;
            sum += term;
        }
        let step = (0.5 + density * sum - p) / density;
        z -= step;
        if step.abs() < 1e-14 {
            break;
        }
    }
    z
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_tables() {
        // Abramowitz & Stegun (1964), table 26.5, and symmetry.
        for (p, z) in [(0.5, 0.0), (0.975, 1.959963984540054), (0.999, 3.090232306167813)] {
            assert!((normal_quantile(p) - z).abs() < 1e-12, "{p}");
            assert!((normal_quantile(1.0 - p) + z).abs() < 1e-12, "1 - {p}");
        }
        // Near zero a difference of halves is left, with 1e-16 / 1e-9 of its digits.
        assert!((normal_quantile(1e-9) + 5.997807015007775).abs() < 1e-6);
    }

    #[test]
    fn lengths_are_as_frequent_as_they_are_counted() {
        let drawn = lengths(3, 0..10_000, &[0, 1, 0, 3]);
        let short = drawn.iter().filter(|length| **length == 2).count();
        // A quarter of 10,000, with a standard deviation of 43.
        assert!(2285 < short && short < 2715, "{short}");
        assert!(drawn.iter().all(|length| [2, 4].contains(length)));
        assert_eq!(lengths(3, 40..60, &[0, 1, 0, 3]), drawn[40..60]);
        assert_ne!(lengths(4, 0..10_000, &[0, 1, 0, 3]), drawn);
    }

    #[test]
    fn a_latent_grid_runs_right_and_down_through_equal_probabilities() {
        let grid = latent_grid(4);
        let z: Vec<f32> = [0.125, 0.375].iter().map(|&p| -normal_quantile(p) as f32).collect();
        assert_eq!(grid.len(), 32);
        assert_eq!(grid[..4], [-z[0], z[0], -z[1], z[0]]);
        assert_eq!(grid[30..], [z[0], -z[0]]);
    }
}
