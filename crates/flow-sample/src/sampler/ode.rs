//! The probability-flow ODE, by any solver of `flow-ode`.

use std::cell::Cell;

use burn::tensor::Tensor;
use flow_ode::{Method, Problem, Stepping};
use flow_path::Prediction;

use crate::error::SampleError;
use crate::predictor::Predictor;
use crate::sampler::{Generated, Grid, Sampler};

/// Integrates `dx/dt = v(x, t)` over the span of the predictor.
///
/// With adaptive steps a batch shares its steps, so a sample depends on its batch within the
/// tolerance; on fixed steps it does not.
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
    /// A velocity is asked for at both ends of a step: the last time is moved into the span of the
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

impl<const D: usize> Sampler<D> for Ode {
    fn sample(
        &self,
        predictor: &dyn Predictor<D>,
        x0: Tensor<D>,
    ) -> Result<Generated<D>, SampleError> {
        let calls = Cell::new(0);
        let field = |t: f64, x: &Tensor<D>| {
            calls.set(calls.get() + predictor.calls(t));
            predictor.predict(Prediction::Velocity, x, t)
        };
        let (span, stepping) = match &self.advance {
            Advance::Stepping(stepping) => (predictor.span(), stepping.clone()),
            Advance::Grid(grid) => {
                let end = predictor.span().1;
                let times: Vec<f64> =
                    grid.times(predictor)?.into_iter().map(|t| t.min(end)).collect();
                ((times[0], times[times.len() - 1]), Stepping::Grid(times))
            }
        };
        let times = self.times.iter().map(|t| t.clamp(span.0, span.1)).collect();
        let solution = Problem::new(&field, span, x0)
            .with_times(times)
            .solve(self.method, &stepping)
            .map_err(|error| SampleError::Solver { reason: error.to_string() })?;
        Ok(Generated { x: solution.y, states: solution.states, nfe: calls.get() })
    }
}
