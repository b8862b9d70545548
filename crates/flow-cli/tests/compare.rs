//! Runs side by side.

#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;

use std::fs;

use common::Scene;
use serde_json::Value;

const SMALL: &str = "train debug --set eval.n=100 --set train.images=5120 \
                     --set train.checkpoint_every=2560 --set train.checkpoints=[0.1,1] \
                     --set eval.every_checkpoint=true --set eval.error_n=20";

/// Two recipes with two seeds.
fn four_runs() -> Scene {
    let scene = Scene::new();
    for seed in [0, 1] {
        scene.ok(&format!("{SMALL} --seed {seed} --out plain-{seed}"));
        scene.ok(&format!("{SMALL} --set path.coupling.kind=ot --seed {seed} --out ot-{seed}"));
    }
    scene
}

#[test]
fn runs_are_compared_one_by_one_and_over_seeds() {
    let scene = four_runs();
    let said = scene.ok("compare plain-0 ot-0 --score sliced");
    assert!(said.contains("| plain-0 | 0 | independent |"), "{said}");
    assert!(said.contains("## sliced Wasserstein"), "{said}");
    assert!(!said.contains("energy distance"), "{said}");

    let value = |run: &str| {
        let report: Value =
            serde_json::from_slice(&fs::read(scene.path(run).join("eval.json")).unwrap()).unwrap();
        report["rows"][0]["scores"][0]["value"].as_f64().unwrap()
    };
    let words = "compare plain-0 ot-0 plain-1 ot-1 --group --json --score sliced --row dopri5";
    let columns: Value = serde_json::from_str(&scene.ok(words)).unwrap();
    assert_eq!(columns.as_array().unwrap().len(), 2);
    assert_eq!((&columns[0]["name"], &columns[0]["seeds"]), (&"plain".into(), &[0, 1].into()));
    let (a, b) = (value("plain-0"), value("plain-1"));
    let compared = &columns[0]["scores"][0];
    // Of two numbers the standard deviation is |a - b| / sqrt(2).
    assert!((compared["mean"].as_f64().unwrap() - f64::midpoint(a, b)).abs() < 1e-12);
    assert!((compared["spread"].as_f64().unwrap() - (a - b).abs() / 2_f64.sqrt()).abs() < 1e-12);

    // The course has the moments that were asked for, with the values of both seeds.
    let course = &columns[0]["courses"][0];
    let images: Vec<f64> = course["points"]
        .as_array()
        .unwrap()
        .iter()
        .map(|point| {
            assert_eq!(point["values"].as_array().unwrap().len(), 2, "{course}");
            point["images"].as_f64().unwrap()
        })
        .collect();
    assert_eq!(images, [512.0, 5120.0]);

    let words = "compare plain-0 ot-0 plain-1 ot-1 --group --nfe-at-error ot plain --json";
    let columns: Value = serde_json::from_str(&scene.ok(words)).unwrap();
    assert_eq!(columns[1]["equal_errors"][0]["with"], "plain");
    scene.refuses("compare plain-0 ot-0 --nfe-at-error ot plain-0", 2, &["ot", "plain-0"]);

    scene.refuses("compare plain-0 --row nosuch", 2, &["nothing is left", "--row"]);
    scene.ok("compare plain-0 ot-0 --out page.md");
    let page = fs::read_to_string(scene.path("page.md")).unwrap();
    let figure = "page-sliced-wasserstein.svg";
    assert!(page.contains(&format!("({figure})")), "{page}");
    assert!(fs::read_to_string(scene.path(figure)).unwrap().starts_with("<svg"));
    scene.ok("compare plain-0 ot-0 --out page.html");
    let page = fs::read_to_string(scene.path("page.html")).unwrap();
    assert!(page.contains("data:image/svg+xml;base64,") && !page.contains("src=\"http"));
}

/// The dots of each cloud of a drawing, row by row: a place is where a dot lies in its cell.
fn clouds(svg: &str) -> Vec<Vec<[f64; 2]>> {
    let number = |text: &str, name: &str| -> f64 {
        let (_, after) = text.split_once(&format!(" {name}=\"")).unwrap();
        after.split('"').next().unwrap().parse().unwrap()
    };
    let cloud = |group: &str| -> Vec<[f64; 2]> {
        let area = group.split("<rect").nth(1).unwrap();
        let [x, y] = ["x", "y"].map(|name| number(area, name));
        let dots = group.split("<circle").skip(1);
        dots.map(|dot| [number(dot, "cx") - x, number(dot, "cy") - y]).collect()
    };
    svg.split("<clipPath").skip(1).map(cloud).collect()
}

#[test]
fn models_are_followed_from_the_same_noise() {
    let scene = Scene::new();
    let short = "--set train.images=25600 --set eval.n=100 --set eval.error_n=0";
    for (run, more) in [
        ("ot-0", "--set path.coupling.kind=ot"),
        ("ot-1", "--set path.coupling.kind=ot --seed 1"),
        ("vp-0", "--set path.schedule=vp"),
        ("source-0", "--set path.source=toy,set=rings-source"),
    ] {
        scene.ok(&format!("train debug {short} {more} --out {run}"));
    }
    scene.ok("compare ot-0 ot-1 vp-0 --group --strips --out page.md --threads 1");
    let page = fs::read_to_string(scene.path("page.md")).unwrap();
    assert!(page.contains("(page-strips.svg)"), "{page}");
    let svg = fs::read_to_string(scene.path("page-strips.svg")).unwrap();
    for text in [">ot</text>", ">vp</text>", ">t = 0</text>", ">t = 0.2</text>", ">t = 1</text>"] {
        assert_eq!(svg.matches(text).count(), 1, "{text}");
    }
    let clouds = clouds(&svg);
    assert_eq!(clouds.len(), 2 * 6);
    // Coordinates are written with two decimals.
    let far = |a: usize, b: usize| {
        let differences = clouds[a].iter().zip(&clouds[b]);
        let far = differences.map(|(a, b)| (a[0] - b[0]).abs().max((a[1] - b[1]).abs()));
        far.fold(0.0, f64::max)
    };
    assert!(clouds[0].len() > 360 && clouds[0].len() == clouds[6].len());
    assert!(far(0, 6) < 0.03, "models start {} apart", far(0, 6));
    assert!(far(5, 11) > 1.0, "models end {} apart", far(5, 11));

    let words = "compare ot-0 source-0 --strips --out other.md";
    scene.refuses(words, 2, &["one noise", "source-0", "path.source"]);
    let said = scene.run("compare ot-0 vp-0 --strips");
    assert!(said.code == Some(2) && said.stderr.contains("--out"), "{said:?}");
}

#[test]
fn what_cannot_be_compared_is_refused() {
    let scene = Scene::new();
    scene.train("run", "");
    scene.refuses("compare run", 2, &["run has no scores", "`flow eval`"]);
    scene.refuses("compare nope", 2, &["no run and no model nope"]);
    scene.refuses("compare run --out page.txt", 2, &["page.txt", ".md", ".html"]);
    scene.refuses("compare run --out nowhere/page.md", 2, &["nowhere", "--out"]);
}
