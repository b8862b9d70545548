//! Models with a latent through the binary: train, resume, look inside, sample, and what is
//! refused.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;

use std::fs;

use common::{Scene, metrics, npy};
use serde_json::Value;

/// Twenty steps of the line.
const LINE: &str = "vrfm-1d --set train.images=2000 --set train.batch=100 --set eval.n=200 \
                    --set train.checkpoint_every=1000 --set eval.batch=200";

/// Ten steps of digits with classes, and two of Euler for each sample.
const CLASSES: &str = "vrfm-digits --set data.conditional=true --set path.label_drop=0.1 --set train.images=320 \
                       --set train.batch=32 --set train.warmup_images=64 --set train.checkpoint_every=320 \
                       --set network.channels=16 --set network.multipliers=[1,2] --set network.attention=[] \
                       --set network.head_channels=16 \
                       --set latent.encoder={kind=\"conv\",channels=8,multipliers=[1,2],groups=8} \
                       --set sample.solver=euler --set sample.steps=2 --set eval.steps={euler=[1]} \
                       --set eval.n=20 --set eval.batch=100";

fn json(scene: &Scene, file: &str) -> Value {
    serde_json::from_slice(&fs::read(scene.path(file)).unwrap()).unwrap()
}

#[test]
fn a_model_with_a_latent_trains_and_shows_what_its_latent_does() {
    let scene = Scene::new();
    scene.ok(&format!("train {LINE} --out run"));
    for line in metrics(&scene.path("run"), "train") {
        let terms = &line["terms"];
        assert_eq!(terms["kl"].as_array().unwrap().len(), 4, "{line}");
        let sum: f64 = terms["kl"].as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).sum();
        let loss = terms["velocity_error"][0].as_f64().unwrap() + sum;
        // The recipe's weight is 1; numbers of size 2 in f32.
        assert!((line["loss"].as_f64().unwrap() - loss).abs() < 1e-5, "{line}");
    }
    let eval = json(&scene, "run/eval.json");
    assert_eq!(eval["latent"]["kl"].as_array().unwrap().len(), 4);
    assert!(eval["latent"]["gap"]["floor"].is_number());
    assert!(eval["latent"]["error"]["own"].as_f64().unwrap() > 0.0);
    assert!((eval["ambiguity"]["points"][3]["data"].as_f64().unwrap() - 2.68208874).abs() < 1e-7);
    assert!(eval["ambiguity"]["map_error"].as_f64().unwrap() > 0.0);
    assert!(eval.get("field").is_none(), "a field with a latent is no single field");
    for picture in ["ambiguity", "trajectories", "samples"] {
        assert!(scene.path(&format!("run/plots/{picture}.png")).is_file(), "{picture}");
    }
    // A density averages over latents.
    scene.ok("likelihood run -n 20 --latents 2");
    assert!(json(&scene, "run/likelihood.json")["nats"]["mean"].as_f64().unwrap().is_finite());
}

#[test]
fn a_class_and_a_latent_go_together() {
    let scene = Scene::new();
    scene.ok(&format!("train {CLASSES} --out run"));
    let eval = json(&scene, "run/eval.json");
    let scores = eval["rows"][0]["scores"].as_array().unwrap();
    assert!(scores.iter().any(|score| score["name"].as_str().unwrap().contains("another class")));
    assert_eq!(eval["latent"]["kl"].as_array().unwrap().len(), 2);
    let control = &eval["control"];
    for over in ["over_latents", "over_starts", "shuffled"] {
        assert!(control["intensity"][0][over].as_f64().unwrap() > 0.0, "{control}");
        assert!(control["content"][over].as_f64().unwrap() > 0.0, "{control}");
    }
    let manifolds = control["manifolds"].as_array().unwrap();
    assert_eq!(manifolds.len(), 2);
    for manifold in manifolds {
        let number = |name: &str| manifold[name].as_f64().unwrap();
        assert!((1.0..=10.0).contains(&number("classes")), "{manifold}");
        assert!(0.1 <= number("by_chance") && number("same") <= 1.0, "{manifold}");
    }
    assert!(scene.path("run/plots/manifold-1.png").is_file());

    // One class from the noise and the latents of another, with guidance away from no class.
    for class in [3, 7] {
        scene.ok(&format!("sample run --class {class} --guidance 2 -n 5 --out {class}.npy"));
        let (_, labels) = npy::<i64>(&scene.path(&format!("{class}.labels.npy")));
        assert_eq!(labels, [class; 5]);
    }
    let images = |class| fs::read(scene.path(&format!("{class}.npy"))).unwrap();
    assert!(images(3) != images(7), "the class is not heard");
    scene.refuses("sample run --class 10", 2, &["--class is 10", "0 to 9"]);
}

#[test]
fn resuming_ends_as_if_nothing_had_happened() {
    let scene = Scene::new();
    scene.ok(&format!("train {LINE} --no-eval --out whole"));
    scene.ok(&format!("train {LINE} --no-eval --out part"));
    // Half the run is lost: the checkpoint of step 20 and its lines.
    fs::remove_dir_all(scene.path("part/checkpoints/step-000000020")).unwrap();
    scene.ok("train --no-eval --resume part");
    let weights = |run: &str| {
        fs::read(scene.path(&format!("{run}/checkpoints/step-000000020/model.bpk"))).unwrap().len()
    };
    assert_eq!(weights("whole"), weights("part"));
    assert!(scene.samples("whole") == scene.samples("part"), "the samples differ");
}

#[test]
fn rectified_flow_on_the_line_has_no_ambiguity_of_its_own() {
    let scene = Scene::new();
    let line = LINE.replace("vrfm-1d", "rf-1d");
    scene.ok(&format!("train {line} --out run"));
    let eval = json(&scene, "run/eval.json");
    for point in eval["ambiguity"]["points"].as_array().unwrap() {
        assert!(point.get("model").is_none(), "one velocity at a point: {point}");
        assert!(point["data"].as_f64().unwrap() > 0.1, "{point}");
        // Twenty steps of training learn little; that the mean is measured is what counts here.
        assert!((1e-4..10.0).contains(&point["mean_error"].as_f64().unwrap()), "{point}");
    }
    assert!(eval.get("latent").is_none());
}

#[test]
fn latents_and_sources_that_cannot_work_are_refused() {
    let scene = Scene::new();
    let refusals: [(&str, &[&str]); 9] = [
        ("vrfm-1d --set latent.dim=0", &["latent.dim is 0", "positive"]),
        ("vrfm-1d --set latent.kl_weight=-1", &["latent.kl_weight is -1", "zero or"]),
        ("vrfm-1d --set latent.inputs=[]", &["latent.inputs is empty", "x_t"]),
        ("vrfm-1d --set latent.inputs=[\"x2\"]", &["x2", "x1"]),
        (
            "vrfm-digits --set latent.encoder={kind=\"mlp\",features=64,band={lowest=0.1,highest=9.0},hidden=8,depth=1}",
            &["mlp", "takes points", "conv"],
        ),
        (
            "vrfm-1d --set network.band={lowest=1.0,highest=0.5}",
            &["network.band.highest is 0.5", "above band.lowest"],
        ),
        ("rf-2d --set path.source.set=cats", &["path.source.set is `cats`", "rings-source"]),
        ("rf-2d --set data.set=two-modes-1d", &["path.source has 2 dimensions", "have 1"]),
        ("vrfm-1d --set network.features=63", &["features is 63", "multiple of 2"]),
    ];
    for (words, names) in refusals {
        scene.refuses(&format!("train {words}"), 2, names);
    }
    let mlp = "checkerboard --set latent.dim=2 --set latent.inputs=[\"x1\"] --set latent.kl_weight=1 \
               --set latent.encoder={kind=\"mlp\",features=64,band={lowest=0.1,highest=9.0},hidden=8,depth=1}";
    scene.refuses(&format!("train {mlp}"), 2, &["mlp takes no latent", "another kind"]);
}

/// The toy noise and data are met by a line each; the flow of that model pairs them anew.
#[test]
fn pairs_of_a_run_train_another() {
    let scene = Scene::new();
    scene.ok(&format!("train {LINE} --no-eval --out first"));
    let pairs = "--set path.coupling=paired --set reflow.run=first --set reflow.pairs=500";
    scene.ok(&format!("train {LINE} --no-eval --out second {pairs}"));
    assert!(scene.samples("first") != scene.samples("second"));
    let refusals: [(&str, &[&str]); 3] = [
        ("--set reflow.run=first --set reflow.pairs=500", &["path.coupling=paired"]),
        (&pairs.replace("=first", "=third"), &["no run and no model third"]),
        (&format!("{pairs} --set data.set=rings"), &["first", "other data"]),
    ];
    for (words, names) in refusals {
        scene.refuses(&format!("train {LINE} --no-eval {words}"), 2, names);
    }
}

#[test]
fn samplers_that_need_a_score_are_refused_where_noise_is_not_normal() {
    let scene = Scene::new();
    let names = ["path.source", "normal", "ode"];
    scene.refuses("train rf-2d --set sample.sampler=ancestral", 2, &names);

    let names = ["ancestral", "score", "pairs of reflow"];
    let reflow = "--set path.coupling=paired --set reflow.run=first --set reflow.pairs=50";
    scene.refuses(&format!("train debug {reflow} --set sample.sampler=ancestral"), 2, &names);
    // Without noise after the start there is nothing to refuse.
    scene.train("first", "");
    scene.ok(&format!("train debug {reflow} --set sample.sampler=ddim --dry-run"));
}
