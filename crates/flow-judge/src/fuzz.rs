//! Damaged copies of statistics: each is refused or read, and nothing else.

use std::fs;
use std::path::Path;

use flow_testing::fuzz::fuzz_files;
use flow_testing::memory::Watch;

use crate::inception;

#[global_allocator]
static WATCH: Watch = Watch;

fn reference(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference").join(name)).unwrap()
}

#[test]
fn fuzz_statistics() {
    let corpus = [reference("statistics.npz")];
    fuzz_files("FID statistics", &corpus, "s.npz", |path| inception::read_statistics(path).is_ok());
}
