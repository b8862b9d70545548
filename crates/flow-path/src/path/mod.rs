//! Probability paths: where a pair of noise and data is at time `t`, and how fast it moves.

mod affine;
mod bridge;
mod conditional;
mod config;
mod tube;

use std::fmt::Debug;

use burn::prelude::*;

pub use affine::AffinePath;
pub use bridge::SchrodingerBridge;
pub use conditional::{ConditionalPath, Moments};
pub use config::{BetweenConfig, Line};
pub use tube::PairTube;

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

/// Where `x_t` lies and how fast it moves, given both ends of its path.
///
/// Either at one point for each time, as for [`AffinePath`], or at a random point around it, as for
/// [`PairTube`] and [`SchrodingerBridge`]. For one rank it stands behind a pointer: `Arc<dyn
/// ProbabilityPath<2>>` is a path of rows that is chosen while the program runs.
pub trait ProbabilityPath<const D: usize>: Debug + Send + Sync {
    /// Whether `x_t` varies with its pair and its time given, so that
    /// [`sample_with`](ProbabilityPath::sample_with) needs noise.
    fn is_random(&self) -> bool {
        false
    }

    /// Times between which points and velocities are finite.
    fn span(&self) -> (f64, f64) {
        (0.0, 1.0)
    }

    /// The points at times `t` of the paths from `x0` (noise) to `x1` (data).
    ///
    /// `noise` is the standard normal noise of a path that
    /// [`is_random`](ProbabilityPath::is_random); others do not look at it.
    ///
    /// # Shapes
    /// `x0`, `x1` and `noise` are `[B, ..]`, `t` holds `B` times; `B` may be 0.
    ///
    /// # Panics
    /// If the shapes differ, or a path that is random is given no noise.
    fn sample_with(
        &self,
        x0: Tensor<D>,
        x1: Tensor<D>,
        noise: Option<Tensor<D>>,
        t: &Times,
    ) -> PathSample<D>;

    /// The points of a path that is not random, which needs no noise.
    ///
    /// # Shapes
    /// As [`sample_with`](ProbabilityPath::sample_with).
    ///
    /// # Panics
    /// If the path is random.
    fn sample(&self, x0: Tensor<D>, x1: Tensor<D>, t: &Times) -> PathSample<D> {
        self.sample_with(x0, x1, None, t)
    }
}

/// The path around a pair whose ends are its latent.
fn around<const D: usize>(
    path: &impl ConditionalPath<(Tensor<D>, Tensor<D>), D>,
    x0: Tensor<D>,
    x1: Tensor<D>,
    noise: Option<Tensor<D>>,
    t: &Times,
) -> PathSample<D> {
    let noise = noise.expect("a path that is random needs its noise");
    path.sample_given(&(x0, x1), noise, t)
}
