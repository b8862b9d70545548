//! Several processes at one run.

use std::process::Stdio;
use std::thread::sleep;
use std::time::Duration;

use crate::common::{Said, Scene, checkpoints};
use crate::work::{RECIPE, finish, go_on, moment, report, trials};

#[test]
fn of_two_processes_that_train_one_run_the_second_is_refused() {
    let (number, mut rng) = (trials(3), fastrand::Rng::with_seed(3));
    let mut failures = Vec::new();
    for trial in 0..number {
        let scene = Scene::new();
        // A run to go on with: every other one has no checkpoint yet.
        let mut first = scene
            .flow(&format!("train {RECIPE}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        while !scene.path("run/recipe.toml").exists()
            || (trial % 2 == 0 && checkpoints(&scene.path("run")).is_empty())
        {
            sleep(Duration::from_millis(1));
        }
        first.kill().unwrap();
        first.wait().unwrap();

        let a = go_on(&scene);
        sleep(moment(&mut rng, Duration::from_millis(100)));
        let b = go_on(&scene);
        let said: [Said; 2] = [a, b].map(|child| child.wait_with_output().unwrap().into());
        let codes = said.each_ref().map(|said| said.code);
        // The second may come when the first has ended already.
        if !matches!(codes, [Some(0), Some(0 | 2)] | [Some(2), Some(0)]) {
            failures.push(format!("trial {trial}: {said:?}"));
        }
        failures.extend(finish(&scene).err().map(|what| format!("trial {trial}: {what}")));
    }
    report("two processes train one run", number, &failures);
}

#[test]
fn samples_can_be_drawn_while_the_run_saves_every_step() {
    let scene = Scene::new();
    let mut training = scene
        .flow("train debug --no-eval --out run --set train.images=2e6 --set train.checkpoint_every=256")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while checkpoints(&scene.path("run")).is_empty() {
        assert!(training.try_wait().unwrap().is_none(), "the training ended by itself");
        sleep(Duration::from_millis(1));
    }
    let (number, mut failures) = (trials(5), Vec::new());
    for trial in 0..number {
        let said =
            scene.run(&format!("sample run -n 10 --solver euler --steps 2 --out {trial}.npy"));
        if said.code != Some(0) {
            failures.push(format!("{said:?}"));
        }
    }
    training.kill().unwrap();
    training.wait().unwrap();
    report("samples while a run saves every step", number, &failures);
}
