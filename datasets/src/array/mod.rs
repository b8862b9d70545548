//! Arrays of your own: npy, npz and safetensors.
//!
//! Points are `[n, d]`, sequences `[n, length, channels]`, images `[n, channels, height, width]` or
//! with the channels last. Values become `f32` in row-major order whatever the file holds: floats
//! of 16, 32 or 64 bits, integers, truth values, either order of bytes or axes. Where each value is
//! to stay as it is, as in a table, they become `f64`: see [`Array::read_wide`]. An npz or
//! safetensors file may hold classes and times beside the rows: see [`LabelledArray`].

mod element;
mod ends;
mod error;
mod head;
mod labelled;
mod npy;
pub(crate) mod npz;
mod pieces;
mod sparse;
mod tensors;
mod write;

use std::fs::File;
use std::io::{BufReader, Read};
use std::ops::RangeInclusive;
use std::path::Path;

pub use element::Element;
pub use error::ArrayError;
pub use head::{ArrayHead, ArrayNames};
pub use labelled::{LabelledArray, Labels};
pub use pieces::ArrayFile;
pub use sparse::SparseMatrix;
pub use write::{ArrayForm, write_array};

pub(crate) use element::Number;
pub(crate) use npy::Header as NpyHeader;

/// How an array is read.
#[derive(Clone, Debug)]
pub struct ArrayOptions {
    /// Name of the array in a file of several; a file of one needs none.
    pub name: Option<String>,
    /// Bytes of memory that the array may take; 4 GiB by default.
    pub max_bytes: u64,
    /// How many axes it may have; two to four by default.
    pub axes: RangeInclusive<usize>,
    /// Whether NaN are taken, as sequences that end early are filled with; not by default.
    pub nan: bool,
}

impl Default for ArrayOptions {
    fn default() -> Self {
        Self { name: None, max_bytes: 4 << 30, axes: AXES, nan: false }
    }
}

/// Axes of an array of rows.
const AXES: RangeInclusive<usize> = 2..=4;

/// Numbers of a regular shape, the last index fastest.
#[derive(Clone, Debug, PartialEq)]
pub struct Array<T = f32> {
    /// Sizes, the number of rows first; two to four of them.
    pub shape: Vec<usize>,
    /// The numbers.
    pub values: Vec<T>,
    /// What the file holds; bytes are pixels from 0 to 255.
    pub element: Element,
}

impl Array {
    /// Reads an array of two to four axes from an npy, npz or safetensors file.
    ///
    /// # Errors
    /// If the file cannot be read, is damaged, cut or too long, holds something other than
    /// numbers, holds a number that is not finite as `f32`, has no row or more axes than four or
    /// fewer than two, holds several arrays and none is named, or does not fit into
    /// `options.max_bytes`.
    pub fn read(path: &Path, options: &ArrayOptions) -> Result<Self, ArrayError> {
        let array: Self = of(path, options)?;
        let is_bad = |x: &f32| !(x.is_finite() || options.nan && x.is_nan());
        match array.values.iter().position(is_bad) {
            Some(bad) => Err(not_finite(path, bad, &array.shape)),
            None => Ok(array),
        }
    }

    /// Whether the name of a file ends in that of a format of arrays.
    #[must_use]
    pub fn is_named(path: &Path) -> bool {
        Format::of(path).is_ok()
    }

    /// Writes the array as npy, or as the array `data` of an npz or safetensors file, with numbers
    /// of the type that it was read from. The file appears whole or not at all.
    ///
    /// # Errors
    /// If the name of the file ends in none of these, or the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), ArrayError> {
        save(self, path)
    }
}

impl Array<f64> {
    /// Reads an array as [`Array::read`] does, with every value as the file has it: floats of any
    /// size, NaN and infinities among them, and whole numbers up to `2^53`.
    ///
    /// # Errors
    /// As [`Array::read`], but for numbers that are not finite.
    pub fn read_wide(path: &Path, options: &ArrayOptions) -> Result<Self, ArrayError> {
        of(path, options)
    }

    /// Writes the array as [`Array::write`] does.
    ///
    /// # Errors
    /// As [`Array::write`].
    pub fn write_wide(&self, path: &Path) -> Result<(), ArrayError> {
        save(self, path)
    }
}

impl<T> Array<T> {
    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shape.first().copied().unwrap_or(0)
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Reads an array, whatever its numbers are.
pub(crate) fn of<T: Number>(path: &Path, options: &ArrayOptions) -> Result<Array<T>, ArrayError> {
    match Format::of(path)? {
        Format::Npy => {
            let file = File::open(path).map_err(ArrayError::read(path))?;
            let length = file.metadata().map_err(ArrayError::read(path))?.len();
            npy::read(path, &mut BufReader::new(file), length, options)
        }
        Format::Npz => npz::read(path, options),
        Format::Safetensors => tensors::read(path, options),
    }
}

fn save<T: Number>(array: &Array<T>, path: &Path) -> Result<(), ArrayError> {
    let form =
        ArrayForm { name: "data".into(), element: array.element, shape: array.shape.clone() };
    write::write(path, &form, None, |put| put(&array.values))
}

/// The format of an array, by the ending of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Npy,
    Npz,
    Safetensors,
}

impl Format {
    fn of(path: &Path) -> Result<Self, ArrayError> {
        let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase());
        match ending.as_deref() {
            Some("npy") => Ok(Self::Npy),
            Some("npz") => Ok(Self::Npz),
            Some("safetensors") => Ok(Self::Safetensors),
            _ => Err(ArrayError::UnknownFormat { path: path.to_owned() }),
        }
    }
}

/// Whether arrays of this shape are read, and how many numbers they hold.
pub(crate) fn count(
    path: &Path,
    shape: &[usize],
    axes: &RangeInclusive<usize>,
) -> Result<u64, ArrayError> {
    let (path, shape) = (|| path.to_owned(), || shape.to_vec());
    if !axes.contains(&shape().len()) {
        return Err(ArrayError::Rank { path: path(), shape: shape() });
    }
    if shape().contains(&0) {
        return Err(ArrayError::NoRows { path: path(), shape: shape() });
    }
    let product = shape().iter().try_fold(1_u64, |product, &n| product.checked_mul(n as u64));
    product.ok_or_else(|| ArrayError::TooLarge {
        path: path(),
        needed: u64::MAX,
        limit: u64::MAX >> 1,
    })
}

/// Reads `count` numbers; memory grows with what is there, whatever a header promises.
pub(crate) fn numbers<T: Number>(
    path: &Path,
    source: &mut impl Read,
    (element, big_endian): (Element, bool),
    count: u64,
) -> Result<Vec<T>, ArrayError> {
    const CHUNK: u64 = 1 << 16;
    let size = element.size() as u64;
    let mut values = Vec::with_capacity(count.min(CHUNK) as usize);
    let mut bytes = Vec::new();
    let mut left = count;
    while 0 < left {
        let now = left.min(CHUNK);
        bytes.resize((now * size) as usize, 0);
        source.read_exact(&mut bytes).map_err(|error| match error.kind() {
            std::io::ErrorKind::UnexpectedEof => ArrayError::Truncated { path: path.to_owned() },
            _ => ArrayError::read(path)(error),
        })?;
        element.decode(&bytes, big_endian, &mut values);
        left -= now;
    }
    Ok(values)
}

/// Names the place of a number by its indices.
pub(crate) fn not_finite(path: &Path, at: usize, shape: &[usize]) -> ArrayError {
    let mut rest = at;
    let mut index: Vec<usize> = Vec::new();
    for &size in shape.iter().rev() {
        index.push(rest % size);
        rest /= size;
    }
    index.reverse();
    ArrayError::NotFinite { path: path.to_owned(), index }
}
