//! Models that are told an image, and questions put to a model of images.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;

use std::fs;

use common::{Scene, npy};

/// A network of some hundred weights, trained for a few steps.
const SMALL: &str = "--set network.channels=8 --set network.head_channels=8 --set network.groups=4 \
                     --set network.multipliers=[1] --set network.attention=[] --set train.batch=8 \
                     --set train.images=64 --set train.checkpoint_every=64 --set sample.solver=euler \
                     --set sample.steps=2 --threads 1";

/// A file of numpy with numbers of single precision.
fn array(shape: &str, numbers: &[f32]) -> Vec<u8> {
    let text = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({shape}), }}");
    let header = format!("{text:<117}\n");
    let bytes = numbers.iter().flat_map(|x| x.to_le_bytes());
    let start = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
    start.into_iter().chain(header.into_bytes()).chain(bytes).collect()
}

#[test]
fn small_images_are_enlarged_from_training_to_scores() {
    let scene = Scene::new();
    let steps = "--set eval.steps={euler=[1]} --set eval.n=100 --set eval.error_n=0";
    let said = scene.ok(&format!("train digits-upsample --out run {SMALL} {steps}"));
    for score in ["PSNR", "distance of the small copy"] {
        assert!(said.contains(score), "{said}");
    }
    // Smaller images than the window of structural similarity have none.
    assert!(!said.contains("SSIM"), "{said}");
    assert!(scene.path("run/plots/enlarged.png").is_file());

    // Two small images: one sample for each unless more are asked for.
    let small: Vec<f32> = (0..32).map(|i| if i < 16 { -1.0 } else { 0.5 }).collect();
    scene.write("small.npy", array("2, 1, 4, 4", &small));
    scene.ok("sample run --given small.npy --out two.npy");
    let (shape, two) = npy::<f32>(&scene.path("two.npy"));
    assert_eq!(shape, [2, 1, 8, 8]);
    // They are taken in turn, and each sample is what its own number and small image make it.
    scene.ok("sample run --given small.npy -n 5 --out five.npy");
    let (_, five) = npy::<f32>(&scene.path("five.npy"));
    assert_eq!((five.len(), &five[..128]), (5 * 64, &two[..]));
    // A model of its own knows by how much it enlarges.
    scene.ok("export run --out m.flow");
    scene.ok("sample m.flow --given small.npy --out again.npy");
    assert_eq!(
        fs::read(scene.path("again.npy")).unwrap(),
        fs::read(scene.path("two.npy")).unwrap()
    );
    // The control: other small images give other samples.
    scene.write("other.npy", array("2, 1, 4, 4", &[0.0; 32]));
    scene.ok("sample run --given other.npy --out other-two.npy");
    assert_ne!(npy::<f32>(&scene.path("other-two.npy")).1, two);
    let said = scene.ok("likelihood run -n 2 --probes 1 --steps 2 --solver euler");
    assert!(said.contains("bits per dimension"), "{said}");

    scene.refuses("sample run --out x.npy", 2, &["--given", "4 x 4 pixels"]);
    scene.write("large.npy", array("1, 8, 8", &[0.0; 64]));
    let words = "sample run --given large.npy --out x.npy";
    scene.refuses(words, 2, &["large.npy has the shape [1, 8, 8]", "enlarges 1 x 4 x 4"]);
    scene.write("nan.npy", array("1, 4, 4", &[f32::NAN; 16]));
    scene.refuses("sample run --given nan.npy --out x.npy", 2, &["nan.npy holds", "not finite"]);
    let dry = "train digits-upsample --dry-run --set data.upsample";
    scene.refuses(&format!("{dry}=3"), 2, &["data.upsample is 3", "divide 8 and 8"]);
    let toy = "train checkerboard --dry-run --set data.upsample=2";
    scene.refuses(toy, 2, &["data.upsample is for images"]);
}

#[test]
fn questions_are_answered_in_a_folder_of_their_own() {
    let scene = Scene::new();
    scene.ok(&format!("train digits --no-eval --out run {SMALL}"));
    scene.write("seen.npy", array("1, 8, 8", &[0.25; 64]));
    let mask: Vec<f32> = (0..64).map(|i| if i < 32 { 1.0 } else { 0.0 }).collect();
    scene.write("mask.npy", array("8, 8", &mask));
    let ask = "--draws 3 --steps 4 --threads 1 --class 3";
    for method in ["mmps", "pigdm", "dps,scale=2e-5", "replacement"] {
        let out = format!("hole-{}", method.split(',').next().unwrap());
        let words = format!("solve run --known seen.npy --mask mask.npy --method {method} {ask}");
        scene.ok(&format!("{words} --out {out}"));
        let (shape, samples) = npy::<f32>(&scene.path(&format!("{out}/samples.npy")));
        assert_eq!(shape, [3, 1, 8, 8]);
        let (_, mean) = npy::<f32>(&scene.path(&format!("{out}/mean.npy")));
        for (i, mean) in mean.iter().enumerate() {
            let sum: f32 = (0..3).map(|draw| samples[draw * 64 + i]).sum();
            assert!((mean - sum / 3.0).abs() < 1e-5, "{method}: pixel {i}");
        }
        assert!(scene.path(&format!("{out}/answers.png")).is_file());
        let text = fs::read_to_string(scene.path(&format!("{out}/answers.json"))).unwrap();
        let note: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(note["misfit"].as_array().unwrap().len(), 3, "{note}");
        assert_eq!(note["operator"], "mask:mask.npy");
        assert_eq!((&note["observed"], &note["model"]), (&"seen.npy".into(), &"run".into()));
        assert_eq!((&note["noise"], &note["class"]), (&0.05.into(), &3.into()));
        assert_eq!((&note["method"], &note["class_name"]), (&method.into(), &"3".into()));
        // Four steps, a correction after each but the last, and one look without the observation
        // at pure noise.
        let gradients = if method == "replacement" { 0 } else { 7 };
        assert_eq!(
            (&note["evaluations"], &note["gradients"]),
            (&8.into(), &gradients.into()),
            "{method}"
        );
        assert!(note["memory"].is_null() || note["memory"].is_u64(), "{note}");
    }
    scene.write("small.npy", array("1, 4, 4", &[0.25; 16]));
    for (name, seen) in [("upsample:2", "small.npy"), ("blur:1", "seen.npy")] {
        let out = name.split(':').next().unwrap();
        scene.ok(&format!("solve run --operator {name} --observe {seen} {ask} --out {out}"));
    }
    scene.write("sum.npy", array("1, 64", &[1.0; 64]));
    scene.write("total.npy", array("1, 1", &[-20.0]));
    scene.ok(&format!("solve run --operator matrix:sum.npy --observe total.npy {ask} --out total"));

    let solve = |words: &str| format!("solve run {words} --out new");
    for (words, names) in [
        ("--operator upsample:3 --observe small.npy", &["8 x 8 pixels are no multiples"][..]),
        ("--operator upsample:2 --observe seen.npy", &["holds 64 numbers", "sees 16"]),
        ("--operator sharpen:2 --observe seen.npy", &["no `sharpen`", "upsample:K"]),
        ("--operator upsample:2 --observe none.npy", &["none.npy"]),
        ("--operator blur:-1 --observe seen.npy", &["positive number of pixels"]),
        (
            "--operator upsample:2 --observe small.npy --noise 0",
            &["std of the observation is 0", "positive number"],
        ),
        (
            "--operator upsample:2 --observe small.npy --method guess",
            &["--method", "`guess`", "mmps"],
        ),
        ("--operator upsample:2 --observe small.npy --draws 0", &["--draws is 0"]),
        ("--operator upsample:2 --observe small.npy --class 10", &["class 10", "classes 0 to 9"]),
        (
            "--operator upsample:2 --observe small.npy --class seven",
            &["no class `seven`", "0, 1, 2"],
        ),
    ] {
        scene.refuses(&solve(words), 2, names);
    }
    // A network that has hardly been trained is pulled out of all bounds in so few steps.
    let hole = "solve run --known seen.npy --mask mask.npy --out new";
    scene.refuses(&format!("{hole} {ask} --method dps"), 1, &["went astray", "more steps"]);
    scene.write("none.npy", array("8, 8", &[0.0; 64]));
    let hidden = format!("solve run --known seen.npy --mask none.npy {ask} --out new");
    scene.refuses(&hidden, 2, &["nothing of a sample is seen"]);
    for (words, names) in [
        ("--draws 100000000000", &["100000000000 answers", "at most 4194304"][..]),
        ("--method mmps,iterations=1000000000", &["[1, 1000]"]),
        ("--sampler langevin,corrections=1000000000", &["[0, 1000]"]),
        ("--steps 1000000000", &["number of steps is 1000000000"]),
        ("--noise 1e30", &["std of the observation", "[1e-12, 1e12]"]),
    ] {
        scene.refuses(&format!("{hole} {words}"), 2, names);
    }
    // An observation is an array of as many numbers, however many axes it has.
    scene.write("three.npy", array("3,", &[0.1, f32::NAN, 0.3]));
    scene.write("two.npy", array("2,", &[0.1, -0.2]));
    scene.write("rows.npy", array("2, 64", &[1.0 / 64.0; 128]));
    let rows = "solve run --operator matrix:rows.npy --observe";
    scene.ok(&format!("{rows} two.npy {ask} --out flat"));
    scene.refuses(&format!("{rows} three.npy --out new"), 2, &["holds 3 numbers", "sees 2"]);
    // What a mask hides may be no number; what is seen may not.
    let half: Vec<f32> = (0..64).map(|i| if i < 32 { 0.25 } else { f32::NAN }).collect();
    scene.write("half.npy", array("1, 8, 8", &half));
    scene.ok(&format!("solve run --known half.npy --mask mask.npy {ask} --out nan"));
    scene.refuses(
        &format!("solve run --operator blur:1 --observe half.npy {ask} --out new"),
        2,
        &["observation holds NaN"],
    );
    let there = "solve run --operator upsample:2 --observe small.npy --out blur";
    scene.refuses(there, 2, &["blur exists already"]);
}

#[test]
fn counts_and_sums_are_seen_of_an_image() {
    let scene = Scene::new();
    scene.ok(&format!("train digits --no-eval --out run {SMALL}"));
    let ask = "--method replacement --draws 3 --steps 4 --threads 1";
    // Counts of rate 20 (z + 1), by which 25 of them stand for 0.25.
    scene.write("counts.npy", array("1, 4, 4", &[25.0; 16]));
    let counted = "solve run --operator upsample:2 --observe counts.npy";
    scene.ok(&format!("{counted} --noise poisson:20 {ask} --out counts"));
    let (_, mean) = npy::<f32>(&scene.path("counts/mean.npy"));
    let square = (mean[0] + mean[1] + mean[8] + mean[9]) / 4.0;
    assert!((square - 0.25).abs() < 1e-3, "{square}");
    let text = fs::read_to_string(scene.path("counts/answers.json")).unwrap();
    let note: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(note["noise"], serde_json::json!({"poisson": {"gain": 20.0, "offset": 1.0}}));
    // The sums of the rows of an image, as scipy writes them: tests/reference/rows.py.
    scene.write("rows.npz", include_bytes!("reference/rows.npz"));
    scene.write("sums.npy", array("8,", &[-2.0; 8]));
    let sparse = "solve run --operator sparse:rows.npz --observe sums.npy";
    scene.ok(&format!("{sparse} {ask} --out sums"));
    let (_, mean) = npy::<f32>(&scene.path("sums/mean.npy"));
    for row in mean.chunks(8) {
        assert!((row.iter().sum::<f32>() + 2.0).abs() < 1e-3, "{row:?}");
    }

    scene.write("below.npy", array("1, 4, 4", &[-1.0; 16]));
    let small = "solve run --out new --operator upsample:2 --observe";
    for (words, names) in [
        ("counts.npy --noise loud", &["`loud` is no number", "poisson:GAIN"][..]),
        ("counts.npy --noise poisson:0", &["gain of the observation is 0"]),
        ("below.npy --noise poisson:3", &["is no count"]),
        ("small.png --noise poisson:3", &["small.png is a picture", ".npy"]),
    ] {
        scene.refuses(&format!("{small} {words}"), 2, names);
    }
    let damaged = "solve run --out new --operator sparse:counts.npy --observe counts.npy";
    scene.refuses(damaged, 2, &["counts.npy is damaged"]);
}

/// Three methods and a model that was trained for the question, about the same four images.
#[test]
fn methods_and_a_model_trained_for_the_question_are_asked_side_by_side() {
    let scene = Scene::new();
    scene.ok(&format!("train digits --no-eval --out run {SMALL}"));
    scene.ok(&format!("train digits-upsample --no-eval --out trained {SMALL}"));
    let asked = "eval run -n 4 --draws 3 --steps 4 --threads 1 --questions";
    let methods = "--method replacement --method mmps --method pigdm,data_std=0.5";
    let said = scene.ok(&format!("{asked} upsample:2 {methods} --against trained"));
    for word in ["| method", "agreement", "PSNR of the mean", "misfit", "gradients", "memory"] {
        assert!(said.contains(word), "{said}");
    }
    let text = fs::read_to_string(scene.path("run/questions-upsample-2.json")).unwrap();
    let report: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&report["n"], &report["draws"]), (&4.into(), &3.into()));
    assert_eq!((&report["sampler"], &report["steps"]), (&"langevin".into(), &4.into()));
    let rows = report["rows"].as_array().unwrap();
    // Four steps and a correction after each but the last; a method also looks at pure noise
    // without the observation.
    let costs = [("replacement", 8.0, 0), ("mmps", 8.0, 7), ("pigdm,data_std=0.5", 8.0, 7)];
    assert_eq!(rows.len(), 4);
    for (row, (method, evaluations, gradients)) in
        rows.iter().zip(costs.into_iter().chain([("trained", 7.0, 0)]))
    {
        assert_eq!((&row["method"], &row["astray"]), (&method.into(), &0.into()), "{row}");
        assert_eq!(row["evaluations"], evaluations, "{method}");
        assert_eq!(row["gradients"], gradients, "{method}");
        assert!(0.0 < row["seconds"].as_f64().unwrap(), "{method}");
        for score in row["scores"].as_array().unwrap() {
            assert!(score["value"].is_f64() && score["std_error"].is_f64(), "{score}");
            assert_eq!(score["n"], 4);
        }
    }
    let score = |row: usize, name: &str| {
        let scores = rows[row]["scores"].as_array().unwrap();
        scores.iter().find(|score| score["name"] == name).unwrap()["value"].as_f64().unwrap()
    };
    // The control puts in what was seen; a network of a few steps knows nothing of it.
    assert!(score(0, "misfit") < 1e-2 && 1.0 < score(3, "misfit"), "{text}");
    assert!(score(3, "PSNR of the mean") < score(0, "PSNR of the mean"), "{text}");
    // The same again: answers follow from the seed.
    scene.ok(&format!("{asked} upsample:2 {methods} --against trained --json"));
    let again = fs::read_to_string(scene.path("run/questions-upsample-2.json")).unwrap();
    let again: serde_json::Value = serde_json::from_str(&again).unwrap();
    for (row, again) in rows.iter().zip(again["rows"].as_array().unwrap()) {
        assert_eq!(row["scores"], again["scores"]);
    }

    for (words, names) in [
        ("upsample:2 --against run", &["run was trained for no question", "digits-upsample"][..]),
        ("blur:1 --against trained", &["enlarges images 2 times", "not what blur:1 asks for"]),
        ("upsample:4 --against trained", &["enlarges images 2 times", "upsample:4"]),
        ("upsample:3", &["8 x 8 pixels are no multiples"]),
        ("upsample:2 --noise 0", &["std of the observation is 0"]),
        ("upsample:2 --method guess", &["--method", "`guess`", "mmps"]),
        ("upsample:2 -n 0", &["no held-out image"]),
    ] {
        let asked = if words.contains("-n 0") { "eval run --questions" } else { asked };
        scene.refuses(&format!("{asked} {words}"), 2, names);
    }
    for option in ["noise 0.1", "draws 3", "method mmps", "sampler ode", "steps 3", "against run"] {
        let said = scene.run(&format!("eval run --{option}"));
        let asks = said.stderr.contains("not provided") && said.stderr.contains("--questions");
        assert!(said.code == Some(2) && asks, "{option}: {said:?}");
    }
    // A model that is told a picture is asked no other question.
    let told = "eval trained -n 1 --draws 1 --steps 1 --questions upsample:2 --method mmps";
    let said = scene.run(told);
    assert_eq!(said.code, Some(2), "{said:?}");
    said.names(&["conditioning row"]);
}

/// Kernels of flow-kernels on one side and plain Burn on the other, each with its own gradients.
#[test]
#[cfg(feature = "ndarray")]
fn ndarray_answers_like_flex() {
    let scene = Scene::new();
    scene.ok(&format!("train digits --no-eval --out run {SMALL}"));
    scene.write("seen.npy", array("1, 8, 8", &[0.25; 64]));
    let mask: Vec<f32> = (0..64).map(|i| if i < 32 { 1.0 } else { 0.0 }).collect();
    scene.write("mask.npy", array("8, 8", &mask));
    let answers = |device: &str| {
        let ask = "--draws 2 --steps 4 --threads 1 --class 3 --device";
        scene.ok(&format!(
            "solve run --known seen.npy --mask mask.npy {ask} {device} --out {device}"
        ));
        npy::<f32>(&scene.path(&format!("{device}/samples.npy"))).1
    };
    let (flex, ndarray) = (answers("flex"), answers("ndarray"));
    assert!(flex.iter().zip(&ndarray).all(|(a, b)| (a - b).abs() < 1e-2));
    // A control: two draws are not that close.
    assert!(flex[..64].iter().zip(&flex[64..]).any(|(a, b)| 0.1 < (a - b).abs()));
}
