//! Given states carried along the flow between any two of its times.

use std::cell::Cell;

use burn::tensor::Tensor;
use flow_ode::{Method, Problem, Stepping};
use flow_path::Prediction;

use crate::ends::first_row_not_finite;
use crate::error::SampleError;
use crate::predictor::Predictor;
use crate::sampler::Generated;

/// Integrates `dx/dt = v(x, t)` from `times[0]`, where the state is `x`, through the other times:
/// all after it, in increasing order, or all before it, in decreasing order. The states at these
/// are kept; the last of them is the result.
///
/// A velocity is asked for within the span of the predictor alone: states outside it, as of a
/// network that predicts noise or data at the ends, cannot be carried.
///
/// # Shapes
/// - `x` and each state: `[B, d]`
///
/// # Errors
/// [`SampleError::OutsideSpan`] and [`SampleError::GridOrder`] for other times, and when the solver
/// fails or a state is not finite.
pub fn push(
    predictor: &dyn Predictor,
    x: Tensor<2>,
    times: &[f64],
    method: Method,
    stepping: &Stepping,
) -> Result<Generated, SampleError> {
    let &[from, .., to] = times else {
        return Err(SampleError::ShortGrid { times: times.len() });
    };
    let (start, end) = predictor.span();
    if let Some(&t) = times.iter().find(|t| !(start..=end).contains(*t)) {
        return Err(SampleError::OutsideSpan { t, start, end });
    }
    let forward = from <= to;
    let wrong = |pair: &[f64]| if forward { pair[1] < pair[0] } else { pair[0] < pair[1] };
    if let Some(at) = times.windows(2).position(wrong) {
        let (t, before) = (times[at + 1], times[at]);
        return Err(SampleError::GridOrder { index: at + 1, t, before });
    }
    let kept = &times[1..];
    if x.dims()[0] == 0 || from.total_cmp(&to).is_eq() {
        let states = vec![x.clone(); kept.len()];
        return Ok(Generated { x, states, nfe: 0, stopped: None });
    }
    let calls = Cell::new(0);
    let field = |t: f64, x: &Tensor<2>| {
        calls.set(calls.get() + predictor.calls(t));
        predictor.predict(Prediction::Velocity, x, t)
    };
    let solution = Problem::new(&field, (from, to), x.clone())
        .with_times(kept.to_vec())
        .solve(method, stepping)
        .map_err(|error| match first_row_not_finite(&x) {
            Some(row) => SampleError::NotFinite { row, t: from },
            None => SampleError::Solver { reason: error.to_string() },
        })?;
    match first_row_not_finite(&solution.y) {
        Some(row) => Err(SampleError::NotFinite { row, t: to }),
        None => Ok(Generated {
            x: solution.y,
            states: solution.states,
            nfe: calls.get(),
            stopped: None,
        }),
    }
}
