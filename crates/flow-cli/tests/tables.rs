//! A table of one's own, from the file to samples, posteriors, densities and filled holes.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use common::Scene;

/// Trains in a second or two.
const SMALL: &str = "--set network.hidden=32 --set network.depth=2 --set train.images=51200 \
                     --set train.checkpoint_every=51200 --set sample.steps=8 --set eval.n=100";

/// 200 rows: a number that follows the clinic, a whole number, a name, and a column of one value.
fn people() -> String {
    let mut text = String::from("id,clinic,height,age,country\n");
    for i in 0..200_u32 {
        let clinic = ["A", "B"][i as usize % 2];
        let height = 1.6 + 0.2 * f64::from(i % 2) + 0.001 * f64::from(i * 37 % 100);
        let age = 20 + i * 7 % 60;
        let country = "here";
        writeln!(text, "p{i},{clinic},{height:.2},{age},{country}").unwrap();
    }
    text
}

fn columns(text: &str) -> Vec<Vec<String>> {
    text.lines().map(|line| line.split(',').map(String::from).collect()).collect()
}

#[test]
fn a_table_is_trained_on_and_comes_out_in_the_form_that_it_went_in() {
    let scene = Scene::new();
    scene.write("people.csv", people());
    let said = scene.run(&format!("train people.csv --out run {SMALL}"));
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    for words in ["clinic", "category", "2: A, B", "integer", "dropped", "constant", "held out"] {
        assert!(said.stderr.contains(words), "{words} is missing in {}", said.stderr);
    }
    for words in [
        "Wasserstein-1 (l1)",
        "Wasserstein-2 (l2)",
        "of clinic",
        "nearer to training rows",
        "marginals.png",
    ] {
        assert!(said.stdout.contains(words), "{words} is missing in {}", said.stdout);
    }
    scene.ok("sample run -n 50 --out synth.csv");
    let rows = columns(&fs::read_to_string(scene.path("synth.csv")).unwrap());
    assert_eq!(rows[0], ["clinic", "height", "age", "country"]);
    assert_eq!(rows.len(), 51);
    for row in &rows[1..] {
        assert!(["A", "B"].contains(&row[0].as_str()), "{row:?}");
        let (_, decimals) = row[1].split_once('.').unwrap();
        assert_eq!(decimals.len(), 2, "{row:?}");
        assert!((20..80).contains(&row[2].parse::<i32>().unwrap()), "{row:?}");
        assert_eq!(row[3], "here");
    }
    // The model is a file of its own, with the columns in it: neither run nor table is needed.
    scene.ok("export run --out people.flow");
    fs::remove_file(scene.path("people.csv")).unwrap();
    scene.ok("sample people.flow -n 50 --out again.csv");
    let [first, again] = ["synth.csv", "again.csv"].map(|f| fs::read(scene.path(f)).unwrap());
    assert_eq!(first, again, "the same seed gives the same rows");
    scene.refuses("eval run", 2, &["people.csv", "could not read"]);
    scene.refuses("sample run --out synth.png", 2, &["synth.png", ".csv"]);
    scene.refuses("sample run --given clinic=A", 2, &["no column"]);
}

#[test]
fn conditions_are_given_by_name_or_by_a_file() {
    let scene = Scene::new();
    scene.write("people.csv", people());
    let given = "--given clinic,age --drop id,country";
    scene.ok(&format!("train table --data people.csv {given} --no-eval --out run {SMALL}"));
    scene.ok("sample run -n 40 --given clinic=B,age=41 --out b.csv");
    let rows = columns(&fs::read_to_string(scene.path("b.csv")).unwrap());
    assert!(rows[1..].iter().all(|row| row[0] == "B" && row[2] == "41"), "{rows:?}");
    scene.write("asked.csv", "age,clinic\n30,A\n50,B\n");
    scene.ok("sample run --given asked.csv --out two.csv");
    let rows = columns(&fs::read_to_string(scene.path("two.csv")).unwrap());
    let told: Vec<[&str; 2]> = rows[1..].iter().map(|row| [&*row[0], &*row[2]]).collect();
    assert_eq!(told, [["A", "30"], ["B", "50"]]);

    let said = scene.ok("posterior run --observe clinic=A,age=30 -n 20 --out post.csv");
    assert!(said.contains("post.png"), "{said}");
    let rows = columns(&fs::read_to_string(scene.path("post.csv")).unwrap());
    assert_eq!(rows[0], ["height", "log_density"]);
    assert!(rows[1..].iter().all(|row| row[1].parse::<f64>().unwrap().is_finite()));
    let said = scene.ok("calibrate run --draws 20");
    assert!(said.contains("height") && said.contains("TARP"), "{said}");
    let page = fs::read_to_string(scene.path("run/report.html")).unwrap();
    for picture in ["posterior", "calibration", "calibration-ranks"] {
        assert!(scene.path(&format!("run/plots/{picture}.png")).is_file(), "{picture}");
    }
    let said = said.lines().find(|line| line.contains("held-out rows with 20 draws")).unwrap();
    for words in ["<h2>Calibration</h2>", said, "Draws of the posterior", "Ranks of held-out"] {
        assert!(page.contains(words), "expected `{words}` in report.html");
    }

    scene.refuses("sample run", 2, &["clinic, age", "--given"]);
    scene.refuses("sample run --given clinic=C,age=3", 2, &["\"C\"", "\"A\", \"B\""]);
    scene.refuses("sample run --given clinic=B", 2, &["lacks `age`"]);
    scene.refuses("sample run --given town=B", 2, &["town", "clinic"]);
    scene.refuses("sample run --given clinic", 2, &["clinic", ".csv"]);
}

#[test]
fn parameters_and_observations_may_lie_in_two_arrays() {
    let scene = Scene::new();
    let theta: Vec<f32> = (0..400).map(|i| (i * 37 % 101) as f32 / 50.0 - 1.0).collect();
    // Two parameters a row, and their sum with a little more.
    let x: Vec<f32> =
        theta.chunks(2).zip(0..).map(|(t, i)| t[0] + t[1] + (i % 7) as f32 / 70.0).collect();
    npy(&scene.path("theta.npy"), 2, &theta);
    npy(&scene.path("x.npy"), 1, &x);
    npy(&scene.path("seen.npy"), 1, &[0.5, -0.25]);
    npy(&scene.path("few.npy"), 1, &x[..10]);
    let set = format!("--no-eval {SMALL}");
    let said = scene.ok(&format!("train posterior --data theta.npy --given x.npy --out run {set}"));
    let recipe = fs::read_to_string(scene.path("run/recipe.toml")).unwrap();
    assert!(recipe.contains("given = [\"x1\"]") && recipe.contains("beside = "), "{said}");
    scene.ok("posterior run --observe seen.npy -n 30 --out post.csv");
    let rows = columns(&fs::read_to_string(scene.path("post.csv")).unwrap());
    assert_eq!(rows[0], ["observation", "theta1", "theta2", "log_density"]);
    assert_eq!(rows.len(), 61);
    scene.ok("posterior run --observe x1=0.5 -n 30 --out one.csv");
    scene.ok("calibrate run -n 10 --draws 9");
    let train = "train posterior --data theta.npy --dry-run --given";
    scene.refuses(&format!("{train} few.npy"), 2, &["theta.npy has 200 rows", "few.npy has 10"]);
    scene.refuses(&format!("{train} none.npy"), 2, &["--given none.npy"]);
    let from = "--set data.from=theta.npy";
    scene.refuses(&format!("{train} x.npy {from}"), 2, &["data.beside", "leave it out"]);
}

/// Writes rows as an array of NumPy.
fn npy(path: &Path, width: usize, numbers: &[f32]) {
    let shape = format!("({}, {width})", numbers.len() / width);
    let head = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}");
    let head = format!("{head:117}\n");
    let mut bytes = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
    bytes.extend(head.as_bytes());
    bytes.extend(numbers.iter().flat_map(|x| x.to_le_bytes()));
    fs::write(path, bytes).unwrap();
}

#[test]
fn rows_have_densities_and_holes_are_filled() {
    let scene = Scene::new();
    scene.write("people.csv", people());
    scene.ok(&format!("train people.csv --no-eval --out run {SMALL}"));
    scene.write(
        "holes.csv",
        "clinic,height,age,country\nA,,30,here\nB,1.85,,here\nA,1.61,40,here\n",
    );
    scene.ok("likelihood run holes.csv --out scores.csv");
    let rows = columns(&fs::read_to_string(scene.path("scores.csv")).unwrap());
    let density: Vec<&str> = rows[1..].iter().map(|row| &*row[4]).collect();
    assert!(density[0].is_empty() && density[1].is_empty(), "a row with a hole has no density");
    assert!(density[2].parse::<f64>().unwrap().is_finite());

    // Rows go back to the noise that they come from, where a whole number is one still.
    scene.ok("push run people.csv --from 1 --to 0 --out noise.csv");
    let rows = columns(&fs::read_to_string(scene.path("noise.csv")).unwrap());
    assert_eq!((rows.len(), &*rows[0][1]), (201, "height"));
    scene.refuses("push run people.csv --out noise.csv", 2, &["--from", "0", "1"]);

    scene.ok("impute run holes.csv --draws 2 --steps 6 --out filled.csv");
    let rows = columns(&fs::read_to_string(scene.path("filled.csv")).unwrap());
    assert_eq!(rows[0], ["draw", "clinic", "height", "age", "country"]);
    assert_eq!(rows.len(), 7);
    for row in &rows[1..] {
        assert!(row.iter().all(|cell| !cell.is_empty()), "{row:?}");
    }
    assert_eq!(rows[3][1..], ["A", "1.61", "40", "here"], "what was known is as it was");
    assert_eq!((&*rows[2][2], &*rows[5][2]), ("1.85", "1.85"));
}

#[test]
fn what_is_wrong_with_a_table_is_said_before_anything_is_written() {
    let scene = Scene::new();
    scene.write("people.csv", people());
    scene.write("ragged.csv", "a,b\n1,2\n3\n");
    scene.write("twice.csv", "a,a\n1,2\n");
    scene.write("one.csv", "a,b\n1,2\n");
    scene.write("latin.csv", b"a,b\n\xff,2\n");
    scene.write("empty.csv", "");
    let before = scene.files();
    for (words, parts) in [
        ("train ragged.csv", &["line 3", "1 cells"][..]),
        ("train twice.csv", &["\"a\""]),
        ("train one.csv", &["rows"]),
        ("train latin.csv", &["UTF-8"]),
        ("train empty.csv", &["empty.csv"]),
        ("train missing.csv", &["missing.csv"]),
        ("train people.csv --given town", &["town"]),
        ("train people.csv --data people.csv", &["name one file"]),
        ("train --given clinic", &["--data"]),
        ("train table", &["data.file"]),
    ] {
        scene.refuses(words, 2, parts);
    }
    assert_eq!(scene.files(), before);
}
