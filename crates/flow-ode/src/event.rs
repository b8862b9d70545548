//! Events: times at which a function of the solution passes through zero.

use crate::segment::Segment;
use crate::state::State;

/// Which crossings count.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Crossing {
    Any,
    Rising,
    Falling,
}

/// What happens at an event.
#[derive(Clone, Copy, PartialEq, Eq)]
enum AtEvent {
    Continue,
    Stop,
}

type EventFunction<'a, S> = Box<dyn Fn(f64, &S) -> f64 + 'a>;

/// A function `g(t, y)` whose zeros are looked for.
///
/// Rising and falling are meant along the integration, so mirrored when time runs backward.
///
/// A zero is noticed by the change of sign over a step and found on the method's interpolant to
/// rounding of time; two zeros within one step cancel and stay unnoticed, which
/// [`Adaptive::with_max_step`](crate::Adaptive::with_max_step) prevents. A `g` that is zero at the
/// start of a step does not fire there, only at the next crossing: its sign is taken a 256th of the
/// step later, so that it may return within the step, as a stone thrown up from the ground does.
/// One that is NaN crosses nothing. On a device each step reads what `g` reads.
///
/// ```
/// use flow_ode::{Adaptive, Event, Method, Problem, Tolerance};
///
/// // A stone dropped from 10 m.
/// let fall = |_t: f64, [_, v]: &[f64; 2]| [*v, -9.81];
/// let ground = Event::new(|_t, [height, _]: &[f64; 2]| *height).falling().terminal();
/// let adaptive = Adaptive::new(Tolerance { atol: 1e-9, rtol: 1e-9 });
/// let landed = Problem::new(&fall, (0.0, 9.0), [10.0, 0.0])
///     .with_event(ground)
///     .solve(Method::Dopri5, &adaptive.into())
///     .unwrap();
/// assert!((landed.t - (2.0 * 10.0 / 9.81_f64).sqrt()).abs() < 1e-9);
/// ```
pub struct Event<'a, S> {
    g: EventFunction<'a, S>,
    crossing: Crossing,
    then: AtEvent,
}

impl<'a, S> Event<'a, S> {
    /// An event at every zero of `g`, after which the solve goes on.
    ///
    /// ```
    /// # use flow_ode::Event;
    /// let zero = Event::new(|_t, y: &f64| *y);
    /// # let _ = zero;
    /// ```
    pub fn new(g: impl Fn(f64, &S) -> f64 + 'a) -> Self {
        Self { g: Box::new(g), crossing: Crossing::Any, then: AtEvent::Continue }
    }

    /// Counts only crossings from negative to positive.
    ///
    /// ```
    /// # use flow_ode::Event;
    /// let up = Event::new(|_t, y: &f64| *y).rising();
    /// # let _ = up;
    /// ```
    #[must_use]
    pub fn rising(self) -> Self {
        Self { crossing: Crossing::Rising, ..self }
    }

    /// Counts only crossings from positive to negative.
    ///
    /// ```
    /// # use flow_ode::Event;
    /// let down = Event::new(|_t, y: &f64| *y).falling();
    /// # let _ = down;
    /// ```
    #[must_use]
    pub fn falling(self) -> Self {
        Self { crossing: Crossing::Falling, ..self }
    }

    /// Ends the solve at the first crossing.
    ///
    /// ```
    /// # use flow_ode::Event;
    /// let stop = Event::new(|_t, y: &f64| *y - 0.5).terminal();
    /// # let _ = stop;
    /// ```
    #[must_use]
    pub fn terminal(self) -> Self {
        Self { then: AtEvent::Stop, ..self }
    }

    pub(crate) fn stops(&self) -> bool {
        self.then == AtEvent::Stop
    }

    pub(crate) fn value(&self, t: f64, y: &S) -> f64 {
        (self.g)(t, y)
    }

    /// Whether a step from `g0` to `g1` holds a crossing that counts.
    pub(crate) fn crosses(&self, g0: f64, g1: f64) -> bool {
        let rises = g0 < 0.0 && g1 >= 0.0;
        let falls = g0 > 0.0 && g1 <= 0.0;
        match self.crossing {
            Crossing::Any => rises || falls,
            Crossing::Rising => rises,
            Crossing::Falling => falls,
        }
    }
}

impl<S: State> Event<'_, S> {
    /// The time of the crossing in a complete segment, between two times and their values.
    pub(crate) fn locate(&self, segment: &Segment<S>, a: (f64, f64), b: (f64, f64)) -> f64 {
        root(|t| self.value(t, &segment.at(t)), a, b)
    }

    /// A time just inside a complete segment, and the value there: it has the sign that a `g` which
    /// is zero at the start takes on.
    pub(crate) fn just_inside(&self, segment: &Segment<S>) -> (f64, f64) {
        const INSIDE: f64 = 1.0 / 256.0;
        let t = segment.interval.node(INSIDE);
        (t, self.value(t, &segment.at(t)))
    }
}

/// An event that happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Occurrence<S> {
    /// Which event, in the order in which they were added.
    pub event: usize,
    /// When.
    pub t: f64,
    /// The state then.
    pub y: S,
}

/// A zero of `g` between `a` and `b`, at which its values have opposite signs, to rounding.
///
/// # Reference
/// Chandrupatla (1997), "A new hybrid quadratic/bisection algorithm for finding the zero of a
/// nonlinear function without using derivatives", Advances in Engineering Software 28.
fn root(g: impl Fn(f64) -> f64, (mut a, mut ga): (f64, f64), (mut b, mut gb): (f64, f64)) -> f64 {
    const ITERATIONS: usize = 200;
    let mut share = 0.5;
    for _ in 0..ITERATIONS {
        let t = a + share * (b - a);
        let gt = g(t);
        let ((c, gc), (old_b, old_gb)) =
            if gt.signum() == ga.signum() { ((a, ga), (b, gb)) } else { ((b, gb), (a, ga)) };
        (a, ga, b, gb) = (t, gt, old_b, old_gb);
        let (best, g_best) = if ga.abs() < gb.abs() { (a, ga) } else { (b, gb) };
        let resolution = 2.0 * f64::EPSILON * best.abs() + f64::MIN_POSITIVE;
        let least_share = resolution / (b - a).abs();
        if g_best == 0.0 || least_share > 0.5 {
            return best;
        }
        // Inverse quadratic interpolation where the three points look like a parabola's.
        let xi = (a - b) / (c - b);
        let phi = (ga - gb) / (gc - gb);
        let parabolic = phi * phi < xi && (1.0 - phi).powi(2) < 1.0 - xi;
        share = if parabolic {
            ga / (gb - ga) * gc / (gb - gc) + (c - a) / (b - a) * ga / (gc - ga) * gb / (gc - gb)
        } else {
            0.5
        };
        share = share.clamp(least_share, 1.0 - least_share);
    }
    if ga.abs() < gb.abs() { a } else { b }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_is_found_to_rounding() {
        let t = root(|t| t * t - 2.0, (0.0, -2.0), (2.0, 2.0));
        assert!((t - 2f64.sqrt()).abs() <= 4.0 * f64::EPSILON, "{t}");
    }

    #[test]
    fn a_flat_root_is_found_in_few_evaluations() {
        let calls = std::cell::Cell::new(0);
        let g = |t: f64| {
            calls.set(calls.get() + 1);
            (t - 0.3).powi(3)
        };
        let t = root(g, (0.0, -0.027), (1.0, 0.343));
        assert!((t - 0.3).abs() < 1e-9, "{t}");
        assert!(calls.get() < 100, "{}", calls.get());
    }

    #[test]
    fn a_function_that_turns_nan_does_not_hang() {
        let t = root(|t| if t > 0.5 { f64::NAN } else { -1.0 }, (0.0, -1.0), (1.0, 1.0));
        assert!((0.0..=1.0).contains(&t));
    }
}
