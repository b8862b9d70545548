//! Files that appear whole or not at all.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::PlotError;

/// Writes `bytes` to `path`: first to a hidden file beside it, which then takes its name.
///
/// A reader, or a crash, meets the old file or the new one, never a part; after an error the hidden
/// file is gone.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), PlotError> {
    let draft = draft_beside(path);
    write_and_rename(&draft, path, bytes).map_err(|source| {
        // The error being reported is the one that matters; there may be no draft to remove.
        let _ = fs::remove_file(&draft);
        PlotError::Write { path: path.to_owned(), source }
    })
}

fn write_and_rename(draft: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create_new(draft)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    drop(file);
    fs::rename(draft, path)
}

/// A name that no other thread or process uses.
fn draft_beside(path: &Path) -> PathBuf {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}.{count}.tmp", std::process::id()))
}

/// Whether the name of the file ends in `.extension`, in small or capital letters.
pub(crate) fn has_extension(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|found| found.eq_ignore_ascii_case(extension))
}
