//! Backends train alike: the same recipe from the same seed, here and there.

#![allow(clippy::unwrap_used, reason = "a failed test may panic")]
#![allow(clippy::print_stdout, reason = "shown with --nocapture")]

mod common;

use common::{Scene, metrics, npy};

/// Largest relative difference of the mean losses of 20 steps.
///
/// Backends add in different orders, and GPUs approximate `exp` and `sin` to a few units in the
/// last place. Moving the learning rate by one such unit moves these means by 3e-8 and the samples
/// by 3e-7, another seed by 5e-2 and 1e-1: the bounds lie between, far from both.
const LOSS: f64 = 1e-3;
/// Root mean square difference of the samples, in units of the data.
const SAMPLES: f64 = 1e-2;

/// What is trained.
#[derive(Clone, Copy, Debug)]
enum Work {
    /// 200 steps of an MLP on points.
    Mlp,
    /// 20 steps of a small conditional U-Net on digits: convolutions, norms, attention, guidance.
    UNet,
}

impl Work {
    fn recipe(self) -> &'static str {
        match self {
            Self::Mlp => "debug",
            Self::UNet => {
                "digits --set train.batch=16 --set train.images=320 --set train.warmup_images=80 \
                 --set train.checkpoint_every=640 --set train.validation_batches=1 \
                 --set network.channels=16 --set network.head_channels=16"
            }
        }
    }

    fn samples(self) -> usize {
        match self {
            Self::Mlp => 500,
            Self::UNet => 20,
        }
    }

    fn steps(self) -> usize {
        match self {
            Self::Mlp => 200,
            Self::UNet => 20,
        }
    }
}

/// What the training led to.
struct Run {
    /// Mean losses of 20 steps.
    losses: Vec<f64>,
    samples: Vec<f32>,
}

fn run(work: Work, device: &str, seed: u64) -> Run {
    let scene = Scene::new();
    let device = format!("--device {device}");
    scene.ok(&format!("train {} --no-eval --out run --seed {seed} {device}", work.recipe()));
    let n = work.samples();
    scene.ok(&format!("sample run -n {n} --solver rk4 --steps 10 --out x.npy {device}"));
    let losses: Vec<f64> = metrics(&scene.path("run"), "train")
        .iter()
        .map(|line| line["loss"].as_f64().unwrap())
        .collect();
    assert_eq!(losses.len(), work.steps());
    let windows = losses.chunks(20).map(|w| w.iter().sum::<f64>() / w.len() as f64).collect();
    let (_, samples) = npy(&scene.path("x.npy"));
    Run { losses: windows, samples }
}

/// Differences of losses and of samples.
fn differences(a: &Run, b: &Run) -> (f64, f64) {
    let losses = a.losses.iter().zip(&b.losses).map(|(a, b)| (a - b).abs() / a);
    let squares: f64 =
        a.samples.iter().zip(&b.samples).map(|(a, b)| f64::from(a - b).powi(2)).sum();
    (losses.fold(0.0, f64::max), (squares / a.samples.len() as f64).sqrt())
}

fn agrees_with_flex(device: &str) {
    for work in [Work::Mlp, Work::UNet] {
        let (losses, samples) = differences(&run(work, "flex", 0), &run(work, device, 0));
        let said = format!(
            "{work:?}: {device} and flex: losses differ by {losses:.1e}, samples by {samples:.1e}"
        );
        println!("{said}");
        assert!(losses < LOSS && samples < SAMPLES, "{said}");
    }
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
    for work in [Work::Mlp, Work::UNet] {
        let (losses, samples) = differences(&run(work, "flex", 0), &run(work, "flex", 1));
        let said = format!("{work:?}: losses {losses:.1e}, samples {samples:.1e}");
        assert!(LOSS < losses && SAMPLES < samples, "{said}");
    }
}
