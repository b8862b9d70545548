//! The law of `x_0`.

use std::sync::Arc;

use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

use crate::Target;

/// Where paths start.
///
/// Flow matching itself asks nothing of `x_0` but that it can be drawn. What assumes Gaussian noise
/// is all that reads a score or a noise level off the velocity: with another source only the
/// velocity and the ODE remain.
#[derive(Clone, Debug, Default)]
pub enum Source {
    /// Standard normal noise of any shape.
    #[default]
    Normal,
    /// A distribution with a known density.
    Known(Arc<dyn Target>),
    /// Data: every path is given its start, and none is drawn.
    Given,
}

impl Source {
    /// `n` draws of `size` numbers, row after row.
    ///
    /// # Panics
    /// If the source is known and has another dimension than `size`, or starts are given.
    #[must_use]
    pub fn sample(&self, n: usize, size: usize, rng: &mut dyn Rng) -> Vec<f32> {
        match self {
            Self::Normal => (0..n * size).map(|_| StandardNormal.sample(rng)).collect(),
            Self::Known(target) => {
                let dim = target.dim();
                assert_eq!(dim, size, "a source of {dim} numbers, for rows of {size}");
                target.sample(n, rng).into_iter().map(|x| x as f32).collect()
            }
            Self::Given => panic!("expected the start of every path, its source draws none"),
        }
    }
}
