//! A run whose folder is known: the commands that are left of it, and giving them.

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, bail, ensure};
use toml::Table;

use super::super::record::{Record, Scored, beside};
use super::ALWAYS;
use crate::cargo;

/// What `flow` says of a loss or a weight that is no number any more.
const DIVERGED: &str = "train anew with a lower learning rate";

/// A run whose folder is known.
#[derive(Debug)]
pub(crate) struct Placed {
    pub(crate) name: String,
    /// Its run folder; beside it lie `NAME-SEED.json`, what was done, and `NAME-SEED.log`.
    pub(crate) folder: PathBuf,
    pub(super) words: Vec<String>,
    /// With every value.
    pub(super) recipe: String,
    pub(super) recipe_key: String,
    pub(super) code: String,
    /// Keys and lines of the commands that score.
    pub(super) scores: Vec<(String, String)>,
    pub(super) may_diverge: bool,
}

impl AsRef<Path> for Placed {
    fn as_ref(&self) -> &Path {
        &self.folder
    }
}

/// What is to be done.
#[derive(Debug, PartialEq)]
enum Task<'a> {
    Train,
    Score { key: &'a str, line: &'a str },
}

impl Placed {
    /// The commands that are left, in order, each the words that follow `flow`.
    ///
    /// # Errors
    /// If the folder was made by another program, or its record cannot be read.
    pub(crate) fn left(&self) -> anyhow::Result<Vec<Vec<OsString>>> {
        let record = self.record()?;
        Ok(self.tasks(&record).iter().map(|task| self.command(task)).collect())
    }

    /// Wall time of all that was done, in seconds.
    ///
    /// # Errors
    /// If the record cannot be read.
    pub(crate) fn seconds(&self) -> anyhow::Result<f64> {
        Ok(self.record()?.seconds())
    }

    /// Whether its loss stopped being a number.
    ///
    /// # Errors
    /// If the record cannot be read.
    pub(crate) fn diverged(&self) -> anyhow::Result<bool> {
        Ok(self.record()?.diverged)
    }

    fn record(&self) -> anyhow::Result<Record> {
        let record = Record::read(&self.folder)?;
        ensure!(
            record.is_some() || !self.folder.exists(),
            "{} was not made by `cargo xtask reproduce`: move it away",
            self.folder.display()
        );
        let new = || Record {
            recipe: self.recipe_key.clone(),
            code: self.code.clone(),
            ..Record::default()
        };
        Ok(record.unwrap_or_else(new))
    }

    fn tasks(&self, record: &Record) -> Vec<Task<'_>> {
        if record.diverged {
            return Vec::new();
        }
        let train = (!record.trained).then_some(Task::Train);
        let done = |key: &str, line: &str| {
            record.trained && record.scores.get(line).is_some_and(|scored| scored.key == key)
        };
        let scores = self.scores.iter().filter(|(key, line)| !done(key, line));
        train.into_iter().chain(scores.map(|(key, line)| Task::Score { key, line })).collect()
    }

    fn command(&self, task: &Task<'_>) -> Vec<OsString> {
        let folder = self.folder.as_os_str().to_owned();
        let mut words: Vec<OsString> = match task {
            Task::Train if self.folder.join("recipe.toml").exists() => {
                vec!["train".into(), "--resume".into(), folder]
            }
            Task::Train => {
                let words = self.words.iter().map(OsString::from);
                let train = std::iter::once("train".into()).chain(words);
                train.chain(["--out".into(), folder]).collect()
            }
            Task::Score { line, .. } => {
                let mut words: Vec<OsString> = line.split_whitespace().map(Into::into).collect();
                words.insert(1.min(words.len()), folder);
                words
            }
        };
        words.extend((*task == Task::Train).then(|| "--no-eval".into()));
        words.extend(["--threads".into(), "1".into()]);
        words
    }

    /// Does what is left. What `flow` says goes into the log.
    ///
    /// # Errors
    /// If a command fails; the sentence ends with the last line that it said.
    pub(crate) fn run(&self, flow: &Path) -> anyhow::Result<()> {
        let mut record = self.record()?;
        if let Some(key) = self.folder.parent() {
            fs::create_dir_all(key).with_context(|| format!("cannot make {}", key.display()))?;
        }
        record.keep(&self.folder)?;
        self.forget(&mut record)?;
        for task in self.tasks(&record) {
            if task != Task::Train {
                self.renew_recipe()?;
            }
            if matches!(task, Task::Score { line: "eval", .. }) {
                // Scores of more samples would not be replaced.
                remove(&self.folder.join("eval.json"))?;
            }
            let started = Instant::now();
            let outcome = self.start(flow, self.command(&task));
            let seconds = started.elapsed().as_secs_f64();
            match task {
                Task::Train => {
                    record.seconds += seconds;
                    record.trained = outcome.is_ok();
                    let said = outcome.as_ref().err().map(ToString::to_string).unwrap_or_default();
                    record.diverged = self.may_diverge && said.contains(DIVERGED);
                }
                Task::Score { key, line } if outcome.is_ok() => {
                    record.scores.insert(line.into(), Scored { key: key.into(), seconds });
                }
                Task::Score { .. } => {}
            }
            record.keep(&self.folder)?;
            if record.diverged {
                break;
            }
            outcome?;
        }
        Ok(())
    }

    /// Removes the likelihoods that a command left which is none of the run any more.
    fn forget(&self, record: &mut Record) -> anyhow::Result<()> {
        let known = |line: &String| self.scores.iter().any(|(_, known)| known == line);
        if record.scores.keys().all(known) {
            return Ok(());
        }
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with("likelihood") {
                remove(&entry.path())?;
            }
        }
        record.scores.retain(|line, _| ALWAYS.contains(&line.as_str()));
        record.keep(&self.folder)
    }

    /// Gives the run the ways of sampling and scoring that its recipe has now.
    fn renew_recipe(&self) -> anyhow::Result<()> {
        let path = self.folder.join("recipe.toml");
        let kept = fs::read_to_string(&path).unwrap_or_default();
        if kept.parse::<Table>().ok() == self.recipe.parse::<Table>().ok() {
            return Ok(());
        }
        let begins = |line: &&str| line.starts_with('#') || line.is_empty();
        let lines: Vec<&str> = self.recipe.lines().skip_while(begins).collect();
        fs::write(&path, lines.join("\n") + "\n")
            .with_context(|| format!("cannot write {}", path.display()))
    }

    fn start(&self, flow: &Path, words: Vec<OsString>) -> anyhow::Result<()> {
        let path = beside(&self.folder, "log");
        let cannot = || format!("cannot write {}", path.display());
        let log = File::options().create(true).append(true).open(&path).with_context(cannot)?;
        let errors = log.try_clone().with_context(cannot)?;
        let mut command = Command::new(flow);
        command.args(words).stdin(Stdio::null()).stdout(log).stderr(errors);
        let status = command
            .status()
            .with_context(|| format!("cannot start `{}`", cargo::show(&command)))?;
        if !status.success() {
            let text = fs::read_to_string(&path).unwrap_or_default();
            let last = text.lines().next_back().unwrap_or("it said nothing").to_owned();
            bail!("`{}` failed, see {}: {last}", cargo::show(&command), path.display());
        }
        Ok(())
    }
}

fn remove(path: &Path) -> anyhow::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Code;
    use super::super::tests::{RECIPE, code, job};
    use super::*;

    fn placed(runs: &Path, recipe: &str) -> Placed {
        job(runs, &["likelihood --exact"]).placed(recipe.into(), None, &code("a")).unwrap()
    }

    fn left(placed: &Placed) -> Vec<String> {
        let join = |words: &Vec<OsString>| {
            words.iter().map(|w| w.to_str().unwrap()).collect::<Vec<_>>().join(" ")
        };
        let text = placed.folder.to_string_lossy().into_owned();
        placed.left().unwrap().iter().map(|words| join(words).replace(&text, "RUN")).collect()
    }

    /// A program that makes the folder behind `--out` and succeeds.
    #[cfg(unix)]
    fn flow(folder: &Path) -> PathBuf {
        use std::os::unix::fs::PermissionsExt;
        let path = folder.join("flow.sh");
        let text = "#!/bin/sh\nout=no\nfor word; do [ $out = yes ] && mkdir -p \"$word\" && touch \
                    $word/recipe.toml; out=no; [ \"$word\" = --out ] && out=yes; done; exit 0\n";
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    #[test]
    fn a_new_run_is_trained_then_scored_and_asked_for_more() {
        assert_eq!(
            left(&placed(Path::new("runs"), RECIPE)),
            [
                "train debug --set train.batch=8 --seed 3 --out RUN --no-eval --threads 1",
                "eval RUN --threads 1",
                "plot RUN --threads 1",
                "likelihood RUN --exact --threads 1"
            ]
        );
    }

    #[cfg(unix)]
    #[test]
    fn what_was_done_is_not_done_again_and_changed_scores_need_no_training() {
        let runs = tempfile::tempdir().unwrap();
        let flow = flow(runs.path());
        let run = placed(runs.path(), RECIPE);
        run.run(&flow).unwrap();
        assert_eq!(left(&run), [""; 0]);
        assert!(run.seconds().unwrap() > 0.0);
        // Another number of samples: scored again, with the recipe that says so.
        let other = placed(runs.path(), &RECIPE.replace("n = 100", "n = 200"));
        assert_eq!(left(&other)[0], "eval RUN --threads 1");
        assert_eq!(left(&other).len(), 3);
        other.run(&flow).unwrap();
        let kept = fs::read_to_string(other.folder.join("recipe.toml")).unwrap();
        assert!(kept.starts_with("name = ") && kept.contains("n = 200"), "{kept}");
        // Another question alone, which takes the answers of the one before with it.
        fs::write(other.folder.join("likelihood.json"), "").unwrap();
        let asked = job(runs.path(), &["likelihood --probes 3"]);
        let recipe = RECIPE.replace("n = 100", "n = 200");
        let asked = asked.placed(recipe, None, &code("a")).unwrap();
        assert_eq!(left(&asked), ["likelihood RUN --probes 3 --threads 1"]);
        asked.run(&flow).unwrap();
        assert!(!asked.folder.join("likelihood.json").exists());
        // A folder that was removed is made anew, whatever was noted beside it.
        fs::remove_dir_all(&asked.folder).unwrap();
        assert_eq!((left(&asked).len(), asked.seconds().unwrap()), (4, 0.0));
    }

    #[cfg(unix)]
    #[test]
    fn runs_of_other_code_are_taken_if_that_is_asked_for() {
        let runs = tempfile::tempdir().unwrap();
        let flow = flow(runs.path());
        let old = placed(runs.path(), RECIPE);
        old.run(&flow).unwrap();
        let with = |any: bool| {
            let code = Code { any, ..code("b") };
            job(runs.path(), &["likelihood --exact"]).placed(RECIPE.into(), None, &code).unwrap()
        };
        assert_eq!(left(&with(false)).len(), 4);
        assert_eq!(with(true).folder, old.folder);
        assert_eq!(left(&with(true)), [""; 0]);
    }

    #[cfg(unix)]
    #[test]
    fn a_run_that_diverges_is_a_result_where_that_is_said() {
        let runs = tempfile::tempdir().unwrap();
        let flow = flow(runs.path());
        let text =
            format!("#!/bin/sh\nmkdir -p \"$8\"; echo 'nan at step 3, {DIVERGED}'; exit 1\n");
        fs::write(&flow, text).unwrap();
        let mut run = placed(runs.path(), RECIPE);
        // The eighth word is the folder.
        assert!(left(&run)[0].split(' ').nth(7) == Some("RUN"), "{:?}", left(&run));
        assert!(run.run(&flow).unwrap_err().to_string().contains("nan at step 3"));
        run.may_diverge = true;
        run.run(&flow).unwrap();
        assert!(run.diverged().unwrap());
        assert_eq!(left(&run), [""; 0]);
    }

    #[cfg(unix)]
    #[test]
    fn a_run_that_was_cut_off_goes_on() {
        let runs = tempfile::tempdir().unwrap();
        let run = placed(runs.path(), RECIPE);
        let error = run.run(Path::new("/bin/false")).unwrap_err().to_string();
        assert!(error.contains("ot-3.log") && error.contains("it said nothing"), "{error}");
        // It had begun.
        fs::create_dir(&run.folder).unwrap();
        fs::write(run.folder.join("recipe.toml"), "").unwrap();
        assert_eq!(left(&run)[0], "train --resume RUN --no-eval --threads 1");
        run.run(&flow(runs.path())).unwrap();
        assert_eq!(left(&run), [""; 0]);
    }

    #[test]
    fn a_folder_that_others_made_is_refused() {
        let runs = tempfile::tempdir().unwrap();
        let run = placed(runs.path(), RECIPE);
        fs::create_dir_all(&run.folder).unwrap();
        assert!(run.left().unwrap_err().to_string().contains("move it away"));
    }
}
