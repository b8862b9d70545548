//! Names of folders, each of which one run alone can take.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::error::{RunError, usage};

/// Gives a draft its name, which must be free.
pub(crate) fn claim(draft: &Path, folder: &Path) -> Result<PathBuf, RunError> {
    if rename_to_free(draft, folder)? {
        return Ok(folder.to_path_buf());
    }
    Err(usage!(
        "{} exists already, name another folder or go on with `--resume {0}`",
        folder.display()
    ))
}

/// Gives a draft the next free name `NNNN-name`.
pub(crate) fn claim_next(draft: &Path, runs: &Path, name: &str) -> Result<PathBuf, RunError> {
    let cannot = RunError::io(format!("cannot read {}", runs.display()));
    let entries = fs::read_dir(runs).map_err(cannot)?;
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
fn rename_to_free(draft: &Path, folder: &Path) -> Result<bool, RunError> {
    if folder.symlink_metadata().is_ok() {
        return Ok(false);
    }
    match fs::rename(draft, folder) {
        Ok(()) => Ok(true),
        Err(e) if matches!(e.kind(), ErrorKind::AlreadyExists | ErrorKind::DirectoryNotEmpty) => {
            Ok(false)
        }
        Err(e) => Err(RunError::io(format!("cannot make {}", folder.display()))(e)),
    }
}
