//! The first steps of a new user, from the recipe to the pictures.

mod common;

use std::fs;

use common::{Scene, metrics, npy};
use serde_json::Value;

#[test]
fn training_leaves_a_folder_that_says_everything() {
    let scene = Scene::new();
    let said = scene.ok("train debug --out run");
    let pictures = ["training.png", "samples.png", "trajectories.png", "density.png", "flow.gif"];
    for line in ["run folder: run".into()]
        .into_iter()
        .chain(pictures.map(|picture| format!("picture:    run/plots/{picture}")))
    {
        assert!(said.lines().any(|printed| printed == line), "expected `{line}` in:\n{said}");
    }
    assert!(said.contains("floor"), "{said}");
    for picture in pictures {
        let bytes = fs::read(scene.path("run/plots").join(picture)).unwrap();
        let signature: &[u8] =
            if picture.ends_with("png") { b"\x89PNG\r\n\x1a\n" } else { b"GIF89a" };
        assert!(bytes.starts_with(signature), "{picture}");
    }
    let environment: Value =
        serde_json::from_slice(&fs::read(scene.path("run/environment.json")).unwrap()).unwrap();
    assert_eq!(environment["device"], "flex");

    let report: Value =
        serde_json::from_slice(&fs::read(scene.path("run/eval.json")).unwrap()).unwrap();
    assert_eq!((&report["recipe"], &report["step"]), (&"debug".into(), &200.into()));
    let rows = report["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 3, "dopri5 and two counts of midpoint steps: {report}");
    for row in rows {
        assert!(row["nfe"].as_f64().unwrap() >= 4.0, "{row}");
        for score in row["scores"].as_array().unwrap() {
            let numbers = ["value", "std_error", "floor"].map(|key| score[key].as_f64());
            assert!(numbers.iter().all(Option::is_some), "{score}");
        }
    }
    // 200 steps teach little, but the samples have spread: the noise, of standard deviation 1, is
    // 8 / sqrt(12) - 1 = 1.3 away from the squares.
    let distance = rows[0]["scores"][0]["value"].as_f64().unwrap();
    assert!(distance < 0.6, "sliced Wasserstein {distance}");

    assert_eq!(metrics(&scene.path("run"), "train").len(), 200);
    assert_eq!(metrics(&scene.path("run"), "validation").len(), 4);
    let left_over = scene.files().into_iter().find(|path| {
        let path = path.to_string_lossy();
        path.ends_with(".draft") || path.contains(".unfinished")
    });
    assert_eq!(left_over, None);
}

#[test]
fn the_recipe_of_a_run_trains_the_same_weights() {
    let scene = Scene::new();
    scene.train("first", "--seed 5 --set train.clip=1");
    scene.ok("train first/recipe.toml --no-eval --out second");
    assert!(scene.samples("first") == scene.samples("second"), "the weights differ");
    scene.train("third", "--seed 6 --set train.clip=1");
    assert!(scene.samples("first") != scene.samples("third"), "another seed, the same weights");
}

#[test]
fn the_number_of_threads_does_not_change_the_weights() {
    let scene = Scene::new();
    scene.train("one", "--threads 1");
    scene.train("two", "--threads 2");
    assert!(scene.samples("one") == scene.samples("two"), "the weights differ");
}

#[test]
fn runs_without_a_name_are_numbered() {
    let scene = Scene::new();
    for number in ["0001", "0002"] {
        let said = scene.ok("train debug --no-eval");
        assert_eq!(said, format!("run folder: runs/{number}-debug\n"));
        assert!(scene.path(&format!("runs/{number}-debug/recipe.toml")).is_file());
    }
}

#[test]
fn a_sample_does_not_depend_on_the_number_of_samples() {
    let scene = Scene::new();
    scene.train("run", "");
    for (file, words) in [("few", "-n 10"), ("many", "-n 20"), ("parts", "-n 20 --batch 7")] {
        scene.ok(&format!("sample run {words} --solver rk4 --steps 20 --out {file}.npy"));
    }
    let read = |name| npy::<f32>(&scene.path(name));
    let ((few_shape, few), (shape, many)) = (read("few.npy"), read("many.npy"));
    assert_eq!((few_shape, shape), (vec![10, 2], vec![20, 2]));
    assert_eq!(few, many[..20]);
    assert_eq!(read("parts.npy").1, many);
}

#[test]
fn samples_of_classes_come_with_their_classes() {
    let scene = Scene::new();
    scene.ok("train digits --no-eval --out run --set train.images=256 --set network.channels=8 \
              --set network.head_channels=8 --set network.multipliers=[1] \
              --set network.attention=[]");
    scene.ok("sample run -n 12 --solver euler --steps 2 --out all.npy");
    assert_eq!(npy::<f32>(&scene.path("all.npy")).0, [12, 1, 8, 8]);
    let classes: Vec<i64> = (0..12).map(|i| i % 10).collect();
    assert_eq!(npy::<i64>(&scene.path("all.labels.npy")), (vec![12], classes));
    scene.ok("sample run -n 3 --class 7 --guidance 2 --steps 2 --out sevens.npy");
    assert_eq!(npy::<i64>(&scene.path("sevens.labels.npy")), (vec![3], vec![7; 3]));
    scene.ok("sample run -n 9 --steps 2 --out grid.png");
    assert!(fs::read(scene.path("grid.png")).unwrap().starts_with(b"\x89PNG\r\n\x1a\n"));
}

#[test]
fn a_finished_run_is_scored_and_drawn_again() {
    let scene = Scene::new();
    scene.train("run", "");
    let printed: Value = serde_json::from_str(&scene.ok("eval run -n 100 --json")).unwrap();
    let kept = fs::read(scene.path("run/eval.json")).unwrap();
    assert_eq!(printed, serde_json::from_slice::<Value>(&kept).unwrap());
    assert_eq!(printed["rows"][0]["scores"][0]["n"], 100);

    let printed = scene.ok("plot run");
    for picture in ["training", "sliced-wasserstein", "noise-left", "samples", "density"] {
        assert!(printed.contains(&format!("run/plots/{picture}.png")), "{printed}");
    }
    for file in printed.lines() {
        assert!(scene.path(file).is_file(), "{file}");
    }
    assert_eq!(printed.lines().last(), Some("run/report.html"));
    let page = fs::read_to_string(scene.path("run/report.html")).unwrap();
    for part in ["sliced Wasserstein", "floor", "data:image/png", "data:image/gif", "[train]"] {
        assert!(page.contains(part), "no `{part}` in the report");
    }
    assert!(!page.contains("src=\"http") && !page.contains("<script"), "it asks for nothing");
}

#[test]
fn a_quick_look_does_not_take_the_place_of_more_samples() {
    let scene = Scene::new();
    scene.train("run", "");
    let n = |file: &str| -> Value {
        let bytes = fs::read(scene.path(file)).unwrap();
        serde_json::from_slice::<Value>(&bytes).unwrap()["n"].clone()
    };
    scene.ok("eval run -n 200");
    let said = scene.run("eval run -n 50");
    assert!(said.stderr.contains("eval.json keeps the scores of 200 samples"), "{said:?}");
    assert_eq!((n("run/eval.json"), n("run/eval-n50.json")), (200.into(), 50.into()));
    scene.ok("eval run -n 200 --seed 3");
    scene.ok("eval run -n 300");
    assert_eq!(n("run/eval.json"), 300);
    // A page tells N, and so do runs side by side.
    let page = fs::read_to_string(scene.path("run/report.html")).unwrap();
    assert!(page.contains("<td>N</td><td></td><td>300</td>"), "{page}");
    scene.train("other", "--seed 1");
    scene.ok("eval other -n 100");
    let said = scene.ok("compare run other --score sliced");
    assert!(said.contains("| floor | N |") && said.contains("N is how many"), "{said}");
    assert!(said.lines().any(|line| line.starts_with("| other |") && line.ends_with("| 100 |")));
}

#[test]
fn metrics_are_chosen_by_name_and_each_has_a_floor() {
    let scene = Scene::new();
    scene.train("run", "");
    let report: Value =
        serde_json::from_str(&scene.ok("eval run -n 300 --metrics all --json")).unwrap();
    let scores = report["rows"][0]["scores"].as_array().unwrap();
    let names: Vec<&str> = scores.iter().map(|score| score["name"].as_str().unwrap()).collect();
    for name in [
        "sliced",
        "max-sliced",
        "Wasserstein",
        "energy",
        "MMD",
        "Frechet",
        "precision",
        "recall",
        "density",
        "coverage",
        "off-support",
        "log-",
    ] {
        assert!(names.iter().any(|known| known.contains(name)), "no `{name}` in {names:?}");
    }
    for score in scores {
        assert!(score["floor"].is_f64(), "{score}");
    }
    let one = scene.ok("eval run -n 300 --metrics energy --json");
    let one: Value = serde_json::from_str(&one).unwrap();
    assert_eq!(one["rows"][0]["scores"].as_array().unwrap().len(), 1);
    // The metrics draw from their own seeds, so the choice does not change them.
    let energy = scores.iter().find(|score| score["name"] == "energy distance").unwrap();
    assert_eq!(&one["rows"][0]["scores"][0], energy);
    // A score of its own does not replace all of them.
    let kept: Value =
        serde_json::from_slice(&fs::read(scene.path("run/eval.json")).unwrap()).unwrap();
    assert_eq!(kept["rows"][0]["scores"].as_array().unwrap().len(), scores.len());
    assert!(scene.path("run/eval-energy.json").is_file());
    scene.refuses("eval run --metrics kid", 2, &["`kid`", "sliced", "`all`"]);
}

#[test]
fn fid_without_the_weights_of_its_network_says_what_to_get() {
    let scene = Scene::new();
    scene.ok("train digits --no-eval --out run --set train.images=256 --set network.channels=8 \
              --set network.head_channels=8 --set network.multipliers=[1] \
              --set network.attention=[]");
    let advice = ["pt_inception-2015-12-05-6726825d.pth", "--inception", "FD-clf"];
    scene.refuses("eval run --metrics fid", 2, &advice);
    scene.refuses("eval run --inception none.pth", 2, &advice);
    scene.write("other.bin", "");
    scene.refuses("eval run --inception other.bin", 2, &[".pth", ".safetensors"]);
    scene.write("other.pth", "no weights");
    scene.refuses("eval run --inception other.pth", 1, &["other.pth", "cannot read the arrays"]);
    scene.train("points", "");
    scene.refuses("eval points --inception other.pth", 2, &["images", "points"]);
}

#[test]
fn fewer_steps_cost_more_error_and_checkpoints_can_all_be_scored() {
    let scene = Scene::new();
    scene.ok("train debug --no-eval --out run --set eval.every_checkpoint=true \
              --set eval.error_n=50 --set eval.steps.euler=[2,20]");
    let report: Value = serde_json::from_str(&scene.ok("eval run -n 100 --json")).unwrap();
    let error = |solver: &str| {
        let rows = report["errors"]["rows"].as_array().unwrap();
        let row = rows.iter().find(|row| row["solver"] == solver).unwrap();
        row["mean"].as_f64().unwrap()
    };
    assert!(error("euler x 20") < 0.1 * error("euler x 2"), "{}", report["errors"]);
    // An error is told where the reference is a hundred times surer, and is the mean of those of
    // its samples.
    let sure = report["errors"]["reference_error"].as_f64().unwrap();
    for row in report["errors"]["rows"].as_array().unwrap() {
        assert!(row["mean"].as_f64().is_none_or(|error| 100.0 * sure <= error), "{row}");
        assert_eq!(row["mean"].is_null(), row["median"].is_null(), "{row}");
        let Some(samples) = row["per_sample"].as_array() else { continue };
        let mean = samples.iter().map(|x| x.as_f64().unwrap()).sum::<f64>() / samples.len() as f64;
        assert!((row["mean"].as_f64().unwrap() / mean - 1.0).abs() < 1e-6, "{row}");
    }

    let steps: Vec<u64> = report["course"]
        .as_array()
        .unwrap()
        .iter()
        .map(|point| point["step"].as_u64().unwrap())
        .collect();
    assert_eq!(steps, [50, 100, 150, 200]);
    // The last checkpoint is the model itself, scored from the same noise against the same data.
    let last = &report["course"][3];
    assert_eq!(last["scores"][0]["value"], report["rows"][0]["scores"][0]["value"]);
}

#[test]
fn everything_in_the_list_can_be_used() {
    let scene = Scene::new();
    let list = scene.ok("list");
    for name in ["checkerboard", "two-moons", "mnist", "dopri5", "flex"] {
        assert!(list.split_whitespace().any(|word| word == name), "no `{name}` in:\n{list}");
    }
    // Those whose data need no file.
    for recipe in ["checkerboard", "eight-gaussians", "two-moons", "gaussian", "digits"] {
        scene.ok(&format!("train {recipe} --dry-run"));
    }
}

#[test]
fn a_printed_recipe_is_a_recipe() {
    let scene = Scene::new();
    scene.write("mine.toml", scene.ok("recipe checkerboard"));
    assert_eq!(scene.ok("train mine.toml --dry-run"), scene.ok("train checkerboard --dry-run"));
}

#[test]
fn a_dry_run_says_what_it_would_do_and_writes_nothing() {
    let scene = Scene::new();
    let said = scene.ok("train debug --dry-run --set train.images=1e5 --out run");
    assert!(said.starts_with("# debug: "), "{said}");
    for part in [" parameters", "391 steps of 256 images", "images = 100000.0", "[optimizer]"] {
        assert!(said.contains(part), "expected `{part}` in:\n{said}");
    }
    assert_eq!(scene.files().len(), 0);
}

/// Noise from 0.01 to 50 is shown at unit size. Of data of deviation `s` nothing is left to learn
/// but `E_t[s^2 / (s^2 + sigma^2)]`, 0.459, which 4,096 pairs tell to 1 %.
#[test]
fn the_noise_of_a_gaussian_along_ve_is_learned_to_its_closed_form() {
    let scene = Scene::new();
    let sigma = |t: f64| 50.0 * (0.01_f64 / 50.0).powf(t);
    let left = |k: i32| 0.25 / (0.25 + sigma((f64::from(k) + 0.5) / 1e4).powi(2));
    let floor = (0..10_000).map(left).sum::<f64>() / 1e4;
    let along = "--set path.schedule=ve --set path.prediction=noise --set train.images=256000";
    for seed in 0..3 {
        scene.ok(&format!("train gaussian --no-eval --seed {seed} --out run-{seed} {along}"));
        let found = metrics(&scene.path(&format!("run-{seed}")), "validation");
        let loss = found.last().unwrap()["loss"].as_f64().unwrap();
        assert!((loss / floor - 1.0).abs() < 0.03, "{loss} where {floor} is left");
    }
}
