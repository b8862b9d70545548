//! A method at work: it makes one step after another.

use crate::error::OdeError;
use crate::field::{Counted, VectorField};
use crate::method::{Method, Scheme};
use crate::multistep::History;
use crate::rosenbrock::Implicit;
use crate::segment::{Interval, Segment};
use crate::state::State;
use crate::tableau::Tableau;

/// A method and what it remembers from step to step.
pub(crate) enum Stepper<S> {
    RungeKutta(&'static Tableau),
    Adams(History<S>),
    Rosenbrock(Implicit<S>),
}

/// The most numbers of a state for a dense Jacobian: with its factors it takes 1 GiB.
const MOST_NUMBERS: usize = 8192;

impl<S: State> Stepper<S> {
    /// The method at the start of a solve from `y0`, or why it does not take such states.
    pub(crate) fn new(method: Method, y0: &S) -> Result<Self, OdeError<S>> {
        Ok(match method.scheme() {
            Scheme::RungeKutta(tableau) => Self::RungeKutta(tableau),
            Scheme::Adams(adams) => Self::Adams(History::new(adams)),
            Scheme::Rosenbrock(rosenbrock) => {
                let numbers = y0.numbers().filter(|numbers| y0.with_numbers(numbers).is_some());
                let numbers = numbers.ok_or(OdeError::NoNumbers { what: method.name() })?.len();
                if numbers > MOST_NUMBERS {
                    return Err(OdeError::TooManyNumbers { method, numbers, most: MOST_NUMBERS });
                }
                Self::Rosenbrock(Implicit::new(rosenbrock))
            }
        })
    }

    /// Takes the step from `y0`, where the slope is `f0`.
    pub(crate) fn step<F: VectorField<S>>(
        &mut self,
        field: &Counted<'_, F>,
        interval: Interval,
        y0: S,
        f0: S,
    ) -> Segment<S> {
        match self {
            Self::RungeKutta(tableau) => Segment::runge_kutta(tableau, field, interval, y0, f0),
            Self::Adams(history) => history.step(field, interval, y0, f0),
            Self::Rosenbrock(implicit) => implicit.step(field, interval, y0, f0),
        }
    }

    /// What a step that leads to numbers that are not finite says.
    pub(crate) fn not_finite(&self, step: Segment<S>) -> OdeError<S> {
        let Interval { t0: t, t1, .. } = step.interval;
        let (h, y) = (t1 - t, step.y0);
        match self {
            Self::Rosenbrock(Implicit { is_singular: true, .. }) => OdeError::Singular { t, h, y },
            _ => OdeError::NonFinite { t, h, y, row: None },
        }
    }
}
