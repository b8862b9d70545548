//! The recipe that a model of its own keeps of its training, so that whoever has the model alone
//! can score it as its run is scored.

use std::path::{Path, PathBuf};

use flow_datasets::Holdout;
use flow_model::{ModelConfig, Registry};
use toml::{Table, Value};

use super::{Moments, RECORDS, Recipe, Scaling, check, is_records};
use crate::array::ARRAY;
use crate::error::{RunError, usage};
use crate::files::folder;
use crate::upsampling::Upsampling;

/// The key of the recipe among what made a model.
const KEY: &str = "recipe";

impl Recipe {
    /// What a model keeps of it among what made the model: all of it, but for the folders of the
    /// machine that trained. Of files and of other runs the names alone are left.
    pub(crate) fn kept(&self) -> Table {
        let mut kept = self.clone();
        kept.move_files(Path::to_path_buf);
        let bare = |path: &str| name_of(Path::new(path)).to_string_lossy().into_owned();
        if let Some(reflow) = &mut kept.reflow {
            reflow.run = bare(&reflow.run);
        }
        kept.train.weights = kept.train.weights.as_deref().map(bare);
        let kept = Table::try_from(kept).expect("a recipe is made of numbers, text and tables");
        Table::from_iter([(KEY.to_owned(), Value::Table(kept))])
    }

    /// The recipe of a model at `path`: the one that it keeps, else one that says what is known of
    /// a model from elsewhere. What the model says of itself, its network and how it is sampled,
    /// comes first.
    ///
    /// # Errors
    /// When what it says is no recipe.
    pub(crate) fn of_model(
        registry: &Registry,
        path: &Path,
        config: &ModelConfig,
    ) -> Result<Self, RunError> {
        let mut recipe = match config.made.get(KEY) {
            Some(Value::Table(kept)) => kept.clone(),
            _ => from_elsewhere(config)?,
        };
        let own = [("network", value(&config.network)), ("sample", value(&config.sample))];
        recipe.extend(own.map(|(key, value)| (key.to_owned(), value)));
        let origin = format!("what made {}", path.display());
        let mut recipe = Self::parse(registry, &recipe.to_string(), &[], &origin)?;
        // A model of its own has no checkpoints of its training beside it.
        recipe.eval.every_checkpoint = false;
        recipe.train.checkpoints = Moments::default();
        Ok(recipe)
    }

    /// The recipe of the model at `path` with the data that it is scored on: a file in place of the
    /// one that it was trained on, or the name of a set. Files that belonged to that of the
    /// training are looked for beside this one.
    ///
    /// # Errors
    /// When the model needs other data than those that are named, or some where none are.
    pub(crate) fn scored_on(mut self, path: &Path, data: Option<&Path>) -> Result<Self, RunError> {
        let (model, set) = (path.display(), self.data.set.as_str());
        if self.data.is_table() || set == ARRAY {
            let Some(file) = data else {
                let kind = if self.data.is_table() { "a table" } else { "an array" };
                return Err(usage!(
                    "{model} is a model of {kind} whose rows are not in it: name their file with \
                     --data FILE"
                ));
            };
            return self.with_file(file);
        }
        if let Some(file) = data.filter(|file| set == RECORDS && is_records(file)) {
            return self.with_file(file);
        }
        let elsewhere = set.is_empty();
        let toys = if elsewhere { flow_datasets::TOYS } else { &[] };
        let sets = [flow_datasets::IMAGE_SETS, toys].concat();
        let known = |name: &str| sets.contains(&name) || (name == set && !elsewhere);
        let is_set = |file: &Path| file.to_str().is_some_and(known);
        if let Some(file) = data.filter(|file| elsewhere && !is_set(file) && file.exists()) {
            // Its rows are those of the network as they are.
            ARRAY.clone_into(&mut self.data.set);
            self.data.scale = Some(Scaling::Bytes);
            return self.with_file(file);
        }
        match data.map(|name| name.to_str().unwrap_or_default()) {
            None if elsewhere => Err(usage!(
                "{model} does not say what it was trained on: name with --data a file of rows, a \
                 folder of images or a set, one of {}",
                sets.join(", ")
            )),
            Some(name) if !known(name) && elsewhere => Err(usage!(
                "--data is {name}, which is no file and none of the sets {}",
                sets.join(", ")
            )),
            Some(name) if !known(name) => {
                Err(usage!("--data is {name}, and {model} is scored on {set}"))
            }
            Some(name) => {
                name.clone_into(&mut self.data.set);
                // A set by its name is all of it, whatever part of it was trained on.
                (self.data.file, self.data.split) = (None, None);
                Ok(self)
            }
            None => Ok(self),
        }
    }

    /// The recipe with another file of rows, and the files that belong to it beside that.
    fn with_file(mut self, file: &Path) -> Result<Self, RunError> {
        let file = std::path::absolute(file)
            .map_err(RunError::io(format!("cannot find the folder of {}", file.display())))?;
        self.move_files(|name| folder(&file).join(name));
        self.data.file = Some(file);
        Ok(self)
    }

    /// Gives the files of the data another place each, by their names.
    fn move_files(&mut self, to: impl Fn(&Path) -> PathBuf) {
        let data = &mut self.data;
        let split = match &mut data.split {
            Some(Holdout::File { path }) => Some(path),
            _ => None,
        };
        let files = [&mut data.file, &mut data.beside, &mut data.from].into_iter().flatten();
        files.chain(split).for_each(|file| *file = to(name_of(file)));
    }
}

/// The name of a file without its folder.
fn name_of(path: &Path) -> &Path {
    path.file_name().map_or(Path::new(""), Path::new)
}

fn value(part: &impl serde::Serialize) -> Value {
    Value::try_from(part).expect("a description is made of numbers, text and tables")
}

/// What is known of a model that keeps no recipe, such as an imported one. How long it was trained
/// and how is not: these keys are there because recipes have them, and nothing reads them.
///
/// # Errors
/// When the rest of its training would have to be known.
fn from_elsewhere(config: &ModelConfig) -> Result<Table, RunError> {
    if config.source == flow_model::DATA || config.signature.two_times {
        return Err(usage!(
            "the model does not keep the recipe of its training, without which flow maps and \
             models whose paths start from data cannot be scored: export it anew from its run"
        ));
    }
    let name = Some(&config.name).filter(|name| check::name("name", name).is_ok());
    let mut data = Table::from_iter([
        ("set".to_owned(), Value::from("")),
        ("conditional".to_owned(), (0 < config.signature.classes).into()),
    ]);
    if let Some(told) = Upsampling::kept_in(&config.rows)? {
        data.insert("upsample".into(), i64::try_from(told.factor).unwrap_or(i64::MAX).into());
    }
    let label_drop = if config.learned_without { 0.1 } else { 0.0 };
    let path = [
        ("schedule", value(&config.schedule)),
        ("prediction", value(&config.prediction)),
        ("source", config.source.as_str().into()),
        ("label_drop", label_drop.into()),
    ];
    let mut train = Table::from_iter(
        ["images", "learning_rate", "checkpoint_every"].map(|key| (key.to_owned(), 1.0.into())),
    );
    train.insert("batch".into(), 1.into());
    train.extend(config.strengths.map(|strengths| ("guidance".to_owned(), value(&strengths))));
    Ok(Table::from_iter([
        ("name".to_owned(), name.map_or("model", String::as_str).into()),
        ("about".to_owned(), config.about.as_str().into()),
        ("data".to_owned(), Value::Table(data)),
        (
            "path".to_owned(),
            Value::Table(path.map(|(key, value)| (key.to_owned(), value)).into_iter().collect()),
        ),
        ("train".to_owned(), Value::Table(train)),
    ]))
}

#[cfg(test)]
mod tests {
    use flow_nn::Signature;

    use super::*;

    fn model(recipe: &Recipe) -> ModelConfig {
        let network = recipe.network.table().clone();
        let sample = recipe.sample.clone();
        let config = ModelConfig::new(Signature::of([2]), network);
        ModelConfig { made: recipe.kept(), sample, ..config }
    }

    fn read(config: &ModelConfig) -> Result<Recipe, RunError> {
        // As it comes out of a file.
        let config = ModelConfig::parse(&config.text()).unwrap();
        Recipe::of_model(&Registry::default(), Path::new("m.flow"), &config)
    }

    #[test]
    fn a_model_keeps_the_recipe_of_its_training() {
        for (name, _) in crate::RECIPES {
            let recipe = Recipe::named(&Registry::default(), name, &[]).unwrap();
            let mut expected = recipe.clone();
            expected.eval.every_checkpoint = false;
            expected.train.checkpoints = Moments::default();
            assert_eq!(read(&model(&recipe)).unwrap(), expected, "{name}");
        }
    }

    #[test]
    fn folders_of_the_machine_that_trained_are_not_kept() {
        let changes = ["data.file=\"/home/me/a.csv\"", "data.beside=\"/home/me/b.csv\""];
        let changes = changes.map(str::to_owned);
        let recipe = Recipe::named(&Registry::default(), "table", &changes).unwrap();
        let config = model(&recipe);
        assert!(!config.text().contains("/home"), "{}", config.text());
        let kept = read(&config).unwrap();
        assert_eq!(kept.data.file.as_deref(), Some(Path::new("a.csv")));
        // Files that belonged together are looked for together.
        let scored = kept.clone().scored_on(Path::new("m.flow"), Some(Path::new("/new/c.csv")));
        let data = scored.unwrap().data;
        assert_eq!(data.file.as_deref(), Some(Path::new("/new/c.csv")));
        assert_eq!(data.beside.as_deref(), Some(Path::new("/new/b.csv")));
        let error = kept.scored_on(Path::new("m.flow"), None).unwrap_err().to_string();
        assert!(error.contains("m.flow is a model of a table"), "{error}");
    }

    #[test]
    fn a_model_from_elsewhere_is_scored_on_what_is_named() {
        let recipe = Recipe::named(&Registry::default(), "digits", &[]).unwrap();
        let config = ModelConfig { made: Table::new(), ..model(&recipe) };
        let signature = Signature { classes: 10, ..Signature::of([1, 8, 8]) };
        let config = ModelConfig { signature, learned_without: true, ..config };
        let read = read(&config).unwrap();
        assert!(read.data.conditional && read.path.learns_without_class());
        assert_eq!((&read.network, &read.sample), (&recipe.network, &recipe.sample));
        let on =
            |name: Option<&str>| read.clone().scored_on(Path::new("m.flow"), name.map(Path::new));
        assert_eq!(on(Some("digits")).unwrap().data.set, "digits");
        assert_eq!(on(Some("checkerboard")).unwrap().data.set, "checkerboard");
        let file = tempfile::NamedTempFile::new().unwrap();
        let rows = on(file.path().to_str()).unwrap().data;
        assert_eq!((&*rows.set, rows.file.as_deref()), (ARRAY, Some(file.path())));
        for (name, named) in [(None, "--data"), (Some("no.npy"), "no.npy, which is no file")] {
            let error = on(name).unwrap_err().to_string();
            assert!(error.contains(named) && error.contains("mnist"), "{error}");
        }
    }
}
