//! The file of a model of its own, by which it is known again.

use std::path::{Path, PathBuf};

use flow_model::ModelConfig;
use serde::{Deserialize, Serialize};

use crate::error::{RunError, usage};

/// The model whose weights stand in place of the checkpoints of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ModelFile {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// SHA-256 of its weights, as its description holds it.
    pub(crate) sha256: String,
    /// Steps of its training, as far as it says.
    pub(crate) step: usize,
    /// The text of `environment.json`, while there is no folder for it.
    #[serde(skip)]
    pub(crate) unmade: Option<String>,
}

/// Whether a path is that of a model of its own, in a file or in a folder.
pub(crate) fn is_model(path: &Path) -> bool {
    path.is_file() || path.join("model.toml").is_file()
}

impl ModelFile {
    pub(crate) fn of(path: &Path, config: &ModelConfig) -> Result<Self, RunError> {
        let steps = config.made.get("steps").and_then(toml::Value::as_integer);
        let absolute = std::path::absolute(path)
            .map_err(RunError::io(format!("cannot find the folder of {}", path.display())))?;
        Ok(Self {
            path: absolute,
            sha256: config.sha256.clone(),
            step: steps.and_then(|steps| usize::try_from(steps).ok()).unwrap_or(0),
            unmade: None,
        })
    }

    /// The text of `environment.json` of a run whose folder is not made yet.
    pub(crate) fn unmade(&self) -> Option<&str> {
        self.unmade.as_deref()
    }

    /// What the model says of itself, if it is still the same.
    pub(crate) fn config(&self) -> Result<ModelConfig, RunError> {
        let path = self.path.display();
        if !is_model(&self.path) {
            return Err(usage!("the model {path} is gone: put it back, its weights are needed"));
        }
        let config = ModelConfig::read(&self.path)?;
        if config.sha256 != self.sha256 {
            return Err(usage!(
                "the model {path} has other weights than those whose results these are: score it \
                 anew, with another folder for --out"
            ));
        }
        Ok(config)
    }
}
