//! `kill -9` at random moments.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::common::Scene;
use crate::work::{finish, go_on, moment, report, trials};

#[test]
fn a_training_that_is_killed_ends_with_the_weights_of_one_that_is_not() {
    let (kills, mut rng) = (trials(6), fastrand::Rng::with_seed(1));
    let (mut done, mut failures) = (0, Vec::new());
    while done < kills {
        let scene = Scene::new();
        for _ in 0..rng.usize(1..=4).min(kills - done) {
            let mut child = go_on(&scene);
            sleep(moment(&mut rng, Duration::from_millis(900)));
            child.kill().unwrap();
            child.wait().unwrap();
            done += 1;
        }
        failures.extend(finish(&scene).err());
    }
    report("kill -9 in training, resumed to the end", kills, &failures);
}

#[test]
fn a_command_that_is_killed_leaves_no_half_file() {
    let scene = Scene::new();
    scene.train("run", "");
    let commands = [
        "sample run -n 20000 --solver rk4 --steps 4 --out samples.npy",
        "sample run -n 2000 --solver rk4 --steps 4 --out samples.png",
        "eval run -n 500",
        "plot run",
        "likelihood run -n 50 --probes 2 --rtol 1e-2 --atol 1e-2",
    ];
    let (kills, mut rng) = (trials(commands.len()), fastrand::Rng::with_seed(2));
    let (mut done, mut failures) = (0, Vec::new());
    for words in commands {
        let start = Instant::now();
        scene.ok(words);
        let whole = start.elapsed();
        for _ in 0..kills.div_ceil(commands.len()) {
            let mut command = scene.flow(words);
            let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            sleep(moment(&mut rng, whole));
            child.kill().unwrap();
            child.wait().unwrap();
            done += 1;
            let broken =
                scene.files().into_iter().filter(|file| is_broken(&scene.path("").join(file)));
            failures.extend(broken.map(|file| format!("{words}: {}", file.display())));
        }
        let said = scene.run(words);
        if said.code != Some(0) {
            failures.push(format!("{words} does not run again: {said:?}"));
        }
    }
    report("kill -9 in sample, eval, plot, likelihood", done, &failures);
}

/// Whether a file of a kind that we write cannot be read to its end.
fn is_broken(path: &Path) -> bool {
    let Ok(bytes) = fs::read(path) else { return false };
    match path.extension().and_then(|e| e.to_str()) {
        Some("json") => serde_json::from_slice::<serde_json::Value>(&bytes).is_err(),
        Some("npy") => {
            npyz::NpyFile::new(&bytes[..]).and_then(npyz::NpyFile::into_vec::<f32>).is_err()
        }
        Some("png") => !bytes.ends_with(b"IEND\xaeB\x60\x82"),
        Some("svg" | "html") => {
            let end = String::from_utf8_lossy(&bytes);
            !(end.trim_end().ends_with("</svg>") || end.trim_end().ends_with("</html>"))
        }
        _ => false,
    }
}
