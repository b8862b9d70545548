//! Probability paths: the targets of flow matching, and the exact fields that it learns.
//!
//! Time runs from noise (`t = 0`, `x_0`) to data (`t = 1`, `x_1`), and velocities point to the
//! data. A [`Schedule`] gives four numbers at each time, `(alpha, sigma, alpha', sigma')`;
//! everything else follows from them:
//!
//! - [`AffinePath`] mixes noise and data into `x_t` and its velocity, the regression target;
//! - [`Prediction`] converts between what networks predict: velocity, data, noise, score and
//!   others;
//! - [`Weighting`] and [`TimeSampler`] say which noise levels the loss attends to;
//! - [`Exact`] is the field that a perfect network would learn, for data with closed forms.
//!
//! Each choice has a name, under which recipes and model files know it: [`config`].
//!
//! A [`Coupling`] pairs noise and data within a batch. Times and coefficients are `f64` on the
//! host; tensors carry samples.

pub mod config;
mod convention;
mod coupling;
mod error;
mod exact;
mod path;
mod prediction;
mod reschedule;
mod schedule;
mod source;
mod time;
mod times;
mod weight;

pub mod stream;

pub use convention::*;
pub use coupling::*;
pub use error::{PathError, Side};
pub use exact::*;
pub use path::*;
pub use prediction::{LARGEST_AMPLIFICATION, Prediction};
pub use reschedule::{Reading, Rescheduled};
pub use schedule::*;
pub use source::Source;
pub use time::*;
pub use times::Times;
pub use weight::*;

/// The examples of the README, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
