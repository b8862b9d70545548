//! Arrays as a table: a column for each number of a row.

use std::path::Path;

use super::cell::LARGEST_WHOLE;
use super::{Column, ReadOptions, Table, TableError, Type, Values};
use crate::array::{self, Array, ArrayOptions, Element, npz};

/// Reads an array `[rows, columns]` as the columns `x1`, `x2`, ...; NaN are missing values. Of
/// several arrays in an archive row `i` of one belongs to row `i` of the others, and their columns
/// are called after them: `theta1`, `theta2`, or `theta` where it has one number a row.
pub(crate) fn read(path: &Path, options: &ReadOptions) -> Result<Table, TableError> {
    let is_archive = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("npz"));
    let names = if is_archive { npz::names(path)? } else { Vec::new() };
    if names.len() < 2 {
        return Table::new(columns(path, options, None)?);
    }
    let (mut all, mut left) = (Vec::<Column>::new(), options.clone());
    for name in &names {
        let own = columns(path, &left, Some(name))?;
        let rows = own.first().map_or(0, Column::len);
        if let Some(first) = all.first()
            && first.len() != rows
        {
            let (first, rows) = ((names[0].clone(), first.len()), (name.clone(), rows));
            return Err(TableError::RowsOfArrays { path: path.to_owned(), first, rows });
        }
        let numbers = (rows as u64).saturating_mul(own.len() as u64);
        left.max_bytes = left.max_bytes.saturating_sub(numbers.saturating_mul(8));
        left.max_columns = left.max_columns.saturating_sub(own.len());
        all.extend(own);
    }
    Table::new(all)
}

/// The columns of an array, called after it; of the only one `x1`, `x2`, ...
fn columns(
    path: &Path,
    options: &ReadOptions,
    called: Option<&str>,
) -> Result<Vec<Column>, TableError> {
    let axes = if called.is_some() { 1..=2 } else { ArrayOptions::default().axes };
    let limits = ArrayOptions {
        max_bytes: options.max_bytes,
        name: called.map(str::to_owned),
        axes,
        ..ArrayOptions::default()
    };
    let Array { shape, values, element } = Array::read_wide(path, &limits)?;
    let (rows, width) = match (&shape[..], called) {
        (&[rows, width], _) => (rows, width),
        (&[rows], Some(_)) => (rows, 1),
        _ => return Err(TableError::NotAMatrix { path: path.to_owned(), shape }),
    };
    if options.max_columns < width {
        let (path, limit) = (path.to_owned(), options.max_columns);
        return Err(TableError::TooManyColumns { path, columns: width, limit });
    }
    let name = |at: usize| match called {
        Some(called) if shape.len() == 1 => called.to_owned(),
        called => format!("{}{}", called.unwrap_or("x"), at + 1),
    };
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
    Ok(columns)
}
