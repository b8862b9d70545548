//! What an adaptive solve costs besides its field.
//!
//! The field hands out a slope that it keeps, so that nearly all of the time is the driver's own:
//! stage sums, error norm, step control, bookkeeping. A largest step makes the number of steps
//! known.

use std::hint::black_box;

use flow_ode::{Adaptive, Method, Solution, State, Stepping, Tolerance, solve};

use crate::{Work, noise};

/// The least number of steps over the span.
const STEPS: usize = 100;

/// A solve by dopri5 of a tensor.
#[must_use]
pub fn tensors<const D: usize>(dims: [usize; D]) -> Work {
    dopri5(noise::tensor(dims, 1), noise::tensor(dims, 2))
}

/// A solve by dopri5 of `n` numbers on the host.
#[must_use]
pub fn numbers(n: usize) -> Work {
    let numbers = |seed| noise::numbers(n, seed).into_iter().map(f64::from).collect::<Vec<_>>();
    dopri5(numbers(1), numbers(2))
}

fn dopri5<S: State + Send + 'static>(y0: S, slope: S) -> Work {
    let stepping = Adaptive::new(Tolerance { atol: 1e-5, rtol: 1e-5 })
        .with_max_step(1.0 / STEPS as f64)
        .into();
    let steps = constant_slope(&y0, &slope, &stepping).stats.accepted;
    let run = move || {
        black_box(constant_slope(&y0, &slope, &stepping));
    };
    Work::new(run).with_steps(steps)
}

fn constant_slope<S: State>(y0: &S, slope: &S, stepping: &Stepping) -> Solution<S> {
    let field = |_t: f64, _y: &S| slope.clone();
    let solution = solve(&field, (0.0, 1.0), y0.clone(), Method::Dopri5, stepping);
    let Ok(solution) = solution else { unreachable!("a straight line has no error") };
    solution
}
