//! Damaged copies of weights and statistics: each is refused or read, and nothing else.

use std::fs;
use std::path::Path;

use burn::tensor::Device;
use flow_testing::fuzz::fuzz_files;
use flow_testing::memory::Watch;

use crate::inception;

#[global_allocator]
static WATCH: Watch = Watch;

fn reference(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference").join(name)).unwrap()
}

/// Whether the file opens as weights of FID's network. These small files never do, but they are
/// read to their end before they are refused.
fn opens(path: &Path) -> bool {
    inception::Extractor::open(path, &Device::flex()).is_ok()
}

#[test]
fn fuzz_weights_of_pytorch() {
    let corpus = [reference("weights.pth"), reference("weights-legacy.pth")];
    fuzz_files("PyTorch weights", &corpus, "weights.pth", opens);
}

#[test]
fn fuzz_safetensors() {
    let corpus = [reference("weights.safetensors")];
    fuzz_files("safetensors", &corpus, "weights.safetensors", opens);
}

#[test]
fn fuzz_statistics() {
    let corpus = [reference("statistics.npz")];
    fuzz_files("FID statistics", &corpus, "s.npz", |path| inception::read_statistics(path).is_ok());
}
