//! Points on an affine path and their velocities, from noise and data in tensors; throughput is in
//! rows.

use std::hint::black_box;

use flow_benches::{Work, harness, noise};
use flow_path::{AffinePath, Linear, ProbabilityPath, Times};

fn affine(rows: usize, dim: usize) -> Work {
    let path = AffinePath::new(Linear { sigma_min: 0.0 });
    let (x0, x1) = (noise::tensor([rows, dim], 1), noise::tensor([rows, dim], 2));
    let t = Times::new((0..rows).map(|i| i as f64 / rows as f64).collect());
    Work::new(move || {
        black_box(path.sample(x0.clone(), x1.clone(), &t));
    })
}

fn main() {
    harness::run(|criterion| {
        for (rows, dim) in [(256, 2), (64, 784)] {
            let name = format!("{rows}x{dim}");
            harness::time(criterion, "affine_path", name, rows, 2, affine(rows, dim));
        }
    });
}
