//! Classifier two-sample test.

use nalgebra::DMatrix;
use rand::seq::SliceRandom;
use rayon::prelude::*;

use super::network::Network;
use crate::points::{at_least, shared_dim, shared_len};
use crate::random::{Purpose, stream};
use crate::{EvalError, Moments, Points, Score};

const NAME: &str = "C2ST";

/// Parts of the rows, each of which is tested by a network trained on the others.
const FOLDS: usize = 5;

/// Hidden units for each dimension.
const UNITS: usize = 10;

/// A number further than this from the mean tells its set apart wherever it is.
const FURTHEST: f64 = 100.0;

/// The largest dimension: its network has ten times as many units in each of two layers.
const MOST_DIMENSIONS: usize = 200;

/// Classifier two-sample test: how well a network tells generated points from reference points that
/// it has not seen. One half is perfect, 1 is the worst.
///
/// Both sets are scaled by the mean and the standard deviation of the reference. A network of two
/// hidden layers of `10 dim` ReLU units is trained on four fifths of all rows and tested on the
/// rest, five times; the value is the mean accuracy. It sees every kind of difference, and sees
/// more with more rows: compare at equal `n`. The protocol is that of the benchmark for
/// simulation-based inference, whose figures are at 10,000 rows a set.
///
/// The standard error is that of a share of all rows, with the networks taken as given; networks of
/// another `seed` may differ by as much again. Numbers are clipped to 100 standard deviations.
///
/// # Errors
/// Sets of different dimensions or sizes, of more than 200 dimensions, and of fewer than 5 rows.
///
/// # Reference
/// Lopez-Paz & Oquab (2017), "Revisiting Classifier Two-Sample Tests", arXiv:1610.06545; Lueckmann,
/// Boelts, Greenberg, Goncalves & Macke (2021), "Benchmarking Simulation-Based Inference",
/// arXiv:2101.04653.
pub fn c2st(generated: Points<'_>, reference: Points<'_>, seed: u64) -> Result<Score, EvalError> {
    let dim = shared_dim(generated, reference)?;
    let n = shared_len(generated, reference, NAME)?;
    at_least(FOLDS, generated, reference, NAME)?;
    if MOST_DIMENSIONS < dim {
        let limit = MOST_DIMENSIONS;
        return Err(EvalError::TooMany { metric: "C2ST by dimensions", n: dim, limit });
    }
    let x = scaled(generated, reference)?;
    let labels: Vec<f32> = (0..2 * n).map(|i| if i < n { 0.0 } else { 1.0 }).collect();
    let mut order: Vec<usize> = (0..2 * n).collect();
    order.shuffle(&mut stream(seed, Purpose::Classifier, 0));

    let right: usize = (0..FOLDS)
        .into_par_iter()
        .map(|fold| {
            // Parts of equal sizes, or of one more.
            let bound = |fold: usize| fold * order.len() / FOLDS;
            let held = bound(fold)..bound(fold + 1);
            let test = &order[held.clone()];
            let train = [&order[..held.start], &order[held.end..]].concat();
            let known: Vec<f32> = train.iter().map(|&row| labels[row]).collect();
            let mut rng = stream(seed, Purpose::Classifier, fold + 1);
            let network = Network::train(&x.select_columns(&train), &known, UNITS * dim, &mut rng);
            let said = network.says_one(&x.select_columns(test));
            said.iter().zip(test).filter(|&(&one, &row)| one == (0.5 < labels[row])).count()
        })
        .sum();
    let score = Score::lower(NAME, 0.0, n).with_fraction(right, 2 * n);
    Ok(score.with_seed(seed))
}

/// Both sets as columns, in units of the reference's spread.
fn scaled(generated: Points<'_>, reference: Points<'_>) -> Result<DMatrix<f32>, EvalError> {
    let (dim, n) = (reference.dim(), reference.len());
    let moments = Moments::of(reference);
    let covariance = moments.covariance()?;
    let std = |k: usize| match covariance[k * dim + k].sqrt() {
        0.0 => 1.0,
        std => std,
    };
    let stds: Vec<f64> = (0..dim).map(std).collect();
    Ok(DMatrix::from_fn(dim, 2 * n, |k, i| {
        let row = if i < n { reference.row(i) } else { generated.row(i - n) };
        let z = (f64::from(row[k]) - moments.mean()[k]) / stds[k];
        z.clamp(-FURTHEST, FURTHEST) as f32
    }))
}
