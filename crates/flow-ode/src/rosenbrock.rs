//! Rosenbrock methods at work: the field made linear at the start of a step.

use crate::field::{Counted, VectorField};
use crate::linear::Factors;
use crate::segment::{Interval, Segment, terms};
use crate::state::State;
use crate::tableau::Rosenbrock;

/// A Rosenbrock method that makes one step after another, and keeps the Jacobian for another try.
pub(crate) struct Implicit<S> {
    method: &'static Rosenbrock,
    linear: Option<(f64, Linearisation<S>)>,
    /// Whether the matrix of the last step was singular, though every number in it is finite.
    pub(crate) is_singular: bool,
}

/// The derivatives of the field at a point.
struct Linearisation<S> {
    /// `df_i/dy_j`, row by row.
    jacobian: Vec<f64>,
    in_time: S,
}

impl<S: State> Implicit<S> {
    pub(crate) fn new(method: &'static Rosenbrock) -> Self {
        Self { method, linear: None, is_singular: false }
    }

    /// Takes the step from `y0`, where the slope is `f0`; the end is NaN if its matrix has no
    /// inverse.
    pub(crate) fn step<F: VectorField<S>>(
        &mut self,
        field: &Counted<'_, F>,
        interval: Interval,
        y0: S,
        f0: S,
    ) -> Segment<S> {
        let method = self.method;
        let h = interval.h();
        // A rejected step is tried again from the same time, shorter.
        let known = self.linear.take().filter(|(t, _)| *t == interval.t0);
        let (_, linear) = self
            .linear
            .insert(known.unwrap_or_else(|| (interval.t0, linearise(field, interval, &y0, &f0))));
        let n = numbers(&f0).len();
        let matrix = matrix(&linear.jacobian, n, h, method.gamma);
        let is_finite = matrix.iter().all(|x| x.is_finite());
        let factors = Factors::of(matrix, n);
        field.count_factorization();
        self.is_singular = is_finite && factors.is_none();

        // The slope at the start comes first, so that a rejected step finds it there.
        let mut slopes = vec![f0];
        for i in 0..method.stages() {
            let slope = if i == 0 {
                slopes[0].clone()
            } else {
                let y = y0.combine(&terms(h, method.a[i], &slopes[1..]));
                field.eval(interval.node(method.c[i]), &y)
            };
            let mut right = terms(1.0, method.shifts[i], &slopes[1..]);
            right.push((h * method.time[i], &linear.in_time));
            let mut k = numbers(&slope.combine(&right));
            match &factors {
                Some(factors) => factors.solve(&mut k),
                None => k.fill(f64::NAN),
            }
            slopes.push(with_numbers(&slope, &k));
        }
        let y1 = y0.combine(&terms(h, method.b, &slopes[1..]));
        Segment::of_slopes(interval, y0, y1, slopes, &method.interpolant)
    }
}

/// `I / gamma - h J`.
fn matrix(jacobian: &[f64], n: usize, h: f64, gamma: f64) -> Vec<f64> {
    let mut rows: Vec<f64> = jacobian.iter().map(|x| -h * x).collect();
    rows.iter_mut().step_by(n + 1).for_each(|diagonal| *diagonal += 1.0 / gamma);
    rows
}

/// The derivatives at the start of a step, given or by differences.
fn linearise<S: State, F: VectorField<S>>(
    field: &Counted<'_, F>,
    interval: Interval,
    y: &S,
    f: &S,
) -> Linearisation<S> {
    let t = interval.node(0.0);
    field.count_jacobian();
    let n = numbers(y).len();
    let jacobian = match field.field.jacobian(t, y) {
        Some(given) => {
            assert_eq!(given.len(), n * n, "entries of the Jacobian (given, then expected)");
            given
        }
        None => differences(field, interval, y, f),
    };
    let in_time = field.field.time_derivative(t, y).unwrap_or_else(|| {
        // Into the step, so that the field is not evaluated outside the span.
        let shift =
            (HALF_THE_DIGITS * t.abs().max(interval.h().abs())).min(0.1 * interval.h().abs());
        let later = interval.node(shift / interval.h().abs());
        let scale = if later == t { 0.0 } else { (later - t).recip() };
        f.zeros_like().combine(&[(scale, &field.eval(later, y)), (-scale, f)])
    });
    Linearisation { jacobian, in_time }
}

/// Relative size of a difference: the square root of the rounding unit, where the error of the
/// difference and that of rounding are alike.
const HALF_THE_DIGITS: f64 = 1.5e-8;

/// What moves by less than this stands still.
const TINY: f64 = 1e-290;

/// `df_i/dy_j` by forward differences.
///
/// A number is moved by a share of its size, or of its change in the step where that is larger, in
/// the direction in which the solution moves it; a field that is not finite there is asked on the
/// other side.
fn differences<S: State, F: VectorField<S>>(
    field: &Counted<'_, F>,
    interval: Interval,
    y: &S,
    f: &S,
) -> Vec<f64> {
    let (t, h) = (interval.node(0.0), interval.h());
    let (mut at, slope) = (numbers(y), numbers(f));
    let n = at.len();
    let size = |y: f64, f: f64| y.abs().max((h * f).abs());
    let largest = at.iter().zip(&slope).map(|(y, f)| size(*y, *f)).fold(0.0, f64::max);
    let mut jacobian = vec![0.0; n * n];
    for j in 0..n {
        let here = at[j];
        let sizes = [size(here, slope[j]), largest];
        let step = HALF_THE_DIGITS * sizes.into_iter().find(|size| *size > TINY).unwrap_or(1.0);
        let direction = if slope[j] == 0.0 { here } else { h * slope[j] };
        for step in [step.copysign(direction), -step.copysign(direction)] {
            at[j] = here + step;
            let moved = numbers(&field.eval(t, &with_numbers(y, &at)));
            let exact = at[j] - here;
            for (i, (moved, f)) in moved.iter().zip(&slope).enumerate() {
                jacobian[i * n + j] = (moved - f) / exact;
            }
            if moved.iter().all(|x| x.is_finite()) {
                break;
            }
        }
        at[j] = here;
    }
    jacobian
}

/// The numbers of a state that was asked for them before the solve.
fn numbers<S: State>(y: &S) -> Vec<f64> {
    y.numbers().expect("a state that has numbers at the start has them always")
}

fn with_numbers<S: State>(y: &S, numbers: &[f64]) -> S {
    y.with_numbers(numbers).expect("a state that takes numbers at the start takes them always")
}
