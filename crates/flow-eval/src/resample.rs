//! Standard errors by resampling.

use rand::RngExt;
use rayon::prelude::*;

use crate::points::at_least;
use crate::random::{Purpose, stream};
use crate::{EvalError, Points, Score};

/// More replicates than this tell nothing new and fill the memory.
const MOST_REPLICATES: usize = 1_000_000;

/// The values that a metric takes on resampled data.
#[derive(Clone, Debug, PartialEq)]
pub struct Bootstrap {
    sorted: Vec<f64>,
}

impl Bootstrap {
    /// Standard error: the standard deviation of the replicates.
    #[must_use]
    pub fn std_error(&self) -> f64 {
        let n = self.sorted.len() as f64;
        let mean = self.sorted.iter().sum::<f64>() / n;
        (self.sorted.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt()
    }

    /// Percentile interval that holds the fraction `level` of the replicates, such as 0.95.
    ///
    /// # Panics
    /// When `level` is not in `(0, 1)`, so also when it is NaN.
    #[must_use]
    pub fn interval(&self, level: f64) -> (f64, f64) {
        assert!(0.0 < level && level < 1.0, "the level must be in (0, 1), not {level}");
        let tail = (1.0 - level) / 2.0;
        (self.quantile(tail), self.quantile(1.0 - tail))
    }

    fn quantile(&self, q: f64) -> f64 {
        let at = q * (self.sorted.len() - 1) as f64;
        let (below, above) = (self.sorted[at.floor() as usize], self.sorted[at.ceil() as usize]);
        below + (above - below) * at.fract()
    }
}

/// Scores `replicates` pairs of sets drawn with replacement from the rows of `a` and of `b`.
///
/// Covers the randomness of both sets. The spread of the replicates estimates that of the score;
/// their level does not, since repeated rows make two sets look more alike to some metrics and less
/// to others.
///
/// # Errors
/// Those of the metric, sets of one point, which every replicate repeats, fewer than two replicates
/// or more than a million, and a replicate that is not finite.
///
/// # Reference
/// Efron (1979), "Bootstrap Methods: Another Look at the Jackknife", Annals of Statistics 7.
pub fn bootstrap<M>(
    metric: M,
    a: Points<'_>,
    b: Points<'_>,
    replicates: usize,
    seed: u64,
) -> Result<Bootstrap, EvalError>
where
    M: Fn(Points<'_>, Points<'_>) -> Result<Score, EvalError> + Sync,
{
    if !(2..=MOST_REPLICATES).contains(&replicates) {
        let (value, expected) = (replicates as f64, "at least 2 and at most a million");
        return Err(EvalError::Parameter { name: "replicates", value, expected });
    }
    at_least(2, a, b, "a bootstrap")?;
    let replicate = |index| {
        let mut rng = stream(seed, Purpose::Bootstrap, index);
        let mut draw = |points: Points<'_>| {
            let n = points.len();
            let indices: Vec<usize> = (0..n).map(|_| rng.random_range(0..n)).collect();
            points.gather(&indices)
        };
        let (rows_a, rows_b) = (draw(a), draw(b));
        let score =
            metric(Points::from_parts(&rows_a, a.dim()), Points::from_parts(&rows_b, b.dim()))?;
        score.measured().map(|score| score.value)
    };
    let mut sorted =
        (0..replicates).into_par_iter().map(replicate).collect::<Result<Vec<_>, _>>()?;
    sorted.sort_unstable_by(f64::total_cmp);
    Ok(Bootstrap { sorted })
}
