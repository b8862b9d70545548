//! Inverse problems: data that explain an observation.
//!
//! A predictor gives `E[x_1 | x_t]`. Its answer given an observation `y` of the data is
//!
//! `E[x_1 | x_t, y] = E[x_1 | x_t] + (sigma^2 / alpha) grad log p(y | x_t)`
//!
//! (Tweedie's formula with and without `y`, subtracted). Everything else follows from it by the
//! algebra between predictions, so that any sampler samples `p(x_1 | y)`. The one unknown is
//! `p(y | x_t)`, an average over all data that `x_t` may become. A method replaces it, which is the
//! only approximation:
//!
//! | method | law of `x_1` given `x_t` | costs, in evaluations forward and backward |
//! |---|---|---|
//! | [`Replacement`] | none: known entries are put in | 1, forward alone |
//! | [`Dps`] | the point `E[x_1 \| x_t]` | 1 |
//! | [`PiGdm`] | a normal law of one variance for all numbers | 1 |
//! | [`Mmps`] | the normal law of the network's own covariance | as many as its iterations |

mod answers;
mod conditioned;
mod conjugate;
mod dps;
mod evidence;
mod mmps;
mod operator;
mod pigdm;
mod replacement;

pub use answers::{Answers, Draws};
pub use conditioned::{Conditioned, Conditioning};
pub use dps::Dps;
pub use evidence::{Evidence, Measurement, Observation, ObservationNoise};
pub use mmps::Mmps;
pub use operator::{Blur, Dense, LinearOperator, Mask, Pool, Sparse, adjoint_gap};
pub use pigdm::PiGdm;
pub use replacement::Replacement;
