//! Laws of the training time.

mod basic;
mod edm;
mod noise_heavy;
mod shift;

use std::fmt::Debug;
use std::sync::Arc;

pub use basic::{Beta, LogitNormal, Stratified, UShaped, Uniform};
pub use edm::EdmLogNormal;
pub use noise_heavy::{CosMap, Mode};
use rand::Rng;
pub use shift::{Shifted, TimeShift};

use crate::Times;

/// A law of the training time on `[0, 1]`, noise at 0 and data at 1.
///
/// Drawing a time more often weighs its loss more: [`TimeSampler::density`] is what a loss must be
/// divided by to undo that. See [`crate::Weighting`].
pub trait TimeSampler: Debug + Send + Sync {
    /// `n` times, one per sample.
    fn sample(&self, n: usize, rng: &mut dyn Rng) -> Times;

    /// Probability density of a time `t` in `(0, 1)`.
    fn density(&self, t: f64) -> f64;
}

macro_rules! forward_time_sampler {
    ($($pointer:ty),*) => {$(
        impl<L: TimeSampler + ?Sized> TimeSampler for $pointer {
            fn sample(&self, n: usize, rng: &mut dyn Rng) -> Times {
                (**self).sample(n, rng)
            }
            fn density(&self, t: f64) -> f64 {
                (**self).density(t)
            }
        }
    )*};
}

forward_time_sampler!(&L, Arc<L>, Box<L>);

/// `n` independent draws.
fn draws(n: usize, mut draw: impl FnMut() -> f64) -> Times {
    Times::new((0..n).map(|_| draw()).collect())
}
