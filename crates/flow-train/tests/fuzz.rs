//! Damaged checkpoints: each is refused, whatever part is hurt and whether or not its checksum was
//! made anew.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]
#![allow(clippy::print_stdout, reason = "the table of `cargo xtask torture`")]

mod common;

use std::fs;

use burn::tensor::Device;
use common::{Log, checkpoints, network, run};
use flow_testing::fuzz::fuzz;
use flow_testing::memory::Watch;
use flow_train::Interrupter;

#[global_allocator]
static WATCH: Watch = Watch;

const PARTS: [&str; 4] = ["model.bpk", "optimizer.bpk", "schedule.bpk", "state.json"];

/// No byte of a checkpoint changes without a word: what is taken for whole is what was written.
#[test]
fn fuzz_checkpoints() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), 20, None, &Log::default(), &Interrupter::new()).unwrap();
    let path = checkpoints(folder.path()).latest().unwrap().path;
    for part in PARTS {
        let good = fs::read(path.join(part)).unwrap();
        let outcome = fuzz(part, std::slice::from_ref(&good), |bytes| {
            fs::write(path.join(part), bytes).unwrap();
            let taken = checkpoints(folder.path()).latest().is_ok();
            // White space and the order of keys may change in text.
            assert!(
                !taken || part == "state.json" || *bytes == *good,
                "damage to {part} unnoticed"
            );
            taken
        });
        fs::write(path.join(part), good).unwrap();
        println!("{outcome}");
    }
}

/// A checksum protects against accidents, not against who makes it anew: then Burn's reader must
/// hold.
#[test]
fn fuzz_weights_with_a_right_checksum() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), 20, None, &Log::default(), &Interrupter::new()).unwrap();
    let checkpoint = checkpoints(folder.path()).latest().unwrap();
    let file = checkpoint.path.join("model.bpk");
    let good = fs::read(&file).unwrap();
    let device = Device::flex();
    let outcome = fuzz("weights, right checksum", &[good], |bytes| {
        fs::write(&file, bytes).unwrap();
        checkpoint.average(network(&device)).is_ok()
    });
    println!("{outcome}");
}
