//! Pairs that another run makes are those of that run, and start where samples start.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;

use common::{Scene, metrics};

const STUDENT: &str = "--set path.coupling=paired --set reflow.run=teacher --set reflow.pairs=2000";

#[test]
fn a_student_goes_on_with_the_teacher_that_it_began_with() {
    let scene = Scene::new();
    scene.train("teacher", "");
    scene.train("student", STUDENT);
    let resume = "train --no-eval --resume student --more-images 25600";

    std::fs::rename(scene.path("teacher"), scene.path("first")).unwrap();
    scene.train("teacher", "--seed 9");
    let names = ["reflow.run teacher", "no longer", "`weights` was", "restore it or train anew"];
    scene.refuses(resume, 2, &names);
    std::fs::remove_dir_all(scene.path("teacher")).unwrap();

    std::fs::rename(scene.path("first"), scene.path("teacher")).unwrap();
    let recipe = std::fs::read_to_string(scene.path("teacher/recipe.toml")).unwrap();
    assert!(recipe.contains("guidance = 1.0"), "{recipe}");
    scene.write("teacher/recipe.toml", recipe.replace("guidance = 1.0", "guidance = 2.0"));
    scene.refuses(resume, 2, &["`sample.guidance` was 1.0 and is 2.0"]);

    // By which solver a teacher is sampled and how it is scored is its own affair.
    let scored = recipe.replace("[eval]\nn = ", "[eval]\nn = 1");
    scene.write("teacher/recipe.toml", scored.replace("\"dopri5\"", "\"euler\""));
    scene.ok(resume);
}

#[test]
fn pairs_start_at_the_scale_of_noise_whatever_the_teacher_was_sampled_along() {
    let scene = Scene::new();
    let mut losses = Vec::new();
    for schedule in ["linear", "vp", "ve"] {
        scene.train("teacher", &format!("--set sample.schedule={schedule}"));
        scene.train("student", &format!("{STUDENT} --set train.images=2560"));
        losses.push(metrics(&scene.path("student"), "train")[0]["loss"].as_f64().unwrap());
        for run in ["teacher", "student"] {
            std::fs::remove_dir_all(scene.path(run)).unwrap();
        }
    }
    // Before it learned anything a network predicts about nothing: the loss is the mean square of
    // x_1 - x_0, the same for each schedule but for how well the teacher was sampled along it.
    // Starts fifty times too far away, the deviation of the exploding schedule, made it a thousand
    // times larger.
    for loss in &losses {
        assert!((loss / losses[0] - 1.0).abs() < 0.3, "{losses:?}");
    }
}

#[test]
fn the_charts_of_a_run_have_the_curves_of_its_family() {
    let scene = Scene::new();
    let few = "--set train.images=2560 --set eval.n=200 --set eval.error_n=0";
    let of = |run: &str| {
        std::fs::read_to_string(scene.path(&format!("{run}/plots/sliced-wasserstein.svg"))).unwrap()
    };
    scene.ok(&format!("train debug --out teacher {few}"));
    scene.ok(&format!("train debug --out student {STUDENT} {few}"));
    let both = of("student");
    for words in [">debug, midpoint<", ">teacher, midpoint<", ">teacher, dopri5<"] {
        assert!(both.contains(words), "{words}");
    }
    // A flow map that began with the teacher stands beside the teacher and its reflow; the same
    // recipe with another seed does not.
    scene.train("again", "--set train.images=2560");
    scene.ok(&format!("train debug --from teacher --set train.objective=shortcut --out map {few}"));
    let all = of("map");
    for words in [">debug, flow-map<", ">teacher, midpoint<", ">student, midpoint<"] {
        assert!(all.contains(words), "{words}");
    }
    scene.ok("plot teacher");
    let of_teacher = of("teacher");
    assert!(of_teacher.contains(">map, flow-map<") && of_teacher.contains(">student, midpoint<"));
    assert!(!of_teacher.contains(">again,"), "{of_teacher}");
    // Without its family a student is drawn by itself.
    std::fs::remove_dir_all(scene.path("map")).unwrap();
    std::fs::remove_dir_all(scene.path("teacher")).unwrap();
    scene.ok("plot student");
    let alone = of("student");
    assert!(alone.contains(">midpoint<") && !alone.contains("teacher"), "{alone}");
}
