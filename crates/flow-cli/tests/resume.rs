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

/// Samples of the run that was not stopped.
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

/// Sends SIGTERM and not SIGINT: a shell that runs tests in the background makes them ignore
/// SIGINT.
fn interrupt(child: &Child) {
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
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
fn an_interrupted_run_saves_says_how_to_go_on_and_exits_with_143() {
    let scene = Scene::new();
    let mut child = go_on(&scene);
    wait_for_a_checkpoint(&scene, &mut child);
    interrupt(&child);
    let said: Said = child.wait_with_output().unwrap().into();
    assert_eq!(said.code, Some(143), "{said:?}");
    let step = newest(&scene);
    let message =
        format!("interrupted by SIGTERM after {step} steps, go on with `flow train --resume run`");
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
    let log = std::fs::read(scene.path("run/metrics.jsonl")).unwrap();
    let said = scene.run("train --no-eval --resume run");
    assert_eq!(said.code, Some(0), "{said:?}");
    for told in ["run is finished after 200 steps", "--more-images N", "`flow eval run`"] {
        assert!(said.stderr.contains(told), "{said:?}");
    }
    assert!(scene.samples("run") == samples, "the weights differ");
    assert_eq!(checkpoints(&scene.path("run")), [150, 200]);
    assert_eq!(std::fs::read(scene.path("run/metrics.jsonl")).unwrap(), log);
}

#[test]
fn a_finished_run_is_scored_once() {
    let scene = Scene::new();
    scene.train("run", "--set eval.n=100 --set eval.steps={}");
    scene.ok("train --resume run");
    let report = std::fs::read(scene.path("run/eval.json")).unwrap();
    // The time that the scores took is in it, so another one would differ.
    let said = scene.run("train --resume run");
    assert!(said.stderr.contains("run is finished"), "{said:?}");
    assert_eq!(std::fs::read(scene.path("run/eval.json")).unwrap(), report);
}

#[test]
fn a_log_keeps_its_bytes_and_a_damaged_line_is_told() {
    let scene = Scene::new();
    scene.train("run", "");
    let text = std::fs::read_to_string(scene.path("run/metrics.jsonl")).unwrap();
    std::fs::remove_dir_all(scene.path("run/checkpoints/step-000000200")).unwrap();
    let mut lines: Vec<&str> = text.lines().collect();
    lines[6] = "{\"kind\":\"tra\u{1}n\"}";
    scene.write("run/metrics.jsonl", lines.join("\n") + "\n");
    let said = scene.run("train --no-eval --resume run");
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.stderr.contains("line 7 of run/metrics.jsonl is damaged"), "{said:?}");
    let renewed = std::fs::read_to_string(scene.path("run/metrics.jsonl")).unwrap();
    // 150 lines of training and 3 of validation were there before the checkpoint; one is lost.
    let kept: Vec<&str> = lines[..153].iter().copied().filter(|line| *line != lines[6]).collect();
    assert_eq!(renewed.lines().take(152).collect::<Vec<&str>>(), kept);
    assert_eq!(renewed.lines().count(), 203);
}

#[test]
fn a_checkpoint_of_flow_0_1_is_sampled_and_not_resumed() {
    let scene = Scene::new();
    scene.train("run", "");
    let samples = scene.samples("run");
    for step in checkpoints(&scene.path("run")) {
        let file = format!("run/checkpoints/step-{step:09}/state.json");
        let text = std::fs::read_to_string(scene.path(&file)).unwrap();
        let mut state: serde_json::Value = serde_json::from_str(&text).unwrap();
        let keys = state.as_object_mut().unwrap();
        keys.remove("schema").unwrap();
        keys.remove("identity").unwrap();
        keys.insert("fingerprint".into(), "0 Data { set: \"checkerboard\" }".into());
        scene.write(&file, state.to_string());
    }
    assert!(scene.samples("run") == samples, "the weights differ");
    let names = ["is of flow 0.1", "sampled and scored but not resumed", "train it again"];
    scene.refuses("train --no-eval --resume run", 1, &names);
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

fn json(scene: &Scene, file: &str) -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(scene.path(file)).unwrap()).unwrap()
}

#[test]
fn a_run_can_be_trained_longer_and_says_so() {
    let scene = Scene::new();
    // At a constant rate more images are all that differs.
    let constant = "--set train.decay=\"constant\"";
    scene.train("whole", &format!("{constant} --set train.images=102400"));
    scene.train("run", constant);
    let said = scene.run("train --no-eval --resume run --more-images 51200");
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.stderr.contains("train.images was 51200 and is 102400"), "{said:?}");
    assert!(scene.samples("run") == scene.samples("whole"), "the weights differ");
    assert_eq!(checkpoints(&scene.path("run")), [350, 400]);

    let recipe = std::fs::read_to_string(scene.path("run/recipe.toml")).unwrap();
    assert!(recipe.contains("images = 102400.0"), "{recipe}");
    assert!(recipe.starts_with("# Trained in stages"), "{recipe}");
    let stages = serde_json::json!([
        {"step": 0, "images": 51200.0},
        {"step": 200, "images": 102400.0},
    ]);
    assert_eq!(json(&scene, "run/environment.json")["stages"], stages);
    // The same by a change of `recipe.toml` itself.
    scene.write("run/recipe.toml", recipe.replace("images = 102400.0", "images = 128000.0"));
    scene.samples("run");
    scene.ok("train --no-eval --resume run");
    assert_eq!(checkpoints(&scene.path("run")), [450, 500]);
    assert_eq!(json(&scene, "run/environment.json")["stages"][2]["step"], 400);
    scene.refuses("train debug --more-images 5", 2, &["--resume"]);
}

#[test]
fn a_longer_training_that_is_killed_ends_with_the_same_weights() {
    let scene = Scene::new();
    let more = "train --no-eval --resume run --more-images 512000";
    scene.train("run", "");
    scene.ok(more);
    let samples = scene.samples("run");
    std::fs::remove_dir_all(scene.path("run")).unwrap();

    scene.train("run", "");
    let mut command = scene.flow(more);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    wait_for_a_checkpoint(&scene, &mut child);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!((201..2200).contains(&newest(&scene)), "stopped at {}", newest(&scene));
    scene.ok("train --no-eval --resume run");
    assert_eq!(newest(&scene), 2200);
    assert!(scene.samples("run") == samples, "the weights differ");
    assert_eq!(json(&scene, "run/environment.json")["stages"].as_array().unwrap().len(), 2);
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
    assert_eq!(child.wait().unwrap().code(), Some(143));
    assert_eq!(newest(&scene), 200);
    assert!(!scene.path("run/eval.json").exists());
}
