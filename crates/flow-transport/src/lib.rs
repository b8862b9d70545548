//! Optimal transport between finite sets, on the host and in double precision.
//!
//! Each pair of a row of one set and a row of another has a cost, in a [`CostMatrix`], for example
//! their [`squared_distances`]. Five questions are answered about it:
//!
//! | question | answer |
//! |---|---|
//! | which pairing, one to one, has the least cost? | [`assign`], square or not |
//! | the same, for only some of the rows | [`assign_some`] |
//! | the plan between sets with masses, or of different sizes | [`transport`] |
//! | a plan smoothed by entropy | [`Entropic`], by Sinkhorn's iteration in the log domain |
//! | a plan that may create and destroy mass | [`Entropic`] with a `relaxation` |
//!
//! Costs are finite, or infinite for a pair that is forbidden; anything else is refused by name,
//! and no finite `f32` coordinate overflows. A problem without a solution is an error with its
//! reason, and a plan says how far its marginals are from what was asked. Nothing is random and no
//! state is kept: the same costs give the same bits, whatever the number of threads.

mod assignment;
mod cost;
mod distance;
mod entropic;
mod error;
mod masses;
mod newton;
mod partial;
mod plan;
mod potentials;
mod scan;
mod stop;

pub use assignment::{Assignment, assign};
pub use cost::CostMatrix;
pub use distance::squared_distances;
pub use entropic::{Entropic, Epsilon};
pub use error::TransportError;
pub use masses::{Shipment, transport};
pub use partial::{PartialAssignment, assign_some};
pub use plan::Plan;
pub use stop::Stop;

/// The examples of the README, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
