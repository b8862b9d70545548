//! An npy file larger than memory, read in pieces.

use std::fs::{File, Metadata};
use std::io::{BufReader, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::npy::{Header, checked};
use super::{AXES, ArrayError, Element, not_finite, numbers};

/// An open npy file, of which rows are read when they are needed.
#[derive(Debug)]
pub struct ArrayFile {
    path: PathBuf,
    file: File,
    header: Header,
    element: (Element, bool),
    stamp: (u64, Option<SystemTime>),
}

impl ArrayFile {
    /// Opens an npy file and checks that it is as long as its header says.
    ///
    /// # Errors
    /// If the file cannot be read, is damaged, cut or too long, holds something other than
    /// numbers, has fewer than two or more than four axes, or has its first axis fastest.
    pub fn open(path: &Path) -> Result<Self, ArrayError> {
        let file = File::open(path).map_err(ArrayError::read(path))?;
        let header = Header::read(path, &mut BufReader::new(&file))?;
        let stamp = stamp(&file.metadata().map_err(ArrayError::read(path))?);
        let element = header.element(path)?;
        checked(path, &header, element.0, stamp.0, &AXES)?;
        if !header.row_major() {
            return Err(ArrayError::Fortran { path: path.to_owned() });
        }
        Ok(Self { path: path.to_owned(), file, header, element, stamp })
    }

    /// Sizes, the number of rows first.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        &self.header.shape
    }

    /// What the file holds.
    #[must_use]
    pub fn element(&self) -> Element {
        self.element.0
    }

    /// The numbers of some rows, one row after the other.
    ///
    /// # Errors
    /// If the file cannot be read, was written to since it was opened, or holds a number that is
    /// not finite.
    ///
    /// # Panics
    /// If there are no such rows.
    pub fn rows(&mut self, rows: Range<usize>) -> Result<Vec<f32>, ArrayError> {
        let (start, end, n) = (rows.start, rows.end, self.header.shape[0]);
        assert!(start <= end && end <= n, "expected rows below {n}, got {start}..{end}");
        let (path, (element, _)) = (&self.path, self.element);
        let now = self.file.metadata().map_err(ArrayError::read(path))?;
        if stamp(&now) != self.stamp {
            return Err(ArrayError::Changed { path: path.clone() });
        }
        let row: usize = self.header.shape[1..].iter().product();
        let first = start * row;
        let place = self.header.bytes + (first * element.size()) as u64;
        let mut source = &self.file;
        source.seek(SeekFrom::Start(place)).map_err(ArrayError::read(path))?;
        let count = ((end - start) * row) as u64;
        let values: Vec<f32> = numbers(path, &mut BufReader::new(source), self.element, count)?;
        match values.iter().position(|x| !x.is_finite()) {
            Some(bad) => Err(not_finite(path, first + bad, &self.header.shape)),
            None => Ok(values),
        }
    }
}

fn stamp(metadata: &Metadata) -> (u64, Option<SystemTime>) {
    (metadata.len(), metadata.modified().ok())
}
