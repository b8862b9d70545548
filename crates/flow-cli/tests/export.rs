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
    assert_eq!(config["prediction"], "velocity");
    // Over an older one, and not over anything else.
    scene.ok("export run --format pytorch --out of-run");
    scene.refuses("export run --format pytorch --out run", 2, &["run", "folder of other things"]);
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
