//! A model leaves its run as a file that this program opens, or as ONNX for others.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;

use std::fs;

use common::Scene;

#[test]
fn a_run_and_its_file_are_written_as_the_same_onnx() {
    let scene = Scene::new();
    scene.train("run", "");
    scene.ok("export run --out m.flow");
    let said = scene.ok("export run --format onnx --out of-run.onnx");
    assert!(said.contains("of-run.onnx") && said.contains("of-run.sampler.onnx"), "{said}");
    scene.ok("export m.flow --format onnx --out of-file.onnx");
    for ending in ["onnx", "sampler.onnx"] {
        let [a, b] = ["of-run", "of-file"]
            .map(|name| fs::read(scene.path(&format!("{name}.{ending}"))).unwrap());
        assert!(a == b, "{ending}");
        // The description is there as text.
        let text = String::from_utf8_lossy(&a).into_owned();
        assert!(text.contains("flow.model") && text.contains("[network]"), "{ending}");
    }
    // Another solver is another sampler of the same network.
    scene.ok("export m.flow --format onnx --solver euler --out euler.onnx");
    let read = |name| fs::read(scene.path(name)).unwrap();
    assert!(read("euler.onnx") == read("of-run.onnx"));
    assert!(read("euler.sampler.onnx") != read("of-run.sampler.onnx"));
}

#[test]
fn a_model_that_is_there_is_replaced_when_it_is_said_alone() {
    let scene = Scene::new();
    scene.train("run", "");
    scene.train("other", "--seed 1");
    let moons = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/examples/torchcfm-moons.pt");
    let import = format!("import {moons} --as torchcfm-mlp --out");
    scene.ok("export run --out m.flow");
    scene.ok("export run --out folder");
    scene.ok("export run --format onnx --out m.onnx");
    let read = |name: &str| fs::read(scene.path(name)).unwrap();
    let [flow, onnx] = ["m.flow", "m.sampler.onnx"].map(read);
    for (words, name) in [
        ("export other --out m.flow", "m.flow"),
        ("export other --out folder", "folder"),
        ("export other --format onnx --out m.onnx", "m.onnx"),
        (format!("{import} m.flow").as_str(), "m.flow"),
        (format!("{import} folder").as_str(), "folder"),
    ] {
        scene.refuses(words, 2, &[name, "exists already", "--force"]);
    }
    // The sampler alone is in the way.
    fs::remove_file(scene.path("m.onnx")).unwrap();
    let words = "export other --format onnx --out m.onnx";
    scene.refuses(words, 2, &["m.sampler.onnx exists already"]);
    assert!(read("m.flow") == flow && read("m.sampler.onnx") == onnx);

    scene.ok(&format!("{words} --force"));
    scene.ok("export other --out m.flow --force");
    scene.ok("export other --out folder --force");
    assert!(read("m.flow") != flow && read("m.sampler.onnx") != onnx);
    // What is no model is never replaced.
    scene.refuses("export other --out run --force", 2, &["folder of other things"]);
    scene.refuses(&format!("{import} run --force"), 2, &["folder of other things"]);
}

#[test]
fn a_run_and_its_file_are_written_as_the_same_folder_for_pytorch() {
    let scene = Scene::new();
    scene.train("run", "");
    scene.ok("export run --out m.flow");
    let said = scene.ok("export run --format pytorch --out of-run");
    assert!(said.contains("network.py"), "{said}");
    scene.ok("export m.flow --format pytorch --out of-file");
    let read = |folder: &str, file: &str| fs::read(scene.path(folder).join(file)).unwrap();
    for file in ["weights.safetensors", "network.py"] {
        assert!(read("of-run", file) == read("of-file", file), "{file}");
    }
    let config: serde_json::Value = serde_json::from_slice(&read("of-run", "config.json")).unwrap();
    assert_eq!(config["network"]["kind"], "mlp");
    assert_eq!(config["signature"]["shape"], serde_json::json!([2]));
    assert_eq!(config["prediction"]["kind"], "velocity");
    // Over an older one, and not over anything else.
    scene.ok("export run --format pytorch --out of-run --force");
    scene.refuses(
        "export run --format pytorch --out run --force",
        2,
        &["run", "folder of other things"],
    );
    scene.refuses("export run --format pytorch --out m.pt", 2, &["m.pt", "folder"]);
    scene.refuses("export run --format pytorch --solver euler --out m", 2, &["--solver"]);
    assert!(!scene.path("m.pt").exists() && !scene.path("m").exists());
}

#[test]
fn an_export_that_cannot_be_says_why() {
    let scene = Scene::new();
    scene.train("run", "--set path.prediction=noise");
    scene.refuses("export run --format onnx --out m.flow", 2, &["m.flow", ".onnx"]);
    scene.refuses("export run --solver euler --out m.flow", 2, &["--solver", "onnx"]);
    scene.refuses("export run --format onnx --solver none --out m.onnx", 2, &["none", "euler"]);
    let ask = "export run --format onnx --solver euler --out m.onnx";
    scene.refuses(ask, 2, &["noise", "velocity"]);
    // Without a solver the network alone is what was asked for.
    let said = scene.run("export run --format onnx --out m.onnx");
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert!(said.stderr.contains("no sampler is written"), "{}", said.stderr);
    assert!(scene.path("m.onnx").is_file() && !scene.path("m.sampler.onnx").exists());
}
