//! Couplings: which noise meets which data.

mod assignment;
mod class_aware;
mod cost;
mod exact;
mod independent;
mod partial;
mod scan;
mod sinkhorn;

use std::fmt::Debug;
use std::ops::Index;
use std::sync::Arc;

pub use assignment::{Assignment, assign};
pub use class_aware::ClassAware;
pub use cost::{CostMatrix, squared_distances};
pub use exact::ExactOt;
pub use independent::{Independent, Paired};
pub use partial::PartialOt;
use rand::Rng;
pub use sinkhorn::{Draw, Epsilon, Plan, Sinkhorn};

use crate::PathError;

/// Row `i` of the data meets noise row `pairing[i]`.
///
/// Data rows stay where they are, so that labels and other conditions stay with them.
#[derive(Clone, Debug, PartialEq)]
pub struct Pairing {
    noise_rows: Vec<usize>,
    weights: Option<Vec<f64>>,
}

impl Pairing {
    /// The given noise row for each data row.
    #[must_use]
    pub fn new(noise_rows: Vec<usize>) -> Self {
        Self { noise_rows, weights: None }
    }

    /// The given noise row and loss weight for each data row.
    ///
    /// # Panics
    /// If there is not one weight per row.
    #[must_use]
    pub fn weighted(noise_rows: Vec<usize>, weights: Vec<f64>) -> Self {
        let (rows, n) = (noise_rows.len(), weights.len());
        assert_eq!(rows, n, "expected one weight per row ({rows}), got {n}");
        Self { noise_rows, weights: Some(weights) }
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
    /// Pairs the rows of a batch: `x0` and `x1` hold as many rows of `dim` numbers each.
    ///
    /// # Errors
    /// If the batch is empty, its sides differ in size, a number is not finite, or labels are missing.
    fn pair(
        &self,
        x0: &[f32],
        x1: &[f32],
        labels: Option<&[usize]>,
        dim: usize,
        rng: &mut dyn Rng,
    ) -> Result<Pairing, PathError>;
}

macro_rules! forward_coupling {
    ($($pointer:ty),*) => {$(
        impl<C: Coupling + ?Sized> Coupling for $pointer {
            fn pair(
                &self,
                x0: &[f32],
                x1: &[f32],
                labels: Option<&[usize]>,
                dim: usize,
                rng: &mut dyn Rng,
            ) -> Result<Pairing, PathError> {
                (**self).pair(x0, x1, labels, dim, rng)
            }
        }
    )*};
}

forward_coupling!(&C, Arc<C>, Box<C>);
