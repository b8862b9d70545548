//! Scores of generative quality, each with its floor and its standard error.
//!
//! Scores take plain numbers on the host: [`Points`] are rows of `f32`, sums are `f64`, and the
//! crate knows nothing of tensors, networks or data sets. A [`Score`] carries its standard error,
//! the number of points, and its [`floor`]: what real data score against other real data. Without
//! the floor a distance between finite sets means little.
//!
//! | to ask | call |
//! |---|---|
//! | is it the same distribution? | [`sliced_wasserstein`], [`energy_distance`], [`mmd`] |
//! | in which direction is it not? | [`max_sliced_wasserstein`] |
//! | exactly how far, in one dimension or for few points? | [`wasserstein_1d`], [`wasserstein_assignment`], [`wasserstein`] for any sizes |
//! | can a classifier tell them apart? | [`c2st`] |
//! | of a table: how far, what is reached, what is copied? | [`Gower`], then [`wasserstein`], [`table_coverage`], [`memorisation`] |
//! | how well does a predictor learn from a generated table? | [`utility`] |
//! | are its columns right, and its pairs of columns? | [`marginal_distances`], [`association_difference`] |
//! | are posteriors as wide as they should be? | [`sbc`], [`tarp`], [`Ranks::verdict`], [`Ranks::bands`], [`Ranks::histogram_within`] |
//! | do features agree in mean and covariance? | [`frechet`], [`frechet_between`] streamed [`Moments`]; [`kid`] |
//! | are samples good, and are they varied? | [`precision_recall`], [`density_coverage`] |
//! | do classes look distinct and all appear? | [`inception_score`] |
//! | does mass lie where no data can be? | [`off_support_mass`] |
//! | how likely is it? | [`mean_log_density`], [`parzen_log_likelihood`] |
//! | how straight, long and costly are the paths? | [`straightness`], [`path_length_ratio`], [`path_energy`] |
//! | what do fewer steps cost? | [`mean_squared_error`], [`cost_at_error`], [`psnr`], [`ssim`] |
//! | when does the noise leave? | [`noise_residual`] |
//! | where do velocities disagree? | [`velocity_spread`] |
//! | how sure is a number of my own? | [`bootstrap`] |
//!
//! Randomness comes from a seed alone, and results do not depend on the number of threads.
//!
//! ```
//! use flow_eval::{Points, floor, sliced_wasserstein};
//!
//! // Points on a circle; the samples are shifted to the right.
//! let circle = |n: u16, shift: f32| -> Vec<f32> {
//!     (0..n).flat_map(|i| [f32::from(i).cos() + shift, f32::from(i).sin()]).collect()
//! };
//! let (real, samples) = (circle(500, 0.0), circle(500, 0.4));
//! let (real, held_out) = real.split_at(500);
//! let samples = Points::new(&samples[..500], 2)?;
//! let (real, held_out) = (Points::new(real, 2)?, Points::new(held_out, 2)?);
//!
//! let metric = |a: Points, b: Points| sliced_wasserstein(a, b, 256, 0);
//! let score = metric(samples, real)?.with_floor(floor(metric, held_out, real)?);
//! assert!(score.value > 3.0 * score.floor.unwrap(), "{score}");
//! # Ok::<(), flow_eval::EvalError>(())
//! ```

mod calibration;
mod classifier;
mod density;
mod distance;
mod feature;
mod flow;
mod image;
mod support;
mod table;

mod moments;
mod points;
mod resample;
mod score;
mod standard_error;

mod error;
mod matrix;
mod pairwise;
mod random;

pub use calibration::bands::Bands;
pub use calibration::histogram::Histogram;
pub use calibration::ranks::{Ranks, sbc, tarp};
pub use calibration::verdict::Verdict;
pub use classifier::c2st::c2st;
pub use density::known::mean_log_density;
pub use density::parzen::parzen_log_likelihood;
pub use distance::assignment::wasserstein_assignment;
pub use distance::energy::energy_distance;
pub use distance::exact::{Ground, wasserstein};
pub use distance::frechet::{frechet, frechet_between};
pub use distance::kernel::Kernel;
pub use distance::mmd::{kid, mmd};
pub use distance::one_dimensional::wasserstein_1d;
pub use distance::sliced::{max_sliced_wasserstein, sliced_wasserstein};
pub use error::EvalError;
pub use feature::inception::inception_score;
pub use feature::support::{DensityCoverage, PrecisionRecall, density_coverage, precision_recall};
pub use flow::ambiguity::{Bins, VelocitySpread, velocity_spread};
pub use flow::shape::{path_energy, path_length_ratio, straightness};
pub use flow::solver_error::{cost_at_error, mean_squared_error, noise_residual};
pub use flow::trajectories::Trajectories;
pub use image::psnr::psnr;
pub use image::ssim::ssim;
pub use matrix::covariance_sqrt;
pub use moments::Moments;
pub use points::Points;
pub use resample::{Bootstrap, bootstrap};
pub use score::{Score, floor};
pub use support::off_support_mass;
pub use table::association::{association_difference, associations};
pub use table::column::Column;
pub use table::coverage::table_coverage;
pub use table::gower::Gower;
pub use table::marginal::marginal_distances;
pub use table::nearest::{Memorisation, memorisation};
pub use table::utility::utility;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
