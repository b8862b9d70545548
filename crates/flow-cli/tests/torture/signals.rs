//! Signals of terminals, schedulers and containers, once and again.

use std::process::{Child, Command};
use std::thread::sleep;
use std::time::Duration;

use crate::common::{Said, Scene, checkpoints};
use crate::work::{finish, go_on, moment, report, trials};

fn send(child: &Child, signal: &str) {
    let id = child.id().to_string();
    assert!(Command::new("kill").args([&format!("-{signal}"), &id]).status().unwrap().success());
}

/// Schedulers repeat their signal, and closing a terminal sends two kinds: only a person's second
/// Ctrl-C asks to stop at once.
#[test]
fn a_stop_that_is_asked_for_twice_still_saves() {
    let (number, mut rng) = (trials(6), fastrand::Rng::with_seed(4));
    let mut failures = Vec::new();
    for trial in 0..number {
        let [first, second] = [["TERM", "TERM"], ["HUP", "TERM"], ["INT", "HUP"]][trial % 3];
        let scene = Scene::new();
        let mut child = go_on(&scene);
        while !scene.path("run/recipe.toml").exists() {
            assert!(child.try_wait().unwrap().is_none(), "the training ended by itself");
            sleep(Duration::from_millis(1));
        }
        // Later than the start of the first step, which is when a run begins to listen.
        sleep(Duration::from_millis(150) + moment(&mut rng, Duration::from_millis(300)));
        send(&child, first);
        sleep(Duration::from_millis(1));
        send(&child, second);
        let said: Said = child.wait_with_output().unwrap().into();
        let ended = matches!(said.code, Some(0 | 129 | 130 | 143));
        if !ended || checkpoints(&scene.path("run")).is_empty() {
            failures.push(format!("{first} and {second}: {said:?}"));
        }
        failures.extend(finish(&scene).err());
    }
    report("a stop by signal, twice", number, &failures);
}
