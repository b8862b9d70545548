//! Damaged copies of every file that the command reads: each is refused or read, and nothing else.

#![allow(clippy::print_stdout, reason = "the table of `cargo xtask torture`")]

use std::fs;
use std::path::Path;

use flow_testing::fuzz::fuzz;
use flow_testing::memory::Watch;

use crate::commands::compare::ScoredRun;
use crate::recipe::Recipe;
use crate::{environment, inception, metrics, registry};

#[global_allocator]
static WATCH: Watch = Watch;

/// Tries a reader of files: `read` gets the path of each damaged copy.
fn files(name: &str, corpus: &[Vec<u8>], file: &str, read: impl Fn(&Path) -> bool) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(file);
    let outcome = fuzz(name, corpus, |bytes| {
        fs::write(&path, bytes).unwrap();
        read(&path)
    });
    println!("{outcome}");
}

fn reference(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference").join(name)).unwrap()
}

#[test]
fn fuzz_statistics() {
    let corpus = [reference("statistics.npz")];
    files("FID statistics", &corpus, "s.npz", |path| inception::read_statistics(path).is_ok());
}

#[test]
fn fuzz_recipes() {
    let corpus: Vec<Vec<u8>> =
        registry::RECIPES.iter().map(|(_, text)| text.as_bytes().to_vec()).collect();
    let outcome = fuzz("recipe", &corpus, |bytes| {
        Recipe::parse(&String::from_utf8_lossy(bytes), &[], "it").is_ok()
    });
    println!("{outcome}");
}

#[test]
fn fuzz_changes_of_a_recipe() {
    let corpus = [
        "train.images=1e6",
        "path.coupling={kind=\"sinkhorn\",epsilon=0.1}",
        "path.schedule=vp,beta_max=15",
        "eval.steps={ euler = [1, 2] }",
        "network.hidden=64",
        "sample.grid=karras,min=0.01,max=50",
    ];
    let corpus: Vec<Vec<u8>> = corpus.iter().map(|text| text.as_bytes().to_vec()).collect();
    let (_, debug) = registry::RECIPES.iter().find(|(name, _)| *name == "debug").unwrap();
    let outcome = fuzz("--set", &corpus, |bytes| {
        let change = String::from_utf8_lossy(bytes).into_owned();
        Recipe::parse(debug, &[change], "it").is_ok()
    });
    println!("{outcome}");
}

#[test]
fn fuzz_environments() {
    let text = r#"{"schema": 1, "commit": "abc", "data": {"shape": [1, 8, 8], "classes": 10,
        "class_names": ["0", "1"], "sha256": "00"}, "stages": [{"step": 20, "images": 5120.0}]}"#;
    files("environment.json", &[text.into()], "environment.json", |path| {
        environment::Environment::read(path.parent().unwrap()).is_ok()
    });
}

#[test]
fn fuzz_logs() {
    let text = concat!(
        r#"{"kind":"train","step":10,"images":2560,"loss":0.5,"learning_rate":1e-3,"images_per_second":1e4}"#,
        "\n",
        r#"{"kind":"validation","step":10,"images":2560,"loss":0.25}"#,
        "\n"
    );
    files("metrics.jsonl", &[text.into()], "metrics.jsonl", |path| {
        let folder = path.parent().unwrap();
        metrics::rewind(folder, 10).is_ok() && metrics::read(folder).is_ok()
    });
}

#[test]
fn fuzz_scores() {
    let (_, debug) = registry::RECIPES.iter().find(|(name, _)| *name == "debug").unwrap();
    files("eval.json", &[reference("eval.json")], "eval.json", |path| {
        let folder = path.parent().unwrap();
        fs::write(folder.join("recipe.toml"), debug).unwrap();
        ScoredRun::read(folder).is_ok()
    });
}
