//! The binary of this crate is run: a network of its own trains, goes on, samples and is handed on.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

use std::path::Path;
use std::process::Command;

use burn::tensor::Device;
use flow_model::{Model, ModelError};

/// Runs the command in a folder and returns what it says and whether it succeeded.
fn flow(folder: &Path, words: &str) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_outside"));
    command.args(words.split_whitespace()).current_dir(folder);
    let said = command.env("XDG_CACHE_HOME", folder.join("cache")).output().unwrap();
    let text = [said.stdout, said.stderr].concat();
    (said.status.success(), String::from_utf8(text).unwrap())
}

fn ok(folder: &Path, words: &str) -> String {
    let (done, said) = flow(folder, words);
    assert!(done, "flow {words}: {said}");
    said
}

#[test]
fn a_network_from_outside_has_every_verb() {
    let scene = tempfile::tempdir().unwrap();
    let folder = scene.path();
    assert!(ok(folder, "list").contains("residual blocks for points, from outside"));

    let recipe = "--set network.kind=residual --set network.blocks=1 --set train.images=2560";
    let trained = ok(folder, &format!("train debug {recipe} --no-eval --out mine"));
    // 3 * 64 + 64, two layers of 64 * 64 + 64, and 64 * 2 + 2.
    assert!(trained.contains("8706 parameters, 10 steps"), "{trained}");
    ok(folder, "train --resume mine --more-images 2560 --no-eval");
    ok(folder, "sample mine -n 10 --steps 4 --out mine.npy");
    ok(folder, "export mine --out mine.flow");
    assert!(ok(folder, "card mine.flow").contains("residual, 8706 parameters"));
    ok(folder, "sample mine.flow -n 10 --steps 4 --out again.npy");
    let bytes = |name: &str| std::fs::read(folder.join(name)).unwrap();
    assert_eq!(bytes("mine.npy"), bytes("again.npy"));
}

#[test]
fn what_its_network_does_not_read_and_what_it_is_not_called_is_refused() {
    let scene = tempfile::tempdir().unwrap();
    let folder = scene.path();
    let (done, said) = flow(folder, "train digits --set network.kind=residual --out images");
    assert!(!done && said.contains("residual"), "{said}");
    let (done, said) = flow(folder, "train debug --set network.kind=residuum --out none");
    assert!(!done && said.contains("residuum") && said.contains("residual, "), "{said}");
}

#[test]
fn a_program_that_does_not_register_the_network_says_which_ones_it_knows() {
    let scene = tempfile::tempdir().unwrap();
    let recipe = "--set network.kind=residual --set train.images=512";
    ok(scene.path(), &format!("train debug {recipe} --no-eval --out mine"));
    let error = Model::open(scene.path().join("mine/model"), &Device::flex()).unwrap_err();
    let said = error.to_string();
    assert!(said.contains("`residual`") && said.contains("mlp"), "{said}");
    assert!(matches!(error, ModelError::UnknownKind { .. } | ModelError::In { .. }));
}
