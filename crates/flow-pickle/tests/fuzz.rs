//! Damaged copies of files of weights are read or refused, and nothing else.

#![allow(clippy::unwrap_used, reason = "a failed test may panic")]
#![allow(clippy::print_stdout, reason = "the table of `cargo xtask torture`")]

use std::fs;
use std::path::Path;

use flow_pickle::Checkpoint;
use flow_testing::fuzz::fuzz;
use flow_testing::memory::Watch;

#[global_allocator]
static WATCH: Watch = Watch;

fn files(name: &str, corpus: &[&str]) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference");
    let corpus: Vec<Vec<u8>> =
        corpus.iter().map(|file| fs::read(folder.join(file)).unwrap()).collect();
    let outcome = fuzz(name, &corpus, |bytes| {
        Checkpoint::parse(bytes.to_vec(), 1 << 20).is_ok_and(|checkpoint| {
            checkpoint.parts().iter().all(|part| checkpoint.part(part).is_ok())
        })
    });
    println!("{outcome}");
}

#[test]
fn fuzz_files_of_pytorch() {
    files("PyTorch weights", &["weights.pth", "weights-legacy.pth", "nested.pt"]);
}

#[test]
fn fuzz_safetensors() {
    files("safetensors", &["weights.safetensors"]);
}
