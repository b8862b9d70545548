//! Arrays of one's own: images, sequences and points, from the file to samples of the same form.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;

use std::fmt::Write as _;
use std::path::Path;

use common::Scene;
use flow_datasets::array::{
    Array, ArrayForm, ArrayNames, ArrayOptions, LabelledArray, write_array,
};
use flow_datasets::{ArrayError, Element};

/// Trains in seconds.
const SMALL: &str = "--set train.images=2560 --set train.batch=64 \
                     --set train.checkpoint_every=2560 --set train.warmup_images=0 \
                     --set sample.solver=midpoint --set sample.steps=4 --set eval.n=100 \
                     --set eval.steps={}";

/// A small U-Net.
const UNET: &str = "--set network.channels=8 --set network.groups=4 --set network.head_channels=8 \
                    --set network.multipliers=[1,2]";

fn save(path: &Path, shape: &[usize], element: Element, value: impl Fn(usize) -> f32) {
    let values = (0..shape.iter().product()).map(value).collect();
    Array { shape: shape.to_vec(), values, element }.write(path).unwrap();
}

fn read(path: &Path) -> Array {
    Array::read(path, &ArrayOptions::default()).unwrap()
}

/// Spots of light, one after another in `[n, height, width, channels]`.
fn spots(channels: usize) -> impl Fn(usize) -> f32 {
    move |at| {
        let (image, x, y) = (at / channels / 96, at / channels % 12, at / channels / 12 % 8);
        let [dx, dy] = [(x, image % 12), (y, image / 12 % 8)].map(|(a, b)| a as f32 - b as f32);
        (255.0 * (-(dx * dx + dy * dy) / 8.0).exp()).round()
    }
}

#[test]
fn points_follow_the_numbers_that_stand_beside_them() {
    let scene = Scene::new();
    let shift = |row: usize| if row.is_multiple_of(2) { -3.0 } else { 3.0 };
    // Around (shift, -shift), in a circle of radius 0.2.
    let value = |at: usize| {
        let (row, turn) = (at / 2, (at / 2) as f32 * 0.37);
        let (x, y) = (shift(row) + 0.2 * turn.cos(), -shift(row) + 0.2 * turn.sin());
        if at.is_multiple_of(2) { x } else { y }
    };
    save(&scene.path("points.npy"), &[400, 2], Element::F32, value);
    let mut rows = "shift,lab\n".to_owned();
    for row in 0..400 {
        let lab = if row % 5 == 0 { "" } else { "north" };
        writeln!(rows, "{},{lab}", shift(row)).unwrap();
    }
    scene.write("beside.csv", rows.replace("north\n-3", "south\n-3"));
    let words = "train points --data points.npy --given beside.csv --no-eval --out run \
                 --set network.hidden=32 --set network.depth=2 --set train.images=102400 \
                 --set train.checkpoint_every=102400 --set ema.half_life=2560 --set data.types.shift=\"real\"";
    scene.ok(words);
    for shift in [-3.0, 3.0] {
        let file = format!("at{shift}.npy");
        scene.ok(&format!("sample run -n 200 --given shift={shift},lab=north --out {file}"));
        let all = read(&scene.path(&file)).values;
        let mean = |at| all.iter().skip(at).step_by(2).sum::<f32>() / 200.0;
        // The other value is 6 away; 1 holds for a training of a second.
        assert!((mean(0) - shift).abs() < 1.0 && (mean(1) + shift).abs() < 1.0, "{shift}");
    }
    // The same numbers as lines, beside what was given.
    scene.ok("sample run -n 2 --given shift=3,lab=north --out lines.csv");
    scene.ok("sample run -n 2 --given shift=3,lab=north --out same.npy");
    let lines = std::fs::read_to_string(scene.path("lines.csv")).unwrap();
    let same = read(&scene.path("same.npy")).values;
    let line = |i: usize| format!("{},{},3,north\n", same[2 * i], same[2 * i + 1]);
    assert_eq!(lines, format!("x1,x2,shift,lab\n{}{}", line(0), line(1)));
    scene.ok("likelihood run -n 20 --tag told");
    // What training saw missing may be left out, and nothing else.
    scene.ok("sample run -n 2 --given shift=3 --out free.npy");
    scene.refuses("sample run -n 2 --given lab=north", 2, &["lacks `shift`"]);
    scene.write("short.csv", "shift\n1\n2\n");
    let short = "train points --data points.npy --given short.csv --no-eval";
    scene.refuses(short, 2, &["2 rows", "400"]);
    scene.refuses("train points --data points.npy --given shift", 2, &["data.beside"]);
}

#[test]
fn images_come_out_with_the_axes_and_the_bytes_that_they_went_in_with() {
    let scene = Scene::new();
    save(&scene.path("spots.npy"), &[150, 8, 12, 3], Element::U8, spots(3));
    let said = scene.run(&format!("train spots.npy --out run {SMALL} {UNET}"));
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    for words in
        ["8 x 12 pixels and 3 channels, the last axis", "type u8", "from 0 .. 255", "held out"]
    {
        assert!(said.stderr.contains(words), "{words} is missing in {}", said.stderr);
    }
    for words in ["sliced Wasserstein", "energy distance", "samples.png", "data.png"] {
        assert!(said.stdout.contains(words), "{words} is missing in {}", said.stdout);
    }
    scene.ok("sample run -n 5 --out s.npy");
    let samples = read(&scene.path("s.npy"));
    assert_eq!((samples.shape, samples.element), (vec![5, 8, 12, 3], Element::U8));
    scene.ok("sample run -n 5 --out s.png");
    scene.ok("sample run -n 5 --out s.safetensors");
    assert_eq!(read(&scene.path("s.safetensors")).values, samples.values);
    // The model is a file of its own, with what its rows are.
    scene.ok("export run --out spots.flow");
    scene.ok("sample spots.flow -n 5 --out again.npy");
    assert_eq!(read(&scene.path("again.npy")).values, samples.values);
    scene.refuses("sample run --out s.txt", 2, &["s.txt", ".npy, .npz, .safetensors, .png"]);
    scene.refuses("sample run --out s.csv", 2, &["[3, 8, 12]", "s.csv", ".npy"]);
}

/// Rows that stay in the file are those in memory: held out, scaled and drawn as they are there.
#[test]
fn a_file_that_is_read_in_pieces_trains_to_the_same_bits() {
    let scene = Scene::new();
    let value = |at: usize| ((at * 37) % 101) as f32 * 0.1 + (at % 5) as f32;
    save(&scene.path("rows.npy"), &[300, 3, 4, 8], Element::F32, value);
    save(&scene.path("spots.npy"), &[150, 8, 12, 3], Element::U8, spots(3));
    for (file, more) in [
        ("rows.npy", "--set data.mirror=true"),
        ("spots.npy", "--set data.dequantise=true --set data.layout=channels-last"),
    ] {
        for (run, pieces) in [("whole", "false"), ("pieces", "true")] {
            let said = scene.run(&format!(
                "train {file} --out {run} {SMALL} {UNET} {more} --set data.pieces={pieces}"
            ));
            assert_eq!(said.code, Some(0), "{}", said.stderr);
            let needed = said.stderr.contains("read from the file when they are needed");
            assert_eq!(needed, pieces == "true", "{}", said.stderr);
        }
        assert!(scene.samples("whole") == scene.samples("pieces"), "{file}: the samples differ");
        let scores = |run: &str| {
            let report = std::fs::read_to_string(scene.path(&format!("{run}/eval.json"))).unwrap();
            serde_json::from_str::<serde_json::Value>(&report).unwrap()["rows"].clone()
        };
        assert_eq!(scores("whole"), scores("pieces"), "{file}");
        for run in ["whole", "pieces"] {
            std::fs::remove_dir_all(scene.path(run)).unwrap();
        }
    }
    save(&scene.path("rows.npz"), &[60, 4], Element::F32, value);
    let asked = format!("train points --data rows.npz {SMALL} --set data.pieces=true");
    scene.refuses(&asked, 2, &["data.pieces", "npy"]);
    let said = scene.run(&format!("train points --data rows.npz {SMALL} --set data.mirror=true"));
    assert_eq!(said.code, Some(2), "{}", said.stderr);
    said.names(&["data.mirror", "images"]);
}

/// A file that changes while it is trained on ends the training with a sentence.
#[test]
fn a_file_that_changes_meanwhile_ends_the_training() {
    let scene = Scene::new();
    save(&scene.path("rows.npy"), &[300, 4], Element::F32, |at| (at % 7) as f32);
    let words = "train points --data rows.npy --out run --no-eval --set data.pieces=true \
                 --set train.images=1e8 --set train.checkpoint_every=1e7";
    let mut child = scene.flow(words).stderr(std::process::Stdio::piped()).spawn().unwrap();
    while !scene.path("run/metrics.jsonl").exists() {
        std::thread::sleep(std::time::Duration::from_millis(20));
        assert!(child.try_wait().unwrap().is_none(), "the training ended too soon");
    }
    // In place: a file that is put there by another name leaves the open one as it was.
    scene.write("rows.npy", b"something else");
    let done = child.wait_with_output().unwrap();
    let said = String::from_utf8(done.stderr).unwrap();
    assert!(!done.status.success() && said.contains("rows.npy"), "{said}");
    assert!(said.lines().last().unwrap().starts_with("error: "), "{said}");
}

#[test]
fn classes_beside_the_rows_are_learned_and_drawn() {
    let scene = Scene::new();
    let form = ArrayForm { name: "x".into(), element: Element::F32, shape: vec![120, 1, 4, 4] };
    let labels: Vec<i64> = (0..120).map(|i| 5 + 4 * (i % 2)).collect();
    let pixel = |i: usize| (i / 16 % 2) as f32 + 0.1 * (i as f32).sin();
    write_array(&scene.path("two.npz"), &form, Some(&labels), |put| {
        put(&(0..120 * 16).map(pixel).collect::<Vec<_>>())
    })
    .unwrap_or_else(|error: ArrayError| panic!("{error}"));
    let said = scene.run(&format!("train two.npz --out run {SMALL} {UNET}"));
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert!(said.stderr.contains("2 classes") && said.stderr.contains("mean 0"), "{}", said.stderr);
    scene.ok("sample run -n 6 --out s.npz");
    let samples =
        LabelledArray::read(&scene.path("s.npz"), &ArrayNames::default(), 1 << 20).unwrap();
    assert_eq!(samples.rows.shape, [6, 1, 4, 4]);
    assert_eq!(samples.labels.unwrap().names, ["5", "9"], "classes are called as in the file");
    scene.ok("sample run -n 6 --class 1 --out nine.npy");
    let (_, labels) = common::npy::<i64>(&scene.path("nine.labels.npy"));
    assert_eq!(labels, [9; 6]);
    let without =
        format!("train two.npz --set data.conditional=false --no-eval --out u {SMALL} {UNET}");
    scene.ok(&without);
    scene.refuses("sample u --class 1", 2, &["knows no classes"]);
}

#[test]
fn sequences_keep_their_type_and_scale() {
    let scene = Scene::new();
    let wave = |i: usize| 100.0 + 5.0 * (i as f32 / 3.0).sin();
    save(&scene.path("waves.npy"), &[100, 6, 2], Element::F16, wave);
    let small = "--set network.hidden=16 --set network.depth=1 --set network.heads=2";
    let said = scene.run(&format!("train waves.npy --out run {SMALL} {small}"));
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert!(said.stderr.contains("sequences of 6 steps and 2 channels"), "{}", said.stderr);
    assert!(scene.path("run/plots/samples.png").is_file());
    scene.ok("sample run -n 7 --out s.npy");
    let samples = read(&scene.path("s.npy"));
    assert_eq!((samples.shape, samples.element), (vec![7, 6, 2], Element::F16));
    // Hardly trained, samples still lie where the data do: their scale is in the model.
    assert!(samples.values.iter().all(|x| (60.0..140.0).contains(x)), "{:?}", samples.values);
    scene.refuses("sample run --out s.png", 2, &["[6, 2]", "picture"]);
    // A beginning is gone on with, in the numbers of the network.
    let begun = |i: usize| if i < 6 { 1.0 } else { 0.0 };
    save(&scene.path("begun.npy"), &[6, 2], Element::F32, begun);
    save(&scene.path("seen.npy"), &[6, 2], Element::F32, |_| 0.3);
    scene.ok("solve run --known seen.npy --mask begun.npy --draws 3 --steps 8 --out on");
    let on = read(&scene.path("on/samples.npy"));
    assert_eq!(on.shape, [3, 6, 2]);
    for sequence in on.values.chunks(12) {
        assert!(sequence[..6].iter().all(|x| (x - 0.3).abs() < 0.3), "{sequence:?}");
        assert!(sequence[6..].iter().any(|x| 0.3 < (x - 0.3).abs()), "{sequence:?}");
    }
}

#[test]
fn points_are_left_as_they_are_by_the_recipe_points_and_are_a_table_without_it() {
    let scene = Scene::new();
    save(&scene.path("p.npy"), &[100, 2], Element::F64, |i| (i as f32 * 0.37).sin());
    save(&scene.path("p.safetensors"), &[100, 2], Element::F32, |i| (i as f32 * 0.37).sin());
    let small = "--set network.hidden=16 --set network.depth=1";
    let said = scene.run(&format!("train points --data p.npy --out run {SMALL} {small}"));
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert!(
        said.stderr.contains("points of 2 numbers; numbers of type f64, as they are"),
        "{said:?}"
    );
    assert!(said.stdout.contains("trajectories.png"), "{}", said.stdout);
    scene.ok("sample run -n 3 --out s.npy");
    assert_eq!(read(&scene.path("s.npy")).element, Element::F64);
    scene.ok("likelihood run -n 5");
    let said = scene.run(&format!("train p.safetensors --no-eval --out tensors {SMALL} {small}"));
    assert!(said.stderr.contains("as they are"), "{}", said.stderr);
    let said = scene.run(&format!("train p.npy --no-eval --out table {SMALL} {small}"));
    assert!(said.stderr.contains("x1") && said.stderr.contains("standard"), "{}", said.stderr);
}

/// An npy file by the text of its header.
fn npy(descr: &str, fortran: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let mut text = format!("{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}, }}");
    text += &" ".repeat(63 - (10 + text.len()) % 64);
    text.push('\n');
    let length = (text.len() as u16).to_le_bytes();
    [b"\x93NUMPY\x01\x00", &length[..], text.as_bytes(), data].concat()
}

/// What a run keeps of its data.
fn kept(scene: &Scene, run: &str) -> serde_json::Value {
    let text = std::fs::read_to_string(scene.path(&format!("{run}/environment.json"))).unwrap();
    serde_json::from_str::<serde_json::Value>(&text).unwrap()["data"].clone()
}

#[test]
fn whatever_the_type_and_the_order_the_numbers_are_the_same() {
    let scene = Scene::new();
    let small = SMALL.replace("2560", "64");
    let number = |i: usize| i * 7 % 5;
    let trained = |name: &str, descr: &str, fortran: &str, bytes: &dyn Fn(usize) -> Vec<u8>| {
        let data: Vec<u8> = (0..20 * 4 * 4).flat_map(bytes).collect();
        scene.write(&format!("{name}.npy"), npy(descr, fortran, "(20, 1, 4, 4)", &data));
        let words =
            format!("train {name}.npy --set data.scale=none --no-eval --out {name} {small}");
        scene.ok(&format!("{words} {UNET}"));
        kept(&scene, name)
    };
    let le = |i: usize| (number(i) as f32).to_le_bytes().to_vec();
    let plain = trained("little", "'<f4'", "False", &le);
    let big = |i: usize| (number(i) as f32).to_be_bytes().to_vec();
    assert_eq!(trained("big", "'>f4'", "False", &big), plain, "to the last bit of every row");
    // The first axis fastest: image, row and column are the other way round in the file.
    let turned = |i: usize| le(i % 20 * 16 + i / 20 % 4 * 4 + i / 80);
    assert_eq!(trained("fortran", "'<f4'", "True", &turned), plain);
    for (name, descr, bytes) in [
        (
            "i64",
            "'<i8'",
            &(|i: usize| (number(i) as i64).to_le_bytes().to_vec()) as &dyn Fn(usize) -> Vec<u8>,
        ),
        ("f64", "'>f8'", &|i| (number(i) as f64).to_be_bytes().to_vec()),
    ] {
        let other = trained(name, descr, "False", bytes);
        assert_eq!(other["array"]["element"], name);
        assert_eq!(other["array"]["range"], plain["array"]["range"], "{name}");
    }
    let truth = trained("bool", "'|b1'", "False", &|i| vec![number(i) as u8 % 2]);
    assert_eq!(truth["array"]["range"], serde_json::json!([0.0, 1.0]));
}

#[test]
fn what_is_wrong_with_an_array_is_said_in_a_sentence() {
    let scene = Scene::new();
    let floats = |n: usize| (0..n).flat_map(|i| (i as f32).to_le_bytes()).collect::<Vec<u8>>();
    let nan: Vec<u8> = floats(95).into_iter().chain(f32::NAN.to_le_bytes()).collect();
    let files: [(&str, Vec<u8>); 8] = [
        ("object.npy", npy("'|O'", "False", "(6, 1, 4, 4)", &[0; 768])),
        ("nan.npy", npy("'<f4'", "False", "(6, 1, 4, 4)", &nan)),
        ("none.npy", npy("'<f4'", "False", "(0, 1, 4, 4)", &[])),
        ("one.npy", npy("'<f4'", "False", "(1, 1, 4, 4)", &floats(16))),
        ("five.npy", npy("'<f4'", "False", "(2, 2, 2, 2, 2)", &floats(32))),
        ("flat.npy", npy("'<f4'", "False", "(16,)", &floats(16))),
        ("cut.npy", npy("'<f4'", "False", "(6, 1, 4, 4)", &floats(90))),
        ("words.npz", b"PK no archive".to_vec()),
    ];
    for (name, content) in files {
        scene.write(name, content);
    }
    // Headers that promise more than memory holds, with nothing behind them.
    for axes in ["2", "2, 2", "1, 2, 2"] {
        let shape = format!("(1099511627776, {axes})");
        scene.write(&format!("huge{}.npy", axes.len()), npy("'<f4'", "False", &shape, &[]));
    }
    save(&scene.path("odd.npy"), &[40, 1, 7, 9], Element::F32, |i| i as f32);
    save(&scene.path("good.npy"), &[40, 1, 8, 8], Element::F32, |i| i as f32);
    let before = scene.files();
    for (words, parts) in [
        ("train object.npy", &["Python objects", "astype"][..]),
        ("train nan.npy", &["nan.npy", "[5, 0, 3, 3]", "not finite"]),
        ("train none.npy", &["none.npy", "no number"]),
        ("train one.npy", &["one.npy", "at least 2"]),
        ("train five.npy", &["[2, 2, 2, 2, 2]", "[n, length, channels]"]),
        ("train flat.npy", &["[16]", "reshape"]),
        ("train cut.npy", &["360 bytes", "384"]),
        ("train words.npz", &["words.npz"]),
        ("train points --data huge1.npy", &["huge1.npy", "0 bytes behind its header"]),
        ("train huge1.npy", &["huge1.npy", "0 bytes behind its header"]),
        ("train points --data huge4.npy", &["huge4.npy", "0 bytes behind its header"]),
        ("train huge7.npy", &["huge7.npy", "0 bytes behind its header"]),
        (
            "train good.npy --set data.pieces=true --set data.split={kind=\"hash\",share=2}",
            &["data.split.share"],
        ),
        ("train missing.npy", &["missing.npy"]),
        ("train good.npy --given x1", &["data.given", "table"]),
        ("train good.npy --set data.array=x", &["good.npy", "without a name"]),
        ("train good.npy --set data.dequantise=true --out r", &["bytes and truth values"]),
        ("train checkerboard --set data.layout=channels-last", &["data.layout", "array"]),
        ("train points", &["data.file"]),
    ] {
        scene.refuses_after(words, parts);
    }
    // Not a square is no matter, a side that cannot be halved is.
    scene.refuses_after("train odd.npy", &["7", "halved"]);
    assert_eq!(scene.files(), before);
}

impl Scene {
    /// Runs what must fail, perhaps after it said what it read: its last line holds `names`.
    fn refuses_after(&self, words: &str, names: &[&str]) {
        let said = self.run(words);
        assert_eq!(said.code, Some(2), "flow {words}: {said:?}");
        said.names(names);
    }
}

/// Numbers of a file, NaN behind the ends of sequences among them.
fn with_ends(path: &Path) -> Vec<f32> {
    let options = ArrayOptions { nan: true, ..ArrayOptions::default() };
    Array::read(path, &options).unwrap().values
}

#[test]
fn sequences_that_end_early_are_learned_drawn_and_cut() {
    let scene = Scene::new();
    // Rows of 2, 5 or 8 steps of two numbers near 100, NaN behind them.
    let length = |row: usize| 2 + 3 * (row % 3);
    let step = |i: usize| {
        let there = i / 2 % 8 < length(i / 16);
        if there { 100.0 + 5.0 * (i as f32 / 3.0).sin() } else { f32::NAN }
    };
    save(&scene.path("ends.npy"), &[120, 8, 2], Element::F32, step);
    let small = "--set network.hidden=16 --set network.depth=1 --set network.heads=2";
    let said = scene.run(&format!("train ends.npy --out run {SMALL} {small}"));
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert!(said.stderr.contains("sequences of 2 to 8 steps, NaN behind"), "{}", said.stderr);
    scene.ok("export run --out ends.flow");
    scene.ok("sample ends.flow -n 60 --out s.npy");
    let ends = |values: &[f32]| -> Vec<usize> {
        let end = |row: &[f32]| {
            let end = row.iter().position(|x| x.is_nan()).unwrap_or(row.len());
            assert!(row[end..].iter().all(|x| x.is_nan()), "{row:?}");
            // The scale is that of what is there: filled up with zeros the mean would be 60.
            assert!(row[..end].iter().all(|x| (70.0..130.0).contains(x)), "{row:?}");
            end / 2
        };
        values.chunks(16).map(end).collect()
    };
    let drawn = ends(&with_ends(&scene.path("s.npy")));
    for length in [2, 5, 8] {
        let often = drawn.iter().filter(|drawn| **drawn == length).count();
        // A third of 60, with a standard deviation of 3.7.
        assert!((6..35).contains(&often), "{length}: {often} of 60");
    }
    scene.ok("sample run -n 5 --length 3 --out three.npy");
    assert_eq!(ends(&with_ends(&scene.path("three.npy"))), [3; 5], "a length that no row has");
    scene.refuses("sample run --length 9", 2, &["length 9", "from 1 to 8"]);
    scene.refuses("sample run --length 0", 2, &["length 0"]);
    save(&scene.path("hole.npy"), &[120, 8, 2], Element::F32, |i| {
        if i == 20 { f32::NAN } else { i as f32 }
    });
    scene.refuses("train hole.npy", 2, &["[1, 2, 0]", "stand nowhere else"]);
    scene.refuses("train ends.npy --set path.coupling=ot", 2, &["end early", "independent"]);
    scene.refuses("likelihood run", 2, &["sequences of different lengths"]);
    scene.refuses("export run --format onnx --out e.onnx", 2, &["end early"]);
}
