//! The loops: one over a fixed grid, one in which the error chooses the steps.

use crate::adaptive::{Adaptive, ErrorWeights};
use crate::controller::Control;
use crate::error::{HeldBy, OdeError};
use crate::field::{Counted, VectorField};
use crate::fit::{Fit, fit, resolution};
use crate::initial::first_step;
use crate::record::{Next, Record};
use crate::segment::{Interval, Segment, terms};
use crate::state::State;
use crate::stepper::Stepper;
use crate::stepping::Grid;
use crate::stiffness::{Standstill, plain_norm};
use crate::tableau::ErrorEstimate;

/// Where a solve ended: time and state.
pub(crate) type End<S> = Result<(f64, S), OdeError<S>>;

/// Steps over a fixed grid.
pub(crate) fn on_grid<S: State, F: VectorField<S>>(
    mut stepper: Stepper<S>,
    field: &Counted<'_, F>,
    grid: &Grid<'_>,
    mut y: S,
    record: &mut Record<'_, S>,
) -> End<S> {
    let mut slope = None;
    for (start, end) in grid.steps() {
        let interval = Interval::new(start, end);
        let f0 = slope.take().unwrap_or_else(|| field.eval(interval.node(0.0), &y));
        let mut step = stepper.step(field, interval, y, f0);
        if S::ON_HOST && !step.y1.all_finite() {
            return Err(stepper.not_finite(step));
        }
        match record.accept(&mut step, field) {
            Next::Continue => {}
            Next::Stop(t, y) => return Ok((t, y)),
            Next::NotFinite => return Err(stepper.not_finite(step)),
        }
        (y, slope) = (step.y1, step.end_slope);
    }
    Ok((grid.end, y))
}

/// Steps as large as the tolerance allows.
pub(crate) fn adaptively<S: State, F: VectorField<S>>(
    mut stepper: Stepper<S>,
    (estimate, exponent): (&ErrorEstimate, f64),
    field: &Counted<'_, F>,
    (t0, t1): (f64, f64),
    mut y: S,
    settings: &Adaptive,
    record: &mut Record<'_, S>,
) -> End<S> {
    let direction = (t1 - t0).signum();
    let is_jump = |t: f64| settings.jumps.contains(&t);
    let mut jumps = settings.jumps.iter().copied().filter(|jump| *jump != t0 && *jump != t1);
    let mut target = jumps.next().unwrap_or(t1);
    let mut control = Control::new(settings.controller, exponent);
    let mut t = t0;

    let begin =
        |t: f64, target: f64| Interval::new(t, target).beside_jumps(is_jump(t), is_jump(target));
    let mut slope = Some(field.eval(begin(t, target).node(0.0), &y));
    if S::ON_HOST && !(y.all_finite() && slope.as_ref().is_some_and(S::all_finite)) {
        return Err(OdeError::NonFinite { t, h: 0.0, y, row: None });
    }
    let mut h = if let Some(h) = settings.first_step {
        h
    } else {
        let k1 = slope.as_ref().expect("the slope was evaluated above");
        let found = first_step(field, begin(t, target), &y, k1, settings, exponent);
        let Some(h) = found else {
            return Err(OdeError::NonFinite { t, h: 0.0, y, row: None });
        };
        h
    };
    let mut last = 0.0;

    while t != t1 {
        if record.attempts() >= settings.max_steps {
            let node = begin(t, target).node(0.0);
            let held_by = held_by(&stepper, field, (node, &y), h.max(last), settings);
            let (h, limit) = (direction * h, settings.max_steps);
            return Err(OdeError::StepLimit { t, h, y, limit, held_by, row: None });
        }
        h = h.min(settings.max_step).max(resolution(t));
        let Fit { end: next, cut_short } = fit(t, target, h, control.after_rejection());
        let interval = Interval::new(t, next).beside_jumps(is_jump(t), is_jump(next));
        let f0 = slope.take().unwrap_or_else(|| field.eval(interval.node(0.0), &y));
        let mut step = stepper.step(field, interval, y, f0);
        let tried = interval.h().abs();
        let error = local_error(estimate, &step, settings);
        if error <= 1.0 {
            let grown = tried * control.accept(error);
            match record.accept(&mut step, field) {
                Next::Continue => {}
                Next::Stop(t, y) => return Ok((t, y)),
                Next::NotFinite => return Err(stepper.not_finite(step)),
            }
            h = if cut_short { grown.max(h) } else { grown };
            last = tried;
            (t, y) = (next, step.y1);
            slope = step.end_slope.filter(|_| !is_jump(t));
            if t == target {
                target = jumps.next().unwrap_or(t1);
            }
        } else {
            record.reject();
            h = tried * control.reject(error);
            if h < resolution(t) {
                // An error too large for its type is no fault of the field.
                if !error.is_finite() && !step.is_finite() {
                    return Err(stepper.not_finite(step));
                }
                let at = (interval.node(0.0), &step.y0);
                let held_by = held_by(&stepper, field, at, h.max(last), settings);
                let h = direction * h;
                return Err(OdeError::StepUnderflow { t, h, y: step.y0, held_by, row: None });
            }
            y = step.y0;
            slope = Some(step.stages.swap_remove(0));
        }
    }
    Ok((t, y))
}

/// What kept the steps small; only a failed solve asks.
fn held_by<S: State, F: VectorField<S>>(
    stepper: &Stepper<S>,
    field: &Counted<'_, F>,
    (t, y): (f64, &S),
    h: f64,
    settings: &Adaptive,
) -> HeldBy {
    let Stepper::RungeKutta(tableau) = stepper else { return HeldBy::Tolerance };
    Standstill { y, h, tol: settings.tol }.held_by(tableau, |y| field.eval(t, y), plain_norm)
}

/// Error of a step over its tolerance; the one read from the device.
fn local_error<S: State>(estimate: &ErrorEstimate, step: &Segment<S>, settings: &Adaptive) -> f64 {
    let h = step.interval.h();
    let norms = |scale: f64, weights: &[f64]| {
        let error = S::untracked_sum(&terms(scale, weights, step.slopes()));
        settings.norms(&error, &step.y0, &step.y1)
    };
    match estimate {
        ErrorEstimate::None => 0.0,
        ErrorEstimate::Embedded { weights, shampine, .. } => {
            let scale = match settings.weights {
                ErrorWeights::Hairer => h,
                ErrorWeights::Shampine => h * shampine,
            };
            norms(scale, weights).worst()
        }
        ErrorEstimate::Dop853 { e5, e3 } => {
            norms(1.0, e5).worst_of(norms(1.0, e3), |e5, e3| dop853_error(h, e5, e3))
        }
    }
}

/// `|h| e5^2 / sqrt(e5^2 + 0.01 e3^2)`, the joint estimate of DOP853.
pub(crate) fn dop853_error(h: f64, e5: f64, e3: f64) -> f64 {
    if e5 == 0.0 { 0.0 * e3 } else { h.abs() * e5 * (e5 / (e5 * e5 + 0.01 * e3 * e3).sqrt()) }
}
