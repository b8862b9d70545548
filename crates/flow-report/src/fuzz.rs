//! Damaged copies of files of scores: each is refused or read, and nothing else.

use std::fs;

use flow_model::Registry;
use flow_run::{RECIPES, Run};
use flow_testing::fuzz::fuzz_files;
use flow_testing::memory::Watch;

use crate::compare::ScoredRun;

#[global_allocator]
static WATCH: Watch = Watch;

#[test]
fn fuzz_scores() {
    let (_, debug) = RECIPES.iter().find(|(name, _)| *name == "debug").unwrap();
    let scores = include_bytes!("../tests/reference/eval.json").to_vec();
    fuzz_files("eval.json", &[scores], "eval.json", |path| {
        let folder = path.parent().unwrap();
        fs::write(folder.join("recipe.toml"), debug).unwrap();
        let run = Run::open(&Registry::default(), folder);
        run.is_ok_and(|run| ScoredRun::read(&run).is_ok())
    });
}
