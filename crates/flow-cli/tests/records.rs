//! Files of CIFAR-10 records through the binary: a part of the set, at its size and smaller.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;

use std::fs;

use common::{Scene, npy};
use serde_json::Value;

/// Ten steps of a network of few weights, and two of Euler for each sample.
const SMALL: &str = "--set train.images=320 --set train.batch=32 --set train.warmup_images=64 \
                     --set train.checkpoint_every=320 --set network.channels=16 \
                     --set network.multipliers=[1,2] --set network.attention=[] \
                     --set sample.solver=euler --set sample.steps=2 --set eval.steps={euler=[1]} \
                     --set eval.n=20 --set eval.batch=100 --set data.split={kind=\"hash\",share=0.5}";

const POSTERIOR: &str =
    "--set latent.encoder={kind=\"conv\",channels=8,multipliers=[1,2],groups=8}";

/// A label and three planes each: a wave of another direction and colour for each image.
fn records(n: usize) -> Vec<u8> {
    let wave = |image: usize, at: usize| {
        let (plane, y, x) = (at / 1024, at / 32 % 32, at % 32);
        let angle = 0.7 * image as f64;
        let place = angle.cos() * x as f64 + angle.sin() * y as f64;
        let colour = (angle + 2.0 * plane as f64).sin();
        (127.5 + 60.0 * (0.4 * place).sin() + 60.0 * colour).round() as u8
    };
    let record = |image: usize| {
        let pixels = (0..3072).map(move |at| wave(image, at));
        std::iter::once((image % 10) as u8).chain(pixels)
    };
    (0..n).flat_map(record).collect()
}

fn json(scene: &Scene, file: &str) -> Value {
    serde_json::from_slice(&fs::read(scene.path(file)).unwrap()).unwrap()
}

#[test]
fn a_part_of_a_set_is_learned_in_small_and_its_latent_is_looked_at_in_colour() {
    let scene = Scene::new();
    scene.write("batch.bin", records(200));
    let words = format!("train vrfm-cifar16 --data batch.bin --set data.shrink=4 {SMALL}");
    let said = scene.ok(&format!("{words} {POSTERIOR} --out run"));
    assert!(said.contains("FD-clf") && said.contains("features of the classifier"), "{said}");
    let data = &json(&scene, "run/environment.json")["data"];
    assert_eq!((&data["shape"], &data["classes"]), (&[3, 8, 8].into(), &10.into()));
    let control = &json(&scene, "run/eval.json")["control"];
    assert_eq!(control["intensity"].as_array().unwrap().len(), 3);
    for over in ["over_latents", "over_starts", "shuffled"] {
        assert!(control["content"][over].as_f64().unwrap() > 0.0, "{control}");
    }
    assert!(scene.path("run/plots/control.png").is_file());
    scene.ok("sample run -n 3 --out three.npy");
    assert_eq!(npy::<f32>(&scene.path("three.npy")).0, [3, 3, 8, 8]);
    // Whoever judges, the classifier of a part is not that of the whole set.
    let plain = format!("train cifar16 --data batch.bin --set data.shrink=4 {SMALL} --no-eval");
    scene.ok(&format!("{plain} --out plain"));
    let few = "-n 2 --draws 2 --steps 2 --method replacement";
    scene.ok(&format!("eval plain --questions blur:1 {few}"));
    let kept = fs::read_dir(scene.path("cache/flow-matching/classifiers")).unwrap();
    let names: Vec<String> =
        kept.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert!(names.len() == 1 && names[0].starts_with("own-images-"), "{names:?}");
    // A model of its own is scored on the records that are named.
    scene.ok("export plain --out m.flow");
    scene.write("more.bin", records(100));
    scene.ok("eval m.flow --out found --data more.bin");
    assert_eq!(json(&scene, "found/environment.json")["data"]["shape"], Value::from([3, 8, 8]));
}

#[test]
fn a_file_is_found_by_its_name_and_in_the_folder_of_data() {
    let scene = Scene::new();
    scene.write("batch.bin", records(40));
    scene.ok(&format!("train batch.bin {SMALL} --no-eval --out run"));
    assert_eq!(json(&scene, "run/environment.json")["data"]["shape"], Value::from([3, 16, 16]));
    scene.ok(&format!("train vrfm-cifar --data batch.bin {SMALL} {POSTERIOR} --no-eval --dry-run"));
    fs::create_dir(scene.path("sets")).unwrap();
    fs::rename(scene.path("batch.bin"), scene.path("sets/part.bin")).unwrap();
    let named = "--set data.file=part.bin";
    scene.ok(&format!("train cifar16 {named} --data-dir sets {SMALL} --no-eval --dry-run"));

    let refused = format!("train cifar16 {SMALL} --no-eval --dry-run");
    scene.refuses(&format!("{refused} {named}"), 2, &["data.file", "part.bin", "--data-dir"]);
    let words = format!("{refused} {named} --data-dir sets --set data.shrink=3");
    scene.refuses(&words, 2, &["data.shrink", "32 x 32"]);
    let words = format!("{refused} --data sets/part.bin --set data.shrink=1");
    scene.refuses(&words, 2, &["data.shrink is 1", "from 2"]);
    scene.write("cut.bin", &records(2)[..6000]);
    scene.refuses(&format!("{refused} --data cut.bin"), 1, &["6000 bytes", "3073"]);
    for (words, names) in [
        ("train digits --dry-run --set data.file=cut.bin", ["data.file is for", "cifar10"]),
        (
            "train cifar16 --dry-run --set data.split={kind=\"hash\",share=0.5}",
            ["data.split", "data.file"],
        ),
        ("train checkerboard --dry-run --set data.shrink=2", ["data.shrink", "checkerboard"]),
    ] {
        scene.refuses(words, 2, &names);
    }
}
