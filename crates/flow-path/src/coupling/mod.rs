//! Couplings: the pairing of noise and data in a batch.

mod batch;
mod class_aware;
mod conditional;
mod config;
mod exact;
mod independent;
mod partial;
mod sinkhorn;

use std::fmt::Debug;
use std::ops::Index;
use std::sync::Arc;

pub use class_aware::ClassAware;
pub use conditional::{ConditionDistance, ConditionalOt};
pub use config::{CouplingConfig, SchrodingerPlan, SinkhornPlan, UnbalancedPlan};
pub use exact::ExactOt;
pub use flow_transport::{CostMatrix, Entropic, Epsilon};
pub use independent::{Independent, Paired};
pub use partial::PartialOt;
use rand::Rng;
pub use sinkhorn::{Draw, Sinkhorn, draw_pairs};

use crate::PathError;

/// Row `i` of the data meets noise row `pairing[i]`.
///
/// Data rows stay where they are, so that labels and other conditions stay with them.
#[derive(Clone, Debug, PartialEq)]
pub struct Pairing {
    noise_rows: Vec<usize>,
    weights: Option<Vec<f64>>,
    marginal_error: f64,
}

impl Pairing {
    /// The given noise row for each data row.
    #[must_use]
    pub fn new(noise_rows: Vec<usize>) -> Self {
        Self { noise_rows, weights: None, marginal_error: 0.0 }
    }

    /// The given noise row and loss weight for each data row.
    ///
    /// # Panics
    /// If there is not one weight per row, or a weight is negative or not finite.
    #[must_use]
    pub fn weighted(noise_rows: Vec<usize>, weights: Vec<f64>) -> Self {
        let (rows, n) = (noise_rows.len(), weights.len());
        assert_eq!(rows, n, "expected one weight per row ({rows}), got {n}");
        if let Some((row, weight)) =
            weights.iter().enumerate().find(|(_, w)| !(0.0..f64::INFINITY).contains(*w))
        {
            panic!("expected weights of at least zero, got {weight} in row {row}");
        }
        Self { noise_rows, weights: Some(weights), marginal_error: 0.0 }
    }

    /// The noise row of each data row.
    #[must_use]
    pub fn noise_rows(&self) -> &[usize] {
        &self.noise_rows
    }

    /// Loss weight of each data row where a coupling does not move the whole mass, with mean one.
    #[must_use]
    pub fn weights(&self) -> Option<&[f64]> {
        self.weights.as_deref()
    }

    /// Largest relative error of a marginal of the plan from which the pairs were drawn; 0 for
    /// pairs that come from no plan.
    ///
    /// Below [`Pairing::FAIR`] it is less than the chance of the draws. Above, the pairs are usable
    /// and a program should say once that the plan was not solved: a stronger entropy would be.
    #[must_use]
    pub fn marginal_error(&self) -> f64 {
        self.marginal_error
    }

    /// The error of a marginal up to which pairs are as good as those of an exact plan.
    pub const FAIR: f64 = 1e-3;

    /// Number of data rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.noise_rows.len()
    }

    /// Whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.noise_rows.is_empty()
    }

    /// The noise rows in the order of the data they meet.
    ///
    /// # Panics
    /// If `x0` does not hold the rows that were paired, `dim` numbers each.
    #[must_use]
    pub fn gather(&self, x0: &[f32], dim: usize) -> Vec<f32> {
        self.noise_rows.iter().flat_map(|&j| &x0[j * dim..(j + 1) * dim]).copied().collect()
    }
}

impl Index<usize> for Pairing {
    type Output = usize;
    fn index(&self, row: usize) -> &usize {
        &self.noise_rows[row]
    }
}

/// A joint law of noise and data, realised within a batch.
pub trait Coupling: Debug + Send + Sync {
    /// Pairs the rows of a batch: `x0` and `x1` hold as many rows of `dim` numbers each, and
    /// `given` is what is known of each row. Couplings that do not look at it pair as without it.
    ///
    /// # Errors
    /// If the batch is empty, its sides differ in size, classes or conditions that the coupling
    /// needs are missing or do not fit the rows, or, for couplings that look at the values, a
    /// number is not finite, memory cannot hold the costs, or no plan was found.
    fn pair(
        &self,
        x0: &[f32],
        x1: &[f32],
        given: Given<'_>,
        dim: usize,
        rng: &mut dyn Rng,
    ) -> Result<Pairing, PathError>;
}

/// Classes and conditions of the rows of a batch. Noise row `i` was drawn for row `i`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Given<'a> {
    /// The class of each row.
    pub labels: Option<&'a [usize]>,
    /// As many numbers for each row, one row after another, standardised.
    pub vectors: Option<&'a [f32]>,
}

macro_rules! forward_coupling {
    ($($pointer:ty),*) => {$(
        impl<C: Coupling + ?Sized> Coupling for $pointer {
            fn pair(
                &self,
                x0: &[f32],
                x1: &[f32],
                given: Given<'_>,
                dim: usize,
                rng: &mut dyn Rng,
            ) -> Result<Pairing, PathError> {
                (**self).pair(x0, x1, given, dim, rng)
            }
        }
    )*};
}

forward_coupling!(&C, Arc<C>, Box<C>);
