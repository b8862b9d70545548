//! `cargo xtask ci`: every check that a change must pass, the quick ones first.

use std::fmt;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::ValueEnum;

use crate::output::print;
use crate::{cargo, run, test, tidy};

/// Stops at the first step that fails, with its exit code, and ends with a table of the times.
/// Steps whose program is not installed are skipped with a message.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Add the tests that take minutes, such as the statistical ones.
    #[arg(long)]
    slow: bool,
    /// Only these steps, in the order of the list.
    #[arg(value_name = "STEP")]
    steps: Vec<Step>,
}

/// The steps, in the order in which they run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Step {
    /// Formatting: `cargo fmt --check`.
    Fmt,
    /// Imports between crates, paths in the docs, file headers.
    Tidy,
    /// Spelling, if `typos` is installed.
    Typos,
    /// Licences and sources of the dependencies, if `cargo-deny` is installed.
    Deny,
    /// Clippy on every target, warnings as errors.
    Clippy,
    /// Every test but the slow ones.
    Test,
    /// The documentation, warnings as errors.
    Doc,
    /// The smallest recipe, from training to pictures.
    Smoke,
    /// The tests that take minutes.
    Slow,
}

enum Outcome {
    Passed,
    NotInstalled,
    Failed(u8),
}

/// Runs the steps and prints the table.
///
/// # Errors
/// If a program does not start.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let steps = args.chosen();
    let scratch = tempfile::tempdir().context("cannot make a folder for the smoke run")?;
    let mut report = Report::default();
    let mut code = 0;
    for (i, step) in steps.iter().enumerate() {
        let start = Instant::now();
        let outcome = step.run(scratch.path())?;
        report.add(*step, &outcome.to_string(), Some(start.elapsed()));
        if let Outcome::Failed(failure) = outcome {
            code = failure;
            steps[i + 1..].iter().for_each(|rest| report.add(*rest, "not run", None));
            break;
        }
    }
    print(&format!("\n{report}"))?;
    Ok(ExitCode::from(code))
}

impl Args {
    fn chosen(&self) -> Vec<Step> {
        let all = Step::value_variants().iter().copied();
        all.filter(|step| match step {
            Step::Slow => self.slow || self.steps.contains(step),
            _ => self.steps.is_empty() || self.steps.contains(step),
        })
        .collect()
    }
}

impl Step {
    fn name(self) -> String {
        format!("{self:?}").to_lowercase()
    }

    fn run(self, scratch: &Path) -> anyhow::Result<Outcome> {
        let Some(mut command) = self.command(scratch)? else {
            print(&format!("\n== {}", self.name()))?;
            let code = tidy::check()?;
            return Ok(if code == 0 { Outcome::Passed } else { Outcome::Failed(code) });
        };
        print(&format!("\n== {}: {}", self.name(), cargo::show(&command)))?;
        if !self.is_installed() {
            print("skipped: not installed")?;
            return Ok(Outcome::NotInstalled);
        }
        let status = command
            .status()
            .with_context(|| format!("cannot start `{}`", cargo::show(&command)))?;
        Ok(if status.success() {
            Outcome::Passed
        } else {
            Outcome::Failed(cargo::exit_code(status))
        })
    }

    /// What the step starts; `None` for what is done in this process.
    fn command(self, scratch: &Path) -> anyhow::Result<Option<Command>> {
        let mut command = cargo::cargo();
        match self {
            Self::Tidy => return Ok(None),
            Self::Fmt => command.args(["fmt", "--all", "--check"]),
            Self::Typos => {
                command = Command::new("typos");
                command.current_dir(cargo::root()?)
            }
            // Advisories are left out: they need a network, and a new one would fail an old commit.
            Self::Deny => command.args(["deny", "check", "bans", "licenses", "sources"]),
            Self::Clippy => command
                .args(["clippy", "--workspace", "--all-targets", "--release"])
                .args(["--features", "flow-cli/folder,flow-cli/serve"])
                .args(["--", "-D", "warnings"]),
            Self::Test => {
                command = test::workspace();
                &mut command
            }
            Self::Doc => command
                .args(["doc", "--workspace", "--no-deps", "--release"])
                .env("RUSTDOCFLAGS", "-D warnings"),
            Self::Smoke => {
                let words = ["debug".into(), "--out".into(), scratch.join("run").into()];
                command = run::flow("train", None, words.into())?;
                &mut command
            }
            Self::Slow => {
                command = test::workspace();
                command.args(["--", "--ignored"])
            }
        };
        Ok(Some(command))
    }

    fn is_installed(self) -> bool {
        let mut command = match self {
            Self::Typos => Command::new("typos"),
            Self::Deny => {
                let mut command = cargo::cargo();
                command.arg("deny");
                command
            }
            _ => return true,
        };
        command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Passed => f.write_str("passed"),
            Self::NotInstalled => f.write_str("skipped: not installed"),
            Self::Failed(code) => write!(f, "FAILED with exit code {code}"),
        }
    }
}

/// The table at the end.
#[derive(Default)]
struct Report {
    rows: Vec<(String, String, Option<Duration>)>,
}

impl Report {
    fn add(&mut self, step: Step, outcome: &str, time: Option<Duration>) {
        self.rows.push((step.name(), outcome.to_owned(), time));
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        writeln!(f, "{:<8} {:>12}  outcome", "step", "time")?;
        for (step, outcome, time) in &self.rows {
            let time = time.map(human).unwrap_or_default();
            writeln!(f, "{step:<8} {time:>12}  {outcome}")?;
        }
        let total = self.rows.iter().filter_map(|row| row.2).sum();
        write!(f, "{:<8} {:>12}", "all", human(total))
    }
}

/// `4.2 s`, `3 min 07 s`.
fn human(time: Duration) -> String {
    match time.as_secs() {
        0..60 => format!("{:.1} s", time.as_secs_f64()),
        s => format!("{} min {:02} s", s / 60, s % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(slow: bool, steps: &[Step]) -> Vec<Step> {
        Args { slow, steps: steps.to_vec() }.chosen()
    }

    #[test]
    fn slow_tests_run_only_when_asked_for() {
        assert!(!chosen(false, &[]).contains(&Step::Slow));
        assert_eq!(chosen(true, &[]), Step::value_variants());
        assert_eq!(chosen(false, &[Step::Slow]), [Step::Slow]);
    }

    #[test]
    fn named_steps_run_in_the_order_of_the_list() {
        assert_eq!(chosen(false, &[Step::Doc, Step::Fmt]), [Step::Fmt, Step::Doc]);
    }

    #[test]
    fn steps_are_shown_by_the_names_they_are_asked_for() {
        for step in Step::value_variants() {
            assert_eq!(step.to_possible_value().unwrap().get_name(), step.name());
        }
    }

    #[test]
    fn the_table_has_a_row_for_each_step_and_a_total() {
        let mut report = Report::default();
        report.add(Step::Fmt, "passed", Some(Duration::from_millis(800)));
        report.add(Step::Test, "FAILED with exit code 101", Some(Duration::from_secs(67)));
        report.add(Step::Doc, "not run", None);
        let expected = "\
step             time  outcome
fmt             0.8 s  passed
test       1 min 07 s  FAILED with exit code 101
doc                    not run
all        1 min 07 s";
        assert_eq!(report.to_string(), expected);
    }
}
