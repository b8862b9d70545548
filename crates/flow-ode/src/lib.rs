//! Initial-value problems over any vector space: tableaus, step control, dense output, events.

mod adaptive;
#[cfg(feature = "burn")]
mod burn;
mod controller;
mod dense;
mod drive;
mod error;
mod event;
mod field;
mod initial;
mod method;
mod multistep;
mod problem;
mod record;
mod segment;
mod solution;
mod state;
mod stepping;
pub mod tableau;

pub use adaptive::{Adaptive, ErrorWeights};
pub use controller::Controller;
pub use dense::Dense;
pub use error::{OdeError, TimeFault, TimeList, UnknownMethod};
pub use event::{Crossing, Event, Occurrence};
pub use field::VectorField;
pub use method::Method;
pub use problem::{Problem, solve};
pub use solution::{Accepted, Solution, Stats};
pub use state::{Norm, Norms, State, Tolerance, WithTolerance};
pub use stepping::Stepping;
