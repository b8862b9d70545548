//! Scores of two files of points as JSON, for comparison with other libraries.
//!
//! `cargo run --release -p flow-eval --example score_files -- A B DIM`, where A and B hold
//! little-endian `f32` numbers, row after row. `benches/peers/scores.py` calls it.
#![allow(clippy::print_stdout, reason = "an example")]

use std::error::Error;

use flow_eval::{
    Kernel, Points, Score, density_coverage, energy_distance, frechet, kid, max_sliced_wasserstein,
    mmd, precision_recall, sliced_wasserstein, wasserstein_1d, wasserstein_assignment,
};
use serde_json::{Map, json};

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [a, b, dim] = words.as_slice() else { return Err("expected A B DIM".into()) };
    let (a, b, dim) = (numbers(a)?, numbers(b)?, dim.parse::<usize>()?);
    let (a, b) = (Points::new(&a, dim)?, Points::new(&b, dim)?);

    let gaussian = Kernel::Gaussian { bandwidths: vec![1.0] };
    let mut scores: Vec<(&str, Score)> = vec![
        ("sliced", sliced_wasserstein(a, b, 20_000, 0)?),
        ("max-sliced", max_sliced_wasserstein(a, b, 256, 0)?),
        ("energy", energy_distance(a, b)?),
        ("mmd, gaussian", mmd(a, b, &gaussian)?),
        ("mmd, cubic", mmd(a, b, &Kernel::Polynomial { degree: 3 })?),
        ("kid", kid(a, b, 10, 0)?),
        ("frechet", frechet(a, b)?),
    ];
    let found = precision_recall(a, b, 3)?;
    scores.extend([("precision", found.precision), ("recall", found.recall)]);
    let found = density_coverage(a, b, 5)?;
    scores.extend([("density", found.density), ("coverage", found.coverage)]);
    if dim == 1 {
        scores.push(("w1", wasserstein_1d(a.as_slice(), b.as_slice(), 1.0)?));
    }
    if a.len() == b.len() && a.len() <= 4096 {
        scores.push(("assignment", wasserstein_assignment(a, b)?));
    }
    let mut all = Map::new();
    for (name, score) in scores {
        all.insert(name.into(), json!({ "value": score.value, "error": score.std_error }));
    }
    println!("{}", serde_json::Value::Object(all));
    Ok(())
}

fn numbers(path: &str) -> Result<Vec<f32>, Box<dyn Error>> {
    let bytes = std::fs::read(path).map_err(|error| format!("{path}: {error}"))?;
    Ok(bytes.as_chunks::<4>().0.iter().map(|four| f32::from_le_bytes(*four)).collect())
}
