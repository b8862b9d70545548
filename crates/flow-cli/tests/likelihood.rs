//! The likelihood of data under a run.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;

use std::fs;

use common::Scene;
use serde_json::Value;

fn report(scene: &Scene, run: &str) -> Value {
    serde_json::from_slice(&fs::read(scene.path(run).join("likelihood.json")).unwrap()).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

#[test]
fn points_have_a_likelihood_below_that_of_their_distribution_and_a_picture() {
    let scene = Scene::new();
    scene.train("run", "");
    let said = scene.ok("likelihood run -n 200");
    for part in ["200 samples of the test data", "nats", "exact", "evaluations"] {
        assert!(said.contains(part), "expected `{part}` in:\n{said}");
    }
    let report = report(&scene, "run");
    assert_eq!((&report["n"], &report["probes"]), (&200.into(), &Value::Null));
    assert_eq!(numbers(&report["samples"]).len(), 200);
    // A checkerboard of 8 unit squares of area 4 has the entropy ln 32 = 3.4657.
    let exact = report["data_nats"]["mean"].as_f64().unwrap();
    assert!((exact + 32_f64.ln()).abs() < 1e-9, "{exact}");
    // A little training finds most of the squares; the bound holds in the mean, here by far.
    let nats = report["nats"]["mean"].as_f64().unwrap();
    assert!((-7.0..exact).contains(&nats), "{nats}");
    for (file, signature) in [("likelihood.png", &b"\x89PNG"[..]), ("likelihood.svg", b"<svg")] {
        let bytes = fs::read(scene.path("run/plots").join(file)).unwrap();
        assert!(bytes.starts_with(signature), "{file}");
    }
}

#[test]
fn random_probes_agree_with_the_exact_divergence_within_their_error() {
    let scene = Scene::new();
    scene.train("run", "");
    let exact: Value = serde_json::from_str(&scene.ok("likelihood run -n 50 --json")).unwrap();
    assert_eq!(exact, report(&scene, "run"));
    scene.ok("likelihood run -n 50 --probes 200");
    let estimated = report(&scene, "run");
    let error = estimated["probe_error"].as_f64().unwrap();
    let pairs = numbers(&exact["samples"]).into_iter().zip(numbers(&estimated["samples"]));
    let square: f64 = pairs.map(|(a, b)| (a - b).powi(2)).sum::<f64>() / 50.0;
    // 50 squared errors of that standard error: their mean is within a factor of two.
    assert!(square.sqrt() < 1.5 * error + 1e-2, "{} against {error}", square.sqrt());
}

#[test]
fn images_have_bits_per_dimension_that_do_not_depend_on_the_number_of_images() {
    let scene = Scene::new();
    scene.ok("train digits --no-eval --out run --set train.images=256 --set network.channels=8 \
              --set network.head_channels=8 --set network.multipliers=[1] \
              --set network.attention=[]");
    let mut all = Vec::new();
    for words in ["-n 4 --importance 3", "-n 2 --importance 3 --batch 3", "-n 2 --data train"] {
        let said = scene.ok(&format!("likelihood run --rtol 1e-3 --atol 1e-3 {words}"));
        assert_eq!(said.contains("lucky probes"), words.contains("--importance"), "{said}");
        let report = report(&scene, "run");
        assert_eq!(report["bits"]["levels"], 17);
        assert_eq!(report["bits"]["dequantised_training"], false);
        assert!(said.contains("training saw the pixels' values without noise"), "{said}");
        all.push(numbers(&report["bits"]["samples"]));
    }
    for (a, b) in all[0].iter().zip(&all[1]) {
        // Steps are shared by a batch, so results agree to the tolerance, some 0.3 nats in 64
        // dimensions.
        assert!((a - b).abs() < 0.05, "{a} and {b}");
    }
    // A uniform density over the 17 cells has log2(17) = 4.09 bits; a network without training has
    // more.
    assert!(all.iter().flatten().all(|bits| (1.0..20.0).contains(bits)), "{all:?}");
}

#[test]
fn any_solver_and_law_of_probes_agree_within_their_errors() {
    let scene = Scene::new();
    scene.train("run", "");
    scene.ok("likelihood run -n 50 --tag adaptive");
    scene.ok("likelihood run -n 50 --solver rk4 --steps 40 --tag fixed");
    scene.ok("likelihood run -n 50 --probes 200 --gaussian --tag normal");
    let read = |tag: &str| -> Value {
        let path = scene.path("run").join(format!("likelihood-{tag}.json"));
        serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
    };
    let [adaptive, fixed, normal] = ["adaptive", "fixed", "normal"].map(read);
    assert_eq!((&fixed["solver"], &fixed["steps"]), (&"rk4".into(), &40.into()));
    assert_eq!((&normal["law"], &adaptive["law"]), (&"gaussian".into(), &Value::Null));
    let nats = |report: &Value| report["nats"]["mean"].as_f64().unwrap();
    // A field of so little training is rough: of 160 steps in place of 40 the mean differs by
    // 0.007.
    let difference = (nats(&adaptive) - nats(&fixed)).abs();
    assert!(difference < 3e-2, "{difference}");
    let error = normal["probe_error"].as_f64().unwrap() / 50_f64.sqrt();
    assert!((nats(&adaptive) - nats(&normal)).abs() < 4.0 * error + 1e-2);
    // The divergence from the data is what the two mean log-densities differ by, and not negative.
    let kl = adaptive["divergence"]["mean"].as_f64().unwrap();
    let difference = adaptive["data_nats"]["mean"].as_f64().unwrap() - nats(&adaptive);
    assert!((kl - difference).abs() < 1e-9 && 0.0 < kl, "{kl} and {difference}");
}

#[test]
fn what_cannot_be_asked_is_refused() {
    let scene = Scene::new();
    scene.train("run", "");
    for (words, names) in [
        ("--importance 2", ["--importance", "points have none"]),
        ("--probes 0", ["--probes is 0", "at least 1"]),
        ("--batch 0", ["--batch is 0", "at least 1"]),
        ("-n 0", ["--number is 0", "at least 1"]),
        ("--solver rk4", ["rk4", "--steps"]),
        ("--solver rk5", ["rk5", "dopri5"]),
        ("--gaussian", ["--gaussian", "add --probes"]),
        ("--rtol 0 --atol 0", ["--rtol and --atol", "all zero"]),
        ("--tag a/b", ["--tag a/b", "file name"]),
    ] {
        scene.refuses(&format!("likelihood run {words}"), 2, &names);
    }
    scene.refuses("likelihood nope", 2, &["no run and no model nope"]);
}

#[test]
fn samples_where_the_model_has_no_density_are_counted() {
    let scene = Scene::new();
    // Half of the plane has no mass at the start of the flow, and little training moves none there.
    scene
        .train("run", "--set data.set=rings --set path.source={kind=\"toy\",set=\"checkerboard\"}");
    let said = scene.ok("likelihood run -n 200");
    assert!(said.contains("lie where the model has no density: theirs is -inf"), "{said}");
    let report = report(&scene, "run");
    let without = report["without_density"].as_u64().unwrap();
    assert!((1..200).contains(&without), "{without} of 200");
    let infinite = report["samples"].as_array().unwrap().iter().filter(|x| x.is_null()).count();
    assert_eq!(infinite as u64, without);
    assert!(report["nats"]["mean"].is_null() && report["elsewhere"]["mean"].is_f64(), "{report}");
    assert!(scene.path("run/plots/likelihood.png").is_file());
    // A page and a comparison can be made of it all the same.
    scene.ok("compare run --score log-likelihood");
}
