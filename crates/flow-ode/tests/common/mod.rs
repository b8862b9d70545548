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
#[derive(Clone, Deserialize)]
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
#[derive(Clone, Deserialize)]
pub struct Run {
    pub evals: usize,
    pub error: f64,
}

impl VectorField<Vec<f64>> for Reference {
    fn eval(&self, t: f64, y: &Vec<f64>) -> Vec<f64> {
        match (self.name.as_str(), y.as_slice()) {
            ("exp_decay" | "A1", [y]) => vec![-y],
            ("exp_growth", [y]) => vec![*y],
            ("oscillator", [x, v]) => vec![*v, -9.0 * x],
            ("logistic", [y]) => vec![y * (1.0 - y)],
            ("van_der_pol", [x, v]) => vec![*v, 2.0 * (1.0 - x * x) * v - x],
            ("lotka_volterra", [x, y]) => vec![1.5 * x - x * y, x * y - 3.0 * y],
            ("sine_ode", [y]) => {
                vec![2.0 * y / t + t.powi(4) * (2.0 * t).sin() - t * t + 4.0 * t.powi(3)]
            }
            ("radial_nonautonomous", [x, z]) => {
                let (pull, turn) = (1.0 - x * x - z * z, 1.0 + t.cos());
                vec![x * pull - turn * z, z * pull + turn * x]
            }
            ("A2", [y]) => vec![-0.5 * y.powi(3)],
            ("A3", [y]) => vec![y * t.cos()],
            ("A4", [y]) => vec![0.25 * y * (1.0 - y / 20.0)],
            ("A5", [y]) => vec![(y - t) / (y + t)],
            ("B1", [a, b]) => vec![2.0 * (a - a * b), -(b - a * b)],
            ("B2", [a, b, c]) => vec![b - a, a - 2.0 * b + c, b - c],
            ("B3", [a, b, _]) => vec![-a, a - b * b, b * b],
            ("B4", [a, b, c]) => {
                let r = a.hypot(*b);
                vec![-b - a * c / r, a - b * c / r, a / r]
            }
            ("B5", [a, b, c]) => vec![b * c, -a * c, -0.51 * a * b],
            ("gmm_ot", y) => mixture::velocity(&mixture::linear(t), y),
            ("gmm_cosine", y) => mixture::velocity(&mixture::cosine(t), y),
            ("gmm_vp", y) => mixture::velocity(&mixture::variance_preserving(t), y),
            ("gmm_ve", y) => mixture::velocity(&mixture::variance_exploding(t), y),
            (name, y) => panic!("no field for {name} with {} components", y.len()),
        }
    }
}

impl Reference {
    pub fn span(&self) -> (f64, f64) {
        (self.t0, self.t1)
    }
}

/// All of them.
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
