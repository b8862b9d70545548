//! A resumed run ends with the weights of one that was never interrupted, bit for bit.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;

use std::fs;

use common::{Log, bits, checkpoints, run};
use flow_train::{Interrupter, TrainError};

#[test]
fn resuming_gives_the_same_weights() {
    let whole = tempfile::tempdir().unwrap();
    let expected = run(whole.path(), 60, None, &Log::default(), &Interrupter::new()).unwrap();

    let folder = tempfile::tempdir().unwrap();
    let interrupter = Interrupter::new();
    let log = Log { stop_after: Some((17, interrupter.clone())), ..Log::default() };
    let first = run(folder.path(), 60, None, &log, &interrupter).unwrap();
    assert!(first.interrupted);
    let checkpoint = checkpoints(folder.path()).latest().unwrap();
    assert!((17..40).contains(&checkpoint.step), "stopped at {}", checkpoint.step);

    let resumed =
        run(folder.path(), 60, Some(&checkpoint), &Log::default(), &Interrupter::new()).unwrap();
    assert_eq!(resumed.step, 60);
    assert!(bits(&resumed.network) == bits(&expected.network), "the weights differ");
}

#[test]
fn losses_after_resuming_are_those_of_an_uninterrupted_run() {
    let whole = tempfile::tempdir().unwrap();
    let log = Log::default();
    run(whole.path(), 30, None, &log, &Interrupter::new()).unwrap();
    let expected = log.losses.lock().unwrap().clone();

    let folder = tempfile::tempdir().unwrap();
    let interrupter = Interrupter::new();
    let log = Log { stop_after: Some((12, interrupter.clone())), ..Log::default() };
    run(folder.path(), 30, None, &log, &interrupter).unwrap();
    let checkpoint = checkpoints(folder.path()).latest().unwrap();
    let log = Log::default();
    run(folder.path(), 30, Some(&checkpoint), &log, &Interrupter::new()).unwrap();
    assert_eq!(*log.losses.lock().unwrap(), expected[checkpoint.step..]);
}

#[test]
fn an_unfinished_checkpoint_is_ignored_and_then_removed() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), 20, None, &Log::default(), &Interrupter::new()).unwrap();
    // What a killed process leaves: half a checkpoint and a lock that no process holds.
    let unfinished = folder.path().join(".unfinished-30-0");
    fs::create_dir(&unfinished).unwrap();
    fs::write(unfinished.join("lock"), "").unwrap();
    fs::write(unfinished.join("model.bpk"), "half").unwrap();
    let checkpoint = checkpoints(folder.path()).latest().unwrap();
    assert_eq!(checkpoint.step, 20);
    run(folder.path(), 40, Some(&checkpoint), &Log::default(), &Interrupter::new()).unwrap();
    assert_eq!(checkpoints(folder.path()).latest().unwrap().step, 40);
    assert!(!unfinished.exists());
}

#[test]
fn a_damaged_checkpoint_is_named() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), 10, None, &Log::default(), &Interrupter::new()).unwrap();
    let file = checkpoints(folder.path()).latest().unwrap().path.join("model.bpk");
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&file, &bytes).unwrap();
    let error = checkpoints(folder.path()).latest().unwrap_err();
    assert!(matches!(&error, TrainError::Damaged { path, .. } if *path == file), "{error}");
}

#[test]
fn a_checkpoint_of_another_recipe_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), 10, None, &Log::default(), &Interrupter::new()).unwrap();
    let error = flow_train::CheckpointFolder::new(folder.path(), "other").latest().unwrap_err();
    assert!(matches!(error, TrainError::OtherRecipe { .. }), "{error}");
    assert!(error.to_string().contains("`version` was \"test\" and is \"other\""), "{error}");
}

/// Changes `state.json` of the newest checkpoint in `folder`.
fn edit(
    folder: &std::path::Path,
    change: impl FnOnce(&mut serde_json::Map<String, serde_json::Value>),
) {
    let file = checkpoints(folder).latest().unwrap().path.join("state.json");
    let mut state: serde_json::Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    change(state.as_object_mut().unwrap());
    fs::write(&file, state.to_string()).unwrap();
}

#[test]
fn a_checkpoint_that_does_not_say_what_made_it_is_read_and_not_resumed() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), 10, None, &Log::default(), &Interrupter::new()).unwrap();
    edit(folder.path(), |state| {
        state.remove("schema");
        state.remove("identity");
        state.insert("fingerprint".into(), "3 Data { set: ..".into());
    });
    let other = flow_train::CheckpointFolder::new(folder.path(), "other");
    assert_eq!(other.latest().unwrap().step, 10);
    let error = other.to_resume().unwrap_err();
    assert!(matches!(error, TrainError::Unidentified { .. }), "{error}");
}

#[test]
fn a_checkpoint_of_a_later_version_says_so() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), 10, None, &Log::default(), &Interrupter::new()).unwrap();
    edit(folder.path(), |state| _ = state.insert("schema".into(), 9.into()));
    let error = checkpoints(folder.path()).latest().unwrap_err();
    assert!(matches!(error, TrainError::Newer { schema: 9, .. }), "{error}");
}

#[test]
fn a_folder_without_checkpoints_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let error = checkpoints(folder.path()).latest().unwrap_err();
    assert!(matches!(error, TrainError::NoCheckpoint { .. }), "{error}");
}

#[test]
fn two_checkpoints_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), 50, None, &Log::default(), &Interrupter::new()).unwrap();
    let mut names: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["step-000000040", "step-000000050"]);
}
