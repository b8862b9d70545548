//! The probability-flow ODE, by any solver of `flow-ode`.

use std::cell::Cell;

use burn::tensor::Tensor;
use flow_ode::{Method, Problem, Stepping};
use flow_path::Prediction;

use crate::ends::{carry_noise, first_row_not_finite, mix};
use crate::error::SampleError;
use crate::predictor::Predictor;
use crate::sampler::grid::Route;
use crate::sampler::{Generated, Grid, Sampler};

/// Integrates `dx/dt = v(x, t)` over the span of the predictor.
///
/// Where that is less than the span of the schedule, as for networks that predict the noise or the
/// data, the start is carried to its first time and the last prediction to the end, for one further
/// evaluation.
///
/// With adaptive steps a batch shares its steps: a sample depends on the other rows of its batch,
/// by about the error that the tolerance allows (0.1 on data of size 4 at 1e-5 has been seen, where
/// two samples near the border between modes part). On fixed steps and on grids a row depends on
/// itself alone.
///
/// # Reference
/// Chen et al. (2018), "Neural Ordinary Differential Equations", arXiv:1806.07366, section 4;
/// Song et al. (2021), arXiv:2011.13456, equation 13.
#[derive(Clone, Debug)]
pub struct Ode {
    method: Method,
    advance: Advance,
    times: Vec<f64>,
}

#[derive(Clone, Debug)]
enum Advance {
    Stepping(Stepping),
    Grid(Grid),
}

impl Ode {
    /// A solver and how it advances.
    #[must_use]
    pub fn new(method: Method, stepping: Stepping) -> Self {
        Self { method, advance: Advance::Stepping(stepping), times: Vec::new() }
    }

    /// A solver with one step between neighbouring times of a grid.
    ///
    /// A velocity is asked for at both ends of a step: the last step ends within the span of the
    /// predictor.
    #[must_use]
    pub fn on_grid(method: Method, grid: Grid) -> Self {
        Self { method, advance: Advance::Grid(grid), times: Vec::new() }
    }

    /// Asks for the states at these times, in increasing order.
    #[must_use]
    pub fn with_times(mut self, times: Vec<f64>) -> Self {
        self.times = times;
        self
    }
}

impl Sampler for Ode {
    fn sample(&self, predictor: &dyn Predictor, x0: Tensor<2>) -> Result<Generated, SampleError> {
        let schedule = predictor.schedule();
        let Way { from, span, last, stepping } = self.way(predictor)?;
        if x0.dims()[0] == 0 {
            let states = vec![x0.clone(); self.times.len()];
            return Ok(Generated { x: x0, states, nfe: 0 });
        }
        let calls = Cell::new(0);
        let predict = |what: Prediction, t: f64, x: &Tensor<2>| {
            calls.set(calls.get() + predictor.calls(t));
            predictor.predict(what, x, t)
        };
        let field = |t: f64, x: &Tensor<2>| predict(Prediction::Velocity, t, x);
        let times = self.times.iter().map(|t| t.clamp(span.0, span.1)).collect();
        let start = carry_noise(x0.clone(), schedule, from, span.0);
        let mut solution = Problem::new(&field, span, start)
            .with_times(times)
            .solve(self.method, &stepping)
            .map_err(|error| match first_row_not_finite(&x0) {
                Some(row) => SampleError::NotFinite { row, t: from },
                None => SampleError::Solver { reason: error.to_string() },
            })?;
        let at_end = solution.y.clone();
        if span.1 < last {
            let data = predict(Prediction::Data, span.1, &at_end);
            let to = |t: f64| {
                let (from, to) = (schedule.at(span.1), schedule.at(t));
                mix(at_end.clone(), data.clone(), (&from, &to), 1.0)
            };
            solution.y = to(last);
            for (state, &t) in solution.states.iter_mut().zip(&self.times) {
                if span.1 < t {
                    *state = to(t.min(last));
                }
            }
        }
        for (state, &t) in solution.states.iter_mut().zip(&self.times) {
            if t < span.0 {
                *state = carry_noise(x0.clone(), schedule, from, t.max(from));
            }
        }
        match first_row_not_finite(&solution.y) {
            Some(row) => Err(SampleError::NotFinite { row, t: last }),
            None => Ok(Generated { x: solution.y, states: solution.states, nfe: calls.get() }),
        }
    }
}

/// How a solve runs: the state is handed over at `from`, solved for over `span` and carried on to
/// `last`.
struct Way {
    from: f64,
    span: (f64, f64),
    last: f64,
    stepping: Stepping,
}

impl Ode {
    fn way(&self, predictor: &dyn Predictor) -> Result<Way, SampleError> {
        let span = predictor.span();
        match &self.advance {
            Advance::Stepping(stepping) => {
                let (from, last) = predictor.schedule().span();
                Ok(Way { from, span, last, stepping: stepping.clone() })
            }
            Advance::Grid(grid) => {
                let Route { from, mut times } = grid.route(predictor)?;
                let last = times.pop().unwrap_or(from);
                let end = last.min(span.1);
                if times.last().is_none_or(|&t| t < end) {
                    times.push(end);
                }
                Ok(Way { from, span: (times[0], end), last, stepping: Stepping::Grid(times) })
            }
        }
    }
}
