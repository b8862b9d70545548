//! Disks that are full.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common::{Said, Scene};
use crate::work::{RECIPE, report};

/// A small file system in memory, gone with its owner. Only root can make one.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn new(path: PathBuf, size: &str) -> Option<Self> {
        std::fs::create_dir_all(&path).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]).arg(&path);
        mount.output().is_ok_and(|output| output.status.success()).then_some(Self(path))
    }

    fn grow(&self) {
        let mut mount = Command::new("mount");
        let status = mount.args(["-o", "remount,size=64m"]).arg(&self.0).status().unwrap();
        assert!(status.success());
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_ends_a_training_with_one_sentence_and_room_lets_it_go_on() {
    let (mut tried, mut failures) = (0, Vec::new());
    for size in ["64k", "256k", "600k", "1m"] {
        let scene = Scene::new();
        let Some(disk) = SmallDisk::new(scene.path("disk"), size) else {
            println!("torture full disk; skipped: only root can mount a small file system");
            return;
        };
        tried += 1;
        let said = scene.run(&format!("train {}", RECIPE.replace("--out run", "--out disk/run")));
        if said.code == Some(0) {
            continue;
        }
        if said.code != Some(1) || said.stderr.contains("panicked") {
            failures.push(format!("{size}: {said:?}"));
        }
        disk.grow();
        let again = go_on(&scene, &scene.path("disk/run"));
        if again.code != Some(0) {
            failures.push(format!("{size}, with room: {again:?}"));
        }
    }
    report("a full disk in training, and room again", tried, &failures);
}

fn go_on(scene: &Scene, run: &Path) -> Said {
    if run.exists() {
        scene.run("train --no-eval --resume disk/run")
    } else {
        scene.run(&format!("train {}", RECIPE.replace("--out run", "--out disk/run")))
    }
}

#[test]
fn results_that_cannot_be_written_are_an_error() {
    let full = Path::new("/dev/full");
    if !full.exists() {
        println!("torture full standard output; skipped: no /dev/full");
        return;
    }
    let scene = Scene::new();
    let mut failures = Vec::new();
    let commands = ["recipe debug", "list"];
    for words in commands {
        let out = std::fs::File::options().write(true).open(full).unwrap();
        let said: Said = scene.flow(words).stdout(out).output().unwrap().into();
        if said.code != Some(1) || !said.stderr.starts_with("error: ") {
            failures.push(format!("{words}: {said:?}"));
        }
    }
    report("standard output on a full disk", commands.len(), &failures);
}
