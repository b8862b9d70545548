//! `cargo xtask reproduce`: trains the runs of an experiment, compares them and writes its page.
//!
//! What is finished is skipped, as long as neither its recipe nor its code has changed, and what
//! was interrupted goes on, so the same command can be given until the page is there.

mod claim;
mod code;
mod columns;
mod document;
mod experiment;
mod job;
mod program;
mod reach;
mod record;
mod reference;

use std::collections::BTreeMap;
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
use columns::Column;
use experiment::Experiment;
use job::{Code, Job, Placed};

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
    /// Take runs of the same recipe whatever code trained them, in place of training again.
    #[arg(long)]
    any_code: bool,
    /// A built `flow` in place of one that is built now.
    #[arg(long, value_name = "FILE")]
    flow: Option<PathBuf>,
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
        Some(_) if !args.seeds.is_empty() || args.jobs.is_some() || args.flow.is_some() => {
            let text = format!(
                "`{name}` is a program with seeds of its own: leave out --seeds, --jobs, --flow\n"
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
    // Seed by seed, so that an early stop leaves whole comparisons.
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
    let flow = match &args.flow {
        Some(flow) => flow.clone(),
        None => build()?,
    };
    let code = Code {
        training: code::version(Path::new("."), code::TRAINING)?,
        scoring: code::version(Path::new("."), code::SCORING)?,
        any: args.any_code,
    };
    if args.dry_run {
        return show_left(&jobs, &flow, &code);
    }
    std::fs::create_dir_all(&runs).with_context(|| format!("cannot make {}", runs.display()))?;
    let done = work(&jobs, workers, |job, before| {
        let placed = job.place(&flow, before, &code)?;
        placed.run(&flow)?;
        print(&format!("{}: {:.1} minutes", placed.name, placed.seconds()? / 60.0))?;
        Ok(placed)
    })?;
    write_page(experiment, seeds, &done, workers, &flow)
}

/// Prints the commands that are left. What comes after a run that is not there yet is left as a
/// whole, and `flow` cannot be asked about it.
fn show_left(jobs: &[Job], flow: &Path, code: &Code) -> anyhow::Result<()> {
    let mut placed: BTreeMap<&str, Placed> = BTreeMap::new();
    for job in jobs {
        let before = job.after.as_ref().and_then(|after| placed.get(after.as_str()));
        let before = before.map(|before| before.folder.as_path());
        if before.is_some_and(|before| !before.exists()) {
            print(&format!("{} begins once the run before it is there", job.name))?;
            continue;
        }
        let found = job.place(flow, before, code)?;
        for words in found.left()? {
            print(&cargo::show(Command::new("flow").args(words)))?;
        }
        placed.insert(&job.name, found);
    }
    Ok(())
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
struct Progress<T> {
    done: BTreeMap<String, T>,
    failure: Option<anyhow::Error>,
}

/// Does all jobs, some at once, each by `run`, which is told the folder of the run before, and
/// gives what came of them in their order. After a failure none is begun.
fn work<T: AsRef<Path> + Send>(
    jobs: &[Job],
    workers: usize,
    run: impl Fn(&Job, Option<&Path>) -> anyhow::Result<T> + Sync,
) -> anyhow::Result<Vec<T>> {
    let next = AtomicUsize::new(0);
    let progress = Progress { done: BTreeMap::new(), failure: None };
    let (progress, changed) = (Mutex::new(progress), Condvar::new());
    let lock = || progress.lock().unwrap_or_else(PoisonError::into_inner);
    thread::scope(|scope| {
        for _ in 0..workers.min(jobs.len()) {
            scope.spawn(|| {
                while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    // What a job waits for stands before it, so some worker has it already.
                    let early = |progress: &mut Progress<T>| {
                        progress.failure.is_none()
                            && job
                                .after
                                .as_ref()
                                .is_some_and(|job| !progress.done.contains_key(job))
                    };
                    let ready = changed.wait_while(lock(), early);
                    let ready = ready.unwrap_or_else(PoisonError::into_inner);
                    if ready.failure.is_some() {
                        break;
                    }
                    let before =
                        job.after.as_ref().map(|after| ready.done[after].as_ref().to_owned());
                    drop(ready);
                    let outcome = run(job, before.as_deref());
                    let mut progress = lock();
                    match outcome {
                        Ok(done) => _ = progress.done.insert(job.name.clone(), done),
                        Err(error) => _ = progress.failure.get_or_insert(error),
                    }
                    changed.notify_all();
                }
            });
        }
    });
    let progress = progress.into_inner().unwrap_or_else(PoisonError::into_inner);
    let Progress { mut done, failure } = progress;
    if let Some(error) = failure {
        return Err(
            error.context("mend it and give the same command again: what is done stays done")
        );
    }
    Ok(jobs.iter().filter_map(|job| done.remove(&job.name)).collect())
}

/// Lets `flow compare` make tables and figures, judges the claims, and writes the words around
/// them.
fn write_page(
    experiment: &Experiment,
    seeds: &[u64],
    runs: &[Placed],
    workers: usize,
    flow: &Path,
) -> anyhow::Result<()> {
    let mut lost = Vec::new();
    let mut folders: Vec<&Path> = Vec::new();
    for run in runs {
        if run.diverged()? { lost.push(run.name.as_str()) } else { folders.push(&run.folder) }
    }
    ensure!(!folders.is_empty(), "every run diverged, so that there is nothing to compare");
    let compare = || {
        let mut command = Command::new(flow);
        command.arg("compare").args(&folders).arg("--group");
        for [a, b] in &experiment.compare.equal_error {
            command.args(["--nfe-at-error", a, b]);
        }
        command
    };
    let mut numbers = Vec::new();
    if !experiment.claims.is_empty() || !experiment.references.is_empty() {
        let mut command = compare();
        let output = command.arg("--json").stderr(std::process::Stdio::inherit()).output();
        let output = output.with_context(|| format!("cannot start `{}`", cargo::show(&command)))?;
        ensure!(output.status.success(), "`{}` failed", cargo::show(&command));
        let parsed: Result<Vec<Column>, _> = serde_json::from_slice(&output.stdout);
        numbers = parsed.context("`flow compare --json` printed no columns")?;
    }
    let path = Path::new(PAGES).join(format!("{}.md", experiment.name));
    let mut command = compare();
    for score in &experiment.compare.scores {
        command.args(["--score", score]);
    }
    for row in &experiment.compare.rows {
        command.args(["--row", row]);
    }
    if experiment.compare.strips {
        command.arg("--strips");
    }
    command.arg("--out").arg(&path);
    let status =
        command.status().with_context(|| format!("cannot start `{}`", cargo::show(&command)))?;
    ensure!(status.success(), "`{}` failed", cargo::show(&command));
    let cannot_read = || format!("cannot read {}", path.display());
    let tables = std::fs::read_to_string(&path).with_context(cannot_read)?;
    let by_run: Vec<(&str, Vec<&Path>)> = experiment
        .runs
        .iter()
        .map(|run| {
            let of_run = |placed: &&Placed| {
                seeds.iter().any(|seed| placed.name == format!("{}-{seed}", run.name))
            };
            let whole = runs.iter().filter(of_run).map(|placed| placed.folder.as_path());
            (run.name.as_str(), whole.filter(|folder| folders.contains(folder)).collect())
        })
        .collect();
    let seconds = runs.iter().map(Placed::seconds).sum::<anyhow::Result<f64>>()?;
    let results = document::Results {
        minutes: seconds / 60.0,
        made_with: document::made_with(&folders, workers),
        computed: document::diverged(&lost)
            + &reach::section(&experiment.reaches, &by_run)?
            + &claim::section(&experiment.claims, &numbers)?
            + &reference::section(&experiment.references, &numbers),
        tables,
    };
    let page = document::page(experiment, seeds, &results);
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
            paper = "C"
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
    fn a_run_waits_for_the_one_before_it_and_is_told_its_folder() {
        let said = Mutex::new(Vec::new());
        let run = |job: &Job, before: Option<&Path>| {
            if job.name == "teacher-0" {
                thread::sleep(Duration::from_millis(50));
            }
            said.lock().unwrap().push((job.name.clone(), before.map(Path::to_owned)));
            Ok(PathBuf::from(format!("key/{}", job.name)))
        };
        let done = work(&jobs(), 2, run).unwrap();
        let teacher = Some(PathBuf::from("key/teacher-0"));
        let expected = [("teacher-0".to_owned(), None), ("student-0".to_owned(), teacher)];
        assert_eq!(said.into_inner().unwrap(), expected);
        assert_eq!(done, [Path::new("key/teacher-0"), Path::new("key/student-0")]);
    }

    #[test]
    fn nobody_waits_for_a_run_that_failed() {
        let run = |job: &Job, _: Option<&Path>| -> anyhow::Result<PathBuf> {
            bail!("{} is ill", job.name)
        };
        let error = work(&jobs(), 2, run).unwrap_err();
        assert_eq!(error.root_cause().to_string(), "teacher-0 is ill");
    }
}
