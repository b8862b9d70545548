//! The folder of a run: everything that is known about it.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use flow_train::{Checkpoint, CheckpointFolder, TrainError};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::exit::usage;
use crate::files::{read_text, write_text};
use crate::recipe::Recipe;

/// What a network must know of the data.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Shape {
    /// Of one row.
    pub(crate) shape: Vec<usize>,
    /// 0 where there are none.
    pub(crate) classes: usize,
    /// What they are called, in the order of their labels; runs made before this was kept do not say it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) class_names: Vec<String>,
    /// Of all pictures of a user's own, by which it is seen that they are others now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sha256: Option<String>,
}

/// A run on disk.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) folder: PathBuf,
    pub(crate) recipe: Recipe,
}

impl Run {
    /// Makes the folder of a new run; an existing one is never touched.
    ///
    /// It is filled under another name, so that a killed process leaves a whole run or none.
    pub(crate) fn create(
        recipe: Recipe,
        rows: &Shape,
        out: Option<&Path>,
        device: &str,
    ) -> Result<Self> {
        let parent = out.map_or(Path::new("runs"), |out| out.parent().unwrap_or(out));
        fs::create_dir_all(parent).with_context(|| format!("cannot make {}", parent.display()))?;
        let draft = parent.join(format!(".unfinished-{}", std::process::id()));
        let named = fill(&draft, &recipe, rows, device).and_then(|()| match out {
            Some(folder) => claim(&draft, folder),
            None => claim_next(&draft, parent, &recipe.name),
        });
        if named.is_err() {
            // The reason matters, not whether the remains could be removed.
            let _ = fs::remove_dir_all(&draft);
        }
        Ok(Self { folder: named?, recipe })
    }

    /// Opens the folder of an earlier run.
    pub(crate) fn open(folder: &Path) -> Result<Self> {
        let file = folder.join("recipe.toml");
        if !file.is_file() {
            return Err(usage!(
                "{} is no run folder (it has no recipe.toml), `flow train` makes one",
                folder.display()
            ));
        }
        let recipe = Recipe::parse(&read_text(&file)?, &[], &file.display().to_string())?;
        Ok(Self { folder: folder.to_path_buf(), recipe })
    }

    /// What its data look like; nothing for runs made before this was kept.
    pub(crate) fn rows(&self) -> Option<Shape> {
        let text = read_text(&self.folder.join("environment.json")).ok()?;
        let mut environment: serde_json::Value = serde_json::from_str(&text).ok()?;
        serde_json::from_value(environment.get_mut("data")?.take()).ok()
    }

    /// Its checkpoints.
    pub(crate) fn checkpoints(&self) -> CheckpointFolder {
        let folder =
            CheckpointFolder::new(self.folder.join("checkpoints"), self.recipe.fingerprint());
        if self.recipe.eval.every_checkpoint { folder.keep_all() } else { folder }
    }

    /// Its newest checkpoint.
    pub(crate) fn latest(&self) -> Result<Checkpoint> {
        Ok(self.checkpoints().latest()?)
    }

    /// Its newest checkpoint, or none if it was stopped before the first.
    pub(crate) fn progress(&self) -> Result<Option<Checkpoint>> {
        match self.checkpoints().latest() {
            Err(TrainError::NoCheckpoint { .. }) => Ok(None),
            other => Ok(Some(other?)),
        }
    }
}

/// Makes a folder with all that a run holds before its first step.
fn fill(folder: &Path, recipe: &Recipe, rows: &Shape, device: &str) -> Result<()> {
    for sub in ["", "checkpoints", "samples", "plots"] {
        let sub = folder.join(sub);
        fs::create_dir(&sub).with_context(|| format!("cannot make {}", sub.display()))?;
    }
    write_text(&folder.join("recipe.toml"), &recipe.resolved())?;
    write_text(&folder.join("environment.json"), &environment(rows, device))
}

/// Gives a draft its name, which must be free.
fn claim(draft: &Path, folder: &Path) -> Result<PathBuf> {
    if rename_to_free(draft, folder)? {
        return Ok(folder.to_path_buf());
    }
    Err(usage!(
        "{} exists already, name another folder or go on with `--resume {0}`",
        folder.display()
    ))
}

/// Gives a draft the next free name `NNNN-name`.
fn claim_next(draft: &Path, runs: &Path, name: &str) -> Result<PathBuf> {
    let entries = fs::read_dir(runs).with_context(|| format!("cannot read {}", runs.display()))?;
    let numbers = entries.filter_map(|entry| {
        entry.ok()?.file_name().to_str()?.split('-').next()?.parse::<usize>().ok()
    });
    let mut number = numbers.max().map_or(1, |last| last + 1);
    loop {
        let folder = runs.join(format!("{number:04}-{name}"));
        if rename_to_free(draft, &folder)? {
            return Ok(folder);
        }
        // Another run took the number between the look and the claim.
        number += 1;
    }
}

/// Whether `folder` was free and is now what `draft` was.
fn rename_to_free(draft: &Path, folder: &Path) -> Result<bool> {
    if folder.symlink_metadata().is_ok() {
        return Ok(false);
    }
    match fs::rename(draft, folder) {
        Ok(()) => Ok(true),
        Err(e) if matches!(e.kind(), ErrorKind::AlreadyExists | ErrorKind::DirectoryNotEmpty) => {
            Ok(false)
        }
        Err(e) => Err(e).with_context(|| format!("cannot make {}", folder.display())),
    }
}

/// Where and with what a run was made.
fn environment(rows: &Shape, device: &str) -> String {
    let git = |args: &[&str]| {
        let output = Command::new("git").args(args).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_string())
    };
    let environment = json!({
        "schema": 1,
        "version": env!("CARGO_PKG_VERSION"),
        "commit": git(&["rev-parse", "HEAD"]),
        "uncommitted_changes": git(&["status", "--porcelain"]).map(|status| !status.is_empty()),
        "rustc": env!("FLOW_RUSTC"),
        "burn": "0.22.1",
        "device": device,
        "data": rows,
        "cores": std::thread::available_parallelism().map(std::num::NonZero::get).ok(),
        "os": std::env::consts::OS,
        "arch": std::env::consts::ARCH,
    });
    serde_json::to_string_pretty(&environment).expect("plain values are valid JSON")
}
