//! Several processes at once: one trains a run, and none takes what another makes.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;

use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::Duration;

use common::{Said, Scene, checkpoints, metrics};

/// Some seconds of work.
const STEPS: usize = 3000;
const RECIPE: &str = "train debug --no-eval --out run --set train.images=768000 \
                      --set train.checkpoint_every=25600";
const RESUME: &str = "train --no-eval --resume run";

fn start(scene: &Scene, words: &str) -> Child {
    scene.flow(words).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

fn said(child: Child) -> Said {
    child.wait_with_output().unwrap().into()
}

/// The first checkpoint is there.
fn wait(scene: &Scene) {
    while checkpoints(&scene.path("run")).is_empty() {
        sleep(Duration::from_millis(2));
    }
}

#[test]
fn a_run_that_is_being_trained_is_refused_to_others_and_keeps_its_log() {
    let scene = Scene::new();
    let first = start(&scene, RECIPE);
    wait(&scene);
    let id = format!("PID {}", first.id());
    let second = scene.run(RESUME);
    assert_eq!(second.code, Some(2), "{second:?}");
    second.names(&["another process", &id, "trains run", "wait for it or stop it"]);
    // Commands that only read a run need no lock.
    scene.ok("sample run -n 3 --solver euler --steps 2 --out x.npy");
    let first = said(first);
    assert_eq!(first.code, Some(0), "{first:?}");
    let steps: Vec<u64> = metrics(&scene.path("run"), "train")
        .iter()
        .map(|line| line["step"].as_u64().unwrap())
        .collect();
    // A line every six steps: 3000 / 500.
    assert_eq!(steps, (1..=500).map(|i| 6 * i).collect::<Vec<u64>>());
}

#[test]
fn of_two_that_go_on_at_once_one_ends_with_the_weights_of_one_alone() {
    let scene = Scene::new();
    scene.ok(RECIPE);
    let alone = scene.samples("run");
    std::fs::remove_dir_all(scene.path("run")).unwrap();

    let mut killed = start(&scene, RECIPE);
    wait(&scene);
    killed.kill().unwrap();
    killed.wait().unwrap();
    let both = [start(&scene, RESUME), start(&scene, RESUME)].map(said);
    let mut codes = both.each_ref().map(|said| said.code.unwrap());
    codes.sort_unstable();
    assert_eq!(codes, [0, 2], "{both:?}");
    assert_eq!(checkpoints(&scene.path("run")).last(), Some(&STEPS));
    assert!(scene.samples("run") == alone, "the weights differ");
}

#[test]
fn runs_that_begin_at_once_in_one_folder_get_a_number_each() {
    let scene = Scene::new();
    let names = || -> Vec<String> {
        let entries = std::fs::read_dir(scene.path("runs")).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    let words = "train debug --no-eval --set train.images=2560";
    let children: Vec<Child> = (0..6).map(|_| start(&scene, words)).collect();
    for child in children {
        let said = said(child);
        assert_eq!(said.code, Some(0), "{said:?}");
    }
    assert_eq!(names(), [1, 2, 3, 4, 5, 6].map(|number| format!("{number:04}-debug")));
}
