//! From files of tables to rows to train with and held out, as numbers.

use std::path::Path;

use flow_datasets::array::Array;
use flow_datasets::table::{Coded, Role, Values};
use flow_datasets::{Columns, Encoded, Encoder, Holdout, ReadOptions, Table, counted};

use super::{Part, TableRows};
use crate::error::{RunError, usage};
use crate::recipe;
use crate::snapshots::Snapshots;

/// Rows that each part of a table needs.
pub(super) const FEWEST: usize = 2;

/// The table of a recipe; of data to data, the snapshots in the order of their times.
pub(super) fn tables(
    data: &recipe::Data,
    file: &Path,
    reading: &ReadOptions,
) -> Result<(Option<Snapshots>, Vec<Table>), RunError> {
    let mut table = Table::read(file, reading)?;
    if let Some(beside) = &data.beside {
        table = joined(table, file, &Table::read(beside, reading)?, beside)?;
    }
    if let Some(time) = &data.time {
        let times = numbers_of(&table, time)
            .ok_or_else(|| usage!("{} has no column `{time}` of numbers", file.display()))?;
        let (snapshots, rows) = Snapshots::of_column(time, &times)?;
        let rest = table.without(time);
        return Ok((Some(snapshots), rows.iter().map(|rows| rest.select(rows)).collect()));
    }
    let Some(from) = &data.from else { return Ok((None, vec![table])) };
    let before = Table::read(from, reading)?;
    if data.pairs && before.len() != table.len() {
        return Err(usage!(
            "{} has {} and {} has {}: data.pairs is true, so that row i belongs to row i",
            from.display(),
            counted(before.len(), "row"),
            file.display(),
            table.len()
        ));
    }
    Ok((Some(Snapshots::of_files()), vec![before, table]))
}

/// What is called `x1` and so on in an array, whose columns have no names.
const UNNAMED: &str = "x";
/// What they are called in an array of parameters that stands beside one of observations.
const PARAMETERS: &str = "theta";

/// The columns of two tables whose rows belong together. Those of an array are called `theta1` and
/// so on in the first, so that an observation has the names `x1` and so on that arrays have.
fn joined(table: Table, file: &Path, beside: &Table, other: &Path) -> Result<Table, RunError> {
    if table.len() != beside.len() {
        return Err(usage!(
            "{} has {} and {} has {}: row i of one belongs to row i of the other",
            file.display(),
            counted(table.len(), "row"),
            other.display(),
            beside.len()
        ));
    }
    let mut columns = table.columns().to_vec();
    if Array::is_named(file) {
        for column in &mut columns {
            if let Some(number) = column.name.strip_prefix(UNNAMED) {
                column.name = format!("{PARAMETERS}{number}");
            }
        }
    }
    columns.extend_from_slice(beside.columns());
    Table::new(columns)
        .map_err(|error| usage!("{} beside {}: {error}", other.display(), file.display()))
}

/// The numbers of a column, NaN where one is missing.
#[must_use]
pub fn numbers_of(table: &Table, name: &str) -> Option<Vec<f64>> {
    match &table.column(name)?.values {
        Values::Number(values) => Some(values.clone()),
        Values::Text(_) => None,
    }
}

/// All rows under the columns of the last table.
pub(super) fn stacked(tables: &[Table]) -> Table {
    let mut from_the_last = tables.iter().rev().cloned();
    let last = from_the_last.next().expect("a recipe has a table");
    from_the_last.fold(last, |all, table| all.stacked(&table))
}

/// Refuses a file to start from that lacks a column which is learned, or some of those given.
pub(super) fn check_columns(
    columns: &Columns,
    before: &Table,
    from: &Path,
) -> Result<(), RunError> {
    let lacks = |role: Role| {
        let of_role = columns.plans.iter().filter(move |plan| plan.role == role);
        of_role.filter(|plan| before.column(&plan.name).is_none())
    };
    if let Some(plan) = lacks(Role::Target).next() {
        return Err(usage!(
            "{} lacks the column `{}`, which is learned: both files need it",
            from.display(),
            plan.name
        ));
    }
    let given = columns.plans.iter().filter(|plan| plan.role == Role::Given).count();
    let lacking: Vec<&str> = lacks(Role::Given).map(|plan| plan.name.as_str()).collect();
    if !lacking.is_empty() && lacking.len() < given {
        return Err(usage!(
            "{} lacks the given columns {} and has others: it needs all of them, or none",
            from.display(),
            lacking.join(", ")
        ));
    }
    Ok(())
}

/// The rows of each table to train with and held out; of pairs, both rows are on one side.
pub(super) fn sides(
    data: &recipe::Data,
    tables: &[Table],
    reading: &ReadOptions,
) -> Result<Vec<[Table; 2]>, RunError> {
    let split = data.split.clone().unwrap_or_default();
    if let Holdout::File { path } = &split {
        let [table] = tables else {
            return Err(usage!(
                "data.split names a file, and paths start from data: hold out by hash or by column"
            ));
        };
        return Ok(vec![[table.clone(), Table::read(path, reading)?]]);
    }
    let refused = |error| usage!("data.split: {error}");
    if let (true, [before, after]) = (data.pairs, tables) {
        let rows = split.rows(after).map_err(refused)?;
        let both = |table: &Table| [&rows[0], &rows[1]].map(|rows| table.select(rows));
        return Ok(vec![both(before), both(after)]);
    }
    let one = |table: &Table| split.split(table).map(|(train, held)| [train, held]);
    tables.iter().map(|table| one(table).map_err(refused)).collect()
}

/// The rows of a table as numbers.
pub(super) struct Numbers {
    n: usize,
    pub(super) values: Vec<f32>,
    pub(super) mask: Vec<f32>,
    /// Conditions; empty for rows that have none.
    pub(super) given: Vec<f32>,
    pub(super) given_mask: Vec<f32>,
}

impl Numbers {
    pub(super) fn of(encoder: &Encoder, table: &Table) -> Result<Self, flow_datasets::TableError> {
        let known = |(column, _): (&Coded, _)| table.column(&column.name).is_some();
        if encoder.given_width() == 0 || !encoder.spans(Role::Given).all(known) {
            let (values, mask) = encoder.encode_targets(table)?;
            let (given, given_mask) = (Vec::new(), Vec::new());
            return Ok(Self { n: table.len(), values, mask, given, given_mask });
        }
        let Encoded { n, rows: values, mask, given, given_mask, .. } = encoder.encode(table)?;
        Ok(Self { n, values, mask, given, given_mask })
    }
}

/// The columns of a role that some row lacks, by masks of rows.
pub(super) fn lacking<'a>(
    encoder: &Encoder,
    role: Role,
    masks: impl IntoIterator<Item = &'a Vec<f32>>,
) -> Vec<String> {
    let width = encoder.spans(role).map(|(_, span)| span.end).max().unwrap_or(0).max(1);
    let rows: Vec<&[f32]> = masks.into_iter().flat_map(|mask| mask.chunks(width)).collect();
    let columns = encoder.spans(role);
    let lacking =
        columns.filter(|(_, span)| rows.iter().any(|row| row[span.clone()].contains(&0.0)));
    lacking.map(|(column, _)| column.name.clone()).collect()
}

/// Both parts of each table, without the rows that lack a value.
pub(super) fn parts(
    rows: &TableRows,
    sides: &[[Table; 2]],
    numbers: &[[Numbers; 2]],
    pairs: bool,
) -> Vec<[Part; 2]> {
    let complete = |at: usize| -> Vec<Vec<bool>> {
        let mut each: Vec<Vec<bool>> =
            numbers.iter().map(|sides| complete_rows(rows, &sides[at])).collect();
        if pairs && let [before, after] = &mut each[..] {
            // Both ends of a pair, or neither.
            for (a, b) in before.iter_mut().zip(after) {
                (*a, *b) = (*a && *b, *a && *b);
            }
        }
        each
    };
    let complete = [0, 1].map(complete);
    let part =
        |k: usize, at: usize| Part::of(rows, &sides[k][at], &numbers[k][at], &complete[at][k]);
    (0..sides.len()).map(|k| [part(k, 0), part(k, 1)]).collect()
}

/// Whether each row has all that is learned, and all its conditions if none may be missing.
fn complete_rows(rows: &TableRows, numbers: &Numbers) -> Vec<bool> {
    let width = rows.encoder.width();
    let complete = |row: usize| is_whole(&numbers.mask, row, width) && is_told(rows, numbers, row);
    (0..numbers.n).map(complete).collect()
}

/// Whether a row has all its conditions, if none may be missing.
pub(super) fn is_told(rows: &TableRows, numbers: &Numbers, row: usize) -> bool {
    rows.masked || is_whole(&numbers.given_mask, row, rows.encoder.given_width())
}

fn is_whole(mask: &[f32], row: usize, width: usize) -> bool {
    mask.is_empty() || !mask[row * width..(row + 1) * width].contains(&0.0)
}

impl Part {
    /// The complete rows of a table that is encoded.
    fn of(rows: &TableRows, table: &Table, numbers: &Numbers, complete: &[bool]) -> Self {
        let kept: Vec<usize> = (0..numbers.n).filter(|&row| complete[row]).collect();
        let of = |all: &[f32], size: usize| -> Vec<f32> {
            if all.is_empty() {
                return Vec::new();
            }
            kept.iter().flat_map(|row| &all[row * size..(row + 1) * size]).copied().collect()
        };
        let vectors = rows.vectors(&numbers.given, &numbers.given_mask);
        Self {
            n: kept.len(),
            values: of(&numbers.values, rows.encoder.width()),
            vectors: of(&vectors, rows.vector()),
            left_out: numbers.n - kept.len(),
            table: table.select(&kept),
        }
    }
}
