//! What can go wrong, with the last good state where there is one.

use std::fmt;

use crate::Method;

/// Why a solve stopped short.
///
/// Failures under way carry the last good state `y` at time `t`, so that the work up to there is
/// not lost: see [`OdeError::last`].
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum OdeError<S> {
    /// No step above the resolution of time satisfies the tolerance.
    #[error(
        "no step from t = {t} meets the tolerance: {h:e} would be below the resolution of time; \
         try looser tolerances, or stop before a singularity"
    )]
    StepUnderflow {
        /// Time of the last good state.
        t: f64,
        /// Size of the step that was refused.
        h: f64,
        /// The last good state.
        y: S,
    },
    /// The state or the field is NaN or infinite, however small the step.
    #[error(
        "the state or the field is not finite in a step of {h:e} from t = {t}; \
         try smaller steps, or check the field there"
    )]
    NonFinite {
        /// Time of the last good state.
        t: f64,
        /// Size of the step that failed, 0 if the field already fails at `t`.
        h: f64,
        /// The last good state.
        y: S,
    },
    /// The steps allowed are used up.
    #[error(
        "{limit} steps reached only t = {t}, the next would be {h:e}; \
         try looser tolerances or `Adaptive::with_max_steps`"
    )]
    StepLimit {
        /// Time of the last good state.
        t: f64,
        /// Size of the step that would have come next.
        h: f64,
        /// The last good state.
        y: S,
        /// Steps allowed, accepted and rejected ones together.
        limit: usize,
    },
    /// A tolerance that no step can be held against.
    #[error(
        "tolerances atol = {atol}, rtol = {rtol} cannot be met; \
         both must be finite and at least 0, and one of them positive"
    )]
    BadTolerance {
        /// The absolute tolerance given.
        atol: f64,
        /// The relative tolerance given.
        rtol: f64,
    },
    /// A time span that is not finite.
    #[error("the time span from {t0} to {t1} is not finite")]
    BadSpan {
        /// Start given.
        t0: f64,
        /// End given.
        t1: f64,
    },
    /// A time out of place.
    #[error("time {index} of the {list} is {t}, which {fault}")]
    BadTime {
        /// Which list of times.
        list: TimeList,
        /// Position in the list.
        index: usize,
        /// The time given.
        t: f64,
        /// What is wrong with it.
        fault: TimeFault,
    },
    /// A number out of its range, such as a step size or a count of steps.
    #[error("`{name}` is {value}; {must}")]
    BadSetting {
        /// The setting.
        name: &'static str,
        /// The value given.
        value: f64,
        /// The rule it breaks.
        must: &'static str,
    },
    /// Adaptive stepping with a method that has no error estimate.
    #[error("{method} has no error estimate to choose steps by; try dopri5, tsit5 or a fixed grid")]
    NotAdaptive {
        /// The method given.
        method: Method,
    },
}

impl<S> OdeError<S> {
    /// The last good time and state, if the solve got under way.
    ///
    /// ```
    /// use flow_ode::{Adaptive, Method, Stepping, Tolerance, solve};
    /// // y' = y^2 from 1 blows up at t = 1.
    /// let adaptive = Stepping::Adaptive(Adaptive::new(Tolerance { atol: 1e-6, rtol: 1e-6 }));
    /// let error = solve(&|_, y: &f64| y * y, (0.0, 2.0), 1.0, Method::Dopri5, &adaptive).unwrap_err();
    /// let (t, y) = error.last().unwrap();
    /// assert!((t - 1.0).abs() < 1e-3 && *y > 1e3);
    /// ```
    #[must_use]
    pub fn last(&self) -> Option<(f64, &S)> {
        match self {
            Self::StepUnderflow { t, y, .. }
            | Self::NonFinite { t, y, .. }
            | Self::StepLimit { t, y, .. } => Some((*t, y)),
            _ => None,
        }
    }
}

/// A list of times given by the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TimeList {
    /// [`Stepping::Grid`](crate::Stepping::Grid).
    Grid,
    /// [`Problem::with_times`](crate::Problem::with_times).
    Output,
    /// [`Adaptive::with_jumps`](crate::Adaptive::with_jumps).
    Jumps,
}

impl fmt::Display for TimeList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Grid => "grid",
            Self::Output => "output times",
            Self::Jumps => "jumps",
        })
    }
}

/// What is wrong with a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TimeFault {
    /// NaN or infinite.
    NotFinite,
    /// The list turns back, or stands still where it may not.
    OutOfOrder,
    /// Outside the span of the problem.
    OutsideSpan,
    /// A grid that does not begin at the start of the span.
    NotTheStart,
    /// A grid that does not finish at the end of the span.
    NotTheEnd,
}

impl fmt::Display for TimeFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotFinite => "is not finite",
            Self::OutOfOrder => "does not follow the time before it",
            Self::OutsideSpan => "lies outside the span of the problem",
            Self::NotTheStart => "is not the start of the span",
            Self::NotTheEnd => "is not the end of the span",
        })
    }
}

/// A name that is no [`Method`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown method `{name}`; try one of {}", Method::ALL.iter().map(|m| m.name()).collect::<Vec<_>>().join(", "))]
pub struct UnknownMethod {
    /// The name given.
    pub name: String,
}
