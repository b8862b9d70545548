//! The loops: one over a fixed grid, one in which the error chooses the steps.

use crate::adaptive::{Adaptive, ErrorWeights};
use crate::controller::Control;
use crate::error::OdeError;
use crate::field::{Counted, VectorField};
use crate::fit::{Fit, fit, resolution};
use crate::initial::first_step;
use crate::multistep::{Adams, History};
use crate::record::{Next, Record};
use crate::segment::{Interval, Segment, terms};
use crate::state::State;
use crate::stepping::Grid;
use crate::tableau::{ErrorEstimate, Tableau};

/// Where a solve ended: time and state.
pub(crate) type End<S> = Result<(f64, S), OdeError<S>>;

/// Runge-Kutta steps over a fixed grid.
pub(crate) fn runge_kutta_on_grid<S: State, F: VectorField<S>>(
    tableau: &'static Tableau,
    field: &Counted<'_, F>,
    grid: &Grid<'_>,
    mut y: S,
    record: &mut Record<'_, S>,
) -> End<S> {
    let mut slope = None;
    for (start, end) in grid.steps() {
        let interval = Interval::new(start, end);
        let k1 = slope.take().unwrap_or_else(|| field.eval(interval.node(0.0), &y));
        let mut step = Segment::runge_kutta(tableau, field, interval, y, k1);
        if S::ON_HOST && !step.y1.all_finite() {
            return Err(not_finite(step));
        }
        match record.accept(&mut step, field) {
            Next::Continue => {}
            Next::Stop(t, y) => return Ok((t, y)),
            Next::NotFinite => return Err(not_finite(step)),
        }
        (y, slope) = (step.y1, step.end_slope);
    }
    Ok((grid.end, y))
}

/// Adams steps over a fixed grid, started by a Runge-Kutta method of at least the same order.
pub(crate) fn adams_on_grid<S: State, F: VectorField<S>>(
    adams: Adams,
    field: &Counted<'_, F>,
    grid: &Grid<'_>,
    mut y: S,
    record: &mut Record<'_, S>,
) -> End<S> {
    let mut history = History::new(adams);
    let mut slope = None;
    for (start, end) in grid.steps() {
        let interval = Interval::new(start, end);
        let f0 = slope.take().unwrap_or_else(|| field.eval(interval.t0, &y));
        let mut step = history.step(field, interval, y, f0);
        if S::ON_HOST && !step.y1.all_finite() {
            return Err(not_finite(step));
        }
        match record.accept(&mut step, field) {
            Next::Continue => {}
            Next::Stop(t, y) => return Ok((t, y)),
            Next::NotFinite => return Err(not_finite(step)),
        }
        (y, slope) = (step.y1, step.end_slope);
    }
    Ok((grid.end, y))
}

/// Runge-Kutta steps as large as the tolerance allows.
pub(crate) fn adaptively<S: State, F: VectorField<S>>(
    tableau: &'static Tableau,
    exponent: f64,
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
        return Err(OdeError::NonFinite { t, h: 0.0, y });
    }
    let mut h = if let Some(h) = settings.first_step {
        h
    } else {
        let k1 = slope.as_ref().expect("the slope was evaluated above");
        let found = first_step(field, begin(t, target), &y, k1, settings, exponent);
        let Some(h) = found else { return Err(OdeError::NonFinite { t, h: 0.0, y }) };
        h
    };

    while t != t1 {
        if record.attempts() >= settings.max_steps {
            let limit = settings.max_steps;
            return Err(OdeError::StepLimit { t, h: direction * h, y, limit });
        }
        h = h.min(settings.max_step).max(resolution(t));
        let Fit { end: next, cut_short } = fit(t, target, h, control.after_rejection());
        let interval = Interval::new(t, next).beside_jumps(is_jump(t), is_jump(next));
        let k1 = slope.take().unwrap_or_else(|| field.eval(interval.node(0.0), &y));
        let mut step = Segment::runge_kutta(tableau, field, interval, y, k1);
        let tried = interval.h().abs();
        let error = local_error(tableau, &step, settings);
        if error <= 1.0 {
            let grown = tried * control.accept(error);
            match record.accept(&mut step, field) {
                Next::Continue => {}
                Next::Stop(t, y) => return Ok((t, y)),
                Next::NotFinite => return Err(not_finite(step)),
            }
            h = if cut_short { grown.max(h) } else { grown };
            (t, y) = (next, step.y1);
            slope = step.end_slope.filter(|_| !is_jump(t));
            if t == target {
                target = jumps.next().unwrap_or(t1);
            }
        } else {
            record.reject();
            h = tried * control.reject(error);
            y = step.y0;
            slope = Some(step.stages.swap_remove(0));
            if h < resolution(t) {
                let h = direction * h;
                return Err(if error.is_finite() {
                    OdeError::StepUnderflow { t, h, y }
                } else {
                    OdeError::NonFinite { t, h, y }
                });
            }
        }
    }
    Ok((t, y))
}

/// A step that leads to numbers that are not finite, at its end or inside it.
fn not_finite<S>(step: Segment<S>) -> OdeError<S> {
    let Interval { t0, t1, .. } = step.interval;
    OdeError::NonFinite { t: t0, h: t1 - t0, y: step.y0 }
}

/// Error of a step over its tolerance; the one read from the device.
fn local_error<S: State>(tableau: &Tableau, step: &Segment<S>, settings: &Adaptive) -> f64 {
    let h = step.interval.h();
    let estimate = |scale: f64, weights: &[f64]| {
        let error = S::untracked_sum(&terms(scale, weights, step.slopes()));
        error.norms(&step.y0, &step.y1, &settings.tol, settings.norm)
    };
    match tableau.error {
        ErrorEstimate::None => 0.0,
        ErrorEstimate::Embedded { weights, shampine, .. } => {
            let scale = match settings.weights {
                ErrorWeights::Hairer => h,
                ErrorWeights::Shampine => h * shampine,
            };
            estimate(scale, weights).worst()
        }
        ErrorEstimate::Dop853 { e5, e3 } => {
            let (e5, e3) = estimate(1.0, e5).worst_with(estimate(1.0, e3));
            dop853_error(h, e5, e3)
        }
    }
}

/// `|h| e5^2 / sqrt(e5^2 + 0.01 e3^2)`, the joint estimate of DOP853.
pub(crate) fn dop853_error(h: f64, e5: f64, e3: f64) -> f64 {
    if e5 == 0.0 { 0.0 * e3 } else { h.abs() * e5 * (e5 / (e5 * e5 + 0.01 * e3 * e3).sqrt()) }
}
