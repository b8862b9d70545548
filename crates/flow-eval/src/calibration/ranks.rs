//! Ranks of true values among posterior draws, which are uniform if the posteriors are calibrated.

use rand::{Rng, RngExt};

use crate::random::{Purpose, stream};
use crate::{EvalError, Points};

/// Most observations: the bands of their ranks are simulated.
const MOST_RANKS: usize = 100_000;

/// The rank of the truth among the draws of its posterior, for many observations: each is one of
/// `0..=draws`.
///
/// If truths and observations are drawn from the model and the posteriors are right, every rank is
/// equally likely, whatever the posteriors look like. Posteriors that are too narrow leave the
/// truth at the ends, too wide ones in the middle; a bias puts it to one side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ranks {
    ranks: Vec<usize>,
    draws: usize,
}

impl Ranks {
    /// Ranks that were counted elsewhere, among so many draws.
    ///
    /// # Errors
    /// When there are none or more than 100,000, no draws, or a rank is above their number.
    pub fn new(ranks: Vec<usize>, draws: usize) -> Result<Self, EvalError> {
        if ranks.is_empty() || draws == 0 {
            return Err(EvalError::Empty);
        }
        if MOST_RANKS < ranks.len() {
            let n = ranks.len();
            return Err(EvalError::TooMany { metric: "calibration", n, limit: MOST_RANKS });
        }
        match ranks.iter().find(|rank| draws < **rank) {
            None => Ok(Self { ranks, draws }),
            Some(&rank) => Err(EvalError::Rank { rank, draws }),
        }
    }

    /// All ranks, in the order of the observations.
    #[must_use]
    pub fn ranks(&self) -> &[usize] {
        &self.ranks
    }

    /// Draws among which each truth was ranked.
    #[must_use]
    pub fn draws(&self) -> usize {
        self.draws
    }

    /// How many ranks fall into each of some bins of equal width, for a picture.
    ///
    /// # Panics
    /// When there are no bins, or more than ranks can take values.
    #[must_use]
    pub fn histogram(&self, bins: usize) -> Vec<usize> {
        let most = self.draws.saturating_add(1);
        assert!(0 < bins && bins <= most, "expected 1 to {most} bins, got {bins}");
        let mut counts = vec![0; bins];
        for &rank in &self.ranks {
            counts[(rank as u128 * bins as u128 / most as u128) as usize] += 1;
        }
        counts
    }
}

/// Simulation-based calibration: the ranks of each parameter by itself.
///
/// `truths` are parameters drawn from the prior, one row for each observation made with them, and
/// `draws` as many posterior draws for each observation, one observation after another. Equal
/// numbers are ranked at random. Posteriors that miss how parameters hang together can pass; see
/// [`tarp`].
///
/// # Errors
/// Sets of different dimensions, and draws that are not as many for each truth.
///
/// # Reference
/// Talts, Betancourt, Simpson, Vehtari & Gelman (2018), "Validating Bayesian Inference Algorithms
/// with Simulation-Based Calibration", arXiv:1804.06788.
pub fn sbc(truths: Points<'_>, draws: Points<'_>, seed: u64) -> Result<Vec<Ranks>, EvalError> {
    let per_truth = draws_per_truth(truths, draws)?;
    let of_parameter = |parameter: usize| {
        let mut rng = stream(seed, Purpose::Calibration, 1 + parameter);
        let rank = |i: usize| {
            let truth = truths.row(i)[parameter];
            let values = (0..per_truth).map(|k| draws.row(i * per_truth + k)[parameter]);
            rank_of(f64::from(truth), values.map(f64::from), &mut rng)
        };
        Ranks::new((0..truths.len()).map(rank).collect(), per_truth)
    };
    (0..truths.dim()).map(of_parameter).collect()
}

/// Tests of accuracy with random points: the rank of the truth by its distance to a random point.
///
/// The share of the draws nearer to the point than the truth is, is uniform if the posteriors are
/// right: balls around any point hold the truth as often as they should. All parameters are looked
/// at together, and posteriors that are right for each of them and wrong together are seen. Points
/// are uniform over the box of the truths, in which distances are measured.
///
/// # Errors
/// As [`sbc`].
///
/// # Reference
/// Lemos, Coogan, Hezaveh & Perreault-Levasseur (2023), "Sampling-Based Accuracy Testing of
/// Posterior Estimators for General Inference", arXiv:2302.03026, algorithm 2.
pub fn tarp(truths: Points<'_>, draws: Points<'_>, seed: u64) -> Result<Ranks, EvalError> {
    let per_truth = draws_per_truth(truths, draws)?;
    let dim = truths.dim();
    let bounds = |k: usize| {
        let values = truths.rows().map(move |row| f64::from(row[k]));
        let low = values.clone().fold(f64::INFINITY, f64::min);
        let span = values.fold(f64::NEG_INFINITY, f64::max) - low;
        (low, if span == 0.0 { 1.0 } else { span })
    };
    let bounds: Vec<(f64, f64)> = (0..dim).map(bounds).collect();
    let mut rng = stream(seed, Purpose::Calibration, 0);
    let rank = |i: usize| {
        let point: Vec<f64> = (0..dim).map(|_| rng.random()).collect();
        let distance = |row: &[f32]| -> f64 {
            let numbers = row.iter().zip(&bounds).zip(&point);
            numbers.map(|((&x, (low, span)), p)| ((f64::from(x) - low) / span - p).powi(2)).sum()
        };
        let others = (0..per_truth).map(|k| distance(draws.row(i * per_truth + k)));
        let truth = distance(truths.row(i));
        rank_of(truth, others.collect::<Vec<_>>().into_iter(), &mut rng)
    };
    Ranks::new((0..truths.len()).map(rank).collect(), per_truth)
}

/// How many numbers lie below the truth. Among numbers equal to it, its place is drawn at random,
/// each with the same probability.
fn rank_of(truth: f64, values: impl Iterator<Item = f64>, rng: &mut dyn Rng) -> usize {
    let count = |(below, equal), value: f64| match value.total_cmp(&truth) {
        std::cmp::Ordering::Less => (below + 1, equal),
        std::cmp::Ordering::Equal => (below, equal + 1),
        std::cmp::Ordering::Greater => (below, equal),
    };
    let (below, equal) = values.fold((0, 0), count);
    if equal == 0 { below } else { below + rng.random_range(0..=equal) }
}

fn draws_per_truth(truths: Points<'_>, draws: Points<'_>) -> Result<usize, EvalError> {
    crate::points::shared_dim(truths, draws)?;
    let (truths, draws) = (truths.len(), draws.len());
    if draws.is_multiple_of(truths) {
        Ok(draws / truths)
    } else {
        Err(EvalError::DrawCount { draws, truths })
    }
}
