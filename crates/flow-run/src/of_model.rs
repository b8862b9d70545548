//! A model of its own as a run: what is found of it has a folder, and its weights stay where they
//! are.

use std::fs;
use std::path::Path;

use flow_datasets::Files;
use flow_model::Registry;

use crate::data::Data;
use crate::environment::{self, Shape};
use crate::error::{RunError, usage};
use crate::listener::Listener;
use crate::model_file::{ModelFile, is_model};
use crate::run::Run;

impl Run {
    /// The run at a path with its data, or a model of its own as [`of_model`](Self::of_model) makes
    /// it; `data` and `out` are for the latter alone.
    ///
    /// # Errors
    /// When they are named for a run, or `out` is not named for a model, and when what is there
    /// cannot be read.
    pub fn scored(
        registry: &Registry,
        path: &Path,
        [data, out]: [Option<&Path>; 2],
        files: &Files,
        device: &str,
        told: &dyn Listener,
    ) -> Result<(Self, Data), RunError> {
        if is_model(path) {
            let Some(out) = out else {
                let model = path.display();
                return Err(usage!(
                    "{model} is a model and no run, which has a folder for what is found: name \
                     one with --out DIR"
                ));
            };
            return Self::of_model(registry, [path, out], data, files, device, told);
        }
        let run = Self::open(registry, path)?;
        if let Some(option) = data.map(|_| "--data").or(out.map(|_| "--out")) {
            return Err(usage!(
                "{option} is for a model of its own, and {} is a run, which has its data and its \
                 folder: leave it out",
                path.display()
            ));
        }
        let data = run.data(files, told)?;
        Ok((run, data))
    }

    /// A model of its own as a run, with the data that it is scored on: a file, or the name of a
    /// set, where the model does not say it. What is found of it goes into the folder `out`, which
    /// [`keep`](Self::keep) makes, or which an earlier call has made for this model and these data;
    /// it is a run for every command that reads one. The environment there names the `device`.
    ///
    /// The rows of a file become those of the network as they did in the training, and are held out
    /// by the same rule.
    ///
    /// # Errors
    /// When `out` is not named or holds something else, and when the data do not fit the model.
    pub fn of_model(
        registry: &Registry,
        [model, out]: [&Path; 2],
        data: Option<&Path>,
        files: &Files,
        device: &str,
        told: &dyn Listener,
    ) -> Result<(Self, Data), RunError> {
        let Self { recipe, file, .. } = Self::of_file(registry, model)?;
        let made = out.symlink_metadata().is_ok().then(|| Self::open(registry, out));
        if let Some(made) = made {
            let run = made.ok().filter(|run| run.same_model(file.as_deref()));
            let Some(run) = run else {
                return Err(usage!(
                    "{} exists already and holds no results of {}, name another folder with --out",
                    out.display(),
                    model.display()
                ));
            };
            let run = Self { file, ..run };
            run.check_asked(data)?;
            let data = run.data(files, told)?;
            return Ok((run, data));
        }
        let recipe = recipe.scored_on(model, data)?;
        let mut run = Self { folder: out.to_path_buf(), recipe, file };
        let opened = run.data(files, told)?;
        run.check_fit(&opened)?;
        if let Some(file) = &mut run.file {
            file.unmade = Some(environment::of_model(&Shape::of(&opened), file, device));
        }
        Ok((run, opened))
    }

    /// Makes the folder for what is found of a model of its own, unless it is there. That of any
    /// other run is as old as its training.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn keep(&self) -> Result<(), RunError> {
        match self.file.as_deref().and_then(ModelFile::unmade) {
            Some(environment) if !self.folder.exists() => self.make(environment),
            _ => Ok(()),
        }
    }

    /// Steps of its weights.
    ///
    /// # Errors
    /// When it has no checkpoint.
    pub fn step(&self) -> Result<usize, RunError> {
        match &self.file {
            Some(file) => Ok(file.step),
            None => Ok(self.checkpoint()?.step),
        }
    }

    /// Whether its weights are those of a model of its own, so that it has no training to go on
    /// with, no checkpoints and no log.
    #[must_use]
    pub fn is_of_model(&self) -> bool {
        self.file.is_some()
    }

    fn same_model(&self, other: Option<&ModelFile>) -> bool {
        self.file.as_ref().map(|file| &file.sha256) == other.map(|file| &file.sha256)
    }

    /// Refuses other data than those of the results that are there.
    fn check_asked(&self, data: Option<&Path>) -> Result<(), RunError> {
        let Some(asked) = data else { return Ok(()) };
        let same = match &self.recipe.data.file {
            Some(file) => fs::canonicalize(asked)
                .ok()
                .is_some_and(|asked| fs::canonicalize(file).is_ok_and(|file| file == asked)),
            None => asked == Path::new(&self.recipe.data.set),
        };
        if same {
            return Ok(());
        }
        let data = &self.recipe.data;
        let then = data.file.as_ref().map_or(data.set.clone(), |file| file.display().to_string());
        Err(usage!(
            "{} holds results on {then}, name another folder with --out for those on {}",
            self.folder.display(),
            asked.display()
        ))
    }

    /// Refuses data of other rows than the model makes.
    pub(crate) fn check_fit(&self, data: &Data) -> Result<(), RunError> {
        let Some(file) = &self.file else { return Ok(()) };
        let config = file.config()?;
        let (shape, classes) = (config.signature.shape, config.signature.classes);
        if classes == 0 && data.shape() == shape {
            // Data may have classes that the model is not told.
            return Ok(());
        }
        let then = Shape { shape, classes, class_names: config.class_names, ..Shape::default() };
        self.check_like(&then, data)
    }
}
