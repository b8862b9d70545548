//! A training begins with the weights of an earlier model, its own or one from elsewhere.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;

use std::fs;

use common::{Scene, checkpoints};

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
    scene.train("on", "--from moons.flow --set data.set=two-moons --set train.images=2560");
    let recipe = fs::read_to_string(scene.path("on/recipe.toml")).unwrap();
    assert!(recipe.contains("kind = \"torchcfm-mlp\""), "{recipe}");
    assert!(recipe.contains("moons.flow\""), "{recipe}");
    assert!(scene.ok("card on").contains("torchcfm-mlp, 8706 parameters"));
    assert!(scene.samples("on") != scene.samples("moons.flow"));
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
