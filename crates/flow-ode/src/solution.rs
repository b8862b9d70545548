//! The result of a solve.

use crate::dense::Dense;
use crate::event::Occurrence;
use crate::stats::Stats;

/// The outcome of a solve.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Solution<S> {
    /// Where the solve ended: the end of the span, or the time of a terminal event.
    pub t: f64,
    /// The state there.
    pub y: S,
    /// What it took.
    pub stats: Stats,
    /// The states at the times of [`Problem::with_times`](crate::Problem::with_times), one for
    /// each time that was reached.
    pub states: Vec<S>,
    /// With [`Problem::with_path`](crate::Problem::with_path), the start and every step's end.
    pub path: Vec<(f64, S)>,
    /// With [`Problem::with_dense`](crate::Problem::with_dense), the solution in between.
    pub dense: Option<Dense<S>>,
    /// Events in the order of time.
    pub events: Vec<Occurrence<S>>,
}

/// A step just taken, as an observer sees it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Accepted<'a, S> {
    /// Number of the step, from 0.
    pub index: usize,
    /// Its start.
    pub t0: f64,
    /// Its end.
    pub t: f64,
    /// The state at its end.
    pub y: &'a S,
}
