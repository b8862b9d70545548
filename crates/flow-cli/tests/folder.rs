//! Pictures of one's own, from files to samples.
#![cfg(feature = "folder")]

mod common;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use common::Scene;

/// Grey PNG files of 8 x 8 pixels: a dark line on white, and a white diagonal on black.
const PICTURES: [&str; 2] = [
    "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAAAAADhZOFXAAAAF0lEQVR42mP8zwABTAzoDDhgxK0GzgAAa6ACC5NjSjAAAAAASUVORK5CYII=",
    "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAAAAADhZOFXAAAADklEQVR42mP4zwADFLEAHzcH+U4voEIAAAAASUVORK5CYII=",
];

#[test]
fn pictures_of_ones_own_are_trained_on_and_sampled() {
    let scene = Scene::new();
    for part in ["train", "test"] {
        for (class, picture) in PICTURES.iter().enumerate() {
            let folder = scene.path(&format!("mine/{part}/class-{class}"));
            std::fs::create_dir_all(&folder).unwrap();
            for i in 0..8 {
                let bytes = STANDARD.decode(picture).unwrap();
                std::fs::write(folder.join(format!("{i}.png")), bytes).unwrap();
            }
        }
    }
    let small = "--set network.channels=8 --set network.head_channels=8 --set network.groups=4 \
                 --set network.multipliers=[1] --set network.attention=[] --set train.batch=8 \
                 --set train.images=64 --set train.checkpoint_every=64";
    let words = "train digits --set data.set=folder --data-dir mine --no-eval --out run";
    scene.ok(&format!("{words} {small}"));
    // The run itself knows what its rows look like: no picture is read.
    scene.ok("sample run -n 3 --class 1 --solver euler --steps 2 --seed 5");
    let samples = scene.path("run/samples/seed5-n3-class1-euler-steps2-guidance1.5.npy");
    assert!(samples.is_file(), "{:?}", std::fs::read_dir(scene.path("run/samples")));
    scene.refuses("sample run --class 2", 2, &["classes 0 to 1"]);
    scene.refuses("train digits --set data.set=folder", 1, &["train/<class>", "--data-dir"]);
}
