//! Data to data: pairs, populations without pairs, snapshots in time, and rows carried along.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;

use std::fmt::Write as _;
use std::fs;

use common::Scene;
use flow_datasets::array::{Array, ArrayForm, ArrayOptions, write_array};
use flow_datasets::{ArrayError, Element};

/// Trains in seconds, to an error of a few hundredths.
const SMALL: &str = "--set network.hidden=32 --set network.depth=2 --set train.images=102400 \
                     --set train.checkpoint_every=102400 --set train.warmup_images=0 \
                     --set train.learning_rate=5e-3 --set eval.n=50 --set eval.steps={}";

/// Normal numbers, always the same.
fn normal(n: usize) -> Vec<f64> {
    let mut rng = fastrand::Rng::with_seed(1);
    let mut one = || {
        let (u, v) = (1.0 - rng.f64(), rng.f64());
        (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
    };
    (0..n).map(|_| one()).collect()
}

/// A csv with a line for each pair of numbers.
fn csv(rows: &[f64], line: impl Fn(usize, f64, f64) -> String, head: &str) -> String {
    let mut text = format!("{head}\n");
    for (i, row) in rows.chunks(2).enumerate() {
        writeln!(text, "{}", line(i, row[0], row[1])).unwrap();
    }
    text
}

fn numbers(scene: &Scene, name: &str) -> Vec<Vec<f64>> {
    let text = fs::read_to_string(scene.path(name)).unwrap();
    let row = |line: &str| line.split(',').map(|cell| cell.parse().unwrap_or(f64::NAN)).collect();
    text.lines().skip(1).map(row).collect()
}

/// Root mean square of the distance between rows of two numbers.
fn distance(a: &[Vec<f64>], b: impl Fn(&[f64]) -> [f64; 2], of: &[Vec<f64>]) -> f64 {
    assert_eq!(a.len(), of.len());
    let square = |(a, of): (&Vec<f64>, &Vec<f64>)| {
        let b = b(of);
        (a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2)
    };
    (a.iter().zip(of).map(square).sum::<f64>() / a.len() as f64).sqrt()
}

#[test]
fn pairs_are_learned_as_pairs_and_populations_by_the_least_cost() {
    let scene = Scene::new();
    let rows = normal(2000);
    let plain = |_: usize, a: f64, b: f64| format!("{a:.4},{b:.4}");
    scene.write("from.csv", csv(&rows, plain, "a,b"));
    // Row i is turned by a quarter: (a, b) becomes (-b, a). The law of both files is the same.
    scene.write("to.csv", csv(&rows, |_, a, b| format!("{:.4},{a:.4}", -b), "a,b"));
    scene.ok(&format!("train to.csv --from from.csv --pairs --no-eval --out pairs {SMALL}"));
    let said = scene.run(&format!("train to.csv --from from.csv --out any {SMALL}"));
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert!(said.stderr.contains("at 0") && said.stderr.contains("at 1"), "{}", said.stderr);
    for (run, out) in [("pairs", "turned.csv"), ("any", "same.csv")] {
        scene.ok(&format!("push {run} from.csv --out {out}"));
    }
    let of = numbers(&scene, "from.csv");
    let quarter = |x: &[f64]| [-x[1], x[0]];
    let [turned, same] = ["turned.csv", "same.csv"].map(|name| numbers(&scene, name));
    // Paths of pairs are lines of a linear map, which the network learns to a tenth of a deviation;
    // without pairs the cheapest way between equal laws is to stay. Each would fail as the other:
    // a quarter turn is 2 away from staying.
    assert!(distance(&turned, quarter, &of) < 0.25, "{}", distance(&turned, quarter, &of));
    let stayed = |x: &[f64]| [x[0], x[1]];
    assert!(distance(&same, stayed, &of) < 0.35, "{}", distance(&same, stayed, &of));
    assert!(1.5 < distance(&same, quarter, &of), "without pairs nobody knows the turn");

    // The model leads back, and is a file of its own.
    scene.ok("export pairs --out pairs.flow");
    scene.ok("push pairs.flow turned.csv --from 1 --to 0 --out back.csv");
    let back = numbers(&scene, "back.csv");
    assert!(distance(&back, stayed, &of) < 0.02, "{}", distance(&back, stayed, &of));
    scene.refuses("sample pairs", 2, &["start from data", "flow push"]);
    scene.refuses("likelihood pairs from.csv --out l.csv", 2, &["no density"]);
    scene.refuses("push pairs from.csv --to 2 --out p.csv", 2, &["2", "0 to 1"]);
    scene.refuses("push pairs from.csv --out p.npz.png", 2, &[".csv"]);
    scene.write("holes.csv", "a,b\n1,\n");
    scene.refuses("push pairs holes.csv --out p.csv", 2, &["row 1", "lacks a value"]);
    scene.refuses("impute pairs holes.csv --out p.csv", 2, &["start from data and not from noise"]);
}

#[test]
fn snapshots_are_a_chain_and_rows_are_carried_to_any_of_their_times() {
    let scene = Scene::new();
    let rows = normal(3000);
    // 500 rows each at the hours 0, 1 and 3, whose mean moves by 2 an hour and then by 1 the other
    // way.
    let place = |t: f64| if t <= 1.0 { [2.0 * t, 0.0] } else { [2.0, t - 1.0] };
    let hours = [0.0, 1.0, 3.0];
    let line = |i: usize, a: f64, b: f64| {
        let [x, y] = place(hours[i % 3]);
        format!("{},{:.3},{:.3},{}", hours[i % 3], x + 0.3 * a, y + 0.3 * b, ["u", "v"][i % 2])
    };
    scene.write("cells.csv", csv(&rows, line, "hours,x,y,kind"));
    let words = "train cells.csv --time hours --given kind";
    let said = scene.run(&format!("{words} --out run {SMALL}"));
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert!(!said.stderr.contains("warning"), "conditions are kept apart: {}", said.stderr);
    assert!(said.stdout.contains("Wasserstein-1 (l1)"), "{}", said.stdout);
    scene.ok("push run cells.csv --from 0 --to 0.5,1,3 --out moved.csv");
    let text = fs::read_to_string(scene.path("moved.csv")).unwrap();
    assert_eq!(text.lines().next(), Some("hours,x,y,kind"));
    let moved = numbers(&scene, "moved.csv");
    assert_eq!(moved.len(), 1500);
    for (part, t) in moved.chunks(500).zip([0.5, 1.0, 3.0]) {
        assert!(part.iter().all(|row| (row[0] - t).abs() < 1e-9));
        let mean = |at: usize| part.iter().map(|row| row[at]).sum::<f64>() / 500.0;
        let [x, y] = place(t);
        // The standard error of a mean is 0.3 / sqrt(500) = 0.013; the network errs more.
        assert!(
            (mean(1) - x).abs() < 0.15 && (mean(2) - y).abs() < 0.15,
            "{t}: {} {}",
            mean(1),
            mean(2)
        );
    }
    let said = scene.run("push run cells.csv --from 0 --to 3,1 --out p.csv");
    assert_eq!(said.code, Some(2), "{said:?}");
    said.names(&["0, 3, 1", "--to"]);
    scene.refuses("push run cells.csv --out m.csv", 2, &["several times", "--from"]);
    scene.refuses("push run cells.csv --from 2 --out m.csv", 2, &["no row at the time 2"]);
    scene.refuses("push run cells.csv --from 0 --to 4 --out m.csv", 2, &["0 to 3"]);
    for (words, parts) in [
        ("train cells.csv --time when", &["`when`"][..]),
        ("train cells.csv --time kind", &["kind"]),
        ("train cells.csv --time x", &["different values"]),
        (
            "train cells.csv --time hours --set path.coupling=paired",
            &["path.coupling", "data.pairs"],
        ),
        ("train cells.csv --time hours --set path.prediction=noise", &["path.prediction"]),
        ("train cells.csv --time hours --set sample.sampler=sde", &["a start that is data"]),
        ("train cells.csv --pairs", &["--from"]),
        ("train --time hours", &["--data"]),
    ] {
        let said = scene.run(words);
        assert_eq!(said.code, Some(2), "{words}: {said:?}");
        assert!(parts.iter().all(|part| said.stderr.contains(part)), "{words}: {}", said.stderr);
    }
}

#[test]
fn arrays_are_carried_too() {
    let scene = Scene::new();
    let save = |name: &str, shift: f32| {
        let values = normal(400).into_iter().map(|x| x as f32 + shift).collect();
        let array = Array { shape: vec![200, 2], values, element: Element::F64 };
        array.write(&scene.path(name)).unwrap();
    };
    save("from.npy", 0.0);
    save("to.npy", 4.0);
    let small = SMALL.replace("102400", "25600");
    scene.ok(&format!("train points --data to.npy --from from.npy --no-eval --out run {small}"));
    scene.ok("push run from.npy --to 0.5,1 --out moved.npy");
    let moved = Array::read(&scene.path("moved.npy"), &ArrayOptions::default()).unwrap();
    assert_eq!((moved.shape, moved.element), (vec![2, 200, 2], Element::F64));
    let mean = moved.values[400..].iter().sum::<f32>() / 400.0;
    // Both means err by 1 / sqrt(400) = 0.05 in the same direction: the rows are the same.
    assert!((mean - 4.0).abs() < 0.4, "{mean}");
    // Snapshots in one file, with the time of each row beside it: 3 further from each to the next.
    let times: Vec<i64> = (0..300).map(|i| i % 3).collect();
    let values: Vec<f32> =
        normal(300).iter().zip(&times).map(|(x, &t)| *x as f32 + 3.0 * t as f32).collect();
    let form = ArrayForm { name: "x".into(), element: Element::F32, shape: vec![300, 1] };
    let written =
        write_array::<ArrayError>(&scene.path("seen.npz"), &form, Some(&times), |put| put(&values));
    written.unwrap();
    scene.ok(&format!("train seen.npz --time y --no-eval --out seen {small}"));
    scene.ok("push seen seen.npz --from 0 --to 2 --out end.npy");
    let end = Array::read(&scene.path("end.npy"), &ArrayOptions::default()).unwrap();
    let mean = end.values.iter().sum::<f32>() / 100.0;
    // The mean of 100 normal rows errs by 0.1.
    assert!(end.shape == [100, 1] && (mean - 6.0).abs() < 0.7, "{mean}");
    scene.refuses("push run to.csv --out m.npy", 2, &["to.csv"]);
    scene.refuses("push run from.npy --out m.csv", 2, &[".npy, .npz, .safetensors"]);
    let save = |name: &str, shape: &[usize]| {
        let values = vec![0.5; shape.iter().product()];
        Array { shape: shape.to_vec(), values, element: Element::F32 }
            .write(&scene.path(name))
            .unwrap();
    };
    save("three.npy", &[5, 3]);
    scene.refuses("push run three.npy --out m.npy", 2, &["[3]", "[2]"]);
    for (words, parts) in [
        ("train points --data to.npy --from three.npy", &["[3]", "[2]"][..]),
        ("train points --data to.npy --from missing.npy", &["missing.npy"]),
        ("train points --data to.npy --time t", &["without a name"]),
    ] {
        scene.refuses(words, 2, parts);
    }
}

#[test]
fn transport_that_biases_a_condition_is_warned_of() {
    let scene = Scene::new();
    let line = |i: usize, a: f64, b: f64| format!("{a:.3},{b:.3},{}", i % 7);
    scene.write("rows.csv", csv(&normal(400), line, "a,b,c"));
    let warned = |more: &str| {
        let said = scene.run(&format!("train rows.csv --given c {more} --dry-run"));
        assert_eq!(said.code, Some(0), "{}", said.stderr);
        said.stderr.contains("biased")
    };
    assert!(warned("--set path.coupling=ot"));
    assert!(warned("--set path.coupling=sinkhorn"));
    assert!(!warned("--set path.coupling=conditional"));
    assert!(!warned("--set path.coupling=independent"));
    // Starts that are data have the condition of their end, or none.
    scene.write("told.csv", csv(&normal(200), line, "a,b,c"));
    scene.write("free.csv", csv(&normal(200), |_, a, b| format!("{a:.3},{b:.3}"), "a,b"));
    assert!(!warned("--from told.csv") && warned("--from free.csv"));
    assert!(!warned("--from free.csv --set path.coupling=conditional"));
    let digits = |more: &str| scene.run(&format!("train digits {more} --dry-run")).stderr;
    assert!(!digits("--set path.coupling=ot").contains("biased"), "within classes by itself");
    let across = digits("--set path.coupling=ot --set path.within_classes=false");
    assert!(across.contains("biased") && across.contains("within_classes=true"), "{across}");
}
