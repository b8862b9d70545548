//! Backends train alike: the same recipe from the same seed, here and there.

#![allow(clippy::unwrap_used, reason = "a failed test may panic")]
#![allow(clippy::print_stdout, reason = "shown with --nocapture")]

mod common;

use std::path::Path;

use common::{Scene, metrics, npy};

/// Largest relative difference of the mean losses of 20 steps.
///
/// Backends add in different orders, and GPUs approximate `exp` and `sin` to a few units in the
/// last place. Moving the learning rate by one such unit moves these means by 3e-8 and the samples
/// by 3e-7, another seed by 5e-2 and 1e-1: the bounds lie between, far from both.
const LOSS: f64 = 1e-3;
/// Root mean square difference of the samples, in units of the data.
const SAMPLES: f64 = 1e-2;

/// What 200 steps led to.
struct Run {
    /// Mean losses of 20 steps.
    losses: Vec<f64>,
    samples: Vec<f32>,
}

fn run(device: &str, seed: u64) -> Run {
    let scene = Scene::new();
    let device = format!("--device {device}");
    scene.train("run", &format!("--seed {seed} {device}"));
    scene.ok(&format!("sample run -n 500 --solver rk4 --steps 20 --out x.npy {device}"));
    let losses = losses(&scene.path("run"));
    let windows = losses.chunks(20).map(|w| w.iter().sum::<f64>() / w.len() as f64).collect();
    let (_, samples) = npy(&scene.path("x.npy"));
    Run { losses: windows, samples }
}

/// The loss of each step.
fn losses(run: &Path) -> Vec<f64> {
    let losses: Vec<f64> =
        metrics(run, "train").iter().map(|line| line["loss"].as_f64().unwrap()).collect();
    assert_eq!(losses.len(), 200);
    losses
}

/// Differences of losses and of samples.
fn differences(a: &Run, b: &Run) -> (f64, f64) {
    let losses = a.losses.iter().zip(&b.losses).map(|(a, b)| (a - b).abs() / a);
    let squares: f64 =
        a.samples.iter().zip(&b.samples).map(|(a, b)| f64::from(a - b).powi(2)).sum();
    (losses.fold(0.0, f64::max), (squares / a.samples.len() as f64).sqrt())
}

fn agrees_with_flex(device: &str) {
    let (losses, samples) = differences(&run("flex", 0), &run(device, 0));
    println!("{device} and flex: losses differ by {losses:.1e}, samples by {samples:.1e}");
    assert!(losses < LOSS, "losses differ by {losses:.1e}");
    assert!(samples < SAMPLES, "samples differ by {samples:.1e}");
}

/// The kernels of flow-kernels on one side, plain Burn on the other.
#[test]
#[cfg(feature = "ndarray")]
fn ndarray_trains_and_samples_like_flex() {
    agrees_with_flex("ndarray");
}

#[test]
#[ignore = "needs the backend built in: cargo xtask test --backend NAME"]
fn a_device_trains_and_samples_like_flex() {
    agrees_with_flex(&std::env::var("FLOW_TEST_DEVICE").unwrap_or_else(|_| "flex".into()));
}

#[test]
fn another_seed_is_told_apart() {
    let (losses, samples) = differences(&run("flex", 0), &run("flex", 1));
    assert!(LOSS < losses && SAMPLES < samples, "losses {losses:.1e}, samples {samples:.1e}");
}
