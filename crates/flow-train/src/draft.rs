//! A checkpoint in the making.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Begins the name of a draft.
const UNFINISHED: &str = ".unfinished-";
/// File in a draft that its process holds locked.
const LOCK: &str = "lock";
/// Age from which a draft without a lock is taken for abandoned.
const ABANDONED: Duration = Duration::from_hours(24);

/// A folder under a temporary name of its own, until it is whole and is renamed.
///
/// Its process holds a lock in it, which ends with the process, so that others can tell what a
/// killed process left from what a live one writes.
#[derive(Debug)]
pub(crate) struct Draft {
    path: PathBuf,
    lock: File,
    /// Parts written.
    pub(crate) written: usize,
}

impl Draft {
    /// Begins the checkpoint of `step` in `folder`, which is made if it is missing.
    pub(crate) fn new(folder: &Path, step: usize) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let mut number = 0;
        loop {
            let path = folder.join(format!("{UNFINISHED}{step}-{number}"));
            number += 1;
            match fs::create_dir(&path) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
                Err(error) => return Err(error),
            }
            let lock = File::create(path.join(LOCK))?;
            // Before this line another process may have taken the lock and removed the folder.
            let free = !matches!(lock.try_lock(), Err(TryLockError::WouldBlock));
            if free && path.join(LOCK).exists() {
                return Ok(Self { path, lock, written: 0 });
            }
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Gives the finished folder its name.
    pub(crate) fn rename(self, name: &Path) -> io::Result<()> {
        fs::remove_file(self.path.join(LOCK))?;
        drop(self.lock);
        fs::rename(&self.path, name)
    }

    /// Removes the drafts in `folder` whose processes have ended.
    pub(crate) fn discard_abandoned(folder: &Path) {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        for entry in entries {
            let path = entry.path();
            if entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
                // Held until the folder is gone.
                let lock = OpenOptions::new().write(true).open(path.join(LOCK));
                let abandoned = match lock.as_ref().map(File::try_lock) {
                    Ok(Ok(())) => true,
                    Ok(Err(TryLockError::WouldBlock)) => false,
                    _ => is_old(&path),
                };
                if abandoned {
                    // Remains are never read, so they may stay.
                    let _ = fs::remove_dir_all(&path);
                }
            }
        }
    }
}

fn is_old(path: &Path) -> bool {
    let age = fs::metadata(path).and_then(|data| data.modified()).map(|time| time.elapsed());
    matches!(age, Ok(Ok(age)) if ABANDONED < age)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_drafts_of_a_step_have_two_names() {
        let folder = tempfile::tempdir().unwrap();
        let [a, b] = [0, 1].map(|_| Draft::new(folder.path(), 7).unwrap());
        assert_ne!(a.path(), b.path());
        a.rename(&folder.path().join("step-7")).unwrap();
        assert!(b.path().join(LOCK).exists(), "a draft keeps what another process writes");
    }

    #[test]
    fn what_a_live_process_writes_stays_and_what_a_dead_one_left_goes() {
        let folder = tempfile::tempdir().unwrap();
        let live = Draft::new(folder.path(), 1).unwrap();
        let dead = Draft::new(folder.path(), 2).unwrap();
        let left = dead.path().to_path_buf();
        drop(dead);
        // Without a lock it may be of another program, and it is young.
        let strange = folder.path().join(".unfinished-3");
        fs::create_dir(&strange).unwrap();
        Draft::discard_abandoned(folder.path());
        assert!(live.path().exists() && !left.exists() && strange.exists());
    }
}
