//! Optimal transport of a fraction of the batch.

use flow_transport::assign_some;
use rand::Rng;
use serde::{Deserialize, Serialize};

use super::batch::costs;
use super::{Coupling, Given, Pairing};
use crate::PathError;
use crate::config::{Check, within};

/// Partial optimal transport: only the cheapest `fraction` of the batch is paired.
///
/// The data rows left out, those that would travel furthest, get a loss weight of zero, the others
/// the same weight, with mean one. Robust to outliers, at the price that rows often left out are
/// learned less.
///
/// # Reference
/// Chapel, Alaya & Gasso (2020), "Partial Optimal Transport with Applications on Positive-Unlabeled
/// Learning", arXiv:2002.08276 (dummy points).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PartialOt {
    /// The fraction of the rows that is paired, rounded to a whole number of at least one; in `(0,
    /// 1]`.
    pub fraction: f64,
}

impl PartialOt {
    /// Pairs the given fraction of the rows.
    ///
    /// # Errors
    /// If the fraction is not in `(0, 1]`.
    pub fn new(fraction: f64) -> Result<Self, PathError> {
        let coupling = Self { fraction };
        coupling.check().map(|()| coupling)
    }
}

impl Default for PartialOt {
    /// Nine tenths.
    fn default() -> Self {
        Self { fraction: 0.9 }
    }
}

impl Check for PartialOt {
    fn check(&self) -> Result<(), PathError> {
        within("fraction", self.fraction, 0.0 < self.fraction && self.fraction <= 1.0, "(0, 1]")
    }
}

impl Coupling for PartialOt {
    fn pair(
        &self,
        x0: &[f32],
        x1: &[f32],
        _: Given<'_>,
        dim: usize,
        _rng: &mut dyn Rng,
    ) -> Result<Pairing, PathError> {
        self.check()?;
        let cost = costs(x0, x1, dim)?;
        let n = cost.rows();
        let paired = ((self.fraction * n as f64).round() as usize).clamp(1, n);
        let partial = assign_some(&cost, paired)?;
        let mut left_out = partial.left_out.iter().copied();
        let partner = |column: &Option<usize>| match column {
            Some(column) => (*column, n as f64 / paired as f64),
            None => (left_out.next().expect("as many columns as rows are left out"), 0.0),
        };
        let (noise_rows, weights) = partial.columns.iter().map(partner).unzip();
        Ok(Pairing::weighted(noise_rows, weights))
    }
}
