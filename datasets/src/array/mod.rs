//! Arrays of your own: npy, npz and safetensors.
//!
//! Points are `[n, d]`, sequences `[n, length, channels]`, images `[n, channels, height, width]`.
//! Values become `f32` in row-major order whatever the file holds: floats of 16, 32 or 64 bits,
//! integers, truth values, either order of bytes or axes.

mod element;
mod error;
mod npy;
pub(crate) mod npz;
mod pieces;
mod tensors;

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::Path;

pub use element::Element;
pub use error::ArrayError;
pub use pieces::ArrayFile;

pub(crate) use npy::Header as NpyHeader;

use crate::table::whole;

/// How an array is read.
#[derive(Clone, Debug)]
pub struct ArrayOptions {
    /// Name of the array in a file of several; a file of one needs none.
    pub name: Option<String>,
    /// Bytes of memory that the array may take; 4 GiB by default.
    pub max_bytes: u64,
}

impl Default for ArrayOptions {
    fn default() -> Self {
        Self { name: None, max_bytes: 4 << 30 }
    }
}

/// Numbers of a regular shape, the last index fastest.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// Sizes, the number of rows first; two to four of them.
    pub shape: Vec<usize>,
    /// The numbers.
    pub values: Vec<f32>,
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
        let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase());
        match ending.as_deref() {
            Some("npy") => {
                let file = File::open(path).map_err(ArrayError::read(path))?;
                let length = file.metadata().map_err(ArrayError::read(path))?.len();
                npy::read(path, &mut BufReader::new(file), length, options.max_bytes)
            }
            Some("npz") => npz::read(path, options),
            Some("safetensors") => tensors::read(path, options),
            _ => Err(ArrayError::UnknownFormat { path: path.to_owned() }),
        }
    }

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

    /// Writes the array as npy, or as the array `data` of an npz: bytes as bytes, whole numbers of
    /// other sizes as 64-bit integers, everything else as 32-bit floats. The file appears whole or
    /// not at all.
    ///
    /// # Errors
    /// If the name of the file ends in neither `.npy` nor `.npz`, or the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), ArrayError> {
        let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase());
        let written = match ending.as_deref() {
            Some("npy") => whole(path, |out| self.write_npy(out)),
            Some("npz") => whole(path, |out| {
                let mut bytes = BufWriter::new(Vec::new());
                self.write_npy(&mut bytes)?;
                let mut archive = npz::Writer::new(out);
                archive.array("data", bytes.buffer())?;
                archive.finish()
            }),
            _ => return Err(ArrayError::UnknownFormat { path: path.to_owned() }),
        };
        written.map_err(ArrayError::write(path))
    }

    fn write_npy(&self, out: &mut impl Write) -> std::io::Result<()> {
        let element = self.element.written();
        NpyHeader::new(element, self.shape.clone()).write(out)?;
        for &value in &self.values {
            match element {
                Element::Bool | Element::U8 => out.write_all(&[value.round() as u8])?,
                Element::I64 => out.write_all(&(value.round() as i64).to_le_bytes())?,
                _ => out.write_all(&value.to_le_bytes())?,
            }
        }
        Ok(())
    }
}

/// Whether arrays of this shape are read, and how many numbers they hold.
pub(crate) fn count(path: &Path, shape: &[usize]) -> Result<u64, ArrayError> {
    let (path, shape) = (|| path.to_owned(), || shape.to_vec());
    if !(2..=4).contains(&shape().len()) {
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
pub(crate) fn numbers(
    path: &Path,
    source: &mut impl Read,
    (element, big_endian): (Element, bool),
    (count, shape): (u64, &[usize]),
) -> Result<Vec<f32>, ArrayError> {
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
        let start = values.len();
        element.decode(&bytes, big_endian, &mut values);
        if let Some(bad) = values[start..].iter().position(|x| !x.is_finite()) {
            return Err(not_finite(path, start + bad, shape));
        }
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
