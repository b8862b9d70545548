//! Damaged copies of the files of a run and of recipes: each is refused or read, and nothing else.

#![allow(clippy::print_stdout, reason = "the table of `cargo xtask torture`")]

use flow_model::Registry;
use flow_testing::fuzz::{fuzz, fuzz_files};
use flow_testing::memory::Watch;

use crate::environment::Environment;
use crate::{RECIPES, Recipe, Silent, metrics};

#[global_allocator]
static WATCH: Watch = Watch;

#[test]
fn fuzz_recipes() {
    let corpus: Vec<Vec<u8>> = RECIPES.iter().map(|(_, text)| text.as_bytes().to_vec()).collect();
    let outcome = fuzz("recipe", &corpus, |bytes| {
        let text = String::from_utf8_lossy(bytes);
        Recipe::parse(&Registry::default(), &text, &[], "it").is_ok()
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
    let outcome = fuzz("--set", &corpus, |bytes| {
        let change = String::from_utf8_lossy(bytes).into_owned();
        Recipe::named(&Registry::default(), "debug", &[change]).is_ok()
    });
    println!("{outcome}");
}

#[test]
fn fuzz_environments() {
    let text = r#"{"schema": 1, "commit": "abc", "data": {"shape": [1, 8, 8], "classes": 10,
        "class_names": ["0", "1"], "sha256": "00"}, "stages": [{"step": 20, "images": 5120.0}]}"#;
    fuzz_files("environment.json", &[text.into()], "environment.json", |path| {
        Environment::read(path.parent().unwrap()).is_ok()
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
    fuzz_files("metrics.jsonl", &[text.into()], "metrics.jsonl", |path| {
        let folder = path.parent().unwrap();
        metrics::rewind(folder, 10, &Silent).is_ok() && metrics::read(folder, &Silent).is_ok()
    });
}
