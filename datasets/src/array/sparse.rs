//! Sparse matrices, as `scipy.sparse.save_npz` writes them.

use std::path::Path;

use super::{Array, ArrayError, ArrayOptions, npz};

/// A matrix by the entries that are not zero.
#[derive(Clone, Debug, PartialEq)]
pub struct SparseMatrix {
    /// Rows and columns.
    pub shape: [usize; 2],
    /// Row, column and value of each entry, all of them within the matrix.
    pub entries: Vec<(usize, usize, f32)>,
}

impl SparseMatrix {
    /// Reads an npz file of `scipy.sparse.save_npz`: by rows (`csr`), by columns (`csc`) or by
    /// entries (`coo`). Each of its arrays may take `max_bytes` of memory.
    ///
    /// # Errors
    /// If the file cannot be read or is damaged, holds no such matrix, or its arrays contradict
    /// each other.
    ///
    /// # Reference
    /// SciPy documentation, `scipy.sparse.save_npz`.
    pub fn read(path: &Path, max_bytes: u64) -> Result<Self, ArrayError> {
        Self::of(&Archive { path, max_bytes })
    }

    fn of(archive: &Archive<'_>) -> Result<Self, ArrayError> {
        let names = npz::names(archive.path)?;
        let is_missing = |array: &&str| names.iter().all(|name| name != array);
        if let Some(missing) = ["format", "shape", "data"].into_iter().find(is_missing) {
            return Err(archive.refused(format!("it holds no array {missing}")));
        }
        let shape = archive.places("shape")?;
        let &[m, d] = &shape[..] else {
            return Err(archive.refused(format!("its shape is {shape:?}")));
        };
        let (rows, columns) = match &*npz::word(archive.path, "format")? {
            "csr" => {
                let columns = archive.places("indices")?;
                (archive.lines(m, columns.len())?, columns)
            }
            "csc" => {
                let rows = archive.places("indices")?;
                let columns = archive.lines(d, rows.len())?;
                (rows, columns)
            }
            "coo" => (archive.places("row")?, archive.places("col")?),
            format => return Err(archive.refused(format!("its format is {format}"))),
        };
        let data = archive.numbers("data")?;
        if rows.len() != data.len() || columns.len() != data.len() {
            return Err(archive.refused("it has not one row and one column for each entry".into()));
        }
        let entries: Vec<_> = rows.into_iter().zip(columns).zip(data).collect();
        let outside =
            |&&((i, j), x): &&((usize, usize), f64)| m <= i || d <= j || !(x as f32).is_finite();
        if let Some(((i, j), x)) = entries.iter().find(outside) {
            return Err(archive.refused(format!("the entry {x} at {i}, {j} is none of {m} x {d}")));
        }
        let entries = entries.into_iter().map(|((i, j), x)| (i, j, x as f32)).collect();
        Ok(Self { shape: [m, d], entries })
    }
}

/// The arrays of a file.
struct Archive<'a> {
    path: &'a Path,
    max_bytes: u64,
}

impl Archive<'_> {
    fn refused(&self, why: String) -> ArrayError {
        ArrayError::NoSparseMatrix { path: self.path.to_owned(), why }
    }

    fn numbers(&self, name: &str) -> Result<Vec<f64>, ArrayError> {
        let name = Some(name.to_owned());
        let options = ArrayOptions { name, max_bytes: self.max_bytes, axes: 1..=1, nan: true };
        Ok(Array::<f64>::read_wide(self.path, &options)?.values)
    }

    /// Whole numbers from 0.
    fn places(&self, name: &str) -> Result<Vec<usize>, ArrayError> {
        let numbers = self.numbers(name)?;
        let is_place = |x: &f64| x.fract() == 0.0 && (0.0..9.0e15).contains(x);
        match numbers.iter().find(|x| !is_place(x)) {
            Some(x) => Err(self.refused(format!("its {name} hold {x}"))),
            None => Ok(numbers.into_iter().map(|x| x as usize).collect()),
        }
    }

    /// The line of each of the entries, which lie line behind line: `indptr` says where each line
    /// begins and the last one ends.
    fn lines(&self, lines: usize, entries: usize) -> Result<Vec<usize>, ArrayError> {
        let starts = self.places("indptr")?;
        let follows = starts.windows(2).all(|pair| pair[0] <= pair[1]);
        if starts.len() != lines.saturating_add(1)
            || starts.first() != Some(&0)
            || starts.last() != Some(&entries)
            || !follows
        {
            return Err(self.refused(format!("its indptr do not divide {entries} entries")));
        }
        let line = |(line, pair): (usize, &[usize])| std::iter::repeat_n(line, pair[1] - pair[0]);
        Ok(starts.windows(2).enumerate().flat_map(line).collect())
    }
}
