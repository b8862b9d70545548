//! One step of a solve, and the solution inside it.

use crate::field::{Counted, VectorField};
use crate::state::State;
use crate::tableau::{Interpolant, Tableau, polynomial};

/// The time from `t0` to `t1` in which one step lies.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Interval {
    pub(crate) t0: f64,
    pub(crate) t1: f64,
    /// Where the field is evaluated for `t0` and `t1`: a hair inside if the field jumps there.
    first: f64,
    last: f64,
}

impl Interval {
    pub(crate) fn new(t0: f64, t1: f64) -> Self {
        Self { t0, t1, first: t0, last: t1 }
    }

    /// The same interval, evaluated on its own side of a jump at either end.
    pub(crate) fn beside_jumps(self, at_start: bool, at_end: bool) -> Self {
        let first = if at_start { toward(self.t0, self.t1) } else { self.t0 };
        let last = if at_end { toward(self.t1, self.t0) } else { self.t1 };
        Self { first, last, ..self }
    }

    pub(crate) fn h(&self) -> f64 {
        self.t1 - self.t0
    }

    /// The time of node `c`, never outside the interval, whatever the rounding.
    pub(crate) fn node(&self, c: f64) -> f64 {
        if c == 0.0 {
            self.first
        } else if c == 1.0 {
            self.last
        } else {
            let (low, high) = (self.first.min(self.last), self.first.max(self.last));
            (self.t0 + c * self.h()).clamp(low, high)
        }
    }
}

/// The number next to `from` on the way to `to`.
fn toward(from: f64, to: f64) -> f64 {
    if to > from { from.next_up() } else { from.next_down() }
}

/// One step: its states, its slopes and how to go between them.
#[derive(Clone, Debug)]
pub(crate) struct Segment<S> {
    pub(crate) interval: Interval,
    pub(crate) y0: S,
    pub(crate) y1: S,
    /// Slopes of the method, the first that at the start, all but that at the end.
    pub(crate) stages: Vec<S>,
    /// `f(t1, y1)` where it is known: the next step starts from it.
    pub(crate) end_slope: Option<S>,
    /// Stages that only the interpolant needs.
    extra: Vec<S>,
    interpolant: &'static Interpolant,
}

impl<S: State> Segment<S> {
    /// Takes a Runge-Kutta step from `y0`, where the slope is `k1`.
    pub(crate) fn runge_kutta<F: VectorField<S>>(
        tableau: &'static Tableau,
        field: &Counted<'_, F>,
        interval: Interval,
        y0: S,
        k1: S,
    ) -> Self {
        let h = interval.h();
        let mut stages = Vec::with_capacity(tableau.stages());
        stages.push(k1);
        for i in 1..tableau.evals_per_step() {
            let y = y0.combine(&terms(h, tableau.a[i], &stages));
            stages.push(field.eval(interval.node(tableau.c[i]), &y));
        }
        let y1 = y0.combine(&terms(h, tableau.b, &stages));
        let end_slope = tableau.fsal.then(|| field.eval(interval.node(1.0), &y1));
        Self { end_slope, ..Self::of_slopes(interval, y0, y1, stages, &tableau.interpolant) }
    }

    /// A step between known states, with the cubic of their slopes between them.
    pub(crate) fn hermite(interval: Interval, y0: S, y1: S, f0: S, f1: Option<S>) -> Self {
        let step = Self::of_slopes(interval, y0, y1, vec![f0], &Interpolant::Hermite);
        Self { end_slope: f1, ..step }
    }

    /// A step between known states, whose interpolant needs these slopes, the first that at the
    /// start, and perhaps that at the end.
    pub(crate) fn of_slopes(
        interval: Interval,
        y0: S,
        y1: S,
        stages: Vec<S>,
        interpolant: &'static Interpolant,
    ) -> Self {
        Self { interval, y0, y1, stages, end_slope: None, extra: Vec::new(), interpolant }
    }

    /// Evaluates what the interpolant lacks: the slope at the end, or further stages.
    pub(crate) fn complete<F: VectorField<S>>(&mut self, field: &Counted<'_, F>) {
        match self.interpolant {
            Interpolant::Linear | Interpolant::Polynomial { .. } => {}
            Interpolant::Hermite => {
                let slope = || field.eval(self.interval.node(1.0), &self.y1);
                self.end_slope.get_or_insert_with(slope);
            }
            Interpolant::Extended { c, a, .. } => {
                while self.extra.len() < c.len() {
                    let i = self.extra.len();
                    let y = self.y0.combine(&terms(self.interval.h(), a[i], self.slopes()));
                    self.extra.push(field.eval(self.interval.node(c[i]), &y));
                }
            }
        }
    }

    /// Whether what [`Segment::complete`] evaluated is finite.
    pub(crate) fn interpolates_finitely(&self) -> bool {
        self.end_slope.iter().chain(&self.extra).all(S::all_finite)
    }

    /// The solution at `t`, once the segment is complete; at the ends exactly the states there.
    pub(crate) fn at(&self, t: f64) -> S {
        if t == self.interval.t1 {
            return self.y1.clone();
        }
        if t == self.interval.t0 {
            return self.y0.clone();
        }
        let h = self.interval.h();
        let theta = ((t - self.interval.t0) / h).clamp(0.0, 1.0);
        match self.interpolant {
            Interpolant::Linear => self.y0.combine(&[(-theta, &self.y0), (theta, &self.y1)]),
            Interpolant::Hermite => {
                let f1 = self.end_slope.as_ref().expect("a complete segment knows its end slope");
                let step = theta * theta * (3.0 - 2.0 * theta);
                self.y0.combine(&[
                    (-step, &self.y0),
                    (step, &self.y1),
                    (h * theta * (1.0 - theta) * (1.0 - theta), &self.stages[0]),
                    (-h * theta * theta * (1.0 - theta), f1),
                ])
            }
            Interpolant::Polynomial { weights, .. } | Interpolant::Extended { weights, .. } => {
                let b: Vec<f64> = weights.iter().map(|w| polynomial(w, theta)).collect();
                self.y0.combine(&terms(h, &b, self.slopes()))
            }
        }
    }

    /// Whether both states and all slopes are finite.
    pub(crate) fn is_finite(&self) -> bool {
        [&self.y0, &self.y1].into_iter().chain(self.slopes()).all(S::all_finite)
    }

    /// All slopes in the order of the weights.
    pub(crate) fn slopes(&self) -> impl Iterator<Item = &S> {
        self.stages.iter().chain(&self.end_slope).chain(&self.extra)
    }
}

/// The terms `h w_i k_i` of a sum, without those whose weight is 0.
pub(crate) fn terms<'a, S: 'a>(
    h: f64,
    weights: &[f64],
    slopes: impl IntoIterator<Item = &'a S>,
) -> Vec<(f64, &'a S)> {
    let pairs = weights.iter().zip(slopes);
    pairs.filter(|(w, _)| **w != 0.0).map(|(w, k)| (h * w, k)).collect()
}
