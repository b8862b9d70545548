//! A training begins with the weights of an earlier model, its own or one from elsewhere.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;

use std::fs;

use common::{Scene, checkpoints, npy};
use flow_datasets::array::{Array, ArrayForm, write_array};
use flow_datasets::{ArrayError, Element};

#[test]
fn a_run_that_began_with_a_model_goes_on_as_if_nobody_had_stopped_it() {
    let scene = Scene::new();
    scene.train("first", "--set train.images=12800");
    scene.train("run", "--from first --seed 4");
    let whole = scene.samples("run");
    assert!(whole != scene.samples("first"));

    // From its last checkpoint but one, and the model is not asked for again.
    fs::rename(scene.path("first"), scene.path("away")).unwrap();
    let newest = checkpoints(&scene.path("run")).last().copied().unwrap();
    fs::remove_dir_all(scene.path(&format!("run/checkpoints/step-{newest:09}"))).unwrap();
    scene.ok("train --no-eval --resume run");
    assert!(scene.samples("run") == whole, "the weights differ");

    // Without any checkpoint it begins with the same weights anew.
    let forget = || {
        fs::remove_dir_all(scene.path("run/checkpoints")).unwrap();
        fs::create_dir(scene.path("run/checkpoints")).unwrap();
    };
    forget();
    scene.refuses("train --no-eval --resume run", 2, &["no run and no model", "first"]);
    fs::rename(scene.path("away"), scene.path("first")).unwrap();
    scene.ok("train --no-eval --resume run");
    assert!(scene.samples("run") == whole, "the weights differ");

    forget();
    fs::remove_dir_all(scene.path("first")).unwrap();
    scene.train("first", "--set train.images=12800 --seed 9");
    let names = ["train.weights", "no longer", "`weights` was", "restore it or train anew"];
    scene.refuses("train --no-eval --resume run", 2, &names);
}

#[test]
fn a_network_from_elsewhere_is_trained_on() {
    let scene = Scene::new();
    let moons = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/examples/torchcfm-moons.pt");
    scene.ok(&format!("import {moons} --as torchcfm-mlp --out moons.flow"));
    fs::copy(moons, scene.path("self.pt")).unwrap();
    let over = "import self.pt --as torchcfm-mlp --out self.pt --force";
    scene.refuses(over, 2, &["self.pt, which is read"]);
    scene.refuses(&over.replace(" --force", ""), 2, &["self.pt, which is read"]);
    let nowhere = format!("import {moons} --as torchcfm-mlp --out no/m.flow");
    scene.refuses(&nowhere, 2, &["no folder no, make it or change --out"]);
    scene.train("on", "--from moons.flow --set data.set=two-moons --set train.images=2560");
    let recipe = fs::read_to_string(scene.path("on/recipe.toml")).unwrap();
    assert!(recipe.contains("kind = \"torchcfm-mlp\""), "{recipe}");
    assert!(recipe.contains("moons.flow\""), "{recipe}");
    assert!(scene.ok("card on").contains("torchcfm-mlp, 8706 parameters"));
    assert!(scene.samples("on") != scene.samples("moons.flow"));
}

/// Its rows are those of the network as they are, whatever a recipe would make of such a file.
#[test]
fn a_network_from_elsewhere_is_scored_on_a_set_and_on_rows_of_a_file() {
    let scene = Scene::new();
    let moons = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/examples/torchcfm-moons.pt");
    scene.ok(&format!("import {moons} --as torchcfm-mlp --out moons.flow"));
    scene.ok("likelihood moons.flow -n 20 --out on-toy --data two-moons");
    scene.samples("moons.flow");
    let nats = |folder: &str| -> f64 {
        let text = fs::read(scene.path(&format!("{folder}/likelihood.json"))).unwrap();
        let read: serde_json::Value = serde_json::from_slice(&text).unwrap();
        read["nats"]["mean"].as_f64().unwrap_or_else(|| panic!("{read}"))
    };
    // Rows that were scaled to one spread would be as likely in any unit.
    let write = |name: &str, unit: f32| {
        let (_, rows) = npy::<f32>(&scene.path("moons.flow.samples.npy"));
        let values = rows.iter().take(120).map(|x| unit * x).collect();
        Array { shape: vec![60, 2], values, element: Element::F32 }
            .write(&scene.path(name))
            .unwrap();
    };
    write("own.npy", 1.0);
    write("far.npy", 3.0);
    for name in ["own", "far"] {
        scene.ok(&format!("likelihood moons.flow -n 20 --out {name} --data {name}.npy"));
    }
    assert!(nats("far") < nats("own") - 1.0, "{} and {}", nats("far"), nats("own"));
    scene.ok("plot moons.flow --out own --data own.npy");
    scene.ok("eval moons.flow --out scored --data own.npy -n 50");
    let other = "likelihood moons.flow -n 20 --out none --data";
    scene.refuses(&format!("{other} digits"), 2, &["[2]", "[1, 8, 8]"]);
    scene.refuses(&format!("{other} rows.npy"), 2, &["rows.npy, which is no file", "two-moons"]);
}

/// A transformer that is told one of ten classes, by a file of `flow-import`.
#[test]
fn a_network_from_elsewhere_that_is_told_a_class_is_trained_on_with_classes() {
    let scene = Scene::new();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../flow-import/tests/reference");
    let [weights, config] =
        ["safetensors", "json"].map(|ending| format!("{folder}/sit_small.{ending}"));
    scene.ok(&format!("import {weights} --as sit --config {config} --out sit.flow"));
    let labels: Vec<i64> = (0..60).map(|row| row % 10).collect();
    let form = ArrayForm { name: "x".into(), element: Element::F32, shape: vec![60, 4, 8, 8] };
    let pixel = |at: usize| ((at * 37) % 101) as f32 * 0.02 - 1.0;
    write_array(&scene.path("images.npz"), &form, Some(&labels), |put| {
        put(&(0..60 * 256).map(pixel).collect::<Vec<_>>())
    })
    .unwrap_or_else(|error: ArrayError| panic!("{error}"));
    let words = "train images.npz --from sit.flow --no-eval --set train.images=128 \
                 --set train.batch=32 --set train.checkpoint_every=128 --set eval.n=20";
    let said = scene.run(&format!("{words} --set data.conditional=false --out without"));
    assert_eq!(said.code, Some(2), "{said:?}");
    said.names(&["sit.flow", "10 classes", "data.conditional=true"]);
    assert!(!scene.path("without").exists());
    scene.ok(&format!("{words} --out on"));
    scene.ok("sample on -n 4 --class 3 --steps 2 --out s.npy");
}

#[test]
fn what_from_names_is_told_by_what_is_there() {
    let scene = Scene::new();
    scene.train("first", "--set train.images=2560");
    scene.ok("export first --out first.safetensors");
    // A model in the format that arrays have too.
    let said = scene.run("train debug --from first.safetensors --dry-run");
    assert!(said.stderr.contains("begins with the weights of"), "{said:?}");
    assert!(said.stdout.contains("weights = \""), "{said:?}");
    let wide = "train debug --from first --set network.hidden=48 --out wide";
    scene.refuses(wide, 2, &["network.hidden is 32, and that of this recipe is 48"]);
    scene.refuses("train debug --from first --pairs", 2, &["--pairs", "train.weights"]);
    scene.refuses("train debug --from none --out none", 2, &["no run and no model none"]);
    scene.refuses("train debug --from none.csv", 2, &["--data FILE"]);
    assert!(!scene.path("wide").exists() && !scene.path("none").exists());
}
