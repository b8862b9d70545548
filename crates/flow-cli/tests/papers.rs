//! Recipes with the numbers of the papers, for machines larger than this one.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;

use common::{Scene, metrics};
use flow_datasets::Element;
use flow_datasets::array::Array;

/// Recipes of table 3 of Lipman et al. (2023), the side of an image, and the numbers of the
/// network, which the paper does not give.
const PAPER: [(&str, usize, usize); 4] = [
    ("fm-cifar10", 32, 153_094_915),
    ("fm-imagenet32", 32, 209_976_323),
    ("fm-imagenet64", 64, 276_421_059),
    ("fm-imagenet128", 128, 507_319_043),
];

/// A hundred images in colour: a wave of another length and direction each.
fn images(scene: &Scene, side: usize) {
    let wave = |at: usize| {
        let (image, y, x, channel) =
            (at / (side * side * 3), at / (side * 3) % side, at / 3 % side, at % 3);
        let angle = 0.3 * image as f64 + channel as f64;
        let place = angle.cos() * x as f64 + angle.sin() * y as f64;
        (127.5 + 127.5 * (place * (4.0 + image as f64) / side as f64).sin()).round() as f32
    };
    let values = (0..100 * side * side * 3).map(wave).collect();
    let array = Array { shape: vec![100, side, side, 3], values, element: Element::U8 };
    array.write(&scene.path("waves.npy")).unwrap();
}

/// Words that bring the images to a recipe, also to that of CIFAR-10, which is downloaded.
const DATA: &str = "--data waves.npy --set data.set=array";

/// A batch of one, because a step of the paper's takes more memory than most machines have.
#[test]
fn recipes_of_the_papers_build_their_networks() {
    for (recipe, side, parameters) in PAPER {
        let scene = Scene::new();
        images(&scene, side);
        let small = "--set train.batch=1 --set eval.n=100 --set eval.batch=100";
        let said = scene.ok(&format!("train {recipe} {DATA} {small} --dry-run"));
        for words in [&format!("{parameters} parameters"), "weight_decay = 0.0", "sigma_min = 0.0"]
        {
            assert!(said.contains(words), "{recipe}: {words} is missing in {said}");
        }
        assert!(!said.contains("clip ="), "{recipe}: the paper bounds no gradient: {said}");
    }
}

/// The network of ImageNet at 64 pixels with a sixth of its channels, on a hundred images.
#[test]
#[ignore = "slow: two hundred steps of a network of 64 pixels, about five minutes"]
fn the_network_of_64_pixels_learns() {
    for seed in 0..3 {
        let scene = Scene::new();
        images(&scene, 64);
        scene.ok(&format!(
            "train fm-imagenet64 {DATA} --seed {seed} --no-eval --out run \
             --set network.channels=32 --set network.head_channels=32 --set network.groups=8 \
             --set train.batch=4 --set train.images=280 --set train.checkpoint_every=280 \
             --set train.learning_rate=5e-4"
        ));
        let losses: Vec<f64> = metrics(&scene.path("run"), "train")
            .iter()
            .map(|l| l["loss"].as_f64().unwrap())
            .collect();
        let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
        let (early, late) = (mean(&losses[..5]), mean(&losses[losses.len() - 20..]));
        assert!(late < 0.7 * early, "seed {seed}: from {early} to {late}");
    }
}

/// One step of each at its full size, on a single image a batch.
#[test]
#[ignore = "slow: networks of 100 to 700 million parameters, 20 GiB of memory"]
fn recipes_of_the_papers_make_a_step() {
    for (recipe, side, _) in PAPER {
        let scene = Scene::new();
        images(&scene, side);
        scene.ok(&format!(
            "train {recipe} {DATA} --no-eval --out run --set train.batch=1 --set train.images=1 \
             --set train.checkpoint_every=1 --set train.warmup_images=0 \
             --set train.validation_batches=1"
        ));
        let losses = metrics(&scene.path("run"), "train");
        assert!(losses[0]["loss"].as_f64().unwrap().is_finite(), "{recipe}: {losses:?}");
    }
}
