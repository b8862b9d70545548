//! Log-likelihood under a kernel density estimate of the samples.

use std::f64::consts::TAU;

use crate::distance::kernel::check_bandwidths;
use crate::pairwise::{Columns, PairFunction, for_each_pair, map_blocks, sum};
use crate::points::shared_dim;
use crate::{EvalError, Points, Score};

/// Mean log-likelihood of held-out data, in nats, under Gaussian kernels around the *samples*.
///
/// `mean_i log mean_j N(x_i; s_j, h^2 I)` with the bandwidth `h` in the units of the points. The
/// density is that of the samples blurred by `h`, so the value depends on `h` and on the number of
/// samples: compare at equal values of both. Choose `h` on data that are not scored. The standard
/// error is that of the mean over the held-out points, with the samples taken as given. `n` counts
/// the held-out points. Time `O(n^2 dim)`.
///
/// # Errors
/// Sets of different dimensions, and a bandwidth outside `[1e-100, 1e100]`, whose square would
/// leave the range of `f64`.
///
/// # Reference
/// Theis, van den Oord & Bethge (2016), "A note on the evaluation of generative models",
/// arXiv:1511.01844, section 3.2, which also says when not to trust it.
pub fn parzen_log_likelihood(
    samples: Points<'_>,
    held_out: Points<'_>,
    bandwidth: f64,
) -> Result<Score, EvalError> {
    let dim = shared_dim(samples, held_out)?;
    check_bandwidths(&[bandwidth])?;
    let columns = Columns::new(samples);
    let kernel = LogKernel { factor: -0.5 / (bandwidth * bandwidth) };
    let logs = map_blocks(held_out.len(), |range| {
        let offset = range.start;
        let mut totals = vec![LogSum::EMPTY; range.len()];
        for_each_pair(
            &kernel,
            held_out,
            range,
            &columns,
            |_| 0,
            |i, _, values| {
                totals[i - offset].add(values);
            },
        );
        totals.iter().map(LogSum::value).collect::<Vec<_>>()
    });
    let constant =
        (samples.len() as f64).ln() + 0.5 * dim as f64 * (TAU * bandwidth * bandwidth).ln();
    let logs: Vec<f64> = logs.concat().iter().map(|log| log - constant).collect();
    let score = Score::higher("Parzen log-likelihood", 0.0, held_out.len());
    score.with_mean_of(&logs).with_unit("nats").measured()
}

/// `-|x - y|^2 / (2 h^2)`
struct LogKernel {
    factor: f64,
}

impl PairFunction for LogKernel {
    fn term(x: f64, y: f64) -> f64 {
        (x - y) * (x - y)
    }

    fn finish(&self, sums: &mut [f64]) {
        for value in sums {
            *value *= self.factor;
        }
    }
}

/// `log sum exp` of numbers that come in batches: `sum * exp(greatest)` is the sum so far.
#[derive(Clone, Copy)]
struct LogSum {
    greatest: f64,
    sum: f64,
}

impl LogSum {
    const EMPTY: Self = Self { greatest: f64::NEG_INFINITY, sum: 0.0 };

    /// Adds numbers that are finite, as the distances of points over a checked bandwidth are.
    fn add(&mut self, logs: &mut [f64]) {
        let greatest = logs.iter().copied().fold(self.greatest, f64::max);
        for log in logs.iter_mut() {
            *log = (*log - greatest).exp();
        }
        self.sum = self.sum * (self.greatest - greatest).exp() + sum(logs);
        self.greatest = greatest;
    }

    fn value(&self) -> f64 {
        self.greatest + self.sum.ln()
    }
}
