//! Flow maps through the binary: what is learned, how it is sampled, and what it cannot be asked.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;

use common::{Scene, npy};

/// A transformer that trains in seconds, of eight clouds on a circle of radius 4 or less.
const SMALL: &str = "--no-eval --set network.kind=dit --set network.hidden=16 \
                     --set network.depth=1 --set network.heads=2 --set train.images=51200 \
                     --set train.batch=128 --set train.warmup_images=5000 \
                     --set train.learning_rate=5e-3 --set train.checkpoint_every=51200 \
                     --set ema.half_life=5000";

/// Mean distance of samples from the origin, and what was said.
fn distance(scene: &Scene, run: &str, options: &str) -> (f64, String) {
    let said = scene.ok(&format!("sample {run} -n 400 {options} --out samples.npy"));
    let (_, x) = npy::<f32>(&scene.path("samples.npy"));
    let lengths = x.chunks(2).map(|x| f64::from(x[0].hypot(x[1])));
    (lengths.sum::<f64>() / 400.0, said)
}

/// One step of Euler goes to the mean of the data, the origin; a jump goes out to the circle. In
/// three trials jumps had a mean distance of 2.5 to 2.8 and steps of Euler one of 0.2.
#[test]
fn a_transformer_learns_to_jump() {
    let scene = Scene::new();
    for objective in ["shortcut", "meanflow,power=0"] {
        let run = objective.split(',').next().unwrap();
        scene.ok(&format!(
            "train eight-gaussians --out {run} {SMALL} --set train.objective={objective}"
        ));
        let (jump, said) = distance(&scene, run, "--steps 1");
        assert!(said.contains("by flow-map, 1 network evaluation each"), "{objective}: {said}");
        let (step, _) = distance(&scene, run, "--solver euler --steps 1");
        assert!(1.8 < jump && step < 0.8, "{objective}: {jump} by a jump, {step} by Euler");
    }
}

#[test]
fn a_recipe_that_learns_jumps_is_sampled_by_one_unless_it_says_otherwise() {
    let scene = Scene::new();
    scene.train("run", "--set train.objective=shortcut");
    let recipe = std::fs::read_to_string(scene.path("run/recipe.toml")).unwrap();
    assert!(recipe.contains("flow-map") && recipe.contains("steps = 1\n"), "{recipe}");
    for (options, words) in [
        ("", "by flow-map, 1 network evaluation each"),
        ("--steps 4", "by flow-map, 4 network evaluations"),
        ("--solver euler --steps 3", "by euler, 3 network evaluations"),
        ("--solver euler", "by euler, 20 network evaluations"),
        ("--solver dopri5 --rtol 1e-2 --atol 1e-2", "by dopri5"),
    ] {
        let said = scene.ok(&format!("sample run -n 8 {options} --out samples.npy"));
        assert!(said.contains(words), "{options}: {said}");
    }
    // A recipe of a solver that learned jumps all the same takes one, where it is asked for one.
    scene.train("solved", "--set train.objective=shortcut --set sample.sampler=ode");
    let said = scene.ok("sample solved -n 8 --sampler flow-map --out samples.npy");
    assert!(said.contains("by flow-map, 1 network evaluation each"), "{said}");
    // Tolerances alone leave open what is meant.
    let names = ["--rtol and --atol belong to the sampler ode", "name a --solver"];
    scene.refuses("sample run --rtol 1e-3", 2, &names);
    scene.train("plain", "");
    let names = ["the sampler is flow-map", "regression teaches no jumps", "such as shortcut"];
    scene.refuses("sample plain --sampler flow-map", 2, &names);
    let names = ["--solver belongs to the sampler ode", "unipc"];
    scene.refuses("sample run --sampler unipc --solver euler", 2, &names);
}

#[test]
fn a_model_that_learned_no_velocity_says_so() {
    let scene = Scene::new();
    // It is scored and drawn by its jumps alone.
    scene.ok("train debug --out run --set train.objective=consistency --set eval.n=200");
    scene.ok("sample run -n 8 --steps 1 --out samples.npy");
    scene.refuses("sample run --solver euler", 2, &["consistency", "no velocity", "flow-map"]);
    let jumps = ["4", "jumps to the data alone", "1 step"];
    scene.refuses("sample run --steps 4 --out none.npy", 2, &jumps);
    scene.refuses("likelihood run -n 4", 2, &["no velocity", "flow-map"]);

    scene.ok("export run --out jumps.flow");
    scene.ok("sample jumps.flow -n 8 --out samples.npy");
    let names = ["learned jumps to the data and no velocity", "flow-map"];
    scene.refuses("sample jumps.flow --solver euler --out none.npy", 2, &names);
    scene.refuses("sample jumps.flow --steps 4 --out none.npy", 2, &jumps);

    // With some rows that stay there is one.
    scene.train("both", "--set train.objective=consistency,share=0.5");
    scene.ok("sample both -n 8 --solver euler --steps 2 --out samples.npy");
    scene.ok("likelihood both -n 4 --solver euler --steps 2");
}

#[test]
fn losses_of_jumps_that_cannot_work_are_refused_with_what_can() {
    let scene = Scene::new();
    for (changes, names) in [
        ("train.objective=distillation", &["teacher", "reflow.run=RUN"][..]),
        ("train.objective=distillation --set path.coupling=ot", &["teacher", "reflow.run=RUN"]),
        ("train.objective=shortcut,share=0", &["no row jumps"]),
        ("train.objective=shortcut,share=1", &["train.objective.share", "[0, 1)"]),
        ("train.objective=consistency --set sample.sampler=ode", &["no velocity", "flow-map"]),
        (
            "train.objective=meanflow --set network.time_scale=1000",
            &["network.time_scale is 1000", "at most 20", "set network.time_scale=6"],
        ),
    ] {
        scene.refuses(&format!("train debug --out run --set {changes}"), 2, names);
    }
}
