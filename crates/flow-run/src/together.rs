//! Messages between the processes that share a run.

use std::path::{Path, PathBuf};

use flow_train::Group;

use crate::error::{RunError, usage};

/// Refuses a process whose things are others than those of the first one.
///
/// # Errors
/// With the first thing that differs, in every process.
pub(crate) fn check_alike(
    group: &dyn Group,
    things: &[(&'static str, String)],
) -> Result<(), RunError> {
    let size = group.size();
    for (what, own) in things {
        let all = group.gather(own.as_bytes())?;
        if let Some(rank) = all.iter().position(|other| *other != all[0]) {
            return Err(usage!(
                "the {what} of process {rank} of {size} is not that of process 0: start the same \
                 `flow` with the same command on machines that share the folders of data and runs"
            ));
        }
    }
    Ok(())
}

/// The path that the first process names.
///
/// # Errors
/// When a process has ended.
pub(crate) fn path(group: &dyn Group, path: &Path) -> Result<PathBuf, RunError> {
    let told = group.broadcast(path.as_os_str().as_encoded_bytes())?;
    if group.is_first() {
        return Ok(path.to_owned());
    }
    Ok(PathBuf::from(String::from_utf8_lossy(&told).into_owned()))
}
