//! A folder of made files, which appears whole or not at all.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};

/// Writes files as a draft beside `folder`, which then takes its place.
///
/// `what` names it. A folder that has all of `marks` is an earlier one, and replaced.
///
/// # Errors
/// If the folder exists and is no earlier one, or cannot be written.
pub(crate) fn replace(
    folder: &Path,
    what: &str,
    marks: &[&str],
    files: &BTreeMap<PathBuf, Vec<u8>>,
) -> anyhow::Result<()> {
    let is_earlier = marks.iter().all(|name| folder.join(name).is_file());
    ensure!(
        is_earlier || !folder.exists(),
        "{} exists and is no earlier {what}: name another folder",
        folder.display()
    );
    let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new("."));
    let cannot = || format!("cannot write the {what} to {}", folder.display());
    fs::create_dir_all(parent).with_context(cannot)?;
    let draft = tempfile::tempdir_in(parent).with_context(cannot)?;
    for (name, bytes) in files {
        let path = draft.path().join(name);
        fs::create_dir_all(path.parent().unwrap_or(parent)).with_context(cannot)?;
        fs::write(&path, bytes).with_context(cannot)?;
    }
    if is_earlier {
        fs::remove_dir_all(folder).with_context(cannot)?;
    }
    fs::rename(draft.keep(), folder).with_context(cannot)
}
