//! Files that appear whole or not at all.

use std::io::{self, Write};
use std::path::Path;

use crate::PlotError;

/// Writes `bytes` to `path`: first to a hidden file beside it, which then takes its name.
///
/// A reader, or a crash, meets the old file or the new one, never a part; after an error the hidden
/// file is gone. Its name is drawn until it is free, so no other thread or process shares it.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), PlotError> {
    write_and_rename(path, bytes)
        .map_err(|source| PlotError::Write { path: path.to_owned(), source })
}

fn write_and_rename(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".flow-").suffix(".draft");
    // Readable by whom the user's mask allows, as any picture.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut draft = builder.tempfile_in(folder.unwrap_or(Path::new(".")))?;
    draft.write_all(bytes)?;
    draft.as_file().sync_all()?;
    draft.persist(path)?;
    Ok(())
}

/// Whether the name of the file ends in `.extension`, in small or capital letters.
pub(crate) fn has_extension(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|found| found.eq_ignore_ascii_case(extension))
}
