//! The words around the tables of `docs/results/NAME.md`: claim, commands, machine, time.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::experiment::{Experiment, Program, Run};

/// What came out of the runs.
pub(crate) struct Results {
    /// Of one core, in all.
    pub(crate) minutes: f64,
    /// On what, in a sentence.
    pub(crate) made_with: String,
    /// Claims, and the paper's numbers.
    pub(crate) computed: String,
    /// What `flow compare` made.
    pub(crate) tables: String,
}

/// The page of an experiment, around the results.
pub(crate) fn page(experiment: &Experiment, seeds: &[u64], results: &Results) -> String {
    let Experiment { name, runs, .. } = experiment;
    let Results { minutes, made_with, computed, tables } = results;
    let made =
        format!("{made_with} Seeds {}. {minutes:.1} minutes of one core in all.", list(seeds));
    let mut text = head(experiment, &flags(experiment, seeds), &made, computed);
    let _ = writeln!(text, "{}\n", tables.trim());
    text += "## Commands\n\n| run | command |\n|---|---|\n";
    for run in runs {
        let _ = writeln!(text, "| {} | `{}` |", run.name, command(run));
    }
    let _ = write!(
        text,
        "\nEach with `--seed` and `--threads 1`. This page is written by the command above; its \
         words and claims are in `xtask/experiments/{name}.toml`.\n"
    );
    text
}

/// The page of an experiment that is a program, around what it printed.
pub(crate) fn page_of_program(
    experiment: &Experiment,
    program: &Program,
    made_with: &str,
    printed: &str,
) -> String {
    let name = &experiment.name;
    let mut text = head(experiment, "", made_with, "");
    for picture in &program.pictures {
        let _ = writeln!(text, "![{}]({picture})\n", experiment.title);
    }
    let _ = write!(
        text,
        "## What it prints\n\n```text\n{}\n```\n\nThis page is written by the command above; its \
         words are in `xtask/experiments/{name}.toml`.\n",
        printed.trim()
    );
    text
}

/// What the paper says, how it was tried, what was computed and how it is to be read.
fn head(experiment: &Experiment, flags: &str, made: &str, computed: &str) -> String {
    let Experiment { name, title, about, paper, reading, .. } = experiment;
    let mut text = format!("# {title}\n\n{}\n\n**The paper.** {}\n\n", about.trim(), paper.trim());
    let _ = writeln!(text, "```sh\ncargo xtask reproduce {name}{flags}\n```\n\n{made}\n");
    text += computed;
    if !reading.trim().is_empty() {
        let _ = writeln!(text, "## Reading\n\n{}\n", reading.trim());
    }
    text
}

/// Which runs have no numbers; nothing, if all have.
pub(crate) fn diverged(runs: &[&str]) -> String {
    if runs.is_empty() {
        return String::new();
    }
    format!("**Diverged**, and left out of all numbers: {}.\n\n", runs.join(", "))
}

fn flags(experiment: &Experiment, seeds: &[u64]) -> String {
    if seeds == experiment.seeds {
        String::new()
    } else {
        format!(" --seeds {}", list(seeds).replace(' ', ""))
    }
}

fn list(seeds: &[u64]) -> String {
    seeds.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")
}

fn command(run: &Run) -> String {
    let after = run.after.as_deref().unwrap_or_default();
    let changes = run.set.iter().map(|change| {
        let change = change.replace("{after}", &format!("runs/{after}-SEED"));
        let quote = if change.contains([' ', '{', '[', '"']) { "'" } else { "" };
        format!(" --set {quote}{change}{quote}")
    });
    let mut text = format!("flow train {}{}", run.recipe, changes.collect::<String>());
    for then in &run.then {
        let _ = write!(text, "`, `flow {then}");
    }
    // A bar would end the cell.
    text.replace('|', "\\|")
}

/// On what the runs were made, from the files that they keep: machine and versions of the first,
/// commits of all.
pub(crate) fn made_with(runs: &[&Path], jobs: usize) -> String {
    let environments: Vec<Value> = runs
        .iter()
        .map(|run| fs::read(run.join("environment.json")).unwrap_or_default())
        .map(|text| serde_json::from_slice(&text).unwrap_or_default())
        .collect();
    let field = |environment: &Value, name: &str| match &environment[name] {
        Value::String(text) => text.clone(),
        Value::Null => "unknown".into(),
        other => other.to_string(),
    };
    let mut commits: Vec<String> = Vec::new();
    for environment in &environments {
        let commit: String = field(environment, "commit").chars().take(9).collect();
        let commit = commit + changed(environment["uncommitted_changes"] == Value::Bool(true));
        if !commits.contains(&commit) {
            commits.push(commit);
        }
    }
    let first = environments.first().cloned().unwrap_or_default();
    format!(
        "Made on {} cores ({}, {}), {jobs} {} at once, device `{}`, burn {}, {}, {} {}.",
        field(&first, "cores"),
        processor().unwrap_or_else(|| field(&first, "arch")),
        field(&first, "os"),
        if jobs == 1 { "run" } else { "runs" },
        field(&first, "device"),
        field(&first, "burn"),
        field(&first, "rustc").split(" (").next().unwrap_or_default(),
        if commits.len() == 1 { "commit" } else { "commits" },
        commits.join(", ")
    )
}

/// What to say behind a commit that is not all of it.
pub(super) fn changed(changed: bool) -> &'static str {
    if changed { " with uncommitted changes" } else { "" }
}

/// The processor's own name, on Linux.
pub(super) fn processor() -> Option<String> {
    let text = fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_says_claim_command_seeds_and_time() {
        let text = r#"
            title = "Straight paths"
            about = "Small."
            paper = "They cost less."
            reading = "They do."
            minutes = 1
            machine = "two cores"
            seeds = [0, 1, 2]
            [[run]]
            name = "ot"
            recipe = "debug"
            set = ["path.times={ kind = \"stratified\" }"]
            [[run]]
            name = "again"
            recipe = "debug"
            after = "ot"
            set = ["reflow.run={after}"]
        "#;
        let experiment = Experiment::parse("straight", text).unwrap();
        let results = Results {
            minutes: 1.25,
            made_with: "Made here.".into(),
            computed: "## Claims\n\nOne holds.\n\n".into(),
            tables: "| a |\n|---|\n".into(),
        };
        let page = page(&experiment, &[0, 1], &results);
        for part in [
            "# Straight paths\n",
            "**The paper.** They cost less.",
            "## Claims\n\nOne holds.\n\n## Reading",
            "cargo xtask reproduce straight --seeds 0,1\n",
            "Made here. Seeds 0, 1. 1.2 minutes",
            "## Reading\n\nThey do.\n",
            "| a |\n",
            "| ot | `flow train debug --set 'path.times={ kind = \"stratified\" }'` |",
            "| again | `flow train debug --set reflow.run=runs/ot-SEED` |",
            "`xtask/experiments/straight.toml`",
        ] {
            assert!(page.contains(part), "expected `{part}` in:\n{page}");
        }
    }
}
