//! One run of an experiment: what is left to do of it, and doing it.
//!
//! A run lies in a folder named by what its training depends on, `KEY/NAME-SEED`: the recipe with
//! every value, but for the seed and for ways of sampling and scoring, and the code that trains. So
//! whoever changes one finds no run, and whoever changes it back finds the old one. Each command
//! that scores is known by its own key, so that scores are renewed without training again.
mod placed;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};
use sha2::{Digest, Sha256};
use toml::Table;

pub(crate) use placed::Placed;

use super::code::short;
use super::experiment::Run;
use super::record::Record;
use crate::cargo;

/// Parts of a recipe on which no weight depends.
const APART: [&str; 5] = ["name", "about", "seed", "sample", "eval"];
/// What every run is asked for before the verbs of its own.
const ALWAYS: [&str; 2] = ["eval", "plot"];

/// Names of the code.
#[derive(Clone, Debug)]
pub(crate) struct Code {
    pub(crate) training: String,
    pub(crate) scoring: String,
    /// Whether a run is taken whatever code trained it.
    pub(crate) any: bool,
}

/// A run of one seed.
#[derive(Debug)]
pub(crate) struct Job {
    /// `NAME-SEED`.
    pub(crate) name: String,
    /// The one that must be done before.
    pub(crate) after: Option<String>,
    /// Where the folders of all keys are.
    runs: PathBuf,
    recipe: String,
    set: Vec<String>,
    seed: u64,
    then: Vec<String>,
    may_diverge: bool,
}

impl Job {
    pub(crate) fn new(run: &Run, seed: u64, runs: &Path) -> Self {
        Self {
            name: format!("{}-{seed}", run.name),
            after: run.after.as_ref().map(|after| format!("{after}-{seed}")),
            runs: runs.to_owned(),
            recipe: run.recipe.clone(),
            set: run.set.clone(),
            seed,
            then: run.then.clone(),
            may_diverge: run.may_diverge,
        }
    }

    /// Words of `flow train`, without the folder and the threads. The folder of the run before
    /// stands for `{after}`.
    fn words(&self, before: Option<&Path>) -> Vec<String> {
        let mut words = vec![self.recipe.clone()];
        for change in &self.set {
            let change = match before {
                Some(before) => change.replace("{after}", &before.to_string_lossy()),
                None => change.clone(),
            };
            words.extend(["--set".into(), change]);
        }
        words.extend(["--seed".into(), self.seed.to_string()]);
        words
    }

    /// Asks `flow` for the recipe with every value, and finds the folder.
    ///
    /// # Errors
    /// If `flow` refuses the recipe.
    pub(crate) fn place(
        &self,
        flow: &Path,
        before: Option<&Path>,
        code: &Code,
    ) -> anyhow::Result<Placed> {
        let mut command = Command::new(flow);
        command.arg("train").args(self.words(before)).args(["--dry-run", "--threads", "1"]);
        let output = command.stdin(Stdio::null()).output();
        let output = output.with_context(|| format!("cannot start `{}`", cargo::show(&command)))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            bail!("`{}` failed: {}", cargo::show(&command), said.trim());
        }
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        self.placed(text, before, code)
    }

    /// The folder of a resolved recipe.
    fn placed(&self, recipe: String, before: Option<&Path>, code: &Code) -> anyhow::Result<Placed> {
        let mut table: Table =
            recipe.parse().with_context(|| format!("the recipe of {} is no TOML", self.name))?;
        let sampling: Vec<_> = ["sample", "eval"].map(|part| table.remove(part)).into();
        table.retain(|key, _| !APART.contains(&key));
        let mut text = table.to_string();
        // The folder of the run before differs by the seed, and its key says what it depends on.
        if let Some(before) = before {
            let key = before.parent().unwrap_or(before).to_string_lossy().into_owned();
            text = text.replace(&*before.to_string_lossy(), &key);
            text += &flow_of(before);
        }
        let recipe_key = name_of(&[&text]);
        let sampling = name_of(&[&format!("{sampling:?}"), &code.scoring]);
        let mut folder = self.runs.join(name_of(&[&recipe_key, &code.training])).join(&self.name);
        if code.any && !Record::read(&folder)?.is_some_and(|record| record.trained) {
            folder = self.of_other_code(&recipe_key)?.unwrap_or(folder);
        }
        let scores = ALWAYS.into_iter().map(String::from).chain(self.then.iter().cloned());
        let scores = scores.map(|line| (name_of(&[&line, &sampling]), line)).collect();
        Ok(Placed {
            name: self.name.clone(),
            folder,
            words: self.words(before),
            recipe,
            recipe_key,
            code: code.training.clone(),
            scores,
            may_diverge: self.may_diverge,
        })
    }

    /// A run of the same recipe that other code trained, the newest.
    fn of_other_code(&self, recipe_key: &str) -> anyhow::Result<Option<PathBuf>> {
        let mut found = Vec::new();
        for key in fs::read_dir(&self.runs).into_iter().flatten().flatten() {
            let folder = key.path().join(&self.name);
            let record = Record::read(&folder)?;
            if record.is_some_and(|record| record.trained && record.recipe == recipe_key) {
                let changed = folder.metadata().and_then(|metadata| metadata.modified()).ok();
                found.push((changed, folder));
            }
        }
        Ok(found.into_iter().max().map(|(_, folder)| folder))
    }
}
/// What its recipe says of the flow of a run, which makes the pairs of another, and not of its
/// weights.
fn flow_of(run: &Path) -> String {
    let recipe = fs::read_to_string(run.join("recipe.toml")).unwrap_or_default();
    let recipe: Table = recipe.parse().unwrap_or_default();
    let sample = recipe.get("sample");
    let key = |key: &str| sample.and_then(|sample| sample.get(key)).map(ToString::to_string);
    format!("{:?}", ["guidance", "guidance_interval", "schedule"].map(key))
}

/// A name of texts, the same for the same.
fn name_of(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    short(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) const RECIPE: &str = "# 3 parameters\nname = 'debug'\nseed = 3\n\n[train]\n\
                                     batch = 8\n\n[sample]\nsteps = 5\n\n[eval]\nn = 100\n";

    pub(super) fn code(training: &str) -> Code {
        Code { training: training.into(), scoring: "s".into(), any: false }
    }

    pub(super) fn job(runs: &Path, then: &[&str]) -> Job {
        let run = Run {
            name: "ot".into(),
            recipe: "debug".into(),
            set: vec!["train.batch=8".into()],
            after: None,
            then: then.iter().map(ToString::to_string).collect(),
            may_diverge: false,
        };
        Job::new(&run, 3, runs)
    }

    #[test]
    fn the_folder_follows_from_recipe_and_code_but_not_from_seed_and_scores() {
        let runs = Path::new("runs");
        let folder = |recipe: &str, training: &str| {
            job(runs, &[]).placed(recipe.into(), None, &code(training)).unwrap().folder
        };
        let usual = folder(RECIPE, "a");
        assert!(usual.ends_with("ot-3") && usual.starts_with("runs"), "{usual:?}");
        for same in [("seed = 3", "seed = 4"), ("steps = 5", "steps = 6"), ("n = 100", "n = 9")] {
            assert_eq!(folder(&RECIPE.replace(same.0, same.1), "a"), usual);
        }
        assert_ne!(folder(&RECIPE.replace("batch = 8", "batch = 9"), "a"), usual);
        assert_ne!(folder(RECIPE, "b"), usual);
    }

    #[test]
    fn the_run_before_counts_by_its_key_whatever_its_seed() {
        let student = |seed: u64| {
            let run = Run {
                name: "reflow".into(),
                recipe: "debug".into(),
                set: vec!["reflow.run={after}".into()],
                after: Some("rf".into()),
                then: vec![],
                may_diverge: false,
            };
            let before = PathBuf::from(format!("runs/abc/rf-{seed}"));
            let recipe = format!("[reflow]\nrun = \"{}\"\n", before.display());
            let job = Job::new(&run, seed, Path::new("runs"));
            job.placed(recipe, Some(&before), &code("a")).unwrap()
        };
        assert_eq!(student(0).folder.parent(), student(1).folder.parent());
        let left = student(3).left().unwrap();
        let words: Vec<_> = left[0].iter().map(|word| word.to_string_lossy()).collect();
        assert!(words.join(" ").contains("--set reflow.run=runs/abc/rf-3 --seed 3"));
    }
}
