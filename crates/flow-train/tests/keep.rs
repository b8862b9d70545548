//! The checkpoint that is the model: the last, or the best on the validation batches.

#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use burn::tensor::Device;
use common::{Log, batches, bits, checkpoints, network, plan, session, task};
use flow_train::{Checkpoint, Ensemble, Interrupter, Keep, Rows, Task, fit};

/// Learns to go to one corner, and is validated on the opposite one: every step is a loss.
fn opposite() -> Task {
    let at = |place: f32| Arc::new(Rows::new(vec![2], vec![place; 2], None));
    let mut train = batches(7);
    let mut validation = batches(8);
    (train.data, validation.data) = (at(3.0), at(-3.0));
    let (train, validation) = (Arc::new(train), Arc::new(validation));
    Task { train, validation, ..task(network(&Device::flex())) }
}

fn learn(folder: &Path, steps: usize, keep: Keep, from: Option<&Checkpoint>, stop: Option<usize>) {
    let interrupter = Interrupter::new();
    let stop_after = stop.map(|step| (step, interrupter.clone()));
    let log = Log { stop_after, ..Log::default() };
    let checkpoints = checkpoints(folder).keep(keep);
    let session = session(&checkpoints, from, &log, &interrupter);
    fit(opposite(), &plan(steps), session).unwrap();
    let losses: Vec<f64> = log.validations.lock().unwrap().iter().map(|(_, loss)| *loss).collect();
    assert!(losses.is_sorted(), "the losses on the other corner do not rise: {losses:?}");
}

fn steps(folder: &Path) -> Vec<usize> {
    checkpoints(folder).all().unwrap().iter().map(|checkpoint| checkpoint.step).collect()
}

fn average(checkpoint: &Checkpoint) -> Vec<u32> {
    bits::<Ensemble>(&checkpoint.average(network(&Device::flex())).unwrap())
}

/// All checkpoints of a training of so many steps.
fn kept(folder: &Path, steps: usize) -> Vec<Checkpoint> {
    let checkpoints = checkpoints(folder).keep_all();
    let (log, interrupter) = (Log::default(), Interrupter::new());
    fit(opposite(), &plan(steps), session(&checkpoints, None, &log, &interrupter)).unwrap();
    checkpoints.all().unwrap()
}

#[test]
fn the_best_checkpoint_is_kept_beside_the_newest_and_is_the_model() {
    let folder = tempfile::tempdir().unwrap();
    learn(folder.path(), 40, Keep::Best, None, None);
    assert_eq!(steps(folder.path()), [10, 30, 40]);
    let best = checkpoints(folder.path()).keep(Keep::Best);
    assert_eq!(best.chosen().unwrap().step, 10);
    // Its weights are those that every training has there.
    let all = tempfile::tempdir().unwrap();
    let early = kept(all.path(), 40).remove(0);
    assert_eq!(early.step, 10);
    assert!(average(&best.chosen().unwrap()) == average(&early));

    // A training goes on from the newest, whatever is the model.
    let newest = best.to_resume().unwrap().unwrap();
    assert_eq!(newest.step, 40);
    learn(folder.path(), 60, Keep::Best, Some(&newest), None);
    assert_eq!(steps(folder.path()), [10, 50, 60]);
    assert_eq!(best.chosen().unwrap().step, 10);
}

#[test]
fn without_a_word_the_last_checkpoint_is_the_model() {
    let folder = tempfile::tempdir().unwrap();
    learn(folder.path(), 40, Keep::default(), None, None);
    assert_eq!(steps(folder.path()), [30, 40]);
    assert_eq!(checkpoints(folder.path()).chosen().unwrap().step, 40);
    let state = checkpoints(folder.path()).latest().unwrap().path.join("state.json");
    assert!(!fs::read_to_string(state).unwrap().contains("validation"));
}

#[test]
fn a_checkpoint_without_a_validation_is_the_model_when_there_is_no_other() {
    let folder = tempfile::tempdir().unwrap();
    // Stopped before the first validation.
    learn(folder.path(), 40, Keep::Best, None, Some(5));
    let best = checkpoints(folder.path()).keep(Keep::Best);
    assert!(5 <= best.chosen().unwrap().step);
}
