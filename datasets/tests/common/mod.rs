//! Tables for tests, made from text.

#![allow(dead_code, reason = "each file of tests takes what it needs")]

use std::fs;
use std::path::PathBuf;

use flow_datasets::{ReadOptions, Table, TableError};
use tempfile::TempDir;

/// A folder with one file in it.
pub(crate) fn file(name: &str, content: impl AsRef<[u8]>) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, content).unwrap();
    (folder, path)
}

/// Reads text as a csv file.
pub(crate) fn csv(text: &str) -> Result<Table, TableError> {
    let (_folder, path) = file("table.csv", text);
    Table::read(&path, &ReadOptions::default())
}

/// The cells of a column, nothing where a value is missing.
pub(crate) fn cells(table: &Table, name: &str) -> Vec<Option<String>> {
    let column = table.column(name).unwrap();
    (0..table.len()).map(|row| column.cell(row)).collect()
}

/// A table of so many rows below a line of names.
pub(crate) fn rows(names: &str, n: usize, row: impl Fn(usize) -> String) -> Table {
    let lines: Vec<String> = std::iter::once(names.to_owned()).chain((0..n).map(row)).collect();
    csv(&(lines.join("\n") + "\n")).unwrap()
}

/// Sixty rows of every kind: real numbers, skewed ones, counts, categories, codes, and one value,
/// with holes.
pub(crate) fn mixed() -> Table {
    rows("length,income,visits,clinic,smoker,unit", 60, |i| {
        let length =
            if i % 11 == 3 { String::new() } else { format!("{}.{}", 150 + i % 37, i % 10) };
        let clinic = ["north", "south", "east", "NA"][i * 7 % 4];
        let income = 900.0 * 1.09_f64.powi(i as i32);
        format!("{length},{income:.1},{},{clinic},{},cm", i % 9, u32::from(i % 3 == 0))
    })
}
