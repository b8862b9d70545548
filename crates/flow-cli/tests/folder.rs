//! Pictures of one's own, from files to samples.
#![cfg(feature = "folder")]
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use common::Scene;

/// Grey PNG files of 8 x 8 pixels: a dark line on white, and a white diagonal on black.
const PICTURES: [&str; 2] = [
    "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAAAAADhZOFXAAAAF0lEQVR42mP8zwABTAzoDDhgxK0GzgAAa6ACC5NjSjAAAAAASUVORK5CYII=",
    "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAAAAADhZOFXAAAADklEQVR42mP4zwADFLEAHzcH+U4voEIAAAAASUVORK5CYII=",
];

/// A grey picture of 16 x 16 pixels, and a red one of 8 x 8.
const LARGE: &str = "iVBORw0KGgoAAAANSUhEUgAAABAAAAAQCAAAAAA6mKC9AAAAD0lEQVR42mM4gQYYRrYAAEdGyAEmphyqAAAAAElFTkSuQmCC";
const RED: &str = "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAEUlEQVR42mM4wcCAFTEMLQkAu+UyAWbVCP0AAAAASUVORK5CYII=";

const SMALL: &str = "--set network.channels=8 --set network.head_channels=8 --set network.groups=4 \
                     --set network.multipliers=[1] --set network.attention=[] --set train.batch=8 \
                     --set train.images=64 --set train.checkpoint_every=64";

/// Makes a data set with so many of these pictures for each class.
fn pictures(scene: &Scene, folder: &str, classes: &[(&str, usize)]) {
    for part in ["train", "test"] {
        for (class, (picture, n)) in classes.iter().enumerate() {
            let folder = scene.path(&format!("{folder}/{part}/class-{class}"));
            std::fs::create_dir_all(&folder).unwrap();
            for i in 0..*n {
                let bytes = STANDARD.decode(picture).unwrap();
                std::fs::write(folder.join(format!("{i}.png")), bytes).unwrap();
            }
        }
    }
}

#[test]
fn pictures_of_ones_own_are_trained_on_and_sampled() {
    let scene = Scene::new();
    let [line, diagonal] = PICTURES;
    pictures(&scene, "mine", &[(line, 8), (diagonal, 8)]);
    let words = "train digits --set data.set=folder --data-dir mine --no-eval --out run";
    scene.ok(&format!("{words} {SMALL}"));
    // The run itself knows what its rows look like: no picture is read.
    scene.ok("sample run -n 3 --class 1 --solver euler --steps 2 --seed 5");
    let samples = scene.path("run/samples/seed5-n3-class1-euler-steps2-guidance1.5.npy");
    assert!(samples.is_file(), "{:?}", std::fs::read_dir(scene.path("run/samples")));
    scene.refuses("sample run --class 2", 2, &["classes 0 to 1"]);
    let half = "--set data.shrink=2 --data-dir mine --no-eval --out half";
    scene.ok(&format!("train digits --set data.set=folder {half} {SMALL}"));
    scene.ok("sample half -n 2 --solver euler --steps 2 --out two.npy");
    assert_eq!(common::npy::<f32>(&scene.path("two.npy")).0, [2, 1, 4, 4]);
    scene.refuses("train digits --set data.set=folder", 1, &["train/<class>", "--data-dir"]);
    scene.ok("sample run -n 3 --class class-1 --solver euler --steps 2 --seed 5 --out named.npy");
    let read = |name: &str| std::fs::read(scene.path(name)).unwrap();
    assert!(std::fs::read(samples).unwrap() == read("named.npy"), "a class by its name");
    scene.refuses("sample run --class class-2", 2, &["no class `class-2`", "class-0, class-1"]);
    // The same of answers; what is white in one picture is known of the other.
    let (seen, mask) = ("mine/test/class-0/0.png", "mine/test/class-1/0.png");
    let ask = format!("solve run --known {seen} --mask {mask} --method replacement --steps 2");
    scene.ok(&format!("{ask} --draws 2 --class class-1 --out named"));
    scene.ok(&format!("{ask} --draws 2 --class 1 --out numbered"));
    assert_eq!(read("named/samples.npy"), read("numbered/samples.npy"));
    let note: serde_json::Value = serde_json::from_slice(&read("named/answers.json")).unwrap();
    assert_eq!((&note["class"], &note["class_name"]), (&1.into(), &"class-1".into()));
    let names = ["no class `class-2`", "class-0, class-1"];
    scene.refuses(&format!("{ask} --class class-2 --out other"), 2, &names);
}

#[test]
fn a_run_goes_on_with_its_own_data_alone() {
    let scene = Scene::new();
    let [line, diagonal] = PICTURES;
    pictures(&scene, "mine", &[(line, 8), (diagonal, 8)]);
    scene.ok(&format!(
        "train digits --set data.set=folder --data-dir mine --no-eval --out run {SMALL}"
    ));
    pictures(&scene, "more", &[(line, 8), (diagonal, 8), (line, 8)]);
    pictures(&scene, "fewer", &[(line, 8)]);
    pictures(&scene, "large", &[(LARGE, 8), (LARGE, 8)]);
    pictures(&scene, "red", &[(RED, 8), (RED, 8)]);
    pictures(&scene, "longer", &[(line, 8), (diagonal, 9)]);
    pictures(&scene, "swapped", &[(diagonal, 8), (line, 8)]);
    let other = ["trained on rows of shape [1, 8, 8] of 2 classes", "--data-dir"];
    let files = ["the files of the data set `folder` are not those", "--data-dir"];
    // With a checkpoint to go on from, and from the start.
    for _ in 0..2 {
        for (folder, names) in [
            ("more", other),
            ("fewer", other),
            ("large", other),
            ("red", other),
            ("longer", files),
            ("swapped", files),
        ] {
            let words =
                format!("train --no-eval --resume run --more-images 64 --data-dir {folder}");
            scene.refuses(&words, 2, &names);
        }
        let checkpoints = scene.path("run/checkpoints");
        std::fs::remove_dir_all(&checkpoints).unwrap();
        std::fs::create_dir(checkpoints).unwrap();
    }
    scene.ok("train --no-eval --resume run --more-images 64 --data-dir mine");
}

/// Puts pictures into a folder, `NAME.png` each.
fn lay(scene: &Scene, folder: &str, files: &[(&str, &str)]) {
    std::fs::create_dir_all(scene.path(folder)).unwrap();
    for (name, picture) in files {
        let bytes = STANDARD.decode(picture).unwrap();
        std::fs::write(scene.path(&format!("{folder}/{name}.png")), bytes).unwrap();
    }
}

#[test]
fn a_folder_of_pictures_chooses_its_recipe() {
    let scene = Scene::new();
    let [line, diagonal] = PICTURES;
    pictures(&scene, "mine", &[(line, 3), (diagonal, 3)]);
    let train = |words: &str| {
        let said = scene.run(&format!("train {words} --no-eval {SMALL}"));
        assert_eq!(said.code, Some(0), "{words}: {}", said.stderr);
        said.stderr
    };
    // The parts `train` and `test`, as they lie there.
    let said = train("mine --out parts");
    for words in ["images of 8 x 8 pixels", "2 classes", "6 rows to train with, 6 held out"] {
        assert!(said.contains(words), "{words} is missing in {said}");
    }
    scene.ok("sample parts -n 3 --class 1 --solver euler --steps 2 --out s.npy");
    let (shape, pixels) = common::npy::<u8>(&scene.path("s.npy"));
    assert_eq!((shape, pixels.len()), (vec![3, 1, 8, 8], 3 * 64));
    // Folders of classes alone: equal pictures are on one side.
    let said = train("--data mine/train --out classes");
    assert!(said.contains("2 classes") && said.contains("3 rows to train with"), "{said}");
    // The same bits where the files are read when they are needed.
    let said = train("mine/train --set data.pieces=true --out pieces");
    assert!(said.contains("read from the file when they are needed"), "{said}");
    for run in ["classes", "pieces"] {
        scene.ok(&format!("sample {run} -n 2 --solver euler --steps 2 --out {run}.npy"));
    }
    let [classes, pieces] =
        ["classes.npy", "pieces.npy"].map(|file| std::fs::read(scene.path(file)));
    assert_eq!(classes.unwrap(), pieces.unwrap());
}

#[test]
fn pictures_flow_to_pictures() {
    let scene = Scene::new();
    let [line, diagonal] = PICTURES;
    lay(&scene, "after", &[("a", line), ("b", diagonal), ("c", line), ("d", diagonal)]);
    lay(&scene, "before", &[("a", diagonal), ("b", line), ("c", diagonal), ("d", line)]);
    lay(&scene, "other", &[("a", diagonal), ("b", line), ("c", diagonal), ("e", line)]);
    let words = format!("train after --no-eval {SMALL} --from");
    scene.ok(&format!("{words} before --pairs --out paired"));
    scene.ok(&format!("{words} other --out unpaired"));
    scene.ok("push paired before --solver euler --steps 2 --out moved.npy");
    let (shape, _) = common::npy::<u8>(&scene.path("moved.npy"));
    assert_eq!(shape, [4, 1, 8, 8]);
    let named = ["the image e of", "after has d", "one name"];
    scene.refuses(&format!("{words} other --pairs"), 2, &named);
    // A run is a model to begin with, whatever lies in its folder.
    let said = scene.run(&format!("{words} unpaired --out again"));
    assert!(said.stderr.contains("begins with the weights of"), "{said:?}");
}

#[test]
fn a_table_beside_pictures_says_their_classes() {
    let scene = Scene::new();
    let [line, diagonal] = PICTURES;
    lay(&scene, "flat", &[("a", line), ("b", diagonal), ("c", line), ("d", diagonal)]);
    let words = format!("train flat --no-eval {SMALL}");
    let said = scene.run(&format!("{words} --out plain"));
    assert!(said.code == Some(0) && !said.stderr.contains("classes"), "{}", said.stderr);
    let rows = "picture,kind,weight\na.png,ant,1.5\nb.png,bee,2.5\nc.png,ant,1.5\nd.png,bee,3.5\n";
    scene.write("flat/labels.csv", rows);
    scene.refuses(&words, 2, &["labels.csv", "kind, weight", "data.labels=COLUMN"]);
    let timed = format!("{words} --set data.labels=kind --time t");
    scene.refuses(&timed, 2, &["has no times", "--time"]);
    let weight = format!("{words} --set data.labels=weight");
    scene.refuses(&weight, 2, &["\"weight\"", "decimals", "no classes"]);
    let said = scene.run(&format!("{words} --set data.labels=kind --out run"));
    assert!(said.code == Some(0) && said.stderr.contains("2 classes"), "{}", said.stderr);
    scene.refuses("sample run --class 2", 2, &["classes 0 to 1 (ant, bee)"]);
    scene.write("flat/labels.csv", "picture,kind\na.png,ant\na.png,bee\n");
    scene.refuses(&words, 2, &["labels.csv", "row 2", "once more"]);
    scene.write("flat/labels.csv", "picture,kind\na.png,ant\nz.png,bee\n");
    scene.refuses(&words, 2, &["labels.csv", "row 2", "z.png"]);
}

#[test]
fn a_table_beside_pictures_says_what_a_model_is_told() {
    let scene = Scene::new();
    let [line, diagonal] = PICTURES;
    lay(&scene, "flat", &[("a", line), ("b", diagonal), ("c", line), ("d", diagonal)]);
    let rows = "file,kind,weight,class\na.png,ant,1.5,x\nb.png,bee,2.5,y\nc.png,bee,0.5,x\n\
                d.png,ant,3.5,y\n";
    scene.write("flat/labels.csv", rows);
    let fast = "--set ema.half_life=8 --set train.learning_rate=0.01 --set train.warmup_images=0";
    let train = |words: &str| {
        let said = scene.run(&format!("train flat --no-eval {SMALL} {fast} {words}"));
        assert_eq!(said.code, Some(0), "{words}: {}", said.stderr);
        said.stderr
    };
    let said = train("--given weight,kind --out run");
    for words in ["2 classes", "they are told", "weight", "category, given"] {
        assert!(said.contains(words), "{words} is missing in {said}");
    }
    // The same bits where the files are read when they are needed.
    train("--given weight,kind --set data.pieces=true --out pieces");
    let sample = |words: &str, out: &str| {
        scene.ok(&format!("sample {words} -n 2 --class x --solver euler --steps 2 --out {out}"));
        std::fs::read(scene.path(out)).unwrap()
    };
    let one = sample("run --given weight=1.5,kind=ant", "one.npy");
    assert_eq!(one, sample("pieces --given kind=ant,weight=1.5", "pieces.npy"));
    assert_ne!(one, sample("run --given weight=1.5,kind=bee", "other.npy"));
    // A model of its own knows its columns, and a file has one row of them for each picture.
    scene.ok("export run --out m.flow");
    assert_eq!(one, sample("m.flow --given weight=1.5,kind=ant", "alone.npy"));
    scene.write("asked.csv", "kind,weight\nant,1.5\nant,1.5\nbee,0.5\n");
    scene.ok("sample run --given asked.csv --class x --solver euler --steps 2 --out three.npy");
    assert_eq!(common::npy::<u8>(&scene.path("three.npy")).0, [3, 1, 8, 8]);
    // A number that cannot be is named by its row in the table, whatever rows are held out.
    let logit = "train flat --no-eval --given weight --set data.transforms.weight={logit=[0,3]}";
    scene.refuses(logit, 2, &["row 4 of column \"weight\"", "3.5"]);
    // A question is answered by one that is told its columns, too.
    let ask = "solve run --known flat/a.png --mask flat/b.png --method replacement --steps 2";
    scene.ok(&format!("{ask} --draws 2 --class x --given weight=1.5,kind=ant --out answers"));
    scene.refuses(&format!("{ask} --out other"), 2, &["the model is told", "--given"]);
    scene.refuses(&format!("{ask} --given asked.csv --out other"), 2, &["3 rows", "one"]);
    for (words, code, parts) in [
        ("sample run", 2, &["the model is told", "weight", "--given"][..]),
        ("sample run --given weight=1,kind=cat", 2, &["cat", "ant", "bee"]),
        ("sample run --given height=1", 2, &["height", "weight"]),
        ("train flat --no-eval --given height", 2, &["data.given", "height", "weight"]),
        ("train flat --no-eval --given file", 2, &["labels.csv", "\"file\" names the files"]),
        (
            "train flat --no-eval --set data.types={weight=\"real\"}",
            2,
            &["data.types", "data.given"],
        ),
        ("train digits --set data.given=[\"x\"]", 2, &["data.given", "digits"]),
    ] {
        scene.refuses(words, code, parts);
    }
}

#[test]
fn folders_that_are_none_of_pictures_are_refused() {
    let scene = Scene::new();
    let [line, diagonal] = PICTURES;
    std::fs::create_dir(scene.path("none")).unwrap();
    lay(&scene, "mixed", &[("a", line)]);
    lay(&scene, "mixed/class", &[("b", diagonal)]);
    lay(&scene, "sizes", &[("a", line), ("b", LARGE)]);
    std::fs::create_dir_all(scene.path("run")).unwrap();
    scene.write("run/recipe.toml", "");
    for (words, parts) in [
        ("train none", &["no PNG, JPEG or WebP image in", "none"][..]),
        ("train mixed", &["a.png", "beside folders"]),
        ("train sizes", &["b.png has 16 x 16 pixels"]),
        ("train run", &["--resume", "--from"]),
        ("train elsewhere", &["elsewhere"]),
    ] {
        scene.refuses(words, 2, parts);
    }
}
