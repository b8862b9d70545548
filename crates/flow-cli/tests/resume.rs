//! A run may be stopped at any moment and ends as if it had not been.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::thread::sleep;
use std::time::Duration;

use common::{Said, Scene, checkpoints, metrics};

/// Some seconds of work with a checkpoint every 100 steps, so that no stop comes too late.
const STEPS: usize = 4000;
const RECIPE: &str =
    "debug --no-eval --out run --set train.images=1024000 --set train.checkpoint_every=25600";

/// Samples of the run that nobody stopped.
fn uninterrupted() -> &'static [u8] {
    static SAMPLES: OnceLock<Vec<u8>> = OnceLock::new();
    SAMPLES.get_or_init(|| {
        let scene = Scene::new();
        scene.ok(&format!("train {RECIPE}"));
        scene.samples("run")
    })
}

/// Starts the run or goes on with it.
fn go_on(scene: &Scene) -> Child {
    let words = if scene.path("run").exists() {
        "train --no-eval --resume run".to_string()
    } else {
        format!("train {RECIPE}")
    };
    let mut command = scene.flow(&words);
    command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

fn newest(scene: &Scene) -> usize {
    checkpoints(&scene.path("run")).last().copied().unwrap_or_default()
}

fn wait_for_a_checkpoint(scene: &Scene, child: &mut Child) {
    let before = newest(scene);
    while newest(scene) == before {
        assert!(child.try_wait().unwrap().is_none(), "the run ended by itself");
        sleep(Duration::from_millis(1));
    }
}

fn interrupt(child: &Child) {
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
}

fn finish(scene: &Scene, child: Child) {
    let said: Said = child.wait_with_output().unwrap().into();
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(newest(scene), STEPS);
    assert!(scene.samples("run") == uninterrupted(), "the weights differ");
    for kind in ["train", "validation"] {
        let steps: Vec<u64> = metrics(&scene.path("run"), kind)
            .iter()
            .map(|line| line["step"].as_u64().unwrap())
            .collect();
        assert!(steps.windows(2).all(|pair| pair[0] < pair[1]), "{kind}: {steps:?}");
        assert_eq!(steps.last(), Some(&(STEPS as u64)));
    }
}

#[test]
fn a_run_killed_at_many_moments_ends_with_the_same_weights() {
    let scene = Scene::new();
    // Before the first checkpoint: no folder yet, a new folder, the first steps.
    for milliseconds in [0, 3, 10, 30] {
        let mut child = go_on(&scene);
        sleep(Duration::from_millis(milliseconds));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    // While a checkpoint is written, and between two.
    for milliseconds in [0, 1, 2, 4, 8, 16] {
        let mut child = go_on(&scene);
        wait_for_a_checkpoint(&scene, &mut child);
        sleep(Duration::from_millis(milliseconds));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert!(newest(&scene) < STEPS, "the run was over before the last kill");
    let child = go_on(&scene);
    finish(&scene, child);
}

#[test]
fn an_interrupted_run_saves_says_how_to_go_on_and_exits_with_130() {
    let scene = Scene::new();
    let mut child = go_on(&scene);
    wait_for_a_checkpoint(&scene, &mut child);
    interrupt(&child);
    let said: Said = child.wait_with_output().unwrap().into();
    assert_eq!(said.code, Some(130), "{said:?}");
    let step = newest(&scene);
    let message = format!("interrupted after {step} steps, go on with `flow train --resume run`");
    assert_eq!(said.stderr.lines().last(), Some(message.as_str()), "{said:?}");
    assert!((100..STEPS).contains(&step), "stopped at {step}");

    let child = go_on(&scene);
    finish(&scene, child);
}

#[test]
fn a_finished_run_can_be_resumed_and_stays_as_it_is() {
    let scene = Scene::new();
    scene.train("run", "");
    let samples = scene.samples("run");
    scene.ok("train --no-eval --resume run");
    assert!(scene.samples("run") == samples, "the weights differ");
    assert_eq!(checkpoints(&scene.path("run")), [150, 200]);
    assert_eq!(metrics(&scene.path("run"), "train").len(), 200);
}

#[test]
fn a_dry_run_of_a_resume_changes_nothing() {
    let scene = Scene::new();
    scene.train("run", "");
    let log = scene.path("run/metrics.jsonl");
    let torn = std::fs::read_to_string(&log).unwrap() + "{\"kind\":";
    scene.write("run/metrics.jsonl", &torn);
    scene.ok("train --dry-run --resume run");
    assert_eq!(std::fs::read_to_string(&log).unwrap(), torn);
}

/// Scores of this size take minutes, the training before them a moment.
#[test]
fn an_interruption_of_the_scores_stops_at_once() {
    let scene = Scene::new();
    let mut command = scene.flow("train debug --out run --set eval.n=30000");
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().starts_with("trained in ")));
    interrupt(&child);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(newest(&scene), 200);
    assert!(!scene.path("run/eval.json").exists());
}
