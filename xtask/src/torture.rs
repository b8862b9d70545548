//! `cargo xtask torture`: kills, signals, two processes, full disks and damaged files, at a chosen
//! scale.
//!
//! The trials are tests: `crates/flow-cli/tests/torture/` and every test with `fuzz` in its name. A
//! test run does a few of each; this command sets their number and makes a table of what they say.

use std::io::{BufRead, BufReader};
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use anyhow::Context;

use crate::output::print;
use crate::{cargo, test};

/// Lines by which the tests say what became of their trials.
const MARKS: [&str; 2] = ["torture ", "fuzz "];

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Trials of each kind of kill, signal and pair of processes.
    #[arg(long, value_name = "N", default_value_t = 20)]
    trials: usize,
    /// Damaged inputs for each reader.
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    inputs: usize,
    /// Leave out the damaged files.
    #[arg(long, conflicts_with = "only_fuzz")]
    no_fuzz: bool,
    /// Only the damaged files.
    #[arg(long)]
    only_fuzz: bool,
}

/// Runs the trials one after the other and prints a table.
///
/// # Errors
/// If cargo does not start.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let start = Instant::now();
    let mut commands = Vec::new();
    if !args.only_fuzz {
        let mut kills = test::workspace();
        kills.args(["--test", "torture", "--", "--nocapture", "--test-threads", "1"]);
        commands.push(kills);
    }
    if !args.no_fuzz {
        let mut fuzz = test::workspace();
        fuzz.args([
            "--lib",
            "--bins",
            "--tests",
            "--",
            "fuzz",
            "--nocapture",
            "--test-threads",
            "1",
        ]);
        commands.push(fuzz);
    }
    let (mut rows, mut code) = (Vec::new(), 0);
    for mut command in commands {
        command.env("FLOW_TORTURE", args.trials.to_string());
        command.env("FLOW_FUZZ_INPUTS", args.inputs.to_string());
        print(&format!("+ {}", cargo::show(&command)))?;
        let (said, exit) = listen(&mut command)?;
        rows.extend(said);
        code = code.max(exit);
    }
    print("\n| what | tried | failed | more |\n|---|---|---|---|")?;
    rows.iter().try_for_each(|row| print(row))?;
    print(&format!("\n{:.1} minutes", start.elapsed().as_secs_f64() / 60.0))?;
    Ok(ExitCode::from(code))
}

/// Runs a command, shows what it says, and keeps the rows for the table.
fn listen(command: &mut Command) -> anyhow::Result<(Vec<String>, u8)> {
    let cannot_start = format!("cannot start `{}`", cargo::show(command));
    let mut child = command.stdout(Stdio::piped()).spawn().context(cannot_start)?;
    let lines = BufReader::new(child.stdout.take().context("a pipe was asked for")?).lines();
    let mut rows = Vec::new();
    for line in lines {
        let line = line.context("cannot read what the tests say")?;
        match row(&line) {
            Some(row) => {
                print(&line)?;
                rows.push(row);
            }
            None if line.contains("FAILED") || line.contains("panicked") => print(&line)?,
            None => {}
        }
    }
    let status = child.wait().context("cannot wait for the tests")?;
    Ok((rows, cargo::exit_code(status)))
}

/// The row of the table that a line stands for. The test's own name may stand before it.
fn row(line: &str) -> Option<String> {
    let line = MARKS.iter().find_map(|mark| Some(&line[line.find(mark)?..]))?;
    let cells = if let Some(rest) = line.strip_prefix("torture ") {
        let mut parts = rest.split("; ");
        let what = parts.next()?;
        let tried = parts.next()?.strip_prefix("tried ")?;
        [what, tried, parts.next()?.strip_prefix("failed ")?, ""].map(String::from)
    } else {
        let words: Vec<&str> = line.split_whitespace().collect();
        let at = |word: &str| words.iter().position(|w| *w == word);
        let number = |word: &str| at(word).and_then(|i| words.get(i + 1)).copied();
        let what = words.get(1..at("tried")?)?.join(" ");
        let more = words.get(at("failed")? + 2..)?.join(" ");
        let accepted = number("accepted")?;
        [
            format!("damaged {what}"),
            number("tried")?.to_owned(),
            number("failed")?.to_owned(),
            format!("{accepted} read as good, {more}"),
        ]
    };
    Some(format!("| {} |", cells.join(" | ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_tests_become_rows() {
        let said = "test kills::a_training ... torture kill -9 in training; tried 7; failed 0";
        assert_eq!(row(said).unwrap(), "| kill -9 in training | 7 | 0 |  |");
        let said = "fuzz npz file       tried      300 accepted       12 failed 0 most memory 1.2 MiB longest 0.4 ms";
        assert_eq!(
            row(said).unwrap(),
            "| damaged npz file | 300 | 0 | 12 read as good, most memory 1.2 MiB longest 0.4 ms |"
        );
        assert_eq!(row("test result: ok. 3 passed"), None);
    }
}
