//! Log-densities by coarse steps, and by single probes, against `reference/likelihood_errors.py`.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;

use common::{Mixture, POINTS, dopri5, host, log_normal, rows};
use flow_ode::{Method, Stepping};
use flow_path::{Linear, Schedule, VariancePreserving};
use flow_sample::{ExactTrace, Hutchinson, Likelihood, Predictor};
use serde_json::Value;

const PLANE: ExactTrace = ExactTrace { chunk: 2 };

/// Largest and mean error of `log p`, with the exact density at the start in place of the prior's.
fn errors<S: Schedule>(field: &Mixture<S>, method: Method, steps: usize) -> [f64; 2] {
    let density = Likelihood::new(method, Stepping::Count(steps))
        .log_prob(field, rows(&POINTS, 2), &PLANE)
        .unwrap();
    let (start, end) = Predictor::span(field);
    let x0 = host(density.x0);
    let errors: Vec<f64> = density
        .nats
        .iter()
        .zip(x0.chunks(2).zip(POINTS.chunks(2)))
        .map(|(nats, (x0, x1))| {
            nats - log_normal(x0, 1.0) + field.log_density(x0, start) - field.log_density(x1, end)
        })
        .collect();
    let largest = errors.iter().fold(0.0, |largest: f64, error| largest.max(error.abs()));
    [largest, errors.iter().sum::<f64>() / errors.len() as f64]
}

fn reference() -> Value {
    serde_json::from_str(include_str!("reference/likelihood_errors.json")).unwrap()
}

fn check<S: Schedule>(name: &str, field: &Mixture<S>) {
    let table: Vec<(String, usize, f64, f64)> =
        serde_json::from_value(reference()[name].take()).unwrap();
    assert!(!table.is_empty());
    for (method, steps, largest, mean) in table {
        let got = errors(field, method.parse().unwrap(), steps);
        for (got, want) in got.iter().zip([largest, mean]) {
            // The reference differentiates by differences.
            assert!((got - want).abs() < 1e-7, "{method} x {steps}: {got}, want {want}");
        }
    }
}

#[test]
fn fixed_steps_err_as_they_do_in_another_program() {
    check("linear", &Mixture(Linear { sigma_min: 0.0 }));
    check("vp", &Mixture(VariancePreserving::default()));
}

/// With one probe fixed for the whole solve the estimate is `log p_0 - e^T S e`, `S` the integral
/// of the Jacobian's symmetric part: for signs `(1, 1)` and `(1, -1)` it is `2 S_12` too small and
/// too large.
#[test]
fn a_probe_of_two_signs_is_off_by_twice_the_shear() {
    let shears: Vec<f64> = serde_json::from_value(reference()["shears"].take()).unwrap();
    let field = Mixture(Linear { sigma_min: 0.0 });
    let exact = dopri5(1e-9).log_prob(&field, rows(&POINTS, 2), &PLANE).unwrap();
    for sign in [1.0, -1.0] {
        let probe = Hutchinson::new(vec![rows(&[1.0, sign].repeat(6), 2)]);
        let one = dopri5(1e-9).log_prob(&field, rows(&POINTS, 2), &probe).unwrap();
        for ((one, exact), shear) in one.nats.iter().zip(&exact.nats).zip(&shears) {
            let (off, want) = (exact - one, 2.0 * sign * shear);
            assert!((off - want).abs() < 1e-7, "{off}, want {want}");
        }
    }
}
