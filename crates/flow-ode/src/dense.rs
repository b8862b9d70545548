//! The solution as a function of time.

use crate::segment::Segment;
use crate::state::State;

/// The solution at every time of the solve, by the interpolant of each step.
///
/// ```
/// use flow_ode::{Method, Problem, Stepping};
/// let decay = |_t: f64, y: &f64| -y;
/// let solution = Problem::new(&decay, (0.0, 2.0), 1.0)
///     .with_dense()
///     .solve(Method::Dopri5, &Stepping::Count(20))
///     .unwrap();
/// let dense = solution.dense.unwrap();
/// assert!((dense.at(0.77).unwrap() - (-0.77f64).exp()).abs() < 1e-6);
/// assert!(dense.at(2.1).is_none());
/// ```
#[derive(Clone, Debug)]
pub struct Dense<S> {
    start: (f64, S),
    end: f64,
    segments: Vec<Segment<S>>,
}

impl<S: State> Dense<S> {
    pub(crate) fn new(t: f64, y: S) -> Self {
        Self { start: (t, y), end: t, segments: Vec::new() }
    }

    /// Adds the next step, of which only the part up to `end` counts.
    pub(crate) fn push(&mut self, segment: Segment<S>, end: f64) {
        self.segments.push(segment);
        self.end = end;
    }

    /// First and last time, in the direction of the solve.
    ///
    /// ```
    /// # use flow_ode::{Method, Problem, Stepping};
    /// let field = |_t: f64, y: &f64| *y;
    /// let problem = Problem::new(&field, (1.0, 0.0), 1.0).with_dense();
    /// let solution = problem.solve(Method::Rk4, &Stepping::Count(4)).unwrap();
    /// assert_eq!(solution.dense.unwrap().span(), (1.0, 0.0));
    /// ```
    #[must_use]
    pub fn span(&self) -> (f64, f64) {
        (self.start.0, self.end)
    }

    /// The state at `t`, or `None` outside the span.
    ///
    /// ```
    /// # use flow_ode::{Method, Problem, Stepping};
    /// let field = |_t: f64, y: &f64| *y;
    /// let problem = Problem::new(&field, (0.0, 1.0), 1.0).with_dense();
    /// let solution = problem.solve(Method::Rk4, &Stepping::Count(4)).unwrap();
    /// assert_eq!(solution.dense.unwrap().at(1.0), Some(solution.y));
    /// ```
    #[must_use]
    pub fn at(&self, t: f64) -> Option<S> {
        let (start, end) = self.span();
        let inside = (start.min(end)..=start.max(end)).contains(&t);
        if !inside {
            return None;
        }
        let forward = start <= end;
        let before = |segment: &Segment<S>| {
            let step_end = segment.interval.t1;
            if forward { step_end < t } else { step_end > t }
        };
        let index = self.segments.partition_point(before);
        let here = self.segments.get(index);
        Some(here.map_or_else(|| self.start.1.clone(), |segment| segment.at(t)))
    }
}
