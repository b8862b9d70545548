//! What was done of a run, in a file beside its folder.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::{Deserialize, Serialize};

/// What was done, and by what.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Record {
    /// A name of all that the training reads of the recipe.
    pub(super) recipe: String,
    /// A name of the code that trained.
    pub(super) code: String,
    pub(super) trained: bool,
    /// Whether its loss stopped being a number, where that is a result.
    #[serde(default)]
    pub(super) diverged: bool,
    /// Wall time of the training.
    pub(super) seconds: f64,
    /// By the line of the command.
    pub(super) scores: BTreeMap<String, Scored>,
}

/// A command that scored the run.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Scored {
    /// A name of all that it read of the recipe, and of its code.
    pub(super) key: String,
    pub(super) seconds: f64,
}

impl Record {
    /// What was done; nothing, once the run's folder is removed.
    pub(super) fn read(folder: &Path) -> anyhow::Result<Option<Self>> {
        let path = beside(folder, "json");
        if !path.exists() || !folder.exists() {
            return Ok(None);
        }
        let text = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let record = serde_json::from_slice(&text)
            .with_context(|| format!("{} is damaged, remove it and the run", path.display()))?;
        Ok(Some(record))
    }

    pub(super) fn keep(&self, folder: &Path) -> anyhow::Result<()> {
        let [path, draft] = ["json", "json.tmp"].map(|extension| beside(folder, extension));
        let text = serde_json::to_string(self).context("a record is text and numbers")?;
        fs::write(&draft, text)
            .and_then(|()| fs::rename(&draft, &path))
            .with_context(|| format!("cannot write {}", path.display()))
    }

    /// Wall time of all that was done.
    pub(super) fn seconds(&self) -> f64 {
        self.seconds + self.scores.values().map(|scored| scored.seconds).sum::<f64>()
    }
}

/// `NAME.EXTENSION` beside the folder `NAME`.
pub(super) fn beside(folder: &Path, extension: &str) -> PathBuf {
    // Not `with_extension`: a name may hold a dot.
    let mut path = folder.to_owned().into_os_string();
    path.push(format!(".{extension}"));
    path.into()
}
