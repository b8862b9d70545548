//! Rows with their classes and times, from one file.

use std::collections::BTreeSet;
use std::path::Path;

use super::ends::lengths;
use super::{Array, ArrayError, ArrayHead, ArrayNames, ArrayOptions};
use crate::table::Table;

/// Rows, and what a file holds beside them.
#[derive(Clone, Debug)]
pub struct LabelledArray {
    /// What the arrays are called.
    pub names: ArrayNames,
    /// The rows.
    pub rows: Array,
    /// Their classes.
    pub labels: Option<Labels>,
    /// Their times.
    pub times: Option<Vec<f64>>,
    /// How many elements each sequence has, if any ends before the longest: the file is filled up
    /// with NaN, and the rows with zeros.
    pub lengths: Option<Vec<usize>>,
    /// A table with a row for each of them, which stands beside the images of a folder.
    pub table: Option<Table>,
}

/// The class of each row. Whole numbers of a file, whatever they are, are numbered from 0 in their
/// order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labels {
    /// The class of each row.
    pub of_rows: Vec<usize>,
    /// What the file calls the classes, in their order.
    pub names: Vec<String>,
}

impl LabelledArray {
    /// Reads the rows of a file, its classes if it has any, and its times if they are named.
    ///
    /// # Errors
    /// As [`Array::read`] and [`ArrayHead::read`], if NaN stand elsewhere than behind the end of a
    /// sequence, and if there is not one class or time for each
    /// row, or classes are no whole numbers.
    pub fn read(path: &Path, asked: &ArrayNames, max_bytes: u64) -> Result<Self, ArrayError> {
        let ArrayHead { names, .. } = ArrayHead::read(path, asked)?;
        let options = ArrayHead::options(names.rows.as_ref(), max_bytes);
        let mut rows = Array::read(path, &ArrayOptions { nan: true, ..options })?;
        let lengths = lengths(path, &mut rows)?;
        let beside = |name: &Option<String>| {
            name.as_ref().map(|name| column(path, name, rows.len(), max_bytes)).transpose()
        };
        let classes = beside(&names.classes)?;
        let labels = classes.map(|array| labels(path, &names, &array)).transpose()?;
        let times = beside(&names.times)?;
        let times = times.map(|array| array.values.iter().copied().map(f64::from).collect());
        Ok(Self { names, rows, labels, times, lengths, table: None })
    }
}

/// One number for each row.
fn column(path: &Path, name: &str, rows: usize, max_bytes: u64) -> Result<Array, ArrayError> {
    let options = ArrayOptions { name: Some(name.to_owned()), max_bytes, axes: 1..=2, nan: false };
    let array = Array::read(path, &options)?;
    if array.shape[0] == rows && array.values.len() == rows {
        return Ok(array);
    }
    let (path, name, shape) = (path.to_owned(), name.to_owned(), array.shape);
    Err(ArrayError::NotBeside { path, name, shape, rows })
}

fn labels(path: &Path, names: &ArrayNames, array: &Array) -> Result<Labels, ArrayError> {
    if !array.element.is_whole() {
        let name = names.classes.clone().unwrap_or_default();
        return Err(ArrayError::NoClasses { path: path.to_owned(), name });
    }
    let numbers = || array.values.iter().map(|&x| x as i64);
    let known: Vec<i64> = numbers().collect::<BTreeSet<_>>().into_iter().collect();
    let place = |number| known.partition_point(|&other| other < number);
    Ok(Labels {
        of_rows: numbers().map(place).collect(),
        names: known.iter().map(ToString::to_string).collect(),
    })
}
