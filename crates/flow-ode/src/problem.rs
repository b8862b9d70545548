//! Initial-value problems and the doors to their solution.

use crate::drive::{adaptively, on_grid};
use crate::error::{OdeError, TimeList};
use crate::event::Event;
use crate::field::{Counted, VectorField};
use crate::method::Method;
use crate::record::{Record, Wishes};
use crate::solution::{Accepted, Solution};
use crate::state::{Norm, State, Tolerance};
use crate::stepper::Stepper;
use crate::stepping::{Stepping, equal_steps, given_steps, sized_steps};
use crate::times::check_times;

/// Solves `dy/dt = f(t, y)`, `y(t0) = y0` from `span.0` to `span.1`, forward or backward in time.
///
/// # Errors
/// See [`OdeError`]. The end is never `Ok` with a number that is not finite ([`State::ON_HOST`] and
/// [`State::all_finite`] say when it is looked at).
///
/// ```
/// use flow_ode::{Adaptive, Method, Tolerance, solve};
/// let decay = |_t: f64, y: &f64| -y;
/// let adaptive = Adaptive::new(Tolerance { atol: 1e-8, rtol: 1e-8 });
/// let end = solve(&decay, (0.0, 1.0), 1.0, Method::Tsit5, &adaptive.into()).unwrap();
/// assert!((end.y - (-1f64).exp()).abs() < 1e-7);
/// ```
pub fn solve<S: State, F: VectorField<S>>(
    field: &F,
    span: (f64, f64),
    y0: S,
    method: Method,
    stepping: &Stepping,
) -> Result<Solution<S>, OdeError<S>> {
    Problem::new(field, span, y0).solve(method, stepping)
}

/// An initial-value problem, and what to keep of its solution.
///
/// ```
/// use flow_ode::{Method, Problem, Stepping};
/// let field = |t: f64, _y: &f64| 2.0 * t;
/// let solution = Problem::new(&field, (0.0, 1.0), 0.0)
///     .with_times(vec![0.0, 0.3, 1.0])
///     .solve(Method::Rk4, &Stepping::Count(4))
///     .unwrap();
/// assert!((solution.states[1] - 0.09).abs() < 1e-14);
/// ```
pub struct Problem<'a, S, F> {
    field: &'a F,
    span: (f64, f64),
    y0: S,
    wishes: Wishes<'a, S>,
}

impl<'a, S: State, F: VectorField<S>> Problem<'a, S, F> {
    /// The problem `dy/dt = field(t, y)`, `y(span.0) = y0`, to be solved up to `span.1`.
    ///
    /// ```
    /// # use flow_ode::{Method, Problem, Stepping};
    /// let field = |_t: f64, y: &f64| -y;
    /// let end = Problem::new(&field, (0.0, 1.0), 1.0).solve(Method::Euler, &Stepping::Count(1));
    /// assert_eq!(end.unwrap().y, 0.0);
    /// ```
    pub fn new(field: &'a F, span: (f64, f64), y0: S) -> Self {
        let wishes = Wishes {
            times: Vec::new(),
            path: false,
            dense: false,
            events: Vec::new(),
            observers: Vec::new(),
        };
        Self { field, span, y0, wishes }
    }

    /// Asks for the states at these times, in the direction of time, repeats allowed.
    ///
    /// They come from the interpolant of the method ([`Method::dense_order`]), so that they change
    /// neither the steps nor the end state. They cost nothing either, but for `dop853` three
    /// evaluations in a step that holds a time, and for methods whose interpolant needs the slope
    /// at the end of the step one evaluation in all, if a time lies within the last step.
    ///
    /// ```
    /// # use flow_ode::{Method, Problem, Stepping};
    /// let field = |_t: f64, y: &f64| *y;
    /// let problem = Problem::new(&field, (1.0, 0.0), 1.0).with_times(vec![0.75, 0.25]);
    /// let solution = problem.solve(Method::Tsit5, &Stepping::Count(5)).unwrap();
    /// assert!((solution.states[1] - (-0.75f64).exp()).abs() < 1e-6);
    /// ```
    #[must_use]
    pub fn with_times(mut self, times: Vec<f64>) -> Self {
        self.wishes.times = times;
        self
    }

    /// Asks for the start and the end of every step.
    ///
    /// ```
    /// # use flow_ode::{Method, Problem, Stepping};
    /// let field = |_t: f64, y: &f64| *y;
    /// let problem = Problem::new(&field, (0.0, 1.0), 1.0).with_path();
    /// assert_eq!(problem.solve(Method::Heun2, &Stepping::Count(5)).unwrap().path.len(), 6);
    /// ```
    #[must_use]
    pub fn with_path(mut self) -> Self {
        self.wishes.path = true;
        self
    }

    /// Asks for the solution as a function of time, which keeps the slopes of every step.
    ///
    /// ```
    /// # use flow_ode::{Method, Problem, Stepping};
    /// let field = |_t: f64, y: &f64| *y;
    /// let problem = Problem::new(&field, (0.0, 1.0), 1.0).with_dense();
    /// let dense = problem.solve(Method::Dop853, &Stepping::Count(2)).unwrap().dense.unwrap();
    /// assert!((dense.at(0.3).unwrap() - 0.3f64.exp()).abs() < 1e-7);
    /// ```
    #[must_use]
    pub fn with_dense(mut self) -> Self {
        self.wishes.dense = true;
        self
    }

    /// Looks for an event; may be called several times.
    ///
    /// ```
    /// # use flow_ode::{Event, Method, Problem, Stepping};
    /// let field = |_t: f64, y: &f64| -y;
    /// let half = Event::new(|_t, y: &f64| y - 0.5);
    /// let problem = Problem::new(&field, (0.0, 1.0), 1.0).with_event(half);
    /// let solution = problem.solve(Method::Tsit5, &Stepping::Count(20)).unwrap();
    /// assert!((solution.events[0].t - 2f64.ln()).abs() < 1e-7);
    /// ```
    #[must_use]
    pub fn with_event(mut self, event: Event<'a, S>) -> Self {
        self.wishes.events.push(event);
        self
    }

    /// Calls `observe` after every accepted step; may be called several times.
    ///
    /// ```
    /// # use flow_ode::{Method, Problem, Stepping};
    /// let mut greatest = 0.0;
    /// let field = |_t: f64, y: &f64| 1.0 - y;
    /// let problem = Problem::new(&field, (0.0, 5.0), 0.0);
    /// let problem = problem.with_observer(|step| greatest = *step.y);
    /// problem.solve(Method::Rk4, &Stepping::Count(50)).unwrap();
    /// assert!(greatest > 0.99);
    /// ```
    #[must_use]
    pub fn with_observer(mut self, observe: impl FnMut(&Accepted<'_, S>) + 'a) -> Self {
        self.wishes.observers.push(Box::new(observe));
        self
    }

    /// Solves the problem.
    ///
    /// # Errors
    /// See [`solve`].
    ///
    /// ```
    /// # use flow_ode::{Adaptive, Method, OdeError, Problem, Tolerance};
    /// let field = |_t: f64, y: &f64| -y;
    /// let adaptive = Adaptive::new(Tolerance { atol: 1e-6, rtol: 1e-6 });
    /// let refused = Problem::new(&field, (0.0, 1.0), 1.0).solve(Method::Rk4, &adaptive.into());
    /// assert!(matches!(refused, Err(OdeError::NotAdaptive { method: Method::Rk4 })));
    /// ```
    pub fn solve(self, method: Method, stepping: &Stepping) -> Result<Solution<S>, OdeError<S>> {
        let Self { field, span, y0, wishes } = self;
        let (t0, t1) = span;
        if !(t0.is_finite() && t1.is_finite() && (t1 - t0).is_finite()) {
            return Err(OdeError::BadSpan { t0, t1 });
        }
        check_times(TimeList::Output, span, &wishes.times)?;
        let field = Counted::new(field);
        let mut record = Record::new(wishes, span, &y0);
        if S::ON_HOST && !y0.all_finite() {
            return Err(OdeError::NonFinite { t: t0, h: 0.0, y: y0, row: None });
        }
        if t0 == t1 {
            return Ok(record.finish(t0, y0, field.counts()));
        }
        let stepper = Stepper::new(method, &y0)?;
        let grid = match stepping {
            Stepping::Count(steps) => equal_steps(span, *steps)?,
            Stepping::Size(h) => sized_steps(span, *h)?,
            Stepping::Grid(times) => given_steps(span, times)?,
            Stepping::Adaptive(settings) => {
                let estimate = method.error_estimate().ok_or(OdeError::NotAdaptive { method })?;
                let settings = settings.checked(span, &y0)?;
                let (t, y) =
                    adaptively(stepper, estimate, &field, span, y0, &settings, &mut record)?;
                return Ok(record.finish(t, y, field.counts()));
            }
        };
        let start = (!S::ON_HOST).then(|| y0.clone());
        let (t, y) = on_grid(stepper, &field, &grid, y0, &mut record)?;
        match start {
            Some(start) if !y.all_finite() => {
                let unit = Tolerance { atol: 1.0, rtol: 1.0 };
                let row = y.norms(&y, &y, &unit, Norm::WorstSample).first_not_finite();
                Err(OdeError::NonFinite { t: t0, h: t - t0, y: start, row })
            }
            _ => Ok(record.finish(t, y, field.counts())),
        }
    }
}
