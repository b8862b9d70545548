//! The place of a model: the folder of a run, or a file of its own.

use std::path::{Path, PathBuf};

use anyhow::Result;
use burn::tensor::Device;
use flow_model::Registry;
use flow_run::array::ArrayRows;
use flow_run::table::TableRows;
use flow_run::{Model, Request, Run, SampleChanges, Upsampling};

use crate::exit::usage;

/// Where a model is sampled from.
pub(crate) enum Place {
    /// A run, whose newest checkpoint is opened when all else is clear.
    Run(Box<Run>),
    /// A model that `flow export` wrote.
    File(Box<Model>),
}

impl Place {
    /// Opens a run, or a model of its own.
    pub(crate) fn open(registry: &Registry, path: &Path, device: &Device) -> Result<Self> {
        // What is neither is refused as a run, which says how one is made.
        if path.join("model.toml").is_file() || path.is_file() {
            return Ok(Self::File(Box::new(Model::of_file(registry, path, device)?)));
        }
        Ok(Self::Run(Box::new(Run::open(registry, path)?)))
    }

    /// How the model's rows become those of a table, for a model of one.
    pub(crate) fn table(&self) -> Result<Option<TableRows>> {
        Ok(match self {
            Self::Run(_) => TableRows::of(&self.rows()?)?,
            Self::File(model) => model.table()?,
        })
    }

    /// By how much the model enlarges what it is told, for a model of that kind.
    pub(crate) fn upsampling(&self) -> Result<Option<Upsampling>> {
        Ok(match self {
            Self::Run(run) => match run.rows()? {
                Some(rows) => Upsampling::of(&run.recipe, &rows.shape)?,
                None => None,
            },
            Self::File(model) => model.upsampling()?,
        })
    }

    /// What the model's rows look like in a file, for a model of an array.
    pub(crate) fn array(&self) -> Result<Option<ArrayRows>> {
        Ok(ArrayRows::of(&self.rows()?)?)
    }

    /// What the model's rows are, under keys of their own; empty for data that ship.
    pub(crate) fn rows(&self) -> Result<toml::Table> {
        Ok(match self {
            Self::Run(run) => {
                run.rows()?.map(|shape| shape.rows()).transpose()?.unwrap_or_default()
            }
            Self::File(model) => model.config().rows.clone(),
        })
    }

    /// Whether the model is told a class or numbers.
    pub(crate) fn is_conditional(&self) -> bool {
        match self {
            Self::Run(run) => run.recipe.data.conditional || !run.recipe.data.given.is_empty(),
            Self::File(model) => model.is_told(),
        }
    }

    /// The model, of a run that of the newest checkpoint.
    pub(crate) fn model(self, device: &Device) -> Result<Model> {
        match self {
            Self::Run(run) => Ok(Model::load(&run, device)?),
            Self::File(model) => Ok(*model),
        }
    }

    /// A request for samples as the model or its recipe draws them, but for what is changed.
    pub(crate) fn request(&self, changes: &SampleChanges, n: usize, seed: u64) -> Result<Request> {
        Ok(match self {
            Self::Run(run) => Request::new(&run.recipe, changes, n, seed)?,
            Self::File(model) => Request::of(&model.config().sample, changes, n, seed)?,
        })
    }

    /// The file to write: as named, or one of the run's own.
    pub(crate) fn out(
        &self,
        named: Option<&Path>,
        own: impl FnOnce(&Run) -> Result<String>,
    ) -> Result<PathBuf> {
        let out = match (named, self) {
            (Some(out), _) => out.to_path_buf(),
            (None, Self::Run(run)) => run.folder.join("samples").join(own(run)?),
            (None, Self::File(_)) => {
                return Err(usage!("the model is no run with a place for samples, add --out"));
            }
        };
        let folder = folder(&out);
        if !folder.join(".").is_dir() {
            let folder = folder.display();
            return Err(usage!("there is no folder {folder}, make it or change --out"));
        }
        Ok(out)
    }
}

/// The folder of a file.
pub(crate) fn folder(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}
