//! An array into a file, part after part.

use std::io::{self, Write};
use std::path::Path;

use super::{ArrayError, Element, Format, NpyHeader, Number, npz};
use crate::table::whole;

/// What an array is called, what its numbers are, and their shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArrayForm {
    /// Its name in an npz or safetensors file.
    pub name: String,
    /// The type of its numbers.
    pub element: Element,
    /// Its sizes, the number of rows first.
    pub shape: Vec<usize>,
}

impl ArrayForm {
    fn bytes(&self) -> u64 {
        self.shape.iter().map(|&n| n as u64).product::<u64>() * self.element.size() as u64
    }
}

/// What takes the numbers of an array, one part after the other.
type Put<'a, T = f32> = dyn FnMut(&[T]) -> Result<(), ArrayError> + 'a;

/// Writes an array of which `fill` hands over part after part, as npy, npz or safetensors by the
/// ending of the name; classes go beside the rows as `y`, 64-bit integers, where a file holds
/// several arrays. The file appears whole or not at all.
///
/// Numbers are rounded to the type of the form.
///
/// # Errors
/// If the name of the file has another ending, the file cannot be written, or with what `fill`
/// returns.
///
/// # Panics
/// If `fill` hands over another number of numbers than the shape calls for, or classes are to go
/// into an npy file, which holds one array.
pub fn write_array<E: From<ArrayError>>(
    path: &Path,
    form: &ArrayForm,
    classes: Option<&[i64]>,
    fill: impl FnOnce(&mut Put<'_>) -> Result<(), E>,
) -> Result<(), E> {
    write(path, form, classes, fill)
}

/// Writes an array of numbers of either size.
pub(super) fn write<T: Number, E: From<ArrayError>>(
    path: &Path,
    form: &ArrayForm,
    classes: Option<&[i64]>,
    fill: impl FnOnce(&mut Put<'_, T>) -> Result<(), E>,
) -> Result<(), E> {
    let format = Format::of(path)?;
    assert!(
        format != Format::Npy || classes.is_none(),
        "an npy file holds one array, write classes into a file of their own"
    );
    let form = &ArrayForm { element: form.element.written(), ..form.clone() };
    let classes: Option<Vec<u8>> =
        classes.map(|classes| classes.iter().flat_map(|&class| class.to_le_bytes()).collect());
    let mut failed = None;
    let written = whole(path, |out| {
        match format {
            Format::Npy => {
                NpyHeader::new(form.element, form.shape.clone()).write(out)?;
                failed = poured(path, form, out, fill);
            }
            Format::Npz => {
                let mut archive = npz::Writer::new(out);
                let member = archive.start(&form.name, form.bytes())?;
                NpyHeader::new(form.element, form.shape.clone()).write(member)?;
                failed = poured(path, form, member, fill);
                if let Some(classes) = &classes {
                    let mut bytes = Vec::new();
                    NpyHeader::new(Element::I64, vec![classes.len() / 8]).write(&mut bytes)?;
                    bytes.extend(classes);
                    archive.array(CLASSES, &bytes)?;
                }
                archive.finish()?;
            }
            Format::Safetensors => {
                let classes = classes.unwrap_or_default();
                out.write_all(&tensors_header(form, classes.len()))?;
                // Before the rows, so that each array begins at a multiple of its numbers' size.
                out.write_all(&classes)?;
                failed = poured(path, form, out, fill);
            }
        }
        if failed.is_some() {
            Err(io::Error::other("what was to be written failed"))
        } else {
            Ok(())
        }
    });
    match failed {
        Some(error) => Err(error),
        None => Ok(written.map_err(ArrayError::write(path))?),
    }
}

/// The name of classes beside rows.
pub(super) const CLASSES: &str = "y";

/// Writes all that `fill` hands over; what went wrong, if anything did.
fn poured<T: Number, E: From<ArrayError>>(
    path: &Path,
    form: &ArrayForm,
    out: &mut dyn Write,
    fill: impl FnOnce(&mut Put<'_, T>) -> Result<(), E>,
) -> Option<E> {
    let mut written = 0;
    let mut put = |values: &[T]| {
        let bytes = form.element.encode(values);
        written += bytes.len() as u64;
        out.write_all(&bytes).map_err(ArrayError::write(path))
    };
    if let Err(error) = fill(&mut put) {
        return Some(error);
    }
    let expected = form.bytes();
    assert!(written == expected, "expected {expected} bytes of numbers, got {written}");
    None
}

/// The length and the text that a safetensors file begins with, for rows behind so many bytes of
/// classes.
fn tensors_header(form: &ArrayForm, classes: usize) -> Vec<u8> {
    let entry = |name: &str, element: Element, shape: &[usize], from: u64, to: u64| {
        let name = serde_json::Value::from(name);
        let dtype = format!("{:?}", element.dtype());
        format!(
            "{name}:{{\"dtype\":\"{dtype}\",\"shape\":{shape:?},\"data_offsets\":[{from},{to}]}}"
        )
    };
    let middle = classes as u64;
    let mut entries =
        vec![entry(&form.name, form.element, &form.shape, middle, middle + form.bytes())];
    if 0 < classes {
        entries.push(entry(CLASSES, Element::I64, &[classes / 8], 0, middle));
    }
    let mut text = format!("{{{}}}", entries.join(","));
    // Numbers begin at a multiple of eight bytes.
    text.push_str(&" ".repeat((8 - text.len() % 8) % 8));
    [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat()
}
