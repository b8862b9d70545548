//! The folder of a run: everything that is known about it.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use flow_datasets::Files;
use flow_model::{ModelConfig, Registry};
use flow_train::{Checkpoint, CheckpointFolder, Identity};

use crate::claim::{claim, claim_next};
use crate::data::Data;
use crate::drafts;
use crate::environment::{self, Environment, Models, Shape, Stage};
use crate::error::{RunError, usage};
use crate::files::{read_text, write_text};
use crate::listener::Listener;
use crate::model_file::{ModelFile, is_model};
use crate::recipe::Recipe;

/// A run on disk.
#[derive(Clone, Debug)]
pub struct Run {
    /// Where it is.
    pub folder: PathBuf,
    /// What it was made from.
    pub recipe: Recipe,
    /// The model whose weights are its own, of a run that holds what was found of one.
    pub(crate) file: Option<Box<ModelFile>>,
}

impl Run {
    /// Makes the folder of a new run; an existing one is never touched.
    ///
    /// It is filled under another name, so that a killed process leaves a whole run or none. Its
    /// environment names the `device` as it is given.
    ///
    /// # Errors
    /// When the folder exists, or cannot be made.
    pub fn create(
        recipe: Recipe,
        data: &Shape,
        models: &Models<'_>,
        out: Option<&Path>,
        device: &str,
    ) -> Result<Self, RunError> {
        let environment = environment::new(data, models, device);
        let folder = made(&recipe, &environment, out, &["checkpoints", "samples", "plots"])?;
        Ok(Self { folder, recipe, file: None })
    }

    /// Makes the folder of a run whose weights are those of a model of its own.
    pub(crate) fn make(&self, environment: &str) -> Result<(), RunError> {
        made(&self.recipe, environment, Some(&self.folder), &["samples", "plots"]).map(drop)
    }

    /// Whether a folder is that of a run.
    #[must_use]
    pub fn is_one(folder: &Path) -> bool {
        folder.join("recipe.toml").is_file()
    }

    /// Opens the folder of an earlier run, whose network is one of the registry. A model of its own
    /// is a run that has no folder.
    ///
    /// # Errors
    /// When it is none, or its recipe is not valid.
    pub fn open(registry: &Registry, folder: &Path) -> Result<Self, RunError> {
        let file = folder.join("recipe.toml");
        if !file.is_file() {
            if is_model(folder) {
                return Self::of_file(registry, folder);
            }
            if !folder.exists() {
                return Err(usage!(
                    "there is no run and no model {}, `flow train` makes one",
                    folder.display()
                ));
            }
            return Err(usage!(
                "{} is no run folder (it has no recipe.toml), `flow train` makes one",
                folder.display()
            ));
        }
        let recipe = Recipe::parse(registry, &read_text(&file)?, &[], &file.display().to_string())?;
        let file = if folder.join("checkpoints").is_dir() {
            None
        } else {
            Environment::read(folder)?.model.map(Box::new)
        };
        Ok(Self { folder: folder.to_path_buf(), recipe, file })
    }

    /// A model of its own as a run that has no folder: its recipe and its weights.
    pub(crate) fn of_file(registry: &Registry, model: &Path) -> Result<Self, RunError> {
        let config = ModelConfig::read(model)?;
        let recipe = Recipe::of_model(registry, model, &config)?;
        let file = Box::new(ModelFile::of(model, &config)?);
        Ok(Self { folder: model.to_path_buf(), recipe, file: Some(file) })
    }

    /// Opens its data, which must look like those that it was trained on; `told` hears of images
    /// that are not the same ones. Rows of other files than those become numbers as those did.
    ///
    /// # Errors
    /// When they cannot be opened, or have another shape or other classes.
    pub fn data(&self, files: &Files, told: &dyn Listener) -> Result<Data, RunError> {
        let data = match &self.file {
            Some(file) => Data::open_like(&self.recipe, files, &file.config()?.rows, told)?,
            None => Data::open(&self.recipe, files, told)?,
        };
        self.check_rows(&data)?;
        let Some(then) = self.rows()? else { return Ok(data) };
        if then.sha256.is_none() || then.sha256 == Shape::of(&data).sha256 {
            return Ok(data);
        }
        told.say(&format!(
            "the data are not those that {} {}, although they look like them",
            self.folder.display(),
            if self.is_of_model() { "holds results on" } else { "was trained on" }
        ));
        match self.file {
            Some(_) => Ok(data),
            None => Data::open_like(&self.recipe, files, &then.rows()?, told),
        }
    }

    /// What its data look like; nothing for runs made before this was kept.
    ///
    /// # Errors
    /// When `environment.json` cannot be read.
    pub fn rows(&self) -> Result<Option<Shape>, RunError> {
        match self.file.as_deref().and_then(ModelFile::unmade) {
            Some(text) => Ok(Environment::parse(text, &self.folder)?.data),
            None => Ok(Environment::read(&self.folder)?.data),
        }
    }

    /// Refuses data of another shape, or with other classes, than the run was trained on.
    ///
    /// # Errors
    /// When they differ.
    pub fn check_rows(&self, data: &Data) -> Result<(), RunError> {
        match self.rows()? {
            Some(then) => self.check_like(&then, data),
            None => Ok(()),
        }
    }

    /// Refuses data that do not look like others.
    pub(crate) fn check_like(&self, then: &Shape, data: &Data) -> Result<(), RunError> {
        let known = if then.class_names.is_empty() { &[] } else { data.class_names() };
        let now = (data.shape(), data.classes(), known);
        if now == (then.shape.clone(), then.classes, then.class_names.as_slice()) {
            return Ok(());
        }
        let what = |shape: &[usize], classes: usize, names: &[String]| match (classes, names) {
            (0, _) => format!("rows of shape {shape:?}"),
            (_, []) => format!("rows of shape {shape:?} of {classes} classes"),
            _ => format!("rows of shape {shape:?} of {classes} classes ({})", names.join(", ")),
        };
        let (who, hint) = match &self.file {
            Some(file) => (&file.path, "name its own with --data"),
            None => (&self.folder, self.remedy()),
        };
        Err(usage!(
            "{} was trained on {}, the data set `{}` here has {}, {hint}",
            who.display(),
            what(&then.shape, then.classes, &then.class_names),
            self.recipe.data.set,
            what(&now.0, now.1, now.2)
        ))
    }

    /// Refuses other data than the run was trained on, to the last byte.
    ///
    /// # Errors
    /// When they differ.
    pub fn check_data(&self, data: &Data) -> Result<(), RunError> {
        self.check_rows(data)?;
        let then = self.rows()?.and_then(|rows| rows.sha256);
        if then.is_some() && then != Shape::of(data).sha256 {
            let what = match &self.recipe.data.file {
                Some(file) => format!("the rows of {} are", file.display()),
                None => format!("the files of the data set `{}` are", self.recipe.data.set),
            };
            return Err(usage!(
                "{what} not those that {} was trained on, although they look like them: {}, or \
                 train anew",
                self.folder.display(),
                self.remedy()
            ));
        }
        Ok(())
    }

    /// What to do where the data are others.
    fn remedy(&self) -> &'static str {
        match self.recipe.data.file {
            Some(_) => "put its file back as it was",
            None => "name the folder of its data with --data-dir",
        }
    }

    /// Refuses another teacher of reflow than the one whose pairs the run was trained on.
    ///
    /// # Errors
    /// When it differs.
    pub fn check_teacher(&self, teacher: Option<&Identity>) -> Result<(), RunError> {
        let (Some(now), Some(then)) = (teacher, Environment::read(&self.folder)?.teacher) else {
            return Ok(());
        };
        let Some(difference) = now.difference(&then) else { return Ok(()) };
        let reflow = self.recipe.reflow.as_ref().map_or("", |reflow| reflow.run.as_str());
        Err(usage!(
            "reflow.run {reflow} is no longer the model that made the pairs of {}: {difference}, \
             restore it or train anew",
            self.folder.display()
        ))
    }

    /// Refuses other weights to begin with than those that the run began with.
    ///
    /// # Errors
    /// When they differ.
    pub fn check_beginning(&self, beginning: Option<&Identity>) -> Result<(), RunError> {
        let (Some(now), Some(then)) = (beginning, Environment::read(&self.folder)?.began_with)
        else {
            return Ok(());
        };
        let Some(difference) = now.difference(&then) else { return Ok(()) };
        Err(usage!(
            "train.weights {} is no longer the model that {} began with, which has no checkpoint \
             yet: {difference}, restore it or train anew",
            self.recipe.train.weights.as_deref().unwrap_or_default(),
            self.folder.display()
        ))
    }

    /// Its checkpoints.
    #[must_use]
    pub fn checkpoints(&self) -> CheckpointFolder {
        let folder = CheckpointFolder::new(self.folder.join("checkpoints"), self.recipe.identity());
        let folder = folder.keep(self.recipe.train.keep);
        if self.recipe.eval.every_checkpoint { folder.keep_all() } else { folder }
    }

    /// The checkpoint that is its model: the newest, or the best where `train.keep` says so.
    ///
    /// # Errors
    /// When there is none, or it cannot be read.
    pub fn checkpoint(&self) -> Result<Checkpoint, RunError> {
        Ok(self.checkpoints().chosen()?)
    }

    /// Whether all that `flow train` makes is there.
    #[must_use]
    pub fn is_scored(&self) -> bool {
        ["eval.json", "report.html"].iter().all(|file| self.folder.join(file).exists())
    }

    /// Removes what killed processes left in the making.
    pub(crate) fn tidy(&self) {
        for sub in ["", "samples", "plots"] {
            drafts::clear(&self.folder.join(sub));
        }
    }

    /// Takes note of a recipe whose `train.images` are more than those that `from` was trained by,
    /// and returns what they were.
    ///
    /// `recipe.toml` comes first: a process that is killed between the two files takes note later.
    pub(crate) fn lengthen(&self, from: Option<&Checkpoint>) -> Result<Option<f64>, RunError> {
        let images = self.recipe.train.images;
        let stages = Environment::read(&self.folder)?.stages;
        let trained =
            from.and_then(|checkpoint| checkpoint.identity.as_ref()?.get("train.images")?.as_f64());
        let known = stages.last().map(|stage| stage.images).or(trained);
        let (added, before): (Vec<Stage>, _) = match (from, known) {
            (Some(from), Some(before)) if before < images => {
                let first = stages.is_empty().then_some(Stage { step: 0, images: before });
                (
                    first.into_iter().chain([Stage { step: from.step, images }]).collect(),
                    Some(before),
                )
            }
            _ => (Vec::new(), None),
        };
        let all: Vec<Stage> = stages.into_iter().chain(added.iter().copied()).collect();
        if !added.is_empty()
            || Self::open(self.recipe.network.registry(), &self.folder)?.recipe != self.recipe
        {
            let text = staged(&all) + &self.recipe.resolved();
            write_text(&self.folder.join("recipe.toml"), &text)?;
        }
        if !added.is_empty() {
            Environment::add_stages(&self.folder, &added)?;
        }
        Ok(before)
    }
}

/// What a recipe must say of a training that was made longer: from its first step on, it would
/// learn at other rates.
fn staged(stages: &[Stage]) -> String {
    if stages.is_empty() {
        return String::new();
    }
    let mut text =
        "# Trained in stages, each at the learning rates of its own length:\n".to_owned();
    for Stage { step, images } in stages {
        let _ = writeln!(text, "#   from step {step} on with train.images = {images}");
    }
    text
}

/// Makes a folder of a run by the name `out`, or the next free one, with empty folders inside.
fn made(
    recipe: &Recipe,
    environment: &str,
    out: Option<&Path>,
    inside: &[&str],
) -> Result<PathBuf, RunError> {
    let parent = match out.map(|out| out.parent().unwrap_or(out)) {
        None => Path::new("runs"),
        Some(parent) if parent == Path::new("") => Path::new("."),
        Some(parent) => parent,
    };
    fs::create_dir_all(parent)
        .map_err(RunError::io(format!("cannot make {}", parent.display())))?;
    drafts::clear(parent);
    let draft = drafts::folder(parent)
        .map_err(RunError::io(format!("cannot make a folder in {}", parent.display())))?;
    fill(draft.path(), recipe, environment, inside)?;
    let folder = match out {
        Some(folder) => claim(draft.path(), folder),
        None => claim_next(draft.path(), parent, &recipe.name),
    }?;
    // It has another name now, and nothing is left to be removed.
    let _ = draft.keep();
    Ok(folder)
}

/// Fills a folder with all that a run holds before its first step.
fn fill(
    folder: &Path,
    recipe: &Recipe,
    environment: &str,
    inside: &[&str],
) -> Result<(), RunError> {
    for sub in inside {
        let sub = folder.join(sub);
        fs::create_dir(&sub).map_err(RunError::io(format!("cannot make {}", sub.display())))?;
    }
    write_text(&folder.join("recipe.toml"), &recipe.resolved())?;
    write_text(&folder.join("environment.json"), environment)
}
