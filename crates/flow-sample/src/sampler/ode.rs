//! The probability-flow ODE, by any solver of `flow-ode`.

use std::cell::{Cell, RefCell};

use burn::tensor::Tensor;
use flow_ode::{Method, Problem, Stepping};
use flow_path::Prediction;

use crate::ends::{carry_noise, first_row_not_finite, mix};
use crate::error::SampleError;
use crate::predictor::Predictor;
use crate::sampler::grid::Route;
use crate::sampler::{Generated, Sampler, Visit, Way};

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
    /// The solver.
    pub method: Method,
    /// How it advances; without it, by one step between neighbouring times of the grid.
    ///
    /// On a grid a velocity is asked for at both ends of a step: the last step ends within the span
    /// of the predictor.
    pub stepping: Option<Stepping>,
}

impl Ode {
    /// A solver and how it advances, whatever the grid.
    #[must_use]
    pub fn new(method: Method, stepping: Stepping) -> Self {
        Self { method, stepping: Some(stepping) }
    }

    /// A solver that steps along the grid.
    #[must_use]
    pub fn on_grid(method: Method) -> Self {
        Self { method, stepping: None }
    }
}

impl Sampler for Ode {
    fn sample(
        &self,
        predictor: &dyn Predictor,
        x0: Tensor<2>,
        way: &Way<'_>,
    ) -> Result<Generated, SampleError> {
        let schedule = predictor.schedule();
        let Course { from, span, last, stepping } = self.course(predictor, way)?;
        if x0.dims()[0] == 0 {
            let states = vec![x0.clone(); way.keep.len()];
            return Ok(Generated { x: x0, states, nfe: 0, stopped: None });
        }
        let calls = Cell::new(0);
        let predict = |what: Prediction, t: f64, x: &Tensor<2>| {
            calls.set(calls.get() + predictor.calls(t));
            predictor.predict(what, x, t)
        };
        let stop: RefCell<Option<(f64, Tensor<2>)>> = RefCell::new(None);
        // A solver cannot be interrupted: what is left after a stop is a field of zeros.
        let field = |t: f64, x: &Tensor<2>| match *stop.borrow() {
            Some(_) => x.zeros_like(),
            None => predict(Prediction::Velocity, t, x),
        };
        let visit = |step: usize, t: f64, x: &Tensor<2>| {
            let Some(watch) = way.watch.filter(|_| t < last && stop.borrow().is_none()) else {
                return;
            };
            let data = || predict(Prediction::Data, t, x);
            if watch(Visit { step, t, x, predict: &data }).is_break() {
                let (from, to) = (schedule.at(t), schedule.at(last));
                stop.replace(Some((t, mix(x.clone(), data(), (&from, &to), 1.0))));
            }
        };
        let times = way.keep.iter().map(|t| t.clamp(span.0, span.1)).collect();
        let start = carry_noise(x0.clone(), schedule, from, span.0);
        visit(0, span.0, &start);
        let mut solution = Problem::new(&field, span, start)
            .with_times(times)
            .with_observer(|step| visit(step.index + 1, step.t, step.y))
            .solve(self.method, &stepping)
            .map_err(|error| match first_row_not_finite(&x0) {
                Some(row) => SampleError::NotFinite { row, t: from },
                None => SampleError::Solver { reason: error.to_string() },
            })?;
        let stopped = stop.take();
        let at_end = solution.y.clone();
        if let Some((stopped, end)) = &stopped {
            solution.y = end.clone();
            for (state, t) in solution.states.iter_mut().zip(way.keep) {
                if stopped < t {
                    *state = end.clone();
                }
            }
        } else if span.1 < last {
            let data = predict(Prediction::Data, span.1, &at_end);
            let to = |t: f64| {
                let (from, to) = (schedule.at(span.1), schedule.at(t));
                mix(at_end.clone(), data.clone(), (&from, &to), 1.0)
            };
            solution.y = to(last);
            for (state, &t) in solution.states.iter_mut().zip(way.keep) {
                if span.1 < t {
                    *state = to(t.min(last));
                }
            }
        }
        for (state, &t) in solution.states.iter_mut().zip(way.keep) {
            if t < span.0 {
                *state = carry_noise(x0.clone(), schedule, from, t.max(from));
            }
        }
        match first_row_not_finite(&solution.y) {
            Some(row) => Err(SampleError::NotFinite { row, t: last }),
            None => Ok(Generated {
                x: solution.y,
                states: solution.states,
                nfe: calls.get(),
                stopped: stopped.map(|(t, _)| t),
            }),
        }
    }
}

/// How a solve runs: the state is handed over at `from`, solved for over `span` and carried on to
/// `last`.
struct Course {
    from: f64,
    span: (f64, f64),
    last: f64,
    stepping: Stepping,
}

impl Ode {
    fn course(&self, predictor: &dyn Predictor, way: &Way<'_>) -> Result<Course, SampleError> {
        let span = predictor.span();
        if let Some(stepping) = &self.stepping {
            let (from, last) = predictor.schedule().span();
            return Ok(Course { from, span, last, stepping: stepping.clone() });
        }
        let Route { from, mut times } = way.grid.route(predictor)?;
        let last = times.pop().unwrap_or(from);
        let end = last.min(span.1);
        if times.last().is_none_or(|&t| t < end) {
            times.push(end);
        }
        Ok(Course { from, span: (times[0], end), last, stepping: Stepping::Grid(times) })
    }
}
