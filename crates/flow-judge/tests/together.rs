//! One evaluation by several processes: the numbers of one process, to the last bit.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use burn::tensor::Device;
use flow_datasets::Files;
use flow_judge::{EvalOptions, evaluate, evaluate_together};
use flow_model::Registry;
use flow_parallel::{Group, threads};
use flow_run::{Listener, Recipe, Run, Silent, Start, Training};
use flow_train::Interrupter;

/// Scores, errors of few steps, the course of training and paths, by a solver that chooses its
/// steps and one that does not.
const CHANGES: [&str; 6] = [
    "train.images=5120",
    "train.checkpoint_every=2560",
    "eval.n=301",
    "eval.batch=100",
    "eval.error_n=50",
    "eval.every_checkpoint=true",
];

fn trained(folder: &Path) -> Run {
    let (registry, device) = (Registry::default(), Device::flex());
    let recipe = Recipe::named(&registry, "debug", &CHANGES.map(String::from)).unwrap();
    let training = Training::open(Start::New(recipe), &Files::default(), &Silent).unwrap();
    let model = training.networks(&device, &Silent).unwrap();
    let begun = training.begin(Some(&folder.join("run")), &device, "flex", &Silent).unwrap();
    let told: Arc<dyn Listener> = Arc::new(Silent);
    begun.train(model, &device, &told, &Interrupter::new()).unwrap();
    Run::open(&registry, &folder.join("run")).unwrap()
}

/// What `eval.json` holds, but for the time that it took.
fn scores(folder: &Path) -> serde_json::Value {
    let text = fs::read_to_string(folder.join("eval.json")).unwrap();
    let mut scores: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert!(scores.as_object_mut().unwrap().remove("seconds").is_some());
    scores
}

#[test]
fn processes_find_the_numbers_of_one_process_and_the_first_writes_them() {
    let folder = tempfile::tempdir().unwrap();
    let run = &trained(folder.path());
    let (device, options) = (Device::flex(), EvalOptions::default());
    let data = &run.data(&Files::default(), &Silent).unwrap();
    evaluate(run, data, &device, &options, &Silent).unwrap();
    let alone = scores(&run.folder);
    assert_eq!(alone["rows"].as_array().unwrap().len(), 3, "dopri5 and midpoint of 2 and 5 steps");
    assert_eq!(alone["course"].as_array().unwrap().len(), 2, "checkpoints");
    for part in ["paths", "errors", "field"] {
        assert!(alone[part].is_object(), "{part}");
    }
    for size in 2..=3 {
        fs::remove_file(run.folder.join("eval.json")).unwrap();
        thread::scope(|scope| {
            for member in threads(size) {
                let (device, options) = (device.clone(), &options);
                scope.spawn(move || {
                    let first = member.is_first();
                    let group: Arc<dyn Group> = Arc::new(member);
                    let report = evaluate_together(run, data, &device, options, &group, &Silent);
                    assert_eq!(report.unwrap().is_some(), first);
                });
            }
        });
        assert_eq!(scores(&run.folder), alone, "{size} processes");
    }
}

#[test]
fn processes_that_were_asked_for_different_things_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let run = &trained(folder.path());
    let data = &run.data(&Files::default(), &Silent).unwrap();
    thread::scope(|scope| {
        for member in threads(2) {
            scope.spawn(move || {
                let options = EvalOptions { seed: member.rank() as u64, ..EvalOptions::default() };
                let group: Arc<dyn Group> = Arc::new(member);
                let device = Device::flex();
                let error = evaluate_together(run, data, &device, &options, &group, &Silent);
                let sentence = error.unwrap_err().to_string();
                assert!(sentence.starts_with("the command of process 1 of 2 is not"), "{sentence}");
            });
        }
    });
    assert!(!run.folder.join("eval.json").exists());
}
