//! The reason why a search for a plan ended.

use std::fmt;

/// Why the sweeps for a plan ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stop {
    /// The marginals were met to the tolerance.
    Converged,
    /// The largest number of sweeps was made.
    Iterations,
    /// The error no longer fell: rounding, or forbidden pairs that no plan can avoid.
    Stalled,
    /// The caller asked to stop.
    Interrupted,
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Converged => "converged",
            Self::Iterations => "all that were allowed",
            Self::Stalled => "its error no longer fell",
            Self::Interrupted => "interrupted",
        })
    }
}
