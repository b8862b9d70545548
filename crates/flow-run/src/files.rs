//! Files that are written whole or not at all.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use flow_datasets::Table;
use npyz::WriterBuilder;

use crate::drafts;
use crate::error::{RunError, usage};

/// Endings of files of models, which no folder has by intention.
pub(crate) const MODELS: [&str; 6] = ["bin", "flow", "onnx", "pt", "pth", "safetensors"];

/// Writes `path` by way of a draft beside it.
///
/// # Errors
/// When that cannot be; then `path` is what it was.
pub fn write(
    path: &Path,
    content: impl FnOnce(&mut BufWriter<&File>) -> io::Result<()>,
) -> Result<(), RunError> {
    let written = drafts::file(path).and_then(|draft| {
        let mut writer = BufWriter::new(draft.as_file());
        content(&mut writer)?;
        finished(writer)?;
        draft.persist(path)?;
        Ok(())
    });
    written.map_err(|error| cannot_write(path, error))
}

/// Writes text.
///
/// # Errors
/// As for [`write`].
pub fn write_text(path: &Path, text: &str) -> Result<(), RunError> {
    write(path, |out| out.write_all(text.as_bytes()))
}

/// Writes an array in NumPy's format, of which `fill` hands over part after part: any numbers, as
/// they are.
///
/// # Errors
/// As for [`write`], when there are other numbers than the shape has, and what `fill` returns,
/// without naming the file.
pub fn write_npy<T: npyz::AutoSerialize + Copy, E: From<RunError>>(
    path: &Path,
    shape: &[usize],
    fill: impl FnOnce(&mut dyn FnMut(&[T]) -> Result<(), RunError>) -> Result<(), E>,
) -> Result<(), E> {
    let cannot = |error| cannot_write(path, error);
    if shape.iter().try_fold(1_u64, |size, &side| size.checked_mul(side as u64)).is_none() {
        return Err(usage!("an array of the shape {shape:?} has too many numbers").into());
    }
    let shape: Vec<u64> = shape.iter().map(|&n| n as u64).collect();
    let draft = drafts::file(path).map_err(cannot)?;
    let mut writer = BufWriter::new(draft.as_file());
    let options = npyz::WriteOptions::new().default_dtype().shape(&shape);
    let mut npy = options.writer(&mut writer).begin_nd().map_err(cannot)?;
    fill(&mut |values: &[T]| npy.extend(values.iter().copied()).map_err(cannot))?;
    npy.finish().and_then(|()| finished(writer)).map_err(cannot)?;
    draft.persist(path).map_err(|error| cannot(error.error))?;
    Ok(())
}

/// The folder of a file.
#[must_use]
pub fn folder(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

/// What follows the last dot of a file's name; empty where there is none.
#[must_use]
pub fn ending(file: &Path) -> &str {
    file.extension().and_then(|ending| ending.to_str()).unwrap_or_default()
}

/// Name of the table of densities of the rows of a file.
#[must_use]
pub fn beside(file: &Path) -> String {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    format!("likelihood-{stem}.csv")
}

/// Refuses a file to write whose folder is not there, before anything is computed for it.
///
/// # Errors
/// When there is no such folder.
pub fn check_folder(out: &Path) -> Result<(), RunError> {
    let folder = folder(out);
    if folder.join(".").is_dir() {
        return Ok(());
    }
    Err(usage!("there is no folder {}, make it or change --out", folder.display()))
}

/// Refuses to write over the file that is read: what it lacks could not be told any more.
///
/// # Errors
/// When both are one file.
pub fn check_apart(file: &Path, out: &Path) -> Result<(), RunError> {
    let place = |path: &Path| path.canonicalize().ok();
    if place(out).is_some() && place(file) == place(out) {
        return Err(usage!("--out is {}, which is read: name another file", out.display()));
    }
    Ok(())
}

/// Refuses a place for a model that is taken, unless it is to be replaced: a model may be all that
/// is left of a training. Of a model that is one file the folder must be there.
///
/// # Errors
/// When there is something by that name, or no folder for it.
pub fn check_free(out: &Path, replace: bool) -> Result<(), RunError> {
    if replace || out.symlink_metadata().is_err() {
        return if MODELS.contains(&ending(out)) { check_folder(out) } else { Ok(()) };
    }
    Err(usage!(
        "{} exists already: name another place with --out, or add --force to replace it",
        out.display()
    ))
}

/// Refuses a file to write whose name is not that of any known format; `known` are the endings.
///
/// # Errors
/// When it is not known.
pub fn check_ending(out: &Path, is_known: bool, known: &str) -> Result<(), RunError> {
    if is_known {
        return Ok(());
    }
    Err(usage!("{} ends in none of {known}", out.display()))
}

/// Refuses a file that holds no table by its name.
///
/// # Errors
/// When its ending is that of no format of tables.
pub fn check_table(out: &Path) -> Result<(), RunError> {
    check_ending(out, Table::is_named(out), flow_datasets::table::ENDINGS)
}

/// Refuses a file that holds no array by its name.
///
/// # Errors
/// When its ending is that of no format of arrays.
pub fn check_array(out: &Path) -> Result<(), RunError> {
    let is_known = ["npy", "npz", "safetensors"].contains(&ending(out));
    check_ending(out, is_known, ".npy, .npz, .safetensors")
}

/// Waits until all is on the disk.
fn finished(writer: BufWriter<&File>) -> io::Result<()> {
    writer.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()
}

fn cannot_write(path: &Path, source: io::Error) -> RunError {
    let path = path.display();
    let doing =
        format!("cannot write {path}: check that its folder exists, may be written and has room");
    RunError::Io { doing, source }
}

/// Reads a text file: UTF-8, or UTF-16 that begins with its mark, as Windows PowerShell writes it.
///
/// # Errors
/// When the file cannot be read, or is no text.
pub fn read_text(path: &Path) -> Result<String, RunError> {
    let cannot = RunError::io(format!("cannot read {}", path.display()));
    let bytes = fs::read(path).map_err(cannot)?;
    text(bytes).map_err(|line| RunError::NoText { path: path.to_path_buf(), line })
}

/// The text of a file, or the line that is none.
fn text(bytes: Vec<u8>) -> Result<String, usize> {
    let lines = |text: &str| 1 + text.matches('\n').count();
    let wide = |number: fn([u8; 2]) -> u16| {
        let (pairs, rest) = bytes[2..].as_chunks::<2>();
        let mut text = String::new();
        for letter in char::decode_utf16(pairs.iter().map(|&pair| number(pair))) {
            text.push(letter.map_err(|_| lines(&text))?);
        }
        if rest.is_empty() { Ok(text) } else { Err(lines(&text)) }
    };
    match bytes.as_slice() {
        [0xff, 0xfe, ..] => wide(u16::from_le_bytes),
        [0xfe, 0xff, ..] => wide(u16::from_be_bytes),
        _ => String::from_utf8(bytes).map_err(|error| {
            let good = error.utf8_error().valid_up_to();
            lines(&String::from_utf8_lossy(&error.as_bytes()[..good]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_read_by_its_mark_and_else_as_utf8() {
        let recipe = "name = \"größe 𝄞\"\nseed = 1\n";
        let wide = |mark: [u8; 2], bytes: fn(u16) -> [u8; 2]| {
            mark.into_iter().chain(recipe.encode_utf16().flat_map(bytes)).collect::<Vec<u8>>()
        };
        assert_eq!(text(recipe.into()).unwrap(), recipe);
        assert_eq!(text(wide([0xff, 0xfe], u16::to_le_bytes)).unwrap(), recipe);
        assert_eq!(text(wide([0xfe, 0xff], u16::to_be_bytes)).unwrap(), recipe);
        assert_eq!(text(Vec::new()).unwrap(), "");
    }

    #[test]
    fn the_line_that_is_no_text_is_found() {
        // ISO 8859-1 for an umlaut, half a letter of UTF-16, and half of a pair of them.
        assert_eq!(text(b"a\nb\nc = \"\xfc\"\n".to_vec()), Err(3));
        assert_eq!(text(b"\xff\xfea\0\n\0b".to_vec()), Err(2));
        assert_eq!(text(b"\xff\xfe\x34\xd8a\0".to_vec()), Err(1));
    }
}
