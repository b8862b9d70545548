//! Folders of pictures: which are accepted, and their scores.
#![cfg(feature = "folder")]
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;

use std::fs;

use common::Scene;
use serde_json::Value;

const SMALL: &str = "--set network.channels=8 --set network.head_channels=8 --set network.groups=4 \
                     --set network.multipliers=[1] --set network.attention=[] --set train.batch=8 \
                     --set train.images=64 --set train.checkpoint_every=64 --set sample.solver=euler \
                     --set sample.steps=2 --set eval.steps={euler=[1]}";

const TRAIN: &str = "train digits --set data.set=folder";

/// A grey PNG file of `side` x `side` pixels of one value.
fn png(value: u8, side: u8) -> Vec<u8> {
    let crc = |bytes: &[u8]| {
        !bytes.iter().fold(!0_u32, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 * (crc & 1)))
        })
    };
    let chunk = |kind: &[u8], data: &[u8]| {
        let checked = [kind, data].concat();
        let length = (data.len() as u32).to_be_bytes();
        [&length[..], &checked, &crc(&checked).to_be_bytes()].concat()
    };
    let wide = u32::from(side).to_be_bytes();
    let line = [vec![0], vec![value; side.into()]].concat(); // no filter, then the pixels
    let pixels = line.repeat(side.into());
    let (a, b) = pixels.iter().fold((1_u32, 0_u32), |(a, b), x| {
        let a = (a + u32::from(*x)) % 65521;
        (a, (b + a) % 65521)
    });
    let length = pixels.len() as u16;
    // One block of deflate that is stored as it is, in the wrapper of zlib.
    let stored = [&[0x78, 1, 1][..], &length.to_le_bytes(), &(!length).to_le_bytes(), &pixels];
    let packed = [stored.concat(), (b << 16 | a).to_be_bytes().to_vec()].concat();
    [
        b"\x89PNG\r\n\x1a\n".to_vec(),
        chunk(b"IHDR", &[&wide[..], &wide, &[8, 0, 0, 0, 0]].concat()),
        chunk(b"IDAT", &packed),
        chunk(b"IEND", &[]),
    ]
    .concat()
}

/// `n` pictures of a class in a part of a set, of about this value.
fn class(scene: &Scene, folder: &str, n: u8, value: u8, side: u8) {
    let folder = scene.path(folder);
    fs::create_dir_all(&folder).unwrap();
    for i in 0..n {
        fs::write(folder.join(format!("{i:02}.png")), png(value + i % 20, side)).unwrap();
    }
}

/// Two classes, dark and bright, sorted by class as folders are.
fn dark_and_bright(scene: &Scene, set: &str, side: u8) {
    for (part, n) in [("train", 40), ("test", 20)] {
        class(scene, &format!("{set}/{part}/ant"), n, 40, side);
        class(scene, &format!("{set}/{part}/bee"), n, 180, side);
    }
}

fn json(scene: &Scene, file: &str) -> Value {
    serde_json::from_slice(&fs::read(scene.path(file)).unwrap()).unwrap()
}

#[test]
fn scores_look_at_every_class_and_a_run_knows_its_classes() {
    let scene = Scene::new();
    dark_and_bright(&scene, "mine", 8);
    fs::create_dir_all(scene.path("mine/train/.ipynb_checkpoints")).unwrap();
    scene.write("mine/train/ant/notes.txt", "no picture");
    // A cache that cannot be written: its parent is a file.
    scene.write("blocked", "");
    let words = format!(
        "{TRAIN} --data-dir mine --out run {SMALL} --set eval.n=40 \
         --set eval.metrics=[\"frechet\",\"precision-recall\",\"class\"]"
    );
    let mut command = scene.flow(&words);
    command.env("XDG_CACHE_HOME", scene.path("blocked/cache"));
    let said: common::Said = command.output().unwrap().into();
    assert_eq!(said.code, Some(0), "{said:?}");
    let told = said.stderr.lines().filter(|line| line.contains("XDG_CACHE_HOME")).count();
    assert_eq!(told, 1, "{}", said.stderr);
    assert!(said.stderr.contains("left out: 1, the first is mine/train/ant/notes.txt"), "{said:?}");
    assert!(said.stdout.contains("classes: 0 ant, 1 bee"), "{said:?}");

    let data = &json(&scene, "run/environment.json")["data"];
    assert_eq!(data["class_names"], serde_json::json!(["ant", "bee"]));
    // Real pictures against real pictures: were those of training all dark, half of the others
    // would be far away from them, and their precision about a half.
    let eval = json(&scene, "run/eval.json");
    let scores = eval["rows"][0]["scores"].as_array().unwrap();
    let floor = |name: &str| {
        let score = scores.iter().find(|score| score["name"].as_str().unwrap().contains(name));
        score.unwrap()["floor"].as_f64().unwrap()
    };
    assert!(floor("precision") > 0.8, "{eval}");
    assert!(floor("recall") > 0.8, "{eval}");
    assert_eq!((&eval["n"], &scores[0]["n"]), (&40.into(), &40.into()));

    // Other data mean nothing to this run.
    dark_and_bright(&scene, "large", 16);
    dark_and_bright(&scene, "more", 8);
    for part in ["train", "test"] {
        class(&scene, &format!("more/{part}/cow"), 20, 100, 8);
    }
    for verb in ["eval", "plot", "likelihood"] {
        for (set, names) in [
            ("large", ["[1, 8, 8] of 2 classes (ant, bee)", "[1, 16, 16]"]),
            ("more", ["2 classes (ant, bee)", "3 classes (ant, bee, cow)"]),
        ] {
            scene.refuses(&format!("{verb} run --data-dir {set}"), 2, &names);
        }
    }
}

#[test]
fn parts_that_do_not_fit_together_are_refused_before_anything_is_written() {
    let scene = Scene::new();
    for set in ["lacks", "empty", "sizes"] {
        dark_and_bright(&scene, set, 8);
    }
    class(&scene, "lacks/test/cow", 3, 9, 8);
    fs::create_dir_all(scene.path("empty/train/cow")).unwrap();
    class(&scene, "empty/test/cow", 3, 9, 8);
    class(&scene, "sizes/test/bee", 1, 9, 16);
    for (set, code, names) in [
        ("lacks", 2, ["lacks/train has no class folder cow", "lacks/test has"]),
        ("empty", 2, ["the class folder empty/train/cow", "holds no PNG"]),
        ("sizes", 1, ["test/bee/00.png has 16 x 16", "train/ant/00.png has 8 x 8"]),
    ] {
        scene.refuses(&format!("{TRAIN} --data-dir {set} --out run"), code, &names);
    }
}

#[test]
fn too_little_to_be_scored_is_known_before_the_training() {
    let scene = Scene::new();
    class(&scene, "mine/train/ant", 40, 40, 8);
    class(&scene, "mine/test/ant", 2, 40, 8);
    let words = format!("{TRAIN} --data-dir mine --out run {SMALL}");
    let names = ["images in the test part: 2", "`frechet` compares with at least 20", "--no-eval"];
    scene.refuses(&words, 2, &names);
    let few = format!("{words} --set eval.n=10");
    scene.refuses(&few, 2, &["10 samples cannot be scored", "`frechet` needs at least 20"]);
    scene.ok(&format!("{words} --no-eval"));
    // As many as there are suffice for this one, and pictures need none.
    scene.ok("plot run --data-dir mine");
    assert!(scene.path("run/plots/data.png").is_file());
}
