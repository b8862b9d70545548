//! One process trains a run at a time.

use std::fs::{File, TryLockError};
use std::io::{Read, Write};
use std::path::Path;

use crate::error::{RunError, usage};
use crate::listener::Listener;

/// The right to train a run, which ends with its owner, however that ends.
///
/// The system locks the file `lock` for as long as it is open, so a killed process leaves no lock.
/// The file stays, because two processes that wait for a name could not share it if it went; in it
/// stands who has the lock. Commands that only read a run do not ask for it.
#[derive(Debug)]
pub struct Lock(File);

impl Lock {
    /// Takes the lock of a run; `told` gets a message on a system that has no locks.
    ///
    /// # Errors
    /// When another process has it.
    pub fn take(run: &Path, told: &dyn Listener) -> Result<Self, RunError> {
        let path = run.join("lock");
        let mut file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(RunError::io(format!("cannot open {}", path.display())))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut owner = String::new();
                // Some systems do not let others read a locked file: then it has no name.
                let _ = file.read_to_string(&mut owner);
                let owner = if owner.is_empty() { owner } else { format!(" ({})", owner.trim()) };
                return Err(usage!(
                    "another process{owner} trains {}, wait for it or stop it",
                    run.display()
                ));
            }
            Err(TryLockError::Error(error)) => told.say(&format!(
                "cannot lock {}: {error}; see to it that no other process trains this run",
                path.display()
            )),
        }
        // The lock counts, not the name in it, which a full disk may refuse.
        let _ = file.set_len(0).and_then(|()| write!(file, "PID {}", std::process::id()));
        Ok(Self(file))
    }

    /// Whether a process trains a run at present, as far as the system tells.
    #[must_use]
    pub fn is_held(run: &Path) -> bool {
        let file = File::open(run.join("lock"));
        file.is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // As above: the text in the file may stay if the disk refuses to shorten it.
        let _ = self.0.set_len(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Silent;

    #[test]
    fn a_second_owner_is_refused_with_the_name_of_the_first_until_that_ends() {
        let run = tempfile::tempdir().unwrap();
        let first = Lock::take(run.path(), &Silent).unwrap();
        let error = Lock::take(run.path(), &Silent).unwrap_err().to_string();
        assert!(error.contains(&format!("(PID {})", std::process::id())), "{error}");
        assert!(Lock::is_held(run.path()));
        drop(first);
        assert!(!Lock::is_held(run.path()));
        Lock::take(run.path(), &Silent).unwrap();
    }
}
