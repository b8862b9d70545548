//! An experiment that is one program: built, run, and its output kept on a page.

use std::num::NonZero;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Instant;

use anyhow::{Context, ensure};

use super::experiment::{Experiment, Program};
use super::{CHANGES, PAGES, document};
use crate::cargo;
use crate::output::print;

/// Runs the program and writes its page.
pub(super) fn reproduce(
    experiment: &Experiment,
    program: &Program,
    dry_run: bool,
) -> anyhow::Result<()> {
    let Experiment { name, title, minutes, machine, .. } = experiment;
    print(&format!("{title}\na program; about {minutes:.0} minutes on {machine}"))?;
    let mut command = cargo::cargo();
    command.args(["run", "--release", "--package", &program.package]);
    command.args(["--example", &program.example, "--"]).args(&program.args);
    if dry_run {
        return print(&cargo::show(&command));
    }
    let started = Instant::now();
    let output = command.stderr(Stdio::inherit()).output();
    let output = output.with_context(|| format!("cannot start `{}`", cargo::show(&command)))?;
    ensure!(output.status.success(), "`{}` failed", cargo::show(&command));
    let seconds = started.elapsed().as_secs_f64();
    let printed = String::from_utf8_lossy(&output.stdout);
    let page = document::page_of_program(experiment, program, &made_with(seconds), &printed);
    let path = Path::new(PAGES).join(format!("{name}.md"));
    std::fs::write(&path, page).with_context(|| format!("cannot write {}", path.display()))?;
    print(&path.display().to_string())
}

fn made_with(seconds: f64) -> String {
    let said = |program: &str, words: &[&str]| {
        let output = Command::new(program).args(words).output().ok()?;
        let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        output.status.success().then_some(text)
    };
    let unknown = || "unknown".to_owned();
    format!(
        "Made on {} cores ({}, {}), {}, commit {}{}. {:.1} minutes, the build included.",
        thread::available_parallelism().map_or(1, NonZero::get),
        document::processor().unwrap_or_else(|| std::env::consts::ARCH.into()),
        std::env::consts::OS,
        said("rustc", &["--version"])
            .unwrap_or_else(unknown)
            .split(" (")
            .next()
            .unwrap_or_default(),
        said("git", &["rev-parse", "--short=9", "HEAD"]).unwrap_or_else(unknown),
        document::changed(said("git", &CHANGES).is_some_and(|s| !s.is_empty())),
        seconds / 60.0
    )
}
