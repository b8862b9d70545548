//! A transport plan, kept as its potentials.

use std::borrow::Cow;

use crate::potentials::log_sum_exp;
use crate::{CostMatrix, Stop, TransportError};

/// An entropic plan between rows and columns, and how well it was solved.
///
/// The mass of a pair is `exp((f_i + g_j - cost_ij) / epsilon) / (rows columns)`; it is computed
/// when it is asked for, so that a plan takes no more memory than its potentials.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan<'a> {
    pub(crate) cost: Cow<'a, CostMatrix>,
    /// What a cost is divided by to be in the units of the plan.
    pub(crate) unit: f64,
    pub(crate) f: Vec<f64>,
    pub(crate) g: Vec<f64>,
    pub(crate) epsilon: f64,
    pub(crate) error: f64,
    pub(crate) iterations: usize,
    pub(crate) stop: Stop,
}

impl Plan<'_> {
    /// Why the sweeps ended.
    #[must_use]
    pub fn stop(&self) -> Stop {
        self.stop
    }

    /// Largest error of a marginal of this plan, as a fraction of its mass.
    ///
    /// Where marginals are relaxed it is the largest fraction by which one more update would change
    /// the mass of a row or a column.
    #[must_use]
    pub fn marginal_error(&self) -> f64 {
        self.error
    }

    /// Sweeps made at the final regularisation.
    #[must_use]
    pub fn iterations(&self) -> usize {
        self.iterations
    }

    /// The plan, if its marginals are met to `tolerance`.
    ///
    /// # Errors
    /// If they are not, or the sweeps were interrupted.
    pub fn within(self, tolerance: f64) -> Result<Self, TransportError> {
        let Self { iterations, error, stop, .. } = self;
        match stop {
            Stop::Interrupted => Err(TransportError::Interrupted { iterations }),
            _ if error <= tolerance => Ok(self),
            _ => Err(TransportError::NotConverged { iterations, error, tolerance, stop }),
        }
    }

    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.f.len()
    }

    /// Number of columns.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.g.len()
    }

    /// Logarithms of the masses of row `i`, one for each column; minus infinity for a forbidden
    /// pair.
    ///
    /// # Panics
    /// If there is no such row.
    #[must_use]
    pub fn log_masses(&self, i: usize) -> impl ExactSizeIterator<Item = f64> + '_ {
        let log_uniform = -(self.rows() as f64).ln() - (self.columns() as f64).ln();
        let f = self.f[i];
        let pairs = self.g.iter().zip(self.cost.row(i));
        pairs.map(move |(g, cost)| (f + g - cost) / self.epsilon + log_uniform)
    }

    /// Mass moved between row `i` and column `j`.
    ///
    /// # Panics
    /// If there is no such row or column.
    #[must_use]
    pub fn mass(&self, i: usize, j: usize) -> f64 {
        self.log_masses(i).nth(j).expect("a column of the plan").exp()
    }

    /// Logarithm of the mass of each row.
    #[must_use]
    pub fn log_row_masses(&self) -> Vec<f64> {
        let row = |i| log_sum_exp(&self.log_masses(i).collect::<Vec<_>>());
        (0..self.rows()).map(row).collect()
    }

    /// Mass of each row.
    #[must_use]
    pub fn row_masses(&self) -> Vec<f64> {
        self.log_row_masses().into_iter().map(f64::exp).collect()
    }

    /// Mass of each column.
    #[must_use]
    pub fn column_masses(&self) -> Vec<f64> {
        let mut masses = vec![0.0; self.columns()];
        for i in 0..self.rows() {
            for (mass, log) in masses.iter_mut().zip(self.log_masses(i)) {
                *mass += log.exp();
            }
        }
        masses
    }

    /// Transport cost of the plan, `sum of mass times cost`.
    #[must_use]
    pub fn cost(&self) -> f64 {
        let row = |i: usize| -> f64 {
            let masses = self.log_masses(i).zip(self.cost.row(i));
            // A forbidden pair moves nothing.
            masses.map(|(log, cost)| if cost.is_finite() { log.exp() * cost } else { 0.0 }).sum()
        };
        (0..self.rows()).map(row).sum::<f64>() * self.unit
    }
}
