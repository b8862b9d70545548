//! The header of a file of arrays: names, types and shapes.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use super::npy::checked;
use super::write::CLASSES;
use super::{AXES, ArrayError, ArrayOptions, Element, Format, count, npy, npz, tensors};

/// Which arrays of a file are what; left out, they are guessed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ArrayNames {
    /// The rows; the only array that is nothing else, or `x`.
    pub rows: Option<String>,
    /// The class of each row; `y` or `labels` where there is one.
    pub classes: Option<String>,
    /// The time of each row; none unless it is named.
    pub times: Option<String>,
}

/// Shape and type of the rows of a file, and what lies beside them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArrayHead {
    /// Which arrays are what. An npy file has one, without a name.
    pub names: ArrayNames,
    /// Sizes, the number of rows first.
    pub shape: Vec<usize>,
    /// The type of the numbers.
    pub element: Element,
}

impl ArrayHead {
    /// Reads names, shapes and types, and no numbers. The sizes are those of the file: one that is
    /// shorter or longer than its header says is refused here.
    ///
    /// # Errors
    /// If the file cannot be read, is damaged, cut or too long, an array that is named is not
    /// there, it is not clear which holds the rows, or their shape or type is not one of rows.
    pub fn read(path: &Path, asked: &ArrayNames) -> Result<Self, ArrayError> {
        let format = Format::of(path)?;
        let names = match format {
            Format::Npy => of_one(path, asked)?,
            Format::Npz => chosen(path, npz::names(path)?, asked)?,
            Format::Safetensors => {
                chosen(path, tensors::infos(path)?.into_keys().collect(), asked)?
            }
        };
        let name = names.rows.as_deref().unwrap_or_default();
        let (shape, element) = match format {
            Format::Safetensors => {
                let info = tensors::infos(path)?.remove(name);
                let info = info.ok_or_else(|| unknown(path, Vec::new(), name))?;
                let element = Element::of_dtype(info.dtype);
                let element = element.ok_or_else(|| tensors::other(path, info.dtype))?;
                let numbers = count(path, &info.shape, &AXES)?;
                let (start, end) = info.data_offsets;
                let expected = numbers.saturating_mul(element.size() as u64);
                let actual = end.saturating_sub(start) as u64;
                if expected != actual {
                    return Err(ArrayError::Length { path: path.to_owned(), expected, actual });
                }
                (info.shape, element)
            }
            Format::Npy | Format::Npz => {
                let (header, length) = if format == Format::Npz {
                    npz::header(path, name)?
                } else {
                    let file = File::open(path).map_err(ArrayError::read(path))?;
                    let length = file.metadata().map_err(ArrayError::read(path))?.len();
                    (npy::Header::read(path, &mut BufReader::new(file))?, length)
                };
                let (element, _) = header.element(path)?;
                checked(path, &header, element, length, &AXES)?;
                (header.shape, element)
            }
        };
        Ok(Self { names, shape, element })
    }

    /// How one of the arrays is read.
    pub(super) fn options(name: Option<&String>, max_bytes: u64) -> ArrayOptions {
        ArrayOptions { name: name.cloned(), max_bytes, ..ArrayOptions::default() }
    }
}

fn of_one(path: &Path, asked: &ArrayNames) -> Result<ArrayNames, ArrayError> {
    let ArrayNames { rows, classes, times } = asked;
    match [rows, classes, times].into_iter().flatten().next() {
        Some(name) => Err(ArrayError::NoNames { path: path.to_owned(), asked: name.clone() }),
        None => Ok(ArrayNames::default()),
    }
}

fn chosen(path: &Path, mut all: Vec<String>, asked: &ArrayNames) -> Result<ArrayNames, ArrayError> {
    all.sort_unstable();
    let ArrayNames { rows, classes, times } = asked;
    let named = [rows, classes, times].into_iter().flatten();
    if let Some(name) = named.into_iter().find(|name| !all.contains(name)) {
        return Err(unknown(path, all.clone(), name));
    }
    let taken = |name: &String| [rows, times].into_iter().flatten().any(|other| other == name);
    let usual = || {
        let free = |name: &&str| all.iter().any(|other| other == name && !taken(other));
        [CLASSES, "labels"].into_iter().find(free).map(String::from)
    };
    let classes = classes.clone().or_else(usual);
    let rest: Vec<&String> =
        all.iter().filter(|name| Some(*name) != classes.as_ref() && !taken(name)).collect();
    let rows = match (rows, &rest[..]) {
        (Some(rows), _) => rows.clone(),
        (None, [only]) => (*only).clone(),
        // A file of one array has rows and no classes, whatever it is called.
        (None, []) if all.len() == 1 => {
            return Ok(ArrayNames { rows: Some(all.remove(0)), ..ArrayNames::default() });
        }
        (None, _) if rest.iter().any(|name| *name == "x") => "x".into(),
        (None, _) => {
            let path = path.to_owned();
            return Err(ArrayError::WhichArray { path, names: all, asked: None });
        }
    };
    Ok(ArrayNames { rows: Some(rows), classes, times: times.clone() })
}

fn unknown(path: &Path, names: Vec<String>, asked: &str) -> ArrayError {
    ArrayError::WhichArray { path: path.to_owned(), names, asked: Some(asked.to_owned()) }
}
