//! The folder of a run: everything that is known about it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use flow_train::{Checkpoint, CheckpointFolder};
use serde_json::json;

use crate::exit::usage;
use crate::files::{read_text, write_text};
use crate::recipe::Recipe;

/// A run on disk.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) folder: PathBuf,
    pub(crate) recipe: Recipe,
}

impl Run {
    /// Makes the folder of a new run; an existing one is never touched.
    pub(crate) fn create(recipe: Recipe, out: Option<&Path>, device: &str) -> Result<Self> {
        let folder = match out {
            Some(folder) => {
                if let Some(parent) = folder.parent() {
                    fs::create_dir_all(parent)
                        .with_context(|| format!("cannot make {}", parent.display()))?;
                }
                claim(folder)?;
                folder.to_path_buf()
            }
            None => next_free(&recipe.name)?,
        };
        for sub in ["checkpoints", "samples", "plots"] {
            let sub = folder.join(sub);
            fs::create_dir(&sub).with_context(|| format!("cannot make {}", sub.display()))?;
        }
        write_text(&folder.join("recipe.toml"), &recipe.resolved())?;
        write_text(&folder.join("environment.json"), &environment(device))?;
        Ok(Self { folder, recipe })
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

    /// Its checkpoints.
    pub(crate) fn checkpoints(&self) -> CheckpointFolder {
        CheckpointFolder::new(self.folder.join("checkpoints"), self.recipe.fingerprint())
    }

    /// Its newest checkpoint.
    pub(crate) fn latest(&self) -> Result<Checkpoint> {
        Ok(self.checkpoints().latest()?)
    }
}

/// Makes a folder that must not exist yet.
fn claim(folder: &Path) -> Result<()> {
    match fs::create_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Err(usage!(
            "{} exists already, name another folder or go on with `--resume {0}`",
            folder.display()
        )),
        other => other.with_context(|| format!("cannot make {}", folder.display())),
    }
}

/// Claims the next `runs/NNNN-name`.
fn next_free(name: &str) -> Result<PathBuf> {
    let runs = Path::new("runs");
    fs::create_dir_all(runs).context("cannot make the folder runs")?;
    let entries = fs::read_dir(runs).context("cannot read the folder runs")?;
    let numbers = entries.filter_map(|entry| {
        entry.ok()?.file_name().to_str()?.split('-').next()?.parse::<usize>().ok()
    });
    let mut number = numbers.max().map_or(1, |last| last + 1);
    loop {
        let folder = runs.join(format!("{number:04}-{name}"));
        match fs::create_dir(&folder) {
            Ok(()) => return Ok(folder),
            // Another run took the number between the look and the claim.
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => number += 1,
            Err(error) => {
                return Err(error).with_context(|| format!("cannot make {}", folder.display()));
            }
        }
    }
}

/// Where and with what a run was made.
fn environment(device: &str) -> String {
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
        "cores": std::thread::available_parallelism().map(std::num::NonZero::get).ok(),
        "os": std::env::consts::OS,
        "arch": std::env::consts::ARCH,
    });
    serde_json::to_string_pretty(&environment).expect("plain values are valid JSON")
}
