//! Paths that mix noise and data by the two factors of a schedule.

use burn::prelude::*;

use super::{PathSample, ProbabilityPath};
use crate::{Coefficients, Schedule, Times};

/// The affine path `x_t = alpha x_1 + sigma x_0` of a schedule.
///
/// The target `dx_t = alpha' x_1 + sigma' x_0` never divides by `sigma`.
///
/// # Reference
/// Lipman et al. (2023), "Flow Matching for Generative Modeling", arXiv:2210.02747, equation 14.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct AffinePath<S> {
    /// The schedule.
    pub schedule: S,
}

impl<S: Schedule> AffinePath<S> {
    /// The affine path of a schedule.
    pub fn new(schedule: S) -> Self {
        Self { schedule }
    }
}

impl<const D: usize, S: Schedule> ProbabilityPath<D> for AffinePath<S> {
    fn span(&self) -> (f64, f64) {
        self.schedule.span()
    }

    fn sample_with(
        &self,
        x0: Tensor<D>,
        x1: Tensor<D>,
        _noise: Option<Tensor<D>>,
        t: &Times,
    ) -> PathSample<D> {
        assert_eq!(x0.dims(), x1.dims(), "noise has shape {:?}, data {:?}", x0.dims(), x1.dims());
        let c: Vec<Coefficients> = t.iter().map(|t| self.schedule.at(t)).collect();
        let column =
            |of: fn(&Coefficients) -> f64| crate::times::column(&x0, c.iter().map(of).collect());
        let (alpha, sigma) = (column(|c| c.alpha), column(|c| c.sigma)); // [B, 1, ..]
        let (d_alpha, d_sigma) = (column(|c| c.d_alpha), column(|c| c.d_sigma));
        PathSample {
            t: t.clone(),
            x_t: alpha * x1.clone() + sigma * x0.clone(),
            dx_t: d_alpha * x1 + d_sigma * x0,
        }
    }
}
