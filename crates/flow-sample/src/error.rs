//! What can go wrong while sampling.

use flow_ode::UnknownMethod;

/// An error of a sampler.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SampleError {
    /// The solver gave up.
    #[error("the solver stopped: {reason}")]
    Solver {
        /// The solver's own message, with its time and step.
        reason: String,
    },
    /// A solver's name is unknown.
    #[error(transparent)]
    Method(#[from] UnknownMethod),
    /// A sample is not a number.
    #[error("sample {row} is not finite at t = {t}, use more steps or a smaller tolerance")]
    NotFinite {
        /// The row of the batch.
        row: usize,
        /// The time.
        t: f64,
    },
}
