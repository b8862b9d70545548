//! A training that is asked to stop writes a checkpoint, whichever signal asks and however often.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;

use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use common::{Said, Scene, checkpoints, metrics};

/// A run whose only checkpoint of its own is far away.
const LONG: &str =
    "train debug --no-eval --out run --set train.images=1e9 --set train.checkpoint_every=1e9";

fn send(child: &Child, signal: &str) {
    let words = [format!("-{signal}"), child.id().to_string()];
    assert!(Command::new("kill").args(words).status().unwrap().success());
}

/// Starts a command and waits until it has done some steps.
fn training(scene: &Scene, mut command: Command) -> Child {
    scene.prepare(&mut command);
    let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let log = scene.path("run/metrics.jsonl");
    while std::fs::metadata(&log).map_or(0, |log| log.len()) == 0 {
        sleep(Duration::from_millis(2));
    }
    child
}

/// A shell that runs these tests in the background ignores SIGINT for them, `nohup` SIGHUP, and so
/// do their children.
fn ignores(signal: &str) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    // The bit of signal 1 is the lowest.
    let bit = match signal {
        "HUP" => 1,
        "INT" => 2,
        _ => 0,
    };
    ignored.is_some_and(|mask| u64::from_str_radix(mask.trim(), 16).unwrap() & bit != 0)
}

#[test]
fn a_request_to_stop_may_be_repeated_and_a_checkpoint_is_kept() {
    // Two signals that wait together have no order: either may be handled first.
    for (signal, again, codes) in [
        ("INT", "INT", &[(130, "INT")][..]),
        ("TERM", "TERM", &[(143, "TERM")]),
        ("HUP", "HUP", &[(129, "HUP")]),
        ("TERM", "HUP", &[(143, "TERM"), (129, "HUP")]),
    ] {
        if ignores(signal) {
            continue;
        }
        let scene = Scene::new();
        let child = training(&scene, scene.flow(LONG));
        // As `timeout`, a closing terminal or a service manager do.
        send(&child, signal);
        send(&child, again);
        let said: Said = child.wait_with_output().unwrap().into();
        let heard = codes.iter().find(|(code, _)| said.code == Some(*code));
        let (_, heard) = heard.unwrap_or_else(|| panic!("{signal} and {again}: {said:?}"));
        let steps = checkpoints(&scene.path("run"));
        assert_eq!(steps.len(), 1, "{signal} and {again}: {said:?}");
        let last = said.stderr.lines().last().unwrap_or_default();
        assert!(last.starts_with(&format!("interrupted by SIG{heard} after {} steps", steps[0])));
        assert!(last.ends_with("go on with `flow train --resume run`"), "{last}");
    }
}

#[test]
fn a_signal_is_heard_while_the_rows_of_a_large_batch_are_paired() {
    let scene = Scene::new();
    // The first step alone takes minutes.
    let mut command = scene.flow(LONG);
    command.args(["--set", "path.coupling=ot", "--set", "train.batch=16000"]);
    scene.prepare(&mut command);
    let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    while !scene.path("run/metrics.jsonl").is_file() {
        sleep(Duration::from_millis(2));
    }
    sleep(Duration::from_secs(1));
    let asked = Instant::now();
    send(&child, "TERM");
    let said: Said = child.wait_with_output().unwrap().into();
    assert!(asked.elapsed() < Duration::from_secs(20), "it took {:?}", asked.elapsed());
    assert_eq!(said.code, Some(143), "{said:?}");
    let last = said.stderr.lines().last().unwrap_or_default();
    assert!(last.starts_with("interrupted by SIGTERM after 0 steps, go on with"), "{last}");
    assert!(checkpoints(&scene.path("run")).is_empty());
}

#[test]
fn a_signal_that_was_ignored_at_the_start_stays_ignored() {
    let scene = Scene::new();
    // As `nohup` does, and a shell for what a script leaves in the background.
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' HUP INT; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_flow")]);
    command.args(LONG.split_whitespace());
    let mut child = training(&scene, command);
    send(&child, "HUP");
    send(&child, "INT");
    let before = metrics(&scene.path("run"), "train").len();
    while metrics(&scene.path("run"), "train").len() < before + 2 {
        assert!(child.try_wait().unwrap().is_none(), "the run was stopped");
        sleep(Duration::from_millis(10));
    }
    send(&child, "TERM");
    let said: Said = child.wait_with_output().unwrap().into();
    assert_eq!(said.code, Some(143), "{said:?}");
}
