#![allow(
    unreachable_pub,
    dead_code,
    reason = "a module of test binaries, each of which uses its share"
)]
//! The problems that several tests share, with their answers.

use flow_ode::{Adaptive, Tolerance, VectorField};
use serde::Deserialize;

mod mixture;

/// A problem with its answer and what torchdiffeq's `dopri5` made of it.
#[derive(Deserialize)]
pub struct Reference {
    pub name: String,
    pub t0: f64,
    pub t1: f64,
    pub y0: Vec<f64>,
    pub answer: Vec<f64>,
    pub times: Vec<f64>,
    pub at_times: Vec<Vec<f64>>,
    pub torchdiffeq: std::collections::BTreeMap<String, Run>,
}

/// Evaluations and greatest error at the end.
#[derive(Deserialize)]
pub struct Run {
    pub evals: usize,
    pub error: f64,
}

impl VectorField<Vec<f64>> for Reference {
    fn eval(&self, t: f64, y: &Vec<f64>) -> Vec<f64> {
        match (self.name.as_str(), y.as_slice()) {
            ("exp_decay" | "A1", [y]) => vec![-y],
            ("oscillator", [x, v]) => vec![*v, -9.0 * x],
            ("logistic", [y]) => vec![y * (1.0 - y)],
            ("lotka_volterra", [x, y]) => vec![1.5 * x - x * y, x * y - 3.0 * y],
            ("radial_nonautonomous", [x, z]) => {
                let (pull, turn) = (1.0 - x * x - z * z, 1.0 + t.cos());
                vec![x * pull - turn * z, z * pull + turn * x]
            }
            ("A3", [y]) => vec![y * t.cos()],
            ("B1", [a, b]) => vec![2.0 * (a - a * b), -(b - a * b)],
            ("B4", [a, b, c]) => {
                let r = a.hypot(*b);
                vec![-b - a * c / r, a - b * c / r, a / r]
            }
            ("gmm_ot", y) => mixture::velocity(&mixture::linear(t), y),
            ("gmm_vp", y) => mixture::velocity(&mixture::variance_preserving(t), y),
            (name, y) => panic!("no field for {name} with {} components", y.len()),
        }
    }
}

impl Reference {
    pub fn span(&self) -> (f64, f64) {
        (self.t0, self.t1)
    }
}

/// All eleven.
pub fn all() -> Vec<Reference> {
    #[derive(Deserialize)]
    struct File {
        problems: Vec<Reference>,
    }
    let file: File = serde_json::from_str(include_str!("../reference/problems.json")).unwrap();
    file.problems
}

/// The one of this name.
#[allow(dead_code, reason = "each test binary uses its share of this module")]
pub fn named(name: &str) -> Reference {
    all().into_iter().find(|problem| problem.name == name).unwrap()
}

/// Adaptive steps with both tolerances `tol`.
pub fn within(tol: f64) -> Adaptive {
    Adaptive::new(Tolerance { atol: tol, rtol: tol })
}

/// Greatest absolute difference of two states.
pub fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}
