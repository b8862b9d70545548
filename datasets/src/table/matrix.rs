//! An array of rank two as a table: a column for each number of a row.

use std::path::Path;

use super::cell::LARGEST_WHOLE;
use super::{Column, ReadOptions, Table, TableError, Type, Values};
use crate::array::{self, Array, ArrayOptions, Element};

/// Reads an array `[rows, columns]` as the columns `x1`, `x2`, ...; NaN are missing values.
pub(crate) fn read(path: &Path, options: &ReadOptions) -> Result<Table, TableError> {
    let limits = ArrayOptions { max_bytes: options.max_bytes, ..ArrayOptions::default() };
    let Array { shape, values, element } = Array::read_wide(path, &limits)?;
    let [rows, width] = shape[..] else {
        return Err(TableError::NotAMatrix { path: path.to_owned(), shape });
    };
    if options.max_columns < width {
        let (path, limit) = (path.to_owned(), options.max_columns);
        return Err(TableError::TooManyColumns { path, columns: width, limit });
    }
    let name = |at: usize| format!("x{}", at + 1);
    let column = |at: usize| Column {
        name: name(at),
        ty: Type::Array { element },
        values: Values::Number(values.iter().skip(at).step_by(width).copied().collect()),
    };
    let mut columns: Vec<Column> = (0..width).map(column).collect();
    // Larger ones are rounded here. As words they keep their digits, as those of other files do.
    let is_large = |column: &Column| match &column.values {
        Values::Number(values) => values.iter().any(|x| LARGEST_WHOLE <= x.abs()),
        Values::Text(_) => false,
    };
    if matches!(element, Element::I64 | Element::U64) && columns.iter().any(is_large) {
        let whole: Array<i128> = array::of(path, &limits)?;
        if whole.shape != shape {
            return Err(TableError::Changed { path: path.to_owned() });
        }
        for (at, column) in columns.iter_mut().enumerate().filter(|(_, column)| is_large(column)) {
            let digits = |row: usize| Some(whole.values[row * width + at].to_string());
            let cells: Vec<Option<String>> = (0..rows).map(digits).collect();
            *column = Column::of_cells(&name(at), Type::Text {}, &cells);
        }
    }
    Table::new(columns)
}
