//! Files that are written whole or not at all.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// Writes `path` by way of a draft beside it, which takes its place when it is complete.
pub(crate) fn whole(
    path: &Path,
    content: impl FnOnce(&mut BufWriter<&File>) -> io::Result<()>,
) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    #[cfg_attr(not(unix), allow(unused_mut, reason = "permissions are those of Unix"))]
    let mut builder = tempfile::Builder::new();
    // A draft is private unless told so; a table has the rights of any new file.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let draft = builder.tempfile_in(folder.unwrap_or(Path::new(".")))?;
    let mut writer = BufWriter::new(draft.as_file());
    content(&mut writer)?;
    writer.flush()?;
    drop(writer);
    draft.as_file().sync_all()?;
    draft.persist(path).map_err(|error| error.error)?;
    Ok(())
}
