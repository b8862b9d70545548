//! The place of a model: the folder of a run, or a file of its own.

use std::path::{Path, PathBuf};

use burn::tensor::Device;
use flow_datasets::counted;
use flow_model::{ModelConfig, Registry, SampleChanges};

use crate::error::{RunError, usage};
use crate::files::check_folder;
use crate::form::RowForm;
use crate::listener::Listener;
use crate::model::Model;
use crate::model_file::is_model;
use crate::request::Request;
use crate::run::Run;
use crate::table::{Conditions, TableRows};
use crate::typed::whole;
use crate::upsampling::Upsampling;

/// Where a model is sampled from.
///
/// What its rows are is known before the weights of a run are read, so that a request which cannot
/// be met is refused at once.
#[derive(Debug)]
pub enum Place {
    /// A run, whose newest checkpoint is opened when all else is clear.
    Run(Box<Run>),
    /// A model that `flow export` wrote.
    File(Box<Model>),
}

impl Place {
    /// Opens a run, or a model of its own.
    ///
    /// # Errors
    /// When it is neither, or cannot be read.
    pub fn open(registry: &Registry, path: &Path, device: &Device) -> Result<Self, RunError> {
        // What is neither is refused as a run, which says how one is made.
        if is_model(path) {
            return Ok(Self::File(Box::new(Model::of_file(registry, path, device)?)));
        }
        Ok(Self::Run(Box::new(Run::open(registry, path)?)))
    }

    /// Whether there is a model of its own at a path, and no run.
    #[must_use]
    pub fn is_model(path: &Path) -> bool {
        is_model(path)
    }

    /// The run, unless it is a model of its own.
    #[must_use]
    pub fn run(&self) -> Option<&Run> {
        match self {
            Self::Run(run) => Some(run),
            Self::File(_) => None,
        }
    }

    /// How the model's rows become those of a table, for a model of one.
    ///
    /// # Errors
    /// When what is kept of the table is damaged.
    pub fn table(&self) -> Result<Option<TableRows>, RunError> {
        match self {
            Self::Run(_) => Ok(TableRows::of(&self.rows()?)?),
            Self::File(model) => model.table(),
        }
    }

    /// The columns that the model is told, of its table or beside its array.
    ///
    /// # Errors
    /// When what is kept of them is damaged.
    pub fn given_columns(&self) -> Result<Option<TableRows>, RunError> {
        Ok(TableRows::given_of(&self.rows()?)?)
    }

    /// The condition vector of the columns that the model is told, of values as they are typed
    /// after `--given`; nothing for a model that is told none.
    ///
    /// # Errors
    /// When the values are not those of the columns, or are several rows.
    pub fn given(
        &self,
        text: Option<&str>,
        told: &dyn Listener,
    ) -> Result<Option<Vec<f32>>, RunError> {
        let columns = self.given_columns()?;
        let given = Conditions::given(columns.as_ref(), "--given", text, told)?;
        match given {
            Some(Conditions { table, .. }) if table.len() != 1 => {
                Err(usage!("--given has {}, and one is asked for", counted(table.len(), "row")))
            }
            given => Ok(given.map(|given| given.vectors)),
        }
    }

    /// How the model's rows become those of a table, for a model of one alone; `path` is where it
    /// was opened.
    ///
    /// # Errors
    /// For a model of something else, and as for [`table`](Self::table).
    pub fn columns(&self, path: &Path) -> Result<TableRows, RunError> {
        self.table()?.ok_or_else(|| usage!("{} is no model of a table", path.display()))
    }

    /// By how much the model enlarges what it is told, for a model of that kind.
    ///
    /// # Errors
    /// When what is kept of it is damaged.
    pub fn upsampling(&self) -> Result<Option<Upsampling>, RunError> {
        match self {
            Self::Run(run) => match run.rows()? {
                Some(rows) => Upsampling::of(&run.recipe, &rows.shape),
                None => Ok(None),
            },
            Self::File(model) => model.upsampling(),
        }
    }

    /// What the model's rows are in a file.
    ///
    /// # Errors
    /// When what is kept of them is damaged.
    pub fn form(&self) -> Result<RowForm, RunError> {
        RowForm::of(&self.rows()?)
    }

    /// What the model's rows are, under keys of their own; empty for data that ship.
    ///
    /// # Errors
    /// When `environment.json` of the run cannot be read.
    pub fn rows(&self) -> Result<toml::Table, RunError> {
        Ok(match self {
            Self::Run(run) => {
                run.rows()?.map(|shape| shape.rows()).transpose()?.unwrap_or_default()
            }
            Self::File(model) => model.config().rows.clone(),
        })
    }

    /// A class as it is typed: by its number, which counts from 0 in the order of the classes, or
    /// by its name where the classes of the model have names. Whether the model has a class of a
    /// number, it says itself.
    ///
    /// # Errors
    /// When it is neither.
    pub fn class(&self, typed: &str) -> Result<usize, RunError> {
        if let Ok(number) = whole(typed) {
            return Ok(number);
        }
        let names = match self {
            Self::Run(run) if run.recipe.data.conditional => {
                run.rows()?.map_or_else(Vec::new, |shape| shape.class_names)
            }
            Self::Run(_) => Vec::new(),
            Self::File(model) => model.class_names().to_vec(),
        };
        names.iter().position(|name| name == typed).ok_or_else(|| {
            if names.is_empty() {
                return usage!(
                    "--class {typed}: the model has no classes with names, give a number"
                );
            }
            usage!("there is no class `{typed}`, the model's classes are {}", names.join(", "))
        })
    }

    /// Whether the model is told a class or numbers.
    #[must_use]
    pub fn is_conditional(&self) -> bool {
        match self {
            Self::Run(run) => run.recipe.data.conditional || !run.recipe.data.given.is_empty(),
            Self::File(model) => model.is_told(),
        }
    }

    /// The model, of a run that of the newest checkpoint.
    ///
    /// # Errors
    /// When the run has no checkpoint, or it cannot be read.
    pub fn model(self, device: &Device) -> Result<Model, RunError> {
        match self {
            Self::Run(run) => Model::load(&run, device),
            Self::File(model) => Ok(*model),
        }
    }

    /// The model, with the weaker one that guides it; `asked` is whether a strength of guidance
    /// was named.
    ///
    /// # Errors
    /// When guidance has nothing to move away from or no strength, when the two models are of other
    /// rows, and as for [`model`](Self::model).
    pub fn guided_model(
        self,
        guide: Option<Self>,
        asked: bool,
        device: &Device,
    ) -> Result<Model, RunError> {
        let model = self.model(device)?;
        if let Some(guide) = guide {
            if !asked {
                return Err(usage!("--guide-with needs a strength, add --guidance"));
            }
            return model.guided_by(guide.model(device)?);
        }
        if asked && !model.is_told() {
            return Err(usage!(
                "--guidance is given, but the model knows no classes and has no --guide-with"
            ));
        }
        Ok(model)
    }

    /// A request as by [`request`](Self::request). Guidance moves away from a weaker model where
    /// there is one, `has_guide`, also if this one is told nothing.
    ///
    /// # Errors
    /// For an interval of guidance without guidance, and as for [`request`](Self::request).
    pub fn guided_request(
        &self,
        changes: &SampleChanges,
        n: usize,
        seed: u64,
        has_guide: bool,
    ) -> Result<Request, RunError> {
        let request = if has_guide {
            self.any_request(changes, n, seed)
        } else {
            self.request(changes, n, seed)
        };
        let request = request?;
        let asked = changes.guidance.is_some() || request.is_guided();
        if changes.guidance_interval.is_some() && !asked {
            return Err(usage!(
                "--guidance-interval does nothing without guidance, add --guidance"
            ));
        }
        Ok(request)
    }

    /// A request for samples as the model or its recipe draws them, but for what is changed. A
    /// model that is told nothing has nothing to be guided away from, whatever strength its recipe
    /// has.
    ///
    /// # Errors
    /// For changes that cannot work.
    pub fn request(
        &self,
        changes: &SampleChanges,
        n: usize,
        seed: u64,
    ) -> Result<Request, RunError> {
        let request = self.any_request(changes, n, seed)?;
        let guidance = if self.is_conditional() { request.guidance } else { 1.0 };
        Ok(Request { guidance, ..request })
    }

    fn any_request(
        &self,
        changes: &SampleChanges,
        n: usize,
        seed: u64,
    ) -> Result<Request, RunError> {
        match self {
            Self::Run(run) => Request::new(&run.recipe, changes, n, seed),
            Self::File(model) => {
                let ModelConfig { sample, learned_velocity, .. } = model.config();
                Request::of(sample, changes, n, seed, *learned_velocity)
            }
        }
    }

    /// The file to write: as named, or one of the run's own.
    ///
    /// # Errors
    /// When the folder of the file is not there, and when a model that is no run needs a name.
    pub fn out(
        &self,
        named: Option<&Path>,
        own: impl FnOnce(&Run) -> Result<String, RunError>,
    ) -> Result<PathBuf, RunError> {
        let out = match (named, self) {
            (Some(out), _) => out.to_path_buf(),
            (None, Self::Run(run)) => run.folder.join("samples").join(own(run)?),
            (None, Self::File(_)) => {
                return Err(usage!("the model is no run with a place for samples, add --out"));
            }
        };
        check_folder(&out)?;
        Ok(out)
    }
}
