//! Entropic optimal transport within the batch.

use std::fmt;
use std::sync::Arc;

use flow_transport::{Entropic, Epsilon, Plan};
use rand::seq::SliceRandom;
use rand::{Rng, RngExt};

use super::batch::costs;
use super::{Coupling, Given, Pairing};
use crate::PathError;

/// How pairs are drawn from a plan that does not pair one to one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Draw {
    /// Each noise row once: rows choose in random order among the noise rows left. Both marginals
    /// of the batch are kept, at the price of a slight departure from the plan.
    #[default]
    Permutation,
    /// Each data row draws from its row of the plan: the plan is met, noise rows may repeat.
    WithReplacement,
}

/// Pairs drawn from the entropic plan of the batch, on squared distances.
///
/// Where the plan relaxes its marginals, the loss weight of a data row is its mass. A plan whose
/// marginals are not quite met within the sweeps allowed is drawn from all the same, since the
/// draws are noisier than that, and [`Pairing::marginal_error`] says by how much they were missed;
/// beyond a tenth it is an error.
#[derive(Clone, Default)]
pub struct Sinkhorn {
    /// The entropic problem.
    pub problem: Entropic,
    /// How pairs are drawn from the plan.
    pub draw: Draw,
    /// Asked before each sweep: the pairing ends with an error once it returns true.
    pub stop: Option<Arc<dyn Fn() -> bool + Send + Sync>>,
}

/// The error of a marginal beyond which a plan is no use.
const USELESS: f64 = 0.1;

impl Sinkhorn {
    /// One-to-one pairs drawn from the plan of an entropic problem.
    #[must_use]
    pub fn new(problem: Entropic) -> Self {
        Self { problem, ..Self::default() }
    }

    /// The plan of the Schrodinger bridge of a Brownian motion with diffusion coefficient `sigma`:
    /// `epsilon = 2 sigma^2` on squared distances, met by drawing with replacement.
    ///
    /// A `sigma` of zero or no number is an error when pairs are drawn.
    ///
    /// # Reference
    /// Tong et al. (2024), "Simulation-Free Schrodinger Bridges via Score and Flow Matching",
    /// arXiv:2307.03672.
    #[must_use]
    pub fn schrodinger(sigma: f64) -> Self {
        let epsilon = Epsilon::Absolute(2.0 * sigma * sigma);
        let problem = Entropic { epsilon, ..Entropic::default() };
        Self { problem, draw: Draw::WithReplacement, stop: None }
    }

    /// The same, but giving up with an error once `stop` says so: a plan for a large batch and a
    /// weak entropy may take seconds.
    #[must_use]
    pub fn stopped_by(self, stop: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self { stop: Some(Arc::new(stop)), ..self }
    }
}

impl fmt::Debug for Sinkhorn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { problem, draw, stop } = self;
        f.debug_struct("Sinkhorn")
            .field("problem", problem)
            .field("draw", draw)
            .field("stop", &stop.is_some())
            .finish()
    }
}

impl Coupling for Sinkhorn {
    fn pair(
        &self,
        x0: &[f32],
        x1: &[f32],
        _: Given<'_>,
        dim: usize,
        rng: &mut dyn Rng,
    ) -> Result<Pairing, PathError> {
        let stop = || self.stop.as_ref().is_some_and(|stop| stop());
        let cost = costs(x0, x1, dim)?;
        let plan = self.problem.solve(&cost, &stop)?.within(USELESS)?;
        let noise_rows = draw_pairs(&plan, self.draw, rng);
        let pairing = if self.problem.relaxation.is_none() {
            Pairing::new(noise_rows)
        } else {
            Pairing::weighted(noise_rows, relative_masses(&plan))
        };
        Ok(Pairing { marginal_error: plan.marginal_error(), ..pairing })
    }
}

/// Draws a column for each row of a square plan.
///
/// # Panics
/// If the plan is not square.
#[must_use]
pub fn draw_pairs(plan: &Plan<'_>, draw: Draw, rng: &mut dyn Rng) -> Vec<usize> {
    let (n, columns) = (plan.rows(), plan.columns());
    assert_eq!(n, columns, "expected a square plan, got {n} rows of {columns} columns");
    let mut order: Vec<usize> = (0..n).collect();
    order.shuffle(rng);
    let mut left: Vec<usize> = (0..n).collect();
    let mut noise_rows = vec![0; n];
    for i in order {
        let row: Vec<f64> = plan.log_masses(i).collect();
        let k = gumbel_argmax(left.iter().map(|&j| row[j]), rng);
        noise_rows[i] = match draw {
            Draw::Permutation => left.swap_remove(k),
            Draw::WithReplacement => left[k],
        };
    }
    noise_rows
}

/// Index drawn with probability proportional to `exp(log_weight)`, however small the weights.
fn gumbel_argmax(log_weights: impl Iterator<Item = f64>, rng: &mut dyn Rng) -> usize {
    let perturbed = log_weights.map(|w| w - (-(1.0 - rng.random::<f64>()).ln()).ln());
    let best = perturbed
        .enumerate()
        .fold((0, f64::NEG_INFINITY), |best, (k, w)| if best.1 < w { (k, w) } else { best });
    best.0
}

/// Masses of the rows with mean one, even where they are too small for an `f64`.
fn relative_masses(plan: &Plan<'_>) -> Vec<f64> {
    let relative = |masses: Vec<f64>| -> Vec<f64> {
        let mean = masses.iter().sum::<f64>() / masses.len() as f64;
        masses.iter().map(|m| m / mean).collect()
    };
    let masses = plan.row_masses();
    if masses.iter().sum::<f64>().is_normal() {
        return relative(masses);
    }
    let logs = plan.log_row_masses();
    let largest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    relative(logs.iter().map(|log| (log - largest).exp()).collect())
}
