//! An array of rank two as a table: a column for each number of a row.

use std::path::Path;

use super::{Column, ReadOptions, Table, TableError, Type, Values};
use crate::array::{Array, ArrayOptions, Element};

/// Reads an array `[rows, columns]` as the columns `x1`, `x2`, ...
pub(crate) fn read(path: &Path, options: &ReadOptions) -> Result<Table, TableError> {
    let limits = ArrayOptions { max_bytes: options.max_bytes, ..ArrayOptions::default() };
    let Array { shape, values, element } = Array::read(path, &limits)?;
    let [_, width] = shape[..] else {
        return Err(TableError::NotAMatrix { path: path.to_owned(), shape });
    };
    if options.max_columns < width {
        let (path, limit) = (path.to_owned(), options.max_columns);
        return Err(TableError::TooManyColumns { path, columns: width, limit });
    }
    let ty = match element {
        Element::F32 | Element::F16 | Element::BF16 => Type::Single {},
        Element::F64 => Type::Real { decimals: None },
        Element::Bool => Type::Bool {},
        _ => Type::Integer {},
    };
    let column = |at: usize| Column {
        name: format!("x{}", at + 1),
        ty,
        values: Values::Number(
            values.iter().skip(at).step_by(width).copied().map(f64::from).collect(),
        ),
    };
    Table::new((0..width).map(column).collect())
}
