//! A training of some seconds, and its results when it is not interrupted.

use std::process::{Child, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use crate::common::{Said, Scene, checkpoints};

/// 400 steps with a checkpoint every ten: some are always being written.
pub(crate) const RECIPE: &str =
    "debug --no-eval --out run --set train.images=102400 --set train.checkpoint_every=2560";
pub(crate) const STEPS: usize = 400;

/// Trials of each kind.
pub(crate) fn trials(few: usize) -> usize {
    let number = std::env::var("FLOW_TORTURE").ok();
    number.map_or(few, |text| text.parse().expect("FLOW_TORTURE is a number"))
}

/// A line of the table: trials, and what failed in them.
pub(crate) fn report(what: &str, tried: usize, failures: &[String]) {
    println!("torture {what}; tried {tried}; failed {}", failures.len());
    assert!(failures.is_empty(), "{what}: {failures:#?}");
}

/// Samples of the run that was not stopped.
pub(crate) fn undisturbed() -> &'static [u8] {
    static SAMPLES: OnceLock<Vec<u8>> = OnceLock::new();
    SAMPLES.get_or_init(|| {
        let scene = Scene::new();
        scene.ok(&format!("train {RECIPE}"));
        scene.samples("run")
    })
}

/// Starts the run, or goes on with it.
pub(crate) fn go_on(scene: &Scene) -> Child {
    let words = if scene.path("run").exists() {
        "train --no-eval --resume run".to_string()
    } else {
        format!("train {RECIPE}")
    };
    scene.flow(&words).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Trains to the end; says what is wrong with the result, if anything is.
pub(crate) fn finish(scene: &Scene) -> Result<(), String> {
    let said: Said = go_on(scene).wait_with_output().unwrap().into();
    if said.code != Some(0) {
        return Err(format!("the run does not go on: {said:?}"));
    }
    if checkpoints(&scene.path("run")).last() != Some(&STEPS) {
        return Err("the last checkpoint is missing".into());
    }
    if scene.samples("run") != undisturbed() {
        return Err("the weights differ".into());
    }
    let left: Vec<_> = scene.files().into_iter().filter(|path| is_litter(path)).collect();
    if left.is_empty() { Ok(()) } else { Err(format!("left behind: {left:?}")) }
}

fn is_litter(path: &std::path::Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.contains(".unfinished") || name.ends_with(".tmp")
}

/// A moment below `longest`.
pub(crate) fn moment(rng: &mut fastrand::Rng, longest: Duration) -> Duration {
    longest.mul_f64(rng.f64())
}
