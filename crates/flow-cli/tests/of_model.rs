//! A model of its own is taken wherever a run is: scored, drawn, compared, and a teacher of pairs.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;

use std::fmt::Write as _;
use std::fs;

use common::Scene;
use flow_datasets::Element;
use flow_datasets::array::Array;
use serde_json::Value;

fn json(scene: &Scene, file: &str) -> Value {
    serde_json::from_slice(&fs::read(scene.path(file)).unwrap()).unwrap()
}

/// What `eval.json` says, but for how long it took.
fn scores(scene: &Scene, run: &str) -> Value {
    let mut scores = json(scene, &format!("{run}/eval.json"));
    scores.as_object_mut().unwrap().remove("seconds").unwrap();
    scores
}

#[test]
fn a_model_is_scored_and_drawn_as_its_run_is() {
    let scene = Scene::new();
    scene.train("run", "--set eval.n=100 --set eval.error_n=10");
    scene.ok("eval run");
    scene.ok("export run --out m.flow");
    scene.ok("export run --out folder");
    let file = fs::read(scene.path("m.flow")).unwrap();
    // Neither the run nor anything of it is needed.
    fs::rename(scene.path("run"), scene.path("away")).unwrap();
    scene.refuses("eval m.flow", 2, &["m.flow is a model and no run", "--out DIR"]);
    scene.refuses("eval m.flow --out found --metrics nosuch", 2, &["no metric `nosuch`"]);
    scene.refuses(
        "eval m.flow --out found --data digits",
        2,
        &["m.flow was trained on rows of shape [2], the data set `digits`", "--data"],
    );

    let said = scene.ok("eval m.flow --out found");
    assert!(said.contains("found/report.html"), "{said}");
    assert_eq!(scores(&scene, "found"), scores(&scene, "away"));
    scene.ok("eval folder --out of-folder");
    assert_eq!(scores(&scene, "of-folder"), scores(&scene, "away"));
    let found = scores(&scene, "found");
    assert_eq!(found["step"], 200);
    assert!(found["field"].is_object() && found["errors"].is_object(), "{found}");

    // The same folder takes what other verbs find, by the name of the model and by its own.
    scene.ok("plot m.flow --out found");
    assert!(scene.path("found/plots/samples.png").is_file());
    assert!(!scene.path("found/plots/training.png").exists(), "it has no log of a training");
    scene.ok("plot found");
    scene.ok("likelihood m.flow -n 20 --out found");
    scene.ok("likelihood found -n 20 --tag again");
    let [first, again] = ["likelihood", "likelihood-again"]
        .map(|name| json(&scene, &format!("found/{name}.json"))["nats"].clone());
    assert_eq!(first, again);
    scene.ok("sample found -n 3");
    assert!(fs::read_dir(scene.path("found/samples")).unwrap().count() == 1);
    scene.ok("eval found --metrics energy --seed 3");
    let said = scene.ok("compare found away --score energy");
    assert!(said.contains("| found |") && said.contains("| away |"), "{said}");
    assert_eq!(fs::read(scene.path("m.flow")).unwrap(), file, "nothing goes into the model");

    scene.refuses("compare m.flow away", 2, &["m.flow is a model", "`flow eval m.flow --out DIR`"]);
    scene.refuses("train --resume found", 2, &["no training to go on with", "--from MODEL"]);
    scene.refuses("eval away --out other", 2, &["--out is for a model", "away is a run"]);
    let names = ["--data is x.csv, give train or test", "away is a run"];
    scene.refuses("likelihood away --data x.csv", 2, &names);
    scene.refuses("plot away --data x.csv", 2, &["--data is for a model", "away is a run"]);
    scene.refuses("eval m.flow --out away", 2, &["away exists already", "m.flow"]);
    scene.train("second", "--seed 1");
    scene.ok("export second --out second.flow");
    scene.refuses("eval second.flow --out found", 2, &["found exists already", "second.flow"]);
    // Other weights by the old name are none of those that were scored.
    fs::rename(scene.path("second.flow"), scene.path("m.flow")).unwrap();
    scene.refuses("plot found", 2, &["m.flow has other weights"]);
    fs::remove_file(scene.path("m.flow")).unwrap();
    scene.refuses("plot found", 2, &["m.flow is gone"]);
}

/// 200 rows, of which `scale` changes the unit of the heights.
fn people(scale: f64) -> String {
    let mut text = String::from("clinic,height,age\n");
    for i in 0..200_u32 {
        let clinic = ["A", "B"][i as usize % 2];
        let height = scale * (1.6 + 0.2 * f64::from(i % 2) + 0.001 * f64::from(i * 37 % 100));
        writeln!(text, "{clinic},{height:.3},{}", 20 + i * 7 % 60).unwrap();
    }
    text
}

#[test]
fn a_model_of_a_table_is_scored_on_rows_that_are_named() {
    let scene = Scene::new();
    scene.write("people.csv", people(1.0));
    scene.write("taller.csv", people(1.1));
    scene.ok(
        "train table --data people.csv --given clinic --no-eval --out run --set network.hidden=32 \
         --set network.depth=2 --set train.images=25600 --set train.checkpoint_every=25600 \
         --set sample.steps=8 --set eval.n=100",
    );
    scene.ok("eval run");
    scene.ok("calibrate run -n 20 --draws 9");
    scene.ok("export run --out m.flow");
    let text = scene.ok("card m.flow --toml");
    let folder = scene.path("").display().to_string();
    assert!(!text.contains(folder.trim_end_matches('/')), "no folder of the machine: {text}");

    scene.refuses("eval m.flow --out found", 2, &["rows are not in it", "--data FILE"]);
    scene.refuses("eval m.flow --out found --data no.csv", 2, &["no.csv"]);
    scene.ok("eval m.flow --out found --data people.csv");
    assert_eq!(scores(&scene, "found"), scores(&scene, "run"));
    scene.ok("calibrate m.flow --out found -n 20 --draws 9");
    let [a, b] = ["run", "found"].map(|run| json(&scene, &format!("{run}/calibration.json")));
    assert_eq!(a, b);
    scene.ok("likelihood m.flow -n 10 --data people.csv --out found");
    scene.ok("likelihood run -n 10");
    let [a, b] = ["run", "found"].map(|run| {
        json(&scene, &format!("{run}/likelihood.json"))["nats"]["mean"].as_f64().unwrap()
    });
    // The run's own file of columns is JSON, which may round the last digit of a number.
    assert!((a - b).abs() < 1e-9 * a.abs(), "{a} and {b}");

    let other = ["found holds results on", "people.csv", "taller.csv"];
    scene.refuses("eval m.flow --out found --data taller.csv", 2, &other);
    // Other rows become numbers as those of the training did, and not by their own spread.
    scene.ok("eval m.flow --out other --data taller.csv");
    let [a, b] = ["found", "other"].map(|run| json(&scene, &format!("{run}/environment.json")));
    assert_eq!(a["data"]["table"], b["data"]["table"]);
    assert_ne!(a["data"]["sha256"], b["data"]["sha256"]);
    assert_ne!(scores(&scene, "other"), scores(&scene, "found"));
}

#[test]
fn a_table_that_was_changed_is_scored_in_the_numbers_of_the_training() {
    let scene = Scene::new();
    scene.write("people.csv", people(1.0));
    scene.ok("train table --data people.csv --no-eval --out run --set network.hidden=32 \
         --set network.depth=2 --set train.images=25600 --set train.checkpoint_every=25600 \
         --set sample.steps=8 --set eval.n=100");
    scene.ok("export run --out m.flow");
    scene.write("people.csv", people(1.1));
    let said = scene.run("eval run");
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.stderr.contains("are not those that run was trained on"), "{said:?}");
    scene.ok("eval m.flow --out found --data people.csv");
    assert_eq!(scores(&scene, "run"), scores(&scene, "found"));
}

#[test]
fn the_flow_of_a_model_makes_the_pairs_that_its_run_makes() {
    let scene = Scene::new();
    scene.train("teacher", "");
    scene.ok("export teacher --out m.flow");
    let student = "--set path.coupling=paired --set reflow.pairs=500 --set train.images=2560";
    scene.train("of-run", &format!("{student} --set reflow.run=teacher"));
    scene.train("of-model", &format!("{student} --set reflow.run=m.flow"));
    assert!(scene.samples("of-run") == scene.samples("of-model"));
    scene.ok("train --no-eval --resume of-model --more-images 256");
    // Another model by that name is another teacher.
    scene.train("second", "--seed 1");
    scene.ok("export second --out m.flow --force");
    let words = "train --no-eval --resume of-model --more-images 256";
    scene.refuses(words, 2, &["reflow.run m.flow", "`weights` was"]);
}

#[test]
fn a_model_of_an_array_is_scored_on_rows_that_are_named() {
    let scene = Scene::new();
    let write = |name: &str, size: usize, unit: f32| {
        let value = |at: usize| unit * (((at * 37) % 101) as f32 * 0.1 + (at % 3) as f32);
        let (shape, values) = (vec![200, size], (0..200 * size).map(value).collect());
        let array = Array { shape, values, element: Element::F32 };
        array.write(&scene.path(name)).unwrap();
    };
    write("rows.npy", 3, 1.0);
    write("twice.npy", 3, 2.0);
    write("wide.npy", 4, 1.0);
    scene.ok("train points --data rows.npy --no-eval --out run --set network.hidden=32 \
         --set network.depth=2 --set train.images=2560 --set train.batch=64 \
         --set train.checkpoint_every=2560 --set train.warmup_images=0 --set eval.n=50");
    scene.ok("eval run");
    scene.ok("export run --out m.flow");
    scene.refuses("eval m.flow --out found", 2, &["a model of an array", "--data FILE"]);
    scene.refuses("eval m.flow --out found --data wide.npy", 2, &["wide.npy", "[4]", "[3]"]);
    scene.ok("eval m.flow --out found --data rows.npy");
    assert_eq!(scores(&scene, "found"), scores(&scene, "run"));
    scene.ok("eval m.flow --out other --data twice.npy");
    let [a, b] = ["found", "other"].map(|run| json(&scene, &format!("{run}/environment.json")));
    assert_eq!(a["data"]["array"], b["data"]["array"]);
    assert_ne!(a["data"]["sha256"], b["data"]["sha256"]);
}
