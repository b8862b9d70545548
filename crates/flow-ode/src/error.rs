//! Errors of a solve, with the last good state where there is one.

use std::fmt;

use crate::Method;
use crate::fit::resolution;

/// Why a solve stopped short.
///
/// Failures under way carry the last good state `y` at time `t`, so that the work up to there is
/// not lost: see [`OdeError::last`].
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum OdeError<S> {
    /// No step above the resolution of time satisfies the tolerance.
    #[error(
        "no step from t = {t}{} meets the tolerance: {h:e} would be below the resolution of time; \
         {}", InRow(*.row), .held_by.advice("or stop before a singularity")
    )]
    StepUnderflow {
        /// Time of the last good state.
        t: f64,
        /// Size of the step that was refused.
        h: f64,
        /// The last good state.
        y: S,
        /// What kept the steps small.
        held_by: HeldBy,
        /// The row, where each has its own steps.
        row: Option<usize>,
    },
    /// The state or the field is NaN or infinite, however small the step.
    #[error(
        "the state or the field is not finite {}{}; check the field there and the numbers that it \
         is made of; on a fixed grid, smaller steps may help", Within(*.t, *.h), InRow(*.row)
    )]
    NonFinite {
        /// Time of the last good state. A fixed grid on a device is looked at only at its end: then
        /// that is the start.
        t: f64,
        /// Length of the time from there in which the numbers fail, 0 if they do at `t`.
        h: f64,
        /// The last good state.
        y: S,
        /// The row, where each has its own steps, or at the end of a fixed grid on a device.
        row: Option<usize>,
    },
    /// The linear system of a step of an implicit method has no solution.
    #[error(
        "the linear system of the step {} is singular; try another step, or check the Jacobian \
         there", Within(*.t, *.h)
    )]
    Singular {
        /// Time of the last good state.
        t: f64,
        /// Size of the step that failed.
        h: f64,
        /// The last good state.
        y: S,
    },
    /// The steps allowed are used up: `Adaptive::with_max_steps` allows more.
    #[error(
        "{limit} steps reached only t = {t}{}, the next would be {h:e}; {}",
        InRow(*.row), .held_by.advice("or allow more steps")
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
        /// What kept the steps small.
        held_by: HeldBy,
        /// The row, where each has its own steps.
        row: Option<usize>,
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
    /// Steps by row with a method that takes the batch as one.
    #[error("{method} steps a whole batch, not its rows; try dopri5 or tsit5, or solve row by row")]
    NotByRow {
        /// The method given.
        method: Method,
    },
    /// Something that needs the numbers of the state, with a state that does not give them by
    /// `State::numbers`.
    #[error(
        "{what} needs the numbers of the state on the host, which tensors and this type of state \
         do not give; try a state of plain numbers, or dopri5 with one tolerance"
    )]
    NoNumbers {
        /// What needs them: a method, or a setting.
        what: &'static str,
    },
    /// A state too large for a dense Jacobian.
    #[error(
        "{method} solves dense linear systems of at most {most} numbers, and the state has \
         {numbers}; try an explicit method, or solve smaller parts"
    )]
    TooManyNumbers {
        /// The method given.
        method: Method,
        /// Numbers of the state.
        numbers: usize,
        /// The most that the method takes.
        most: usize,
    },
}

impl<S> OdeError<S> {
    /// The last good time and state, if the solve got under way.
    ///
    /// ```
    /// use flow_ode::{Adaptive, Method, Stepping, Tolerance, solve};
    /// // y' = y^2 from 1 blows up at t = 1.
    /// let adaptive = Stepping::Adaptive(Adaptive::new(Tolerance { atol: 1e-6, rtol: 1e-6 }));
    /// let field = |_: f64, y: &f64| y * y;
    /// let error = solve(&field, (0.0, 2.0), 1.0, Method::Dopri5, &adaptive).unwrap_err();
    /// let (t, y) = error.last().unwrap();
    /// assert!((t - 1.0).abs() < 1e-3 && *y > 1e3);
    /// ```
    #[must_use]
    pub fn last(&self) -> Option<(f64, &S)> {
        match self {
            Self::StepUnderflow { t, y, .. }
            | Self::NonFinite { t, y, .. }
            | Self::Singular { t, y, .. }
            | Self::StepLimit { t, y, .. } => Some((*t, y)),
            _ => None,
        }
    }

    /// The row that failed, where that is known: in [`solve_rows`](crate::solve_rows), and at the
    /// end of a fixed grid on a device.
    ///
    /// ```
    /// use flow_ode::{Adaptive, Method, Tolerance, solve_rows};
    /// // y' = y^2: the larger start blows up first.
    /// let field = |_t: &[f64], y: &Vec<[f64; 1]>| y.iter().map(|[y]| [y * y]).collect();
    /// let adaptive = Adaptive::new(Tolerance { atol: 1e-6, rtol: 1e-6 });
    /// let end = solve_rows(&field, (0.0, 2.0), vec![[0.1], [1.0]], Method::Dopri5, &adaptive);
    /// assert_eq!(end.unwrap_err().row(), Some(1));
    /// ```
    #[must_use]
    pub fn row(&self) -> Option<usize> {
        match self {
            Self::StepUnderflow { row, .. }
            | Self::NonFinite { row, .. }
            | Self::StepLimit { row, .. } => *row,
            _ => None,
        }
    }
}

/// What kept the steps small, as far as a solve can tell when it fails.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum HeldBy {
    /// The tolerance.
    Tolerance,
    /// A tolerance without absolute part: where a component passes through zero, it asks for every
    /// digit.
    RelativeTolerance,
    /// The stability of an explicit method: the problem is stiff.
    Stability {
        /// Step times the size of the largest eigenvalue of `df/dy`, as estimated.
        h_lambda: f64,
        /// Where the method stops being stable,
        /// [`Tableau::real_stability`](crate::tableau::Tableau::real_stability).
        edge: f64,
    },
}

impl HeldBy {
    /// What to try: never what cannot help.
    fn advice(self, or_else: &str) -> String {
        match self {
            Self::Tolerance => format!("try looser tolerances {or_else}"),
            Self::RelativeTolerance => format!(
                "try a positive `atol`, without which a component that passes through zero needs \
                 every digit, looser tolerances, {or_else}"
            ),
            Self::Stability { h_lambda, edge } => format!(
                "the problem is stiff: h |lambda| = {h_lambda:.2} lies at the edge of stability \
                 ({edge:.2}), so no tolerance makes the steps longer; try the implicit method \
                 rodas5p, for states on the host"
            ),
        }
    }
}

/// ` in row 3`, or nothing.
struct InRow(Option<usize>);

impl fmt::Display for InRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |row| write!(f, " in row {row}"))
    }
}

/// `between t = 0 and t = 1`, or `at t = 0`.
struct Within(f64, f64);

impl fmt::Display for Within {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(t, h) = self;
        // The last of the shrinking steps is a few units of rounding long: no need to print both
        // ends.
        if h.abs() <= 10.0 * resolution(*t) {
            write!(f, "at t = {t}")
        } else {
            write!(f, "between t = {t} and t = {}", t + h)
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
