//! One run of an experiment on disk: what is left to do of it, and doing it.

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, bail, ensure};
use serde_json::{Value, json};

use super::experiment::Run;
use crate::cargo;

/// A run of one seed.
#[derive(Debug)]
pub(crate) struct Job {
    /// `NAME-SEED`.
    pub(crate) name: String,
    /// Its run folder; beside it lie `NAME-SEED.json`, what was done, and `NAME-SEED.log`.
    pub(crate) folder: PathBuf,
    /// The folder of the run that must be done before.
    pub(crate) after: Option<PathBuf>,
    /// Words of `flow train`, without the folder and the threads: they say what the run is.
    train: Vec<String>,
    then: Vec<String>,
}

impl Job {
    pub(crate) fn new(run: &Run, seed: u64, runs: &Path) -> Self {
        let name = format!("{}-{seed}", run.name);
        let after = run.after.as_ref().map(|after| runs.join(format!("{after}-{seed}")));
        let mut train = vec![run.recipe.clone()];
        for change in &run.set {
            let change = match &after {
                Some(after) => change.replace("{after}", &after.to_string_lossy()),
                None => change.clone(),
            };
            train.extend(["--set".into(), change]);
        }
        train.extend(["--seed".into(), seed.to_string()]);
        Self { folder: runs.join(&name), name, after, train, then: run.then.clone() }
    }

    /// All commands of the run, in order, each the words that follow `flow`.
    pub(crate) fn commands(&self) -> Vec<Vec<OsString>> {
        let folder = self.folder.as_os_str();
        let mut train: Vec<OsString> = vec!["train".into()];
        train.extend(self.train.iter().map(OsString::from));
        train.extend(["--out".into(), folder.to_owned()]);
        let mut commands = vec![train];
        commands.extend(self.then.iter().map(|line| {
            let mut words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
            words.insert(1.min(words.len()), folder.to_owned());
            words
        }));
        for words in &mut commands {
            words.extend(["--threads".into(), "1".into()]);
        }
        commands
    }

    /// The commands that are still to be run: none for a finished run.
    ///
    /// # Errors
    /// If the folder was made by other commands, or its record cannot be read.
    pub(crate) fn left(&self) -> anyhow::Result<Vec<Vec<OsString>>> {
        let mut commands = self.commands();
        let Some(record) = self.record()? else {
            ensure!(
                !self.folder.exists(),
                "{} was not made by `cargo xtask reproduce`: move it away",
                self.folder.display()
            );
            return Ok(commands);
        };
        ensure!(
            record["train"] == json!(self.train),
            "{} was made by another experiment file, remove it to train it again",
            self.folder.display()
        );
        let done = record["done"].as_u64().unwrap_or_default() as usize;
        if done == 0 && self.folder.join("recipe.toml").exists() {
            let folder = self.folder.clone().into_os_string();
            let resume: [OsString; 2] = ["train".into(), "--resume".into()];
            commands[0] =
                resume.into_iter().chain([folder, "--threads".into(), "1".into()]).collect();
        }
        // A command that was added to the file since is run; one that was changed is not seen.
        Ok(commands.split_off(done.min(commands.len())))
    }

    /// Wall time of all that was done, in seconds.
    ///
    /// # Errors
    /// If the record cannot be read.
    pub(crate) fn seconds(&self) -> anyhow::Result<f64> {
        Ok(self.record()?.and_then(|record| record["seconds"].as_f64()).unwrap_or_default())
    }

    /// Does what is left. What `flow` says goes into the log.
    ///
    /// # Errors
    /// If a command fails; the sentence ends with the last line that it said.
    pub(crate) fn run(&self, flow: &Path) -> anyhow::Result<()> {
        let left = self.left()?;
        let mut done = self.commands().len() - left.len();
        let mut seconds = self.seconds()?;
        let path = self.beside("log");
        let cannot = || format!("cannot write {}", path.display());
        self.keep(done, seconds)?;
        for words in left {
            let log = File::options().create(true).append(true).open(&path).with_context(cannot)?;
            let errors = log.try_clone().with_context(cannot)?;
            let started = Instant::now();
            let mut command = Command::new(flow);
            command.args(words).stdin(Stdio::null()).stdout(log).stderr(errors);
            let status = command
                .status()
                .with_context(|| format!("cannot start `{}`", cargo::show(&command)))?;
            seconds += started.elapsed().as_secs_f64();
            if !status.success() {
                self.keep(done, seconds)?;
                let text = fs::read_to_string(&path).unwrap_or_default();
                let last = text.lines().next_back().unwrap_or("it said nothing").to_owned();
                bail!("`{}` failed, see {}: {last}", cargo::show(&command), path.display());
            }
            done += 1;
            self.keep(done, seconds)?;
        }
        Ok(())
    }

    fn beside(&self, extension: &str) -> PathBuf {
        // Not `with_extension`: a name may hold a dot.
        let mut path = self.folder.clone().into_os_string();
        path.push(format!(".{extension}"));
        path.into()
    }

    /// What was done; nothing, once the run's folder is removed.
    fn record(&self) -> anyhow::Result<Option<Value>> {
        let path = self.beside("json");
        if !path.exists() || !self.folder.exists() {
            return Ok(None);
        }
        let text = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let record = serde_json::from_slice(&text)
            .with_context(|| format!("{} is damaged, remove it and the run", path.display()))?;
        Ok(Some(record))
    }

    fn keep(&self, done: usize, seconds: f64) -> anyhow::Result<()> {
        let record = json!({ "train": self.train, "done": done, "seconds": seconds });
        let path = self.beside("json");
        let draft = self.beside("json.tmp");
        fs::write(&draft, record.to_string())
            .and_then(|()| fs::rename(&draft, &path))
            .with_context(|| format!("cannot write {}", path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(runs: &Path) -> Job {
        let run = Run {
            name: "ot".into(),
            recipe: "debug".into(),
            set: vec!["train.batch=8".into()],
            after: None,
            then: vec!["likelihood --exact".into()],
        };
        Job::new(&run, 3, runs)
    }

    fn lines(commands: &[Vec<OsString>]) -> Vec<String> {
        let join = |words: &Vec<OsString>| {
            words.iter().map(|w| w.to_str().unwrap()).collect::<Vec<_>>().join(" ")
        };
        commands.iter().map(join).collect()
    }

    #[test]
    fn a_new_run_is_trained_and_then_asked_for_more() {
        let runs = Path::new("runs");
        assert_eq!(
            lines(&job(runs).commands()),
            [
                "train debug --set train.batch=8 --seed 3 --out runs/ot-3 --threads 1",
                "likelihood runs/ot-3 --exact --threads 1"
            ]
        );
    }

    #[test]
    fn the_folder_of_the_run_before_has_the_same_seed() {
        let run = Run {
            name: "reflow".into(),
            recipe: "debug".into(),
            set: vec!["reflow.run={after}".into()],
            after: Some("rf".into()),
            then: vec![],
        };
        let job = Job::new(&run, 3, Path::new("runs"));
        assert_eq!(job.after.as_deref(), Some(Path::new("runs/rf-3")));
        assert_eq!(
            lines(&job.commands()),
            ["train debug --set reflow.run=runs/rf-3 --seed 3 --out runs/reflow-3 --threads 1"]
        );
    }

    #[test]
    fn what_was_done_is_not_done_again() {
        let folder = tempfile::tempdir().unwrap();
        let job = job(folder.path());
        assert_eq!(job.left().unwrap().len(), 2);
        fs::create_dir(&job.folder).unwrap();
        job.keep(0, 1.5).unwrap();
        fs::write(job.folder.join("recipe.toml"), "").unwrap();
        assert!(lines(&job.left().unwrap())[0].starts_with("train --resume "));
        job.keep(1, 2.5).unwrap();
        assert!(lines(&job.left().unwrap())[0].starts_with("likelihood "));
        job.keep(2, 3.5).unwrap();
        assert!(job.left().unwrap().is_empty());
        assert!((job.seconds().unwrap() - 3.5).abs() < 1e-12);
        // A folder that was removed is made anew, whatever was noted beside it.
        fs::remove_dir_all(&job.folder).unwrap();
        assert_eq!((job.left().unwrap().len(), job.seconds().unwrap()), (2, 0.0));
    }

    #[test]
    fn a_folder_of_other_commands_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let job = job(folder.path());
        fs::create_dir(&job.folder).unwrap();
        job.keep(1, 0.0).unwrap();
        let other = Job { train: vec!["digits".into()], ..self::job(folder.path()) };
        assert!(other.left().unwrap_err().to_string().contains("another experiment file"));
        let foreign = Job { name: "x-1".into(), folder: folder.path().join("x-1"), ..other };
        fs::create_dir(&foreign.folder).unwrap();
        assert!(foreign.left().unwrap_err().to_string().contains("move it away"));
    }

    #[cfg(unix)]
    #[test]
    fn a_failure_is_told_with_its_last_words() {
        let folder = tempfile::tempdir().unwrap();
        let error = job(folder.path()).run(Path::new("/bin/false")).unwrap_err().to_string();
        assert!(error.contains("ot-3.log") && error.contains("it said nothing"), "{error}");
        fs::create_dir(&job(folder.path()).folder).unwrap();
        job(folder.path()).run(Path::new("/bin/true")).unwrap();
        assert!(job(folder.path()).left().unwrap().is_empty());
    }
}
