//! Golden numbers of solvers: observed orders.

use flow_ode::{Method, Stepping, solve};

use super::Bench;
use crate::error::JudgeError;

/// `r' = r (1 - r^2)` and `angle' = 1 + cos t`, in the plane.
fn field(t: f64, &[x, y]: &[f64; 2]) -> [f64; 2] {
    let (pull, turn) = (1.0 - x * x - y * y, 1.0 + t.cos());
    [pull * x - turn * y, pull * y + turn * x]
}

/// Distance from the closed form at `t = 1`, from `(0.5, 0)`.
fn error(method: Method, steps: usize) -> Result<f64, JudgeError> {
    let (r, angle) = (1.0 / (1.0 + 3.0 * (-2.0_f64).exp()).sqrt(), 1.0 + 1.0_f64.sin());
    let end = solve(&field, (0.0, 1.0), [0.5, 0.0], method, &Stepping::Count(steps));
    let end = end.map_err(|error| JudgeError::Solve(error.into()))?.y;
    Ok((end[0] - r * angle.cos()).hypot(end[1] - r * angle.sin()))
}

pub(super) fn orders(bench: &mut Bench) -> Result<(), JudgeError> {
    // Steps short enough for the leading term and long enough for rounding to be far.
    for (method, order, steps) in [
        (Method::Euler, 1.0, 256),
        (Method::Midpoint, 2.0, 128),
        (Method::Rk4, 4.0, 64),
        (Method::Dopri5, 5.0, 128),
    ] {
        let slope = (error(method, steps)? / error(method, 2 * steps)?).log2();
        bench.number(format!("{method}, {steps} and {} steps", 2 * steps), order, slope, 0.15);
    }
    Ok(())
}
