//! Drafts: files and folders in the making, under names that no other process uses.
//!
//! A draft lies beside what it becomes, so that a rename makes it whole at once. Its name is drawn
//! until it is free: two processes never share one, not even in containers, where every process has
//! the number 1. Who made a draft removes it; what a killed process left is cleared a day later.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use tempfile::{Builder, NamedTempFile, TempDir};

/// The beginning and the end of the name of every draft.
const PREFIX: &str = ".flow-";
const SUFFIX: &str = ".draft";
/// Age from which a draft is taken for one that a killed process has left.
const OLD: Duration = Duration::from_hours(24);

/// An empty file beside `path`, which [`NamedTempFile::persist`] gives that name. What killed
/// processes have left there goes.
///
/// # Errors
/// When its folder cannot be written.
pub fn file(path: &Path) -> io::Result<NamedTempFile> {
    clear(folder_of(path));
    builder(0o666).tempfile_in(folder_of(path))
}

/// An empty folder in `parent`, to be filled, kept and renamed.
///
/// # Errors
/// When `parent` cannot be written.
pub fn folder(parent: &Path) -> io::Result<TempDir> {
    builder(0o777).tempdir_in(parent)
}

/// Removes drafts in `folder` whose processes have ended.
pub fn clear(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let old = || entry.metadata().ok()?.modified().ok()?.elapsed().ok();
        if is_draft(&name) && old().is_some_and(|age| OLD < age) {
            // Drafts are never read, so one that cannot be removed may stay.
            let _ = match entry.file_type() {
                Ok(kind) if kind.is_dir() => fs::remove_dir_all(entry.path()),
                _ => fs::remove_file(entry.path()),
            };
        }
    }
}

fn is_draft(name: &OsStr) -> bool {
    name.to_str().is_some_and(|name| name.starts_with(PREFIX) && name.ends_with(SUFFIX))
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

/// Names for drafts, readable by whom the user's mask allows, like everything that is not secret.
fn builder(mode: u32) -> Builder<'static, 'static> {
    let mut builder = Builder::new();
    builder.prefix(PREFIX).suffix(SUFFIX);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(mode));
    #[cfg(not(unix))]
    let _ = mode;
    builder
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn old_drafts_are_cleared_and_nothing_else_is() {
        let scene = tempfile::tempdir().unwrap();
        let names = [".flow-old.draft", ".flow-new.draft", "old", ".flow-x", "x.draft"];
        for name in names {
            let file = File::create(scene.path().join(name)).unwrap();
            if name != ".flow-new.draft" {
                file.set_modified(SystemTime::now() - 2 * OLD).unwrap();
            }
        }
        drop(file(&scene.path().join("new.npy")).unwrap());
        let left = names.map(|name| scene.path().join(name).exists());
        assert_eq!(left, [false, true, true, true, true]);
    }

    #[test]
    fn a_draft_that_is_given_up_leaves_those_of_others() {
        let scene = tempfile::tempdir().unwrap();
        let target = scene.path().join("numbers.npy");
        let other = file(&target).unwrap();
        drop(file(&target).unwrap());
        assert!(other.path().exists());
        drop(folder(scene.path()).unwrap());
        assert_eq!(fs::read_dir(scene.path()).unwrap().count(), 1);
    }
}
