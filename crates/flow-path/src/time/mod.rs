//! Laws of the training time.

mod basic;
mod config;
mod edm;
mod noise_heavy;
mod shift;

use std::fmt::Debug;
use std::sync::Arc;

pub use basic::{Beta, LogitNormal, PowerLaw, Stratified, UShaped, Uniform};
pub use config::TimesConfig;
pub use edm::{EdmLogNormal, LogNormalLevel};
pub use noise_heavy::{CosMap, Mode};
use rand::Rng;
pub use shift::{Shifted, TimeShift};

use crate::Times;

/// A law of the training time on `[0, 1]`, noise at 0 and data at 1.
///
/// Drawing a time more often weighs its loss more: [`TimeSampler::density`] is what a loss must be
/// divided by to undo that. See [`crate::Weighting`].
pub trait TimeSampler: Debug + Send + Sync {
    /// `n` times, one per sample, which lie within the open interval `(0, 1)`.
    ///
    /// # Panics
    /// If a parameter of the law is outside its domain, such as NaN.
    fn sample(&self, n: usize, rng: &mut dyn Rng) -> Times;

    /// Probability density of a time `t` in `(0, 1)`.
    ///
    /// At 0 and 1 it is the limit, which may be infinite. A time that is no number has no density:
    /// the answer is NaN or, for laws that do not look at the time, 1.
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
    Times::new((0..n).map(|_| inside(draw())).collect())
}

/// Half the distance from 1 to the number below it, which is also what a uniform draw is a multiple
/// of.
const LEAST_TIME: f64 = 1.0 / (1_u64 << 53) as f64;

/// A time of the closed interval, moved off its ends: there a law may have no density, and a
/// schedule no finite coefficients.
fn inside(t: f64) -> f64 {
    t.clamp(LEAST_TIME, 1.0 - LEAST_TIME)
}
