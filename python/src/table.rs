//! Tables as columns of cells.

use flow_datasets::table::{Column, Role, Type, Values};
use flow_datasets::{Table, TableError, TableRows};
use numpy::IntoPyArray;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::error::of_table;

/// Columns as Python hands them over: a name and a cell for each row, nothing where it is missing.
pub(crate) type Cells = Vec<(String, Vec<Option<String>>)>;

/// How the rows of a model become those of a table.
pub(crate) fn rows_of(model: &flow_model::Model) -> PyResult<TableRows> {
    let rows = TableRows::of(&model.config().rows).map_err(of_table)?;
    rows.ok_or_else(|| PyValueError::new_err("this is no model of a table"))
}

/// The names of the columns of some roles.
pub(crate) fn names(rows: &TableRows, asked: impl Fn(Role) -> bool) -> Vec<String> {
    let columns = rows.encoder.columns().iter().filter(|column| asked(column.role));
    columns.map(|column| column.name.clone()).collect()
}

/// A table of cells: of numbers where all cells of a column are some.
pub(crate) fn table(cells: Cells) -> PyResult<Table> {
    let column = |(name, cells): (String, Vec<Option<String>>)| {
        Column::of_cells(&name, Type::Real { decimals: None }, &cells)
    };
    Table::new(cells.into_iter().map(column).collect()).map_err(of_table)
}

/// What is learned of the rows of a table, `[n, width]`; a row that lacks a value is refused.
pub(crate) fn encoded(rows: &TableRows, table: &Table) -> PyResult<Vec<f32>> {
    let mut own = Vec::new();
    for column in rows.encoder.columns() {
        match table.column(&column.name) {
            Some(found) => own.push(found.clone()),
            // Given columns are asked for apart.
            None if column.role == Role::Given => {
                own.push(Column::of_cells(&column.name, column.ty, &vec![None; table.len()]));
            }
            None => {
                let known = table.columns().iter().map(|column| column.name.clone()).collect();
                let name = column.name.clone();
                return Err(of_table(TableError::MissingColumn { name, known }));
            }
        }
    }
    let table = Table::new(own).map_err(of_table)?;
    let encoded = rows.encoder.encode(&table).map_err(of_table)?;
    if let Some(at) = encoded.mask.iter().position(|known| *known == 0.0) {
        let row = at / encoded.width + 1;
        let text = format!("row {row} lacks a value, and a row with a hole has no density");
        return Err(PyValueError::new_err(text));
    }
    Ok(encoded.rows)
}

/// A column as `(name, kind, values)`: an array of `f64`, or the cells as they are written.
pub(crate) fn column<'py>(
    py: Python<'py>,
    column: &Column,
) -> PyResult<(String, &'static str, Bound<'py, PyAny>)> {
    let kind = match column.ty.plain() {
        Type::Bool {} => "bool",
        Type::Integer {} => "integer",
        Type::Single {} => "single",
        Type::Real { .. } => "real",
        _ => "text",
    };
    let values = match &column.values {
        Values::Number(numbers) => {
            // As they are written: with the digits of the column.
            let written = |(row, number): (usize, &f64)| match column.ty {
                Type::Real { .. } => {
                    column.cell(row).and_then(|cell| cell.parse().ok()).unwrap_or(*number)
                }
                _ => *number,
            };
            let numbers: Vec<f64> = numbers.iter().enumerate().map(written).collect();
            numbers.into_pyarray(py).into_any()
        }
        Values::Text(_) => {
            let cells: Vec<Option<String>> =
                (0..column.len()).map(|row| column.cell(row)).collect();
            cells.into_pyobject(py)?.into_any()
        }
    };
    Ok((column.name.clone(), kind, values))
}
