//! A table of one's own, from the file to samples, posteriors, densities and filled holes.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use common::Scene;
use flow_datasets::array::{ArrayForm, write_array};
use flow_datasets::{ArrayError, Element};

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
    scene.refuses("sample run --given clinic=A", 2, &["trained without any"]);
}

#[test]
fn conditions_are_given_by_name_or_by_a_file() {
    let scene = Scene::new();
    scene.write("people.csv", people());
    let given = "--given clinic,age --drop id,country";
    scene.ok(&format!("train table --data people.csv {given} --no-eval --out run {SMALL}"));
    let card = scene.ok("card run");
    for line in ["\ngiven       clinic, one of A, B; age from ", "\ndraws       "] {
        assert!(card.contains(line), "{line} is missing in {card}");
    }
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

    // Answers about several observations stand beside each other.
    for observed in ["clinic=A,age=30", "clinic=B,age=50"] {
        scene.ok(&format!("posterior run --observe {observed} -n 5"));
    }
    let own = fs::read_dir(scene.path("run/samples")).unwrap().filter_map(Result::ok);
    let own = own.filter(|file| file.file_name().to_string_lossy().starts_with("posterior-"));
    assert_eq!(own.filter(|file| file.path().extension().unwrap() == "csv").count(), 2);
    scene.refuses("sample run", 2, &["clinic, age", "--given"]);
    scene.refuses("sample run --given clinic=C,age=3", 2, &["\"C\"", "\"A\", \"B\""]);
    scene.refuses("sample run --given clinic=B", 2, &["lacks `age`"]);
    scene.refuses("sample run --given town=B", 2, &["town", "clinic"]);
    scene.refuses("sample run --given clinic", 2, &["clinic", ".csv"]);
}

#[test]
fn known_columns_are_a_question_to_methods_and_to_a_model_that_is_given_them() {
    let scene = Scene::new();
    scene.write("people.csv", people());
    let train = format!("train table --data people.csv --drop id,country --no-eval {SMALL}");
    scene.ok(&format!("{train} --out run"));
    scene.ok(&format!("{train} --given clinic --out trained"));
    let ask = "eval run -n 6 --draws 19 --steps 8 --method mmps --method replacement --questions";
    let said = scene.ok(&format!("{ask} given:clinic --against trained"));
    for word in ["given:clinic of 6 held-out rows", "error of the mean", "CRPS", "inside 90 %"] {
        assert!(said.contains(word), "expected `{word}` in {said}");
    }
    let text = fs::read_to_string(scene.path("run/questions-given-clinic.json")).unwrap();
    let report: serde_json::Value = serde_json::from_str(&text).unwrap();
    let rows = report["rows"].as_array().unwrap();
    let methods: Vec<&str> = rows.iter().map(|row| row["method"].as_str().unwrap()).collect();
    assert_eq!(methods, ["mmps", "replacement", "trained"]);
    // Eight steps, a correction after each but the last, and of the methods one look at pure noise.
    let (method, trained) = (&rows[1], &rows[2]);
    assert_eq!((&method["evaluations"], &method["gradients"]), (&16.0.into(), &0.into()));
    assert_eq!((&trained["evaluations"], &trained["gradients"]), (&15.0.into(), &0.into()));
    assert_eq!(trained["astray"], 0);
    for score in trained["scores"].as_array().unwrap() {
        assert!(score["value"].is_f64() && score["n"] == 6, "{score}");
    }
    // Of categories the share of answers that are right.
    let said = scene.ok(&format!("{ask} given:height,age"));
    assert!(said.contains("agreement") && !said.contains("CRPS"), "{said}");
    for (words, names) in [
        ("given:town", &["no column `town`", "clinic, height, age"][..]),
        ("given:clinic,height,age", &["all columns are known"]),
        ("upsample:2", &["upsample:2 is none about rows of a table", "given:COLUMN"]),
        ("given:age --against trained", &["is given clinic, and age is known"]),
        ("given:clinic --against run", &["run is given nothing"]),
    ] {
        scene.refuses(&format!("{ask} {words}"), 2, names);
    }
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
    scene.ok("calibrate run -n 20 --draws 9");
    // Both in one archive, as numpy.savez writes them; the numbers beside the rows are called `y`.
    let form = ArrayForm { name: "theta".into(), element: Element::F32, shape: vec![200, 2] };
    let seen: Vec<i64> = (0..200).map(|row| row % 7).collect();
    write_array(&scene.path("sim.npz"), &form, Some(&seen), |put| put(&theta))
        .unwrap_or_else(|error: ArrayError| panic!("{error}"));
    let said = scene.ok("train posterior --data sim.npz --given y --dry-run");
    assert!(said.contains("given = [\"y\"]"), "{said}");
    scene.refuses(
        "train posterior --data sim.npz --given x1",
        2,
        &["\"x1\"", "\"theta1\", \"theta2\", \"y\""],
    );
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

/// A transformer that trains in a second or two, with a token for each column.
const DIT: &str = "--no-eval --set network.kind=dit --set network.hidden=16 \
                   --set network.depth=1 --set network.heads=2 --set train.images=51200 \
                   --set train.batch=128 --set train.warmup_images=5000 \
                   --set train.learning_rate=5e-3 --set train.checkpoint_every=51200 \
                   --set ema.half_life=5000 --set sample.steps=8";

/// The share of pairs in which clinic B is the one of heights above 1.75, as in every row of the
/// data.
fn agreement<'a>(pairs: impl Iterator<Item = (&'a String, &'a String)>) -> f64 {
    let agree = |(clinic, height): (&String, &String)| {
        (clinic == "B") == (1.75 <= height.parse::<f64>().unwrap())
    };
    let agree: Vec<bool> = pairs.map(agree).collect();
    agree.iter().filter(|&&agree| agree).count() as f64 / agree.len() as f64
}

/// In three trials 98 to 99 % of the rows agreed, and 98 % or more of those of a given clinic.
#[test]
fn a_transformer_learns_the_columns_of_a_table_together() {
    let scene = Scene::new();
    scene.write("people.csv", people());
    scene.ok(&format!("train people.csv --out run {DIT}"));
    let read = |file: &str| columns(&fs::read_to_string(scene.path(file)).unwrap());
    scene.ok("sample run -n 200 --out synth.csv");
    let rows = read("synth.csv");
    assert_eq!(rows[0], ["clinic", "height", "age", "country"]);
    let rows = &rows[1..];
    let share = agreement(rows.iter().map(|row| (&row[0], &row[1])));
    assert!(share > 0.9, "{share}");
    // The control: columns that have nothing to do with each other agree in half of the rows.
    let apart = rows.iter().zip(rows.iter().skip(100).chain(&rows[..100]));
    let share = agreement(apart.map(|(row, other)| (&row[0], &other[1])));
    assert!((0.3..0.7).contains(&share), "{share}");

    scene.ok(&format!("train people.csv --given clinic --drop id,country --out given {DIT}"));
    for clinic in ["A", "B"] {
        scene.ok(&format!("sample given -n 200 --given clinic={clinic} --out one.csv"));
        let rows = &read("one.csv")[1..];
        assert!(rows.len() == 200 && rows.iter().all(|row| row[0] == clinic), "{clinic}");
        let share = agreement(rows.iter().map(|row| (&row[0], &row[1])));
        assert!(share > 0.9, "{clinic}: {share}");
    }
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
    scene.write("notes.txt", "words");
    let before = scene.files();
    for (words, parts) in [
        ("train ragged.csv", &["line 3", "1 cell "][..]),
        ("train twice.csv", &["\"a\""]),
        ("train one.csv", &["1 row,", "2 or more"]),
        ("train latin.csv", &["UTF-8"]),
        ("train empty.csv", &["empty.csv"]),
        ("train missing.csv", &["missing.csv"]),
        ("train people.csv --given town", &["town"]),
        ("train people.csv --data people.csv", &["name one file"]),
        ("train --given clinic", &["--data"]),
        ("train notes.txt", &["notes.txt is no recipe", ".csv", "folder of images"]),
        ("train posterior", &["posterior", "--given x1,x2"]),
        ("train posterior --data people.csv", &["observed", "--given x1,x2", "flow train table"]),
        ("train populations --data people.csv", &["data to data", "--from FILE", "--time COLUMN"]),
        ("train table", &["data.file"]),
    ] {
        scene.refuses(words, 2, parts);
    }
    assert_eq!(scene.files(), before);
}

/// Trains in a moment.
const TINY: &str = "--set network.hidden=16 --set network.depth=1 --set train.images=2560 \
                    --set train.warmup_images=0 \
                    --set train.checkpoint_every=2560 --set sample.steps=4 --no-eval";

#[test]
fn what_a_user_asks_for_is_done_or_refused_and_never_forgotten() {
    let scene = Scene::new();
    let rows = |head: &str, row: &dyn Fn(u32) -> String| {
        (0..60).fold(format!("{head}\n"), |text, i| text + &row(i) + "\n")
    };
    scene.write("people.csv", people());
    scene.write("one.csv", rows("x,k,m", &|i| format!("{}.5,3,4", i * 7 % 13)));
    scene.write("far.csv", rows("x,y", &|i| format!("{i}.5,{i}e300")));
    scene.write("times.csv", rows("x,t", &|i| format!("{}.5,{}", i % 7, i / 2)));
    scene.write("angle.csv", rows("angle,x", &|i| format!("{}.5,{}.25", i * 3, i % 7)));
    for (words, parts) in [
        // A condition that would be left out, or is the same in all rows.
        ("train people.csv --given id", &["given column \"id\"", "identifier"][..]),
        ("train one.csv --given k", &["given column \"k\"", "one value"]),
        ("train posterior --data one.csv --given k,m", &["one value"]),
        ("train people.csv --given age,age", &["age"]),
        ("train far.csv", &["row 2", "\"y\"", "beyond the range"]),
        ("train times.csv --time t", &["`t` is 0 in 2 rows", "round the times"]),
        ("train people.csv --set data.types.age=foo", &["real", "levels"]),
        // By the row of the file, whatever rows are held out.
        (
            "train angle.csv --set data.transforms.angle={logit=[0,90]}",
            &["row 31 of column \"angle\"", "logit"],
        ),
        ("train angle.csv --set data.transforms.angle={logit=[5,1]}", &["5 and 1", "lower one"]),
    ] {
        scene.refuses(&format!("{words} --no-eval"), 2, parts);
    }
    assert!(!scene.path("runs").exists(), "nothing was begun");
    // Beside another column one value loses nothing.
    scene.write("two.csv", rows("x,k,m", &|i| format!("{}.5,3,{}.5", i * 7 % 13, i % 5)));
    scene.ok(&format!("train two.csv --given k,m --no-eval --out two {SMALL}"));
    scene.ok("sample two -n 2 --given m=1.5 --out two-samples.csv");
}

#[test]
fn categories_alone_are_scored_and_bounds_are_kept() {
    let scene = Scene::new();
    let mut rows = "a,b,angle\n".to_owned();
    for i in 0..120_u32 {
        let (a, b) = (["u", "v"][i as usize % 2], ["x", "y"][i as usize / 7 % 2]);
        writeln!(rows, "{a},{b},{}.5", i * 53 % 90).unwrap();
    }
    scene.write("all.csv", &rows);
    let few = format!("{SMALL} --set eval.steps={{}} --set eval.error_n=0");
    scene.ok(&format!("train all.csv --drop angle --out names {few}"));
    let logit = "--set data.transforms.angle={logit=[0,90]}";
    scene.ok(&format!("train all.csv --no-eval --out bounded {logit} {SMALL}"));
    scene.ok("sample bounded -n 400 --seed 1 --out s.csv");
    let samples = fs::read_to_string(scene.path("s.csv")).unwrap();
    let angles: Vec<f64> =
        columns(&samples)[1..].iter().map(|row| row[2].parse().unwrap()).collect();
    assert!(angles.iter().all(|angle| (0.0..=90.0).contains(angle)), "{angles:?}");
    scene.ok("likelihood bounded -n 5 --tag bounded");
    // Given columns are not filled, and whoever asks is told.
    scene.ok(&format!(
        "train all.csv --given b --set data.given_drop.b=0.2 --no-eval --out told {SMALL}"
    ));
    scene.write("holes.csv", "a,b,angle\nu,,3.5\n,x,4.5\n");
    let said = scene.run("impute told holes.csv --out filled.csv");
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    for words in ["1 of 2 rows had holes", "`b` is given", "stays empty in 1 row"] {
        assert!(said.stderr.contains(words), "{words} is missing in {}", said.stderr);
    }
    scene.refuses("impute told holes.csv --out holes.csv", 2, &["which is read"]);
    scene.refuses("likelihood names all.csv --out all.csv", 2, &["which is read"]);
    // A model may be asked about rows that are told one thing alone.
    let one: String = rows
        .lines()
        .filter(|line| !line.contains(",y,"))
        .fold(String::new(), |text, line| text + line + "\n");
    scene.write("one.csv", one);
    scene.ok("export told --out told.flow");
    scene.ok("eval told.flow --data one.csv --out asked");
    scene.refuses("card nope.flow", 2, &["no run and no model nope.flow"]);
    scene.refuses("impute told holes.csv --out nowhere/f.csv", 2, &["no folder nowhere"]);
    scene.refuses("calibrate told -n 2", 2, &["at least 20"]);
}

#[test]
fn a_column_says_which_rows_are_held_out_and_is_not_learned() {
    let scene = Scene::new();
    let mut text = String::new();
    for (at, line) in people().lines().enumerate() {
        let part = match at {
            0 => "part",
            at if at % 10 == 0 => "test",
            _ => "train",
        };
        writeln!(text, "{line},{part}").unwrap();
    }
    scene.write("newcat.csv", text);
    let split = r#"--set data.split={kind="column",name="part",held=["test"]}"#;
    let said = scene.run(&format!("train newcat.csv {split} --out run {TINY}"));
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    for words in ["says which rows are held out", "180 rows to train with, 20 held out"] {
        assert!(said.stderr.contains(words), "{words} is missing in {}", said.stderr);
    }
    scene.ok("sample run -n 3 --out s.csv");
    let rows = columns(&fs::read_to_string(scene.path("s.csv")).unwrap());
    assert_eq!(rows[0], ["clinic", "height", "age", "country"]);
    let words = format!("train newcat.csv {split} --given part");
    scene.refuses(&words, 2, &["\"part\"", "data.given", "data.split"]);
    let nowhere = r#"--set data.split={kind="column",name="side",held=["test"]}"#;
    scene.refuses(&format!("train newcat.csv {nowhere}"), 2, &["\"side\"", "\"part\""]);
}

#[test]
fn a_share_that_holds_out_too_much_or_too_little_is_said_by_its_key() {
    let scene = Scene::new();
    scene.write("people.csv", people());
    scene.write("six.csv", "x,y\n1.5,2.5\n2.5,1.5\n3.5,4.5\n4.5,3.5\n5.5,6.5\n6.5,7.5\n");
    scene.write("late.csv", "c,x,part\na,1.5,r\nb,2.5,r\na,3.5,r\nb,4.5,r\nz,5.5,t\nz,6.5,t\n");
    for share in ["2", "-1", "nan"] {
        let split = format!("--set data.split={{kind=\"hash\",share={share}}}");
        scene.refuses(&format!("train people.csv {split}"), 2, &["data.split.share is", "0 and 1"]);
    }
    let split = r#"--set data.split={kind="hash",share=0}"#;
    let parts = ["six.csv: 1 complete row held out, at least 2", "data.split.share"];
    scene.refuses(&format!("train six.csv {split}"), 2, &parts);
    let split = r#"--set data.split={kind="column",name="part",held=["t"]}"#;
    let parts = ["0 complete rows held out", "2 more lack a value, or have a category"];
    scene.refuses(&format!("train late.csv {split}"), 2, &parts);
    scene.refuses(&format!("train checkerboard {split}"), 2, &["data.split", "checkerboard"]);
}

#[test]
fn other_separators_and_marks_of_missing_values_are_read_and_kept_by_the_model() {
    let scene = Scene::new();
    let mut text = people().replace(',', ";");
    for age in [20, 27, 34] {
        text = text.replacen(&format!(";{age};"), ";none;", 1);
    }
    scene.write("semi.csv", &text);
    let said = scene.run(&format!(
        "train semi.csv --set data.missing=[\"none\"] --set data.max_columns=5 --out run {TINY}"
    ));
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert!(said.stderr.contains("lack a value"), "{}", said.stderr);
    // The model knows what means a missing value; what separates columns is seen.
    scene.write("holes.csv", "clinic,height,age,country\nA,1.61,none,here\n");
    scene.ok("impute run holes.csv --steps 4 --out filled.csv");
    let rows = columns(&fs::read_to_string(scene.path("filled.csv")).unwrap());
    assert!(rows[1][2].parse::<i32>().is_ok(), "{rows:?}");
    scene.write("bars.csv", "a;b|c\n1.5;2|3\n2.5;3|4\n");
    for (words, parts) in [
        ("train bars.csv", &["bars.csv", "data.delimiter"][..]),
        ("train bars.csv --set data.delimiter=;;", &["data.delimiter is \";;\"", "tab"]),
        ("train semi.csv --set data.max_columns=3", &["5 columns", "data.max_columns"]),
        ("train checkerboard --set data.missing=[\"none\"]", &["data.missing", "table"]),
    ] {
        scene.refuses(words, 2, parts);
    }
}

#[test]
fn conditions_beyond_all_that_was_seen_are_warned_of_and_errors_name_their_option() {
    let scene = Scene::new();
    scene.write("people.csv", people());
    scene.ok(&format!("train people.csv --given clinic,age --out run {TINY}"));
    let said = scene.run("sample run -n 2 --given clinic=B,age=4000 --out far.csv");
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    let warnings = said.stderr.lines().filter(|line| line.contains("warning"));
    let warnings: Vec<&str> = warnings.collect();
    assert_eq!(warnings.len(), 1, "{}", said.stderr);
    assert!(warnings[0].contains("age is 4000, and it has seen 20 to 79"), "{warnings:?}");
    let said = scene.run("sample run -n 2 --given clinic=B,age=40 --out near.csv");
    assert!(!said.stderr.contains("warning"), "{}", said.stderr);
    scene.refuses("posterior run --observe clinic=C,age=30", 2, &["--observe: ", "\"C\""]);
    scene.refuses("posterior run --observe clinic=A", 2, &["--observe: ", "lacks `age`"]);
    // The age is a whole number, and what means a missing value in a file means it here too.
    let half = "sample run -n 2 --given clinic=B,age=40.5";
    scene.refuses(half, 2, &["--given: ", "\"40.5\"", "no whole number"]);
    scene.refuses("sample run -n 2 --given clinic=B,age=NA", 2, &["--given: ", "lacks `age`"]);
    let wrong = "train people.csv --set data.transforms.clinic=log1p";
    scene.refuses(wrong, 2, &["\"clinic\" holds categories", "data.transforms"]);
    let said = scene.run("sample run --given nowhere.csv");
    assert_eq!(said.stderr.matches("nowhere.csv").count(), 1, "{}", said.stderr);
    assert!(said.stderr.contains("--given: "), "{}", said.stderr);
}

#[test]
fn a_condition_that_training_hides_may_be_left_out_of_samples() {
    let scene = Scene::new();
    scene.write("people.csv", people());
    let hide = "--set data.given_drop.age=0.5";
    scene.ok(&format!("train people.csv --given clinic,age {hide} --out run {TINY}"));
    scene.ok("sample run -n 5 --given clinic=B --out some.csv");
    scene.ok("sample run -n 5 --given clinic=B,age=40 --out all.csv");
    for (file, age) in [("some.csv", ""), ("all.csv", "40")] {
        let rows = columns(&fs::read_to_string(scene.path(file)).unwrap());
        assert_eq!(rows.len(), 6);
        for row in &rows[1..] {
            assert_eq!([&*row[0], &*row[2]], ["B", age], "{file}: {row:?}");
        }
    }
    let [some, all] = ["some.csv", "all.csv"].map(|file| fs::read(scene.path(file)).unwrap());
    assert_ne!(some, all);
    scene.refuses("sample run -n 5 --given age=40", 2, &["lacks `clinic`"]);
    let other = format!("train people.csv --given clinic {hide}");
    scene.refuses(&other, 2, &["data.given_drop", "`age`", "--given age"]);
    let none = "train people.csv --given age --set data.given_drop.age=2";
    scene.refuses(none, 2, &["data.given_drop.age is 2", "between 0 and 1"]);
}

/// An npy file of little-endian numbers, `[rows, columns]`.
fn array_file(descr: &str, columns: usize, numbers: &[Vec<u8>]) -> Vec<u8> {
    let shape = format!("({}, {columns})", numbers.len() / columns);
    let mut text = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
    text += &" ".repeat(63 - (10 + text.len()) % 64);
    text.push('\n');
    let length = (text.len() as u16).to_le_bytes();
    [b"\x93NUMPY\x01\x00", &length[..], text.as_bytes(), &numbers.concat()].concat()
}

#[test]
fn a_table_in_an_array_keeps_its_values_its_type_and_its_holes() {
    let scene = Scene::new();
    let whole = |i: i64| if i % 2 == 0 { 123_456_789 + i * 7 % 100 } else { i / 2 % 3 };
    let numbers: Vec<Vec<u8>> = (0..400).map(|i| whole(i).to_le_bytes().to_vec()).collect();
    scene.write("whole.npy", array_file("<i8", 2, &numbers));
    let said = scene.run(&format!("train whole.npy --out run {TINY}"));
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert!(said.stderr.contains("123456789 to 123456887"), "{}", said.stderr);
    scene.ok("sample run -n 20 --out s.npy");
    let (shape, samples) = common::npy::<i64>(&scene.path("s.npy"));
    assert_eq!(shape, [20, 2]);
    for row in samples.chunks(2) {
        assert!((123_456_789..=123_456_887).contains(&row[0]), "{row:?}");
        assert!((0..3).contains(&row[1]), "{row:?}");
    }
    let real = |i: u32| if i % 80 == 5 { f32::NAN } else { (i * 37 % 101) as f32 * 0.1 };
    let numbers: Vec<Vec<u8>> = (0..400).map(|i| real(i).to_le_bytes().to_vec()).collect();
    scene.write("holes.npy", array_file("<f4", 2, &numbers));
    let said = scene.run(&format!("train holes.npy --out holes {TINY}"));
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert!(said.stderr.contains("lack a value"), "{}", said.stderr);
    scene.ok("impute holes holes.npy --steps 4 --out filled.npy");
    let (_, filled) = common::npy::<f32>(&scene.path("filled.npy"));
    let same = |(i, x): (usize, &f32)| {
        let known = real(i as u32);
        x.is_finite() && (known.is_nan() || known.to_bits() == x.to_bits())
    };
    assert!(filled.len() == 400 && filled.iter().enumerate().all(same), "{filled:?}");
}

#[cfg(not(feature = "parquet"))]
#[test]
fn parquet_that_is_not_built_in_is_refused_with_the_command_that_builds_it() {
    let scene = Scene::new();
    scene.write("people.parquet", "PAR1");
    let parts = ["people.parquet", "cargo build --release -p flow-cli --features parquet"];
    scene.refuses("train people.parquet", 2, &parts);
}

#[cfg(feature = "parquet")]
#[test]
fn parquet_goes_in_and_comes_out() {
    let scene = Scene::new();
    scene.write("people.csv", people());
    scene.ok(&format!("train people.csv --out run {TINY}"));
    scene.ok("sample run -n 200 --out people.parquet");
    scene.ok(&format!("train people.parquet --out again {TINY}"));
    scene.ok("sample again -n 3 --out s.csv");
    let rows = columns(&fs::read_to_string(scene.path("s.csv")).unwrap());
    assert_eq!(rows[0], ["clinic", "height", "age", "country"]);
    assert!(["A", "B"].contains(&rows[1][0].as_str()) && rows[1][3] == "here", "{rows:?}");
}
