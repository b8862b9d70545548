//! The size of the first step, from the sizes of the state, its slope and its curvature.
//!
//! # Reference
//! Hairer, Nørsett & Wanner (1993), "Solving Ordinary Differential Equations I", second edition,
//! section II.4, "Starting step size".

use crate::adaptive::Adaptive;
use crate::field::{Counted, VectorField};
use crate::segment::Interval;
use crate::state::State;

/// A first step no longer than the interval; `None` if state or slope is not finite. It costs one
/// evaluation, or none where a slope is too steep for its tolerance to be measured: without an
/// absolute tolerance, any slope is so for a component that is zero.
pub(crate) fn first_step<S: State, F: VectorField<S>>(
    field: &Counted<'_, F>,
    interval: Interval,
    y0: &S,
    f0: &S,
    settings: &Adaptive,
    exponent: f64,
) -> Option<f64> {
    let longest = interval.h().abs().min(settings.max_step);
    let norm = |x: &S| settings.norms(x, y0, y0);
    let (d0, d1) = norm(y0).worst_with(norm(f0));
    if !(d0.is_finite() && d1.is_finite()) {
        let finite = y0.all_finite() && f0.all_finite();
        return finite.then_some(LEAST_GUESS.min(longest));
    }
    let h0 = first_guess(d0, d1, longest);
    let signed = h0.copysign(interval.h());
    let f1 = field.eval(interval.node(signed / interval.h()), &y0.combine(&[(signed, f0)]));
    let d2 = norm(&S::untracked_sum(&[(1.0, &f1), (-1.0, f0)])).worst() / h0;
    Some(second_guess(h0, d1, d2, longest, exponent))
}

/// The first step where state and slope do not say how long it may be.
pub(crate) const LEAST_GUESS: f64 = 1e-6;

/// A step in which the state changes by a hundredth, judged by state and slope alone.
pub(crate) fn first_guess(d0: f64, d1: f64, longest: f64) -> f64 {
    let h0 = if d0 < 1e-5 || d1 < 1e-5 { LEAST_GUESS } else { 0.01 * d0 / d1 };
    h0.min(longest)
}

/// The first step, once the curvature `d2` over the guess `h0` is known.
pub(crate) fn second_guess(h0: f64, d1: f64, d2: f64, longest: f64, exponent: f64) -> f64 {
    let steepest = if d1 > d2 || d2.is_nan() { d1 } else { d2 };
    let h1 =
        if steepest <= 1e-15 { (h0 * 1e-3).max(1e-6) } else { (0.01 / steepest).powf(exponent) };
    (100.0 * h0).min(h1).min(longest)
}
