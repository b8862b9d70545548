//! `cargo xtask reproduce`: trains the runs of an experiment, compares them and writes its page.
//!
//! What is finished is skipped and what was interrupted goes on, so the same command can be given
//! until the page is there.

mod document;
mod experiment;
mod job;
mod program;

use std::collections::BTreeSet;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;

use anyhow::{Context, ensure};
use clap::error::ErrorKind;

use crate::cargo;
use crate::output::print;
use experiment::Experiment;
use job::Job;

/// Where experiments are, and where their runs and pages go, from the root.
const EXPERIMENTS: &str = "xtask/experiments";
const RUNS: &str = "runs/reproduce";
const PAGES: &str = "docs/results";

/// What git is asked for uncommitted changes: pages that an experiment before this one wrote are
/// none.
const CHANGES: [&str; 5] = ["status", "--porcelain", "--", ":/", ":(top,exclude)docs/results"];

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Name of an experiment; without it, all are listed.
    experiment: Option<String>,
    /// Seeds instead of those of the experiment.
    #[arg(long, value_name = "SEEDS", value_delimiter = ',')]
    seeds: Vec<u64>,
    /// Runs at once, each on one thread; the default is one for each core.
    #[arg(long, value_name = "N")]
    jobs: Option<NonZero<usize>>,
    /// Print the commands that are left, and stop.
    #[arg(long)]
    dry_run: bool,
}

/// Lists the experiments, or does one.
///
/// # Errors
/// If a file is no experiment, there is none of this name, or a command fails.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let root = cargo::root()?;
    let experiments = Experiment::all(&root.join(EXPERIMENTS))?;
    let Some(name) = &args.experiment else {
        print(list(&experiments).trim_end())?;
        return Ok(ExitCode::SUCCESS);
    };
    let Some(experiment) = experiments.iter().find(|experiment| experiment.name == *name) else {
        let names: Vec<&str> = experiments.iter().map(|e| e.name.as_str()).collect();
        let text = format!("there is no experiment `{name}`, use one of {}\n", names.join(", "));
        return Err(clap::Error::raw(ErrorKind::InvalidValue, text).into());
    };
    // Runs and pages are named from the root, and so are the commands that are shown.
    std::env::set_current_dir(&root).context("cannot enter the root of the workspace")?;
    match &experiment.program {
        Some(_) if !args.seeds.is_empty() || args.jobs.is_some() => {
            let text = format!(
                "`{name}` is a program with seeds of its own: leave out --seeds and --jobs\n"
            );
            return Err(clap::Error::raw(ErrorKind::ArgumentConflict, text).into());
        }
        Some(program) => program::reproduce(experiment, program, args.dry_run)?,
        None => reproduce(experiment, args)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn list(experiments: &[Experiment]) -> String {
    let lines = |Experiment { name, title, minutes, runs, seeds, machine, .. }: &Experiment| {
        let what = match runs.len() * seeds.len() {
            0 => "a program".to_owned(),
            runs => format!("{runs} runs"),
        };
        format!("{name:12} {title}\n{:12} {what}, about {minutes:.0} minutes on {machine}\n", "")
    };
    experiments.iter().map(lines).collect()
}

fn reproduce(experiment: &Experiment, args: &Args) -> anyhow::Result<()> {
    let seeds = if args.seeds.is_empty() { &experiment.seeds } else { &args.seeds };
    let runs = Path::new(RUNS).join(&experiment.name);
    // Seed by seed, so that whoever stops early has whole comparisons.
    let jobs: Vec<Job> = seeds
        .iter()
        .flat_map(|&seed| experiment.runs.iter().map(move |run| (run, seed)))
        .map(|(run, seed)| Job::new(run, seed, &runs))
        .collect();
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let workers = args.jobs.map_or(cores, NonZero::get);
    let share = seeds.len() as f64 / experiment.seeds.len() as f64;
    print(&experiment.title)?;
    print(&format!(
        "{} runs, {workers} at once; about {:.0} minutes on {}",
        jobs.len(),
        experiment.minutes * share,
        experiment.machine
    ))?;
    if args.dry_run {
        for words in jobs.iter().map(Job::left).collect::<Result<Vec<_>, _>>()?.concat() {
            let mut command = Command::new("flow");
            print(&cargo::show(command.args(words)))?;
        }
        return Ok(());
    }
    let flow = build()?;
    std::fs::create_dir_all(&runs).with_context(|| format!("cannot make {}", runs.display()))?;
    work(&jobs, workers, |job| job.run(&flow).and_then(|()| job.seconds()))?;
    write_page(experiment, seeds, &jobs, workers, &flow)
}

/// The binary `flow`, built if need be.
pub(crate) fn build() -> anyhow::Result<PathBuf> {
    let mut command = cargo::cargo();
    command.args(["build", "--release", "--package", "flow-cli", "--bin", "flow"]);
    let status =
        command.status().with_context(|| format!("cannot start `{}`", cargo::show(&command)))?;
    ensure!(status.success(), "`{}` failed", cargo::show(&command));
    let name = format!("flow{}", std::env::consts::EXE_SUFFIX);
    cargo::target_dir("release").map(|folder| folder.join(name))
}

/// What became of jobs.
#[derive(Default)]
struct Progress {
    done: BTreeSet<PathBuf>,
    failure: Option<anyhow::Error>,
}

/// Does all jobs, some at once, each by `run`, which tells its seconds. After a failure none is
/// begun.
fn work(
    jobs: &[Job],
    workers: usize,
    run: impl Fn(&Job) -> anyhow::Result<f64> + Sync,
) -> anyhow::Result<()> {
    let next = AtomicUsize::new(0);
    let (progress, changed) = (Mutex::new(Progress::default()), Condvar::new());
    let lock = || progress.lock().unwrap_or_else(PoisonError::into_inner);
    thread::scope(|scope| {
        for _ in 0..workers.min(jobs.len()) {
            scope.spawn(|| {
                while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    // What a job waits for stands before it, so some worker has it already.
                    let early = |progress: &mut Progress| {
                        progress.failure.is_none()
                            && job.after.as_ref().is_some_and(|job| !progress.done.contains(job))
                    };
                    let ready = changed.wait_while(lock(), early);
                    if ready.unwrap_or_else(PoisonError::into_inner).failure.is_some() {
                        break;
                    }
                    let outcome = run(job);
                    let mut progress = lock();
                    match outcome {
                        Ok(seconds) => {
                            progress.done.insert(job.folder.clone());
                            let line = format!("{}: {:.1} minutes", job.name, seconds / 60.0);
                            if let Err(error) = print(&line) {
                                progress.failure.get_or_insert(error);
                            }
                        }
                        Err(error) => _ = progress.failure.get_or_insert(error),
                    }
                    changed.notify_all();
                }
            });
        }
    });
    let Progress { failure, .. } = progress.into_inner().unwrap_or_else(PoisonError::into_inner);
    let Some(error) = failure else { return Ok(()) };
    Err(error.context("mend it and give the same command again: what is done stays done"))
}

/// Lets `flow compare` make tables and figures, and writes the words around them.
fn write_page(
    experiment: &Experiment,
    seeds: &[u64],
    jobs: &[Job],
    workers: usize,
    flow: &Path,
) -> anyhow::Result<()> {
    let path = Path::new(PAGES).join(format!("{}.md", experiment.name));
    let mut command = Command::new(flow);
    command.arg("compare").args(jobs.iter().map(|job| &job.folder)).arg("--group");
    for score in &experiment.compare.scores {
        command.args(["--score", score]);
    }
    for row in &experiment.compare.rows {
        command.args(["--row", row]);
    }
    command.arg("--out").arg(&path);
    let status =
        command.status().with_context(|| format!("cannot start `{}`", cargo::show(&command)))?;
    ensure!(status.success(), "`{}` failed", cargo::show(&command));
    let cannot_read = || format!("cannot read {}", path.display());
    let tables = std::fs::read_to_string(&path).with_context(cannot_read)?;
    let seconds = jobs.iter().map(Job::seconds).sum::<anyhow::Result<f64>>()?;
    let made_with = document::made_with(&jobs[0].folder, workers);
    let page = document::page(experiment, seeds, seconds / 60.0, &made_with, &tables);
    std::fs::write(&path, page).with_context(|| format!("cannot write {}", path.display()))?;
    print(&path.display().to_string())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use anyhow::bail;

    use super::*;

    fn jobs() -> Vec<Job> {
        let text = r#"
            title = "T"
            about = "A"
            claim = "C"
            minutes = 1
            machine = "M"
            seeds = [0]
            [[run]]
            name = "teacher"
            recipe = "debug"
            [[run]]
            name = "student"
            recipe = "debug"
            after = "teacher"
        "#;
        let runs = Experiment::parse("t", text).unwrap().runs;
        runs.iter().map(|run| Job::new(run, 0, Path::new("runs"))).collect()
    }

    #[test]
    fn a_run_waits_for_the_one_before_it() {
        let said = Mutex::new(Vec::new());
        let run = |job: &Job| {
            if job.name == "teacher-0" {
                thread::sleep(Duration::from_millis(50));
            }
            said.lock().unwrap().push(job.name.clone());
            Ok(0.0)
        };
        work(&jobs(), 2, run).unwrap();
        assert_eq!(said.into_inner().unwrap(), ["teacher-0", "student-0"]);
    }

    #[test]
    fn nobody_waits_for_a_run_that_failed() {
        let error = work(&jobs(), 2, |job| bail!("{} is ill", job.name)).unwrap_err();
        assert_eq!(error.root_cause().to_string(), "teacher-0 is ill");
    }
}
