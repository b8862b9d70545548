//! Probability paths: where a pair of noise and data is at time `t`, and how fast it moves.

mod affine;
mod bridge;
mod conditional;

use burn::prelude::*;

pub use affine::AffinePath;
pub use bridge::SchrodingerBridge;
pub use conditional::{ConditionalPath, Moments, PairTube};

use crate::Times;

/// A batch of points on a path with their velocities: one training example each.
#[derive(Clone, Debug)]
pub struct PathSample<const D: usize> {
    /// Time of each sample.
    pub t: Times,
    /// The points `x_t`, `[B, ..]`.
    pub x_t: Tensor<D>,
    /// Their conditional velocities `dx_t/dt`, `[B, ..]`: the target of flow matching.
    pub dx_t: Tensor<D>,
}

/// A path fixed by its two ends: given a pair, `x_t` is a deterministic function of time.
pub trait ProbabilityPath<const D: usize> {
    /// The points at times `t` of the paths from `x0` (noise) to `x1` (data).
    ///
    /// # Shapes
    /// `x0` and `x1` are `[B, ..]`, `t` holds `B` times; `B` may be 0.
    fn sample(&self, x0: Tensor<D>, x1: Tensor<D>, t: &Times) -> PathSample<D>;
}
