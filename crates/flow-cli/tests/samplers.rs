//! Every sampler, grid and schedule of a trained run through the binary, and what cannot be
//! combined.

mod common;

use common::{Scene, npy};

/// Draws samples and returns them with what was printed.
fn sample(scene: &Scene, run: &str, options: &str) -> (Vec<f32>, String) {
    let said = scene.ok(&format!("sample {run} -n 40 {options} --out samples.npy"));
    (npy::<f32>(&scene.path("samples.npy")).1, said)
}

#[test]
fn every_sampler_draws_and_counts_its_evaluations() {
    let scene = Scene::new();
    scene.train("run", "--set path.schedule=vp --set path.prediction=noise");
    for (options, evaluations) in [
        ("--solver heun2", 20),
        ("--sampler ddim", 10),
        ("--sampler ddim,eta=0.5", 10),
        ("--sampler ancestral", 10),
        ("--sampler churn,fraction=0.3", 10),
        ("--sampler edm --grid karras", 19),
        ("--sampler karras-churn,amount=3 --grid karras", 19),
        ("--sampler sde,diffusion=sigma", 10),
        ("--sampler sde,diffusion=ddpm,last=plain", 10),
        ("--sampler dpm-solver++,order=1", 10),
        ("--sampler dpm-solver++,eta=1", 10),
        ("--sampler unipc --grid log-snr,min=-9,max=9", 10),
        ("--sampler unipc,order=3,last=lower", 10),
        ("--sampler straight,space=noise,rule=euler --shift 2", 10),
    ] {
        let (samples, said) = sample(&scene, "run", &format!("{options} --steps 10"));
        assert!(samples.iter().all(|x| x.is_finite() && x.abs() < 50.0), "{options}: {samples:?}");
        // The diffusion ends at a little noise, where Heun's correction is still made.
        let counted = [evaluations, evaluations + 1].map(|n| format!(" {n} network evaluations"));
        assert!(counted.iter().any(|n| said.contains(n)), "{options}: {said}");
    }
}

#[test]
fn names_of_one_sampler_draw_the_same_samples() {
    let scene = Scene::new();
    scene.train("run", "");
    let ends = |a: &str, b: &str| [a, b].map(|options| sample(&scene, "run", options).0);
    let gap =
        |[a, b]: [Vec<f32>; 2]| a.iter().zip(&b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    // In single precision, over eight steps of samples of size four.
    let rounding = 1e-4;
    for (a, b) in [
        ("--sampler ddim --steps 8", "--solver euler --steps 8"),
        ("--sampler ddim --steps 8", "--sampler straight,rule=euler --steps 8"),
        ("--sampler ddim --steps 8", "--sampler dpm-solver++,order=1 --steps 8"),
        ("--sampler ddim --steps 8", "--sampler ddim --schedule linear --steps 8"),
        (
            "--sampler ddim,eta=1 --grid given,times=[0.1,0.5,0.9,1]",
            "--sampler ancestral --grid given,times=[0.1,0.5,0.9,1]",
        ),
        (
            "--sampler churn --grid given,times=[0.1,0.5,0.9,1]",
            "--sampler ancestral --grid given,times=[0.1,0.5,0.9,1]",
        ),
        ("--sampler ddim --guide-with run --guidance 3", "--sampler ddim"),
    ] {
        assert!(gap(ends(a, b)) < rounding, "{a} and {b}");
    }
    for (a, b) in [
        ("--sampler ddim --steps 8", "--sampler ddim --steps 8 --schedule cosine"),
        ("--sampler ddim --steps 8", "--sampler ddim,eta=1 --steps 8"),
        ("--sampler ddim --steps 8", "--sampler ddim --steps 8 --shift 3"),
    ] {
        assert!(gap(ends(a, b)) > 10.0 * rounding, "{a} and {b}");
    }
}

#[test]
fn the_noise_of_a_sample_does_not_depend_on_its_batch() {
    let scene = Scene::new();
    scene.train("run", "");
    let whole = sample(&scene, "run", "--sampler ddim,eta=1").0;
    assert_eq!(sample(&scene, "run", "--sampler ddim,eta=1 --batch 7").0, whole);
    assert_ne!(sample(&scene, "run", "--sampler ddim,eta=1 --seed 1").0, whole);
}

#[test]
fn a_recipe_may_name_its_sampler() {
    let scene = Scene::new();
    scene.train("run", "--set sample.sampler=ddim,eta=1 --set sample.steps=6");
    let (by_recipe, said) = sample(&scene, "run", "");
    assert!(said.contains("ddim,eta=1") && said.contains(" 6 network"), "{said}");
    assert_eq!(by_recipe, sample(&scene, "run", "--sampler ddim,eta=1 --steps 6").0);
    // A solver on the command line takes its place.
    assert!(sample(&scene, "run", "--solver euler").1.contains("by euler, 6 network"));
}

#[test]
fn guidance_by_a_weaker_run_costs_both_where_it_acts() {
    let scene = Scene::new();
    scene.train("run", "");
    scene.train("weak", "--set train.images=2560 --set path.schedule=cosine");
    let plain = sample(&scene, "run", "--sampler ddim --steps 10").0;
    let options = "--sampler ddim --steps 10 --guide-with weak --guidance 1.5";
    let (guided, said) = sample(&scene, "run", options);
    assert!(said.contains(" 20 network evaluations"), "{said}");
    assert_ne!(guided, plain);
    let (_, said) = sample(&scene, "run", &format!("{options} --guidance-interval 0.3,0.55"));
    assert!(said.contains(" 13 network evaluations"), "{said}");
}

#[test]
fn what_cannot_be_combined_is_refused() {
    let scene = Scene::new();
    scene.train("run", "");
    scene.train("paired", "--set path.coupling=ot");
    scene.train("bridged", "--set path.between=bridge --set path.coupling=schrodinger");
    let refusals: [(&str, &[&str]); 27] = [
        ("run --guidance-interval 0,0.5", &["--guidance-interval", "add --guidance"]),
        ("run --sampler ddim --grid given,times=[0,0.5]", &["ends at 0.5", "must be 1"]),
        ("run --solver rk4 --grid given,times=[0,0.5]", &["ends at 0.5", "must be 1"]),
        ("run --sampler ddim --grid given,times=[0,nan,1]", &["times is NaN", "finite number"]),
        ("run --sampler ddim --grid given,times=[0,2]", &["times is 2", "between 0 and 1"]),
        ("run --sampler ddim --grid given,times=[0,0.5,1] --steps 2", &["--steps", "leave it out"]),
        ("run --solver rk4 --grid given,times=[0,0.5,1] --steps 2", &["--steps", "leave it out"]),
        ("run --sampler dim", &["`dim`", "ddim", "--sampler"]),
        ("run --sampler ddim,etta=1", &["`etta`", "`eta`"]),
        ("run --sampler ddim,1", &["`1`", "NAME,KEY=VALUE"]),
        ("run --sampler ddim,eta=2", &["eta is 2", "[0, 1]"]),
        ("run --sampler churn,fraction=1", &["fraction is 1"]),
        ("run --sampler unipc,order=4", &["unipc", "2 and 3", "4"]),
        ("run --sampler ddim --solver rk4", &["--solver", "ode", "ddim"]),
        ("run --sampler ddim --rtol 1e-3", &["--rtol", "ode"]),
        ("run --sampler sde,diffusion=ddpm", &["only noise", "start the grid later"]),
        ("run --grid karras", &["dopri5 chooses its own steps", "number of steps"]),
        ("run --sampler edm --grid karras,min=3,max=2", &["grid.max is 2", "(min, inf)"]),
        ("run --sampler ddim --grid given,times=[0.5,0.2]", &["0.2", "0.5", "increasing"]),
        ("run --sampler ddim --grid given,times=[0.5]", &["no step"]),
        ("run --sampler ddim --shift 0", &["shift is 0", "positive"]),
        ("run --schedule vp,beta_max=0", &["schedule.beta_max is 0", "positive"]),
        ("run --guidance 2", &["--guidance", "no classes", "--guide-with"]),
        ("run --guide-with run", &["--guide-with", "--guidance"]),
        ("paired --sampler ddim,eta=1", &["score", "coupling ot", "ddim"]),
        ("bridged --sampler ddim", &["bridge", "sampler ode"]),
        ("bridged --schedule cosine", &["bridge", "without a schedule"]),
    ];
    for (words, names) in refusals {
        scene.refuses(&format!("sample {words} --out none.npy"), 2, names);
    }
    for words in ["paired --sampler ddim", "bridged"] {
        scene.ok(&format!("sample {words} -n 4 --out some.npy"));
    }
}

/// A recipe of points whose network is the other kind.
const SPLIT: &str = "--set network={kind=\"split-mlp\",features=32,band={lowest=0.1,highest=10.0},\
                     hidden=16,depth=2}";

/// Mean square of the difference of two sets of samples.
fn moved(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f32>() / a.len() as f32
}

#[test]
fn networks_of_two_kinds_guide_each_other() {
    let scene = Scene::new();
    scene.train("mlp", "");
    scene.train("split", SPLIT);
    for (run, guide) in [("mlp", "split"), ("split", "mlp")] {
        let plain = sample(&scene, run, "--solver euler --steps 5").0;
        let options = format!("--solver euler --steps 5 --guidance 3 --guide-with {guide}");
        let (guided, said) = sample(&scene, run, &options);
        assert!(said.contains(" 10 network evaluations"), "{said}");
        // Data have the size of a few units, and guidance 3 adds twice the difference of two
        // fields.
        assert!(0.01 < moved(&guided, &plain), "{run} by {guide}: {}", moved(&guided, &plain));
    }
}

/// Smallest network and training of the digits, which have classes.
const DIGITS: &str = "--set train.images=256 --set network.channels=8 --set network.head_channels=8 \
                      --set network.multipliers=[1] --set network.attention=[]";

#[test]
fn guidance_away_from_no_class_needs_a_model_that_has_learned_it() {
    let scene = Scene::new();
    let train = |folder: &str, more: &str| {
        scene.ok(&format!("train digits --no-eval --out {folder} {DIGITS} {more}"));
    };
    let words = format!("train digits {DIGITS} --set path.label_drop=0");
    let names = ["sample.guidance is 1.5", "path.label_drop above 0", "--guide-with"];
    scene.refuses(&words, 2, &names);
    train("always", "--set path.label_drop=0 --set sample.guidance=1");
    train("none", "--set data.conditional=false --set path.label_drop=0");
    scene.train("points", "");

    let euler = "--solver euler --steps 2 -n 4";
    for strength in ["5", "0"] {
        let words = format!("sample always {euler} --guidance {strength} --out x.npy");
        scene.refuses(&words, 2, &["guidance needs path.label_drop above 0 or --guide-with"]);
    }
    scene.ok(&format!("sample always {euler} --guidance 1 --out x.npy"));
    let away = |guide: &str| format!("sample always {euler} --guidance 5 --guide-with {guide}");
    // The guide may know the classes or none of them.
    for guide in ["always", "none"] {
        let said = scene.ok(&format!("{} --out x.npy", away(guide)));
        assert!(said.contains(" 4 network evaluations"), "{said}");
    }
    let other = ["--guide-with", "other data", "[2]", "[1, 8, 8]"];
    scene.refuses(&format!("{} --out x.npy", away("points")), 2, &other);
    let other = ["--guide-with", "10 classes, the model 0"];
    scene.refuses("sample none --guidance 2 --guide-with always --out x.npy", 2, &other);
}

#[test]
fn samples_made_in_two_ways_have_two_names() {
    let scene = Scene::new();
    scene.train("run", "");
    scene.train("weak", "");
    std::fs::create_dir(scene.path("others")).unwrap();
    scene.train("others/weak", "--seed 1");
    let ways = [
        "",
        "--seed 1",
        "-n 5",
        "--batch 2",
        "--rtol 1e-4",
        "--atol 1e-4",
        "--solver tsit5",
        "--solver rk4",
        "--solver rk4 --steps 5",
        "--solver rk4 --steps 5 --shift 2",
        "--solver rk4 --steps 5 --grid log-snr",
        "--solver rk4 --steps 5 --grid log-snr,min=-5",
        "--solver rk4 --grid given,times=[0,0.5,1]",
        "--solver rk4 --grid given,times=[0,0.25,1]",
        "--sampler ddim --steps 5",
        "--sampler ddim,eta=0.5 --steps 5",
        "--sampler ddim --steps 5 --schedule cosine",
        "--guidance 2 --guide-with weak",
        "--guidance 2 --guide-with others/weak",
        "--guidance 3 --guide-with weak",
        "--guidance 2 --guide-with weak --guidance-interval 0,0.5",
    ];
    for way in ways {
        scene.ok(&format!("sample run -n 4 {way}").replace("-n 4 -n", "-n"));
    }
    let names = || {
        let entries = std::fs::read_dir(scene.path("run/samples")).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    assert_eq!(names().len(), ways.len(), "{:#?}", names());
    // A recipe that was changed afterwards is another way too.
    let recipe = std::fs::read_to_string(scene.path("run/recipe.toml")).unwrap();
    assert!(recipe.contains("\nrtol = 0.001\n"), "{recipe}");
    scene.write("run/recipe.toml", recipe.replace("\nrtol = 0.001\n", "\nrtol = 0.01\n"));
    scene.ok("sample run -n 4");
    assert_eq!(names().len(), ways.len() + 1, "{:#?}", names());
}

#[test]
fn a_part_of_the_samples_is_the_same_as_all_of_them() {
    let scene = Scene::new();
    scene.train("run", "");
    let whole = sample(&scene, "run", "--solver rk4 --steps 3").0;
    scene.ok("sample run -n 40 --batch 7 --solver rk4 --steps 3 --out parts.npy");
    let (shape, parts) = npy::<f32>(&scene.path("parts.npy"));
    assert_eq!((shape, parts), (vec![40, 2], whole));
    // Whole or not at all: a sampler that cannot go on leaves no file behind.
    scene.refuses("sample run --sampler sde,diffusion=ddpm --out none.npy", 2, &["only noise"]);
}

#[test]
fn midpoint_takes_the_recipes_steps_unless_a_tolerance_is_given() {
    let scene = Scene::new();
    scene.train("run", "");
    let steps = scene.ok("sample run -n 8 --solver midpoint");
    assert!(steps.contains("by midpoint, 40 network evaluations"), "{steps}");
    let adaptive = scene.ok("sample run -n 8 --solver midpoint --rtol 1e-2 --atol 1e-2");
    assert!(!adaptive.contains(" 40 network evaluations"), "{adaptive}");
}

/// A U-Net that trains in a second.
const TINY: &str = "--no-eval --set train.images=512 --set train.batch=64 \
                    --set train.checkpoint_every=512 --set network.channels=8 \
                    --set network.groups=4 --set network.head_channels=8";

#[test]
fn guidance_that_is_baked_in_costs_one_evaluation_a_step() {
    let scene = Scene::new();
    let counted = |run: &str, options: &str, evaluations: usize| {
        let (samples, said) = sample(&scene, run, options);
        let words = format!(" {evaluations} network evaluation");
        assert!(said.contains(&words), "{run} {options}: {said}");
        samples
    };
    let euler = "--solver euler --steps 4 --guidance";
    scene.ok(&format!("train digits --out plain {TINY}"));
    counted("plain", &format!("{euler} 2"), 8);

    scene.ok(&format!("train digits --out run {TINY} --set train.guidance=[1,4]"));
    let [none, two] = [1, 2].map(|w| counted("run", &format!("{euler} {w}"), 4));
    assert_ne!(none, two, "the strength is told");
    scene.ok("export run --out digits.flow");
    assert_eq!(counted("digits.flow", &format!("{euler} 2"), 4), two);
    scene.refuses("sample run --guidance 5", 2, &["guidance 5", "1 to 4"]);
    scene.refuses("sample run --guidance 2 --guidance-interval 0.2,0.8", 2, &["baked in"]);
    scene.ok("likelihood run -n 4 --steps 2 --solver euler");

    scene.ok(&format!(
        "train digits --out fixed {TINY} --set train.guidance=2 --set sample.guidance=2"
    ));
    counted("fixed", "--solver euler --steps 4", 4);
    scene.refuses("sample fixed --guidance 3", 2, &["guidance 3", "guidance 2"]);

    scene.ok(&format!("train digits-shortcut --out jumps {TINY} --set train.guidance=[1,4]"));
    counted("jumps", "--guidance 3", 1);
}

#[test]
fn guidance_that_cannot_be_baked_in_is_refused() {
    let scene = Scene::new();
    for (changes, names) in [
        ("train.guidance=[4,1]", &["train.guidance", "smaller one first"][..]),
        ("train.guidance=0.5", &["train.guidance", "from 1 on"]),
        ("train.guidance=[2,4]", &["sample.guidance", "set sample.guidance=2"]),
        ("train.guidance=2 --set path.label_drop=0", &["path.label_drop"]),
        (
            "train.guidance=2 --set sample.guidance=2 --set data.conditional=false",
            &["must be told something"],
        ),
        (
            "train.guidance=[1,2] --set train.objective=consistency",
            &["learns no velocity to guide"],
        ),
        (
            "train.guidance=[1,2] --set sample.guidance_interval=[0.1,0.9]",
            &["sample.guidance_interval"],
        ),
    ] {
        scene.refuses(&format!("train digits --out run --set {changes}"), 2, names);
    }
}
