//! Files that are written whole or not at all.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::{Context, Result};
use npyz::WriterBuilder;

/// Writes `path` by way of a temporary file beside it.
pub(crate) fn write(
    path: &Path,
    content: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<()>,
) -> Result<()> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(format!(".{}.tmp", std::process::id()));
    let temporary = Path::new(&temporary);
    let result = File::create(temporary).and_then(|file| {
        let mut writer = BufWriter::new(file);
        content(&mut writer)?;
        writer.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()
    });
    if let Err(error) = result.and_then(|()| fs::rename(temporary, path)) {
        // The reason matters, not whether the remains could be removed.
        let _ = fs::remove_file(temporary);
        return Err(error).with_context(|| {
            let path = path.display();
            format!(
                "cannot write {path}: check that its folder exists, may be written and has room"
            )
        });
    }
    Ok(())
}

/// Writes text.
pub(crate) fn write_text(path: &Path, text: &str) -> Result<()> {
    write(path, |out| out.write_all(text.as_bytes()))
}

/// Writes an array in NumPy's format, of which `fill` hands over part after part.
pub(crate) fn write_npy<T: npyz::AutoSerialize + Copy>(
    path: &Path,
    shape: &[usize],
    fill: impl FnOnce(&mut dyn FnMut(&[T]) -> std::io::Result<()>) -> Result<()>,
) -> Result<()> {
    let shape: Vec<u64> = shape.iter().map(|&n| n as u64).collect();
    // What goes wrong in `fill` is its own matter, and no fault of the file.
    let mut failed = None;
    let written = write(path, |out| {
        let mut npy =
            npyz::WriteOptions::new().default_dtype().shape(&shape).writer(out).begin_nd()?;
        match fill(&mut |values: &[T]| npy.extend(values.iter().copied())) {
            Ok(()) => npy.finish(),
            Err(error) => match error.downcast::<std::io::Error>() {
                Ok(error) => Err(error),
                Err(error) => {
                    failed = Some(error);
                    Err(std::io::Error::other("there is nothing to write"))
                }
            },
        }
    });
    failed.map_or(written, Err)
}

/// Reads a text file.
pub(crate) fn read_text(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}
