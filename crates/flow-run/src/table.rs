//! A table of the user's own as data to train on, and what a model of one keeps of it.

use std::path::Path;

use flow_datasets::table::{Coded, Role, Unseen, Values};
use flow_datasets::{Columns, Encoded, Encoder, Holdout, Overrides, ReadOptions, Table};
use flow_train::Snapshot;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::{RunError, usage};
use crate::recipe;
use crate::snapshots::Snapshots;

/// The name of the set.
pub const TABLE: &str = "table";

/// The key under which a model keeps how its rows become those of a table.
const KEY: &str = "table";

/// A table that is open: its columns, how they are encoded, and its two parts.
#[derive(Debug)]
pub struct TableData {
    /// What its columns were taken for, to be looked at before anything is learned.
    pub columns: Columns,
    /// How rows become numbers and back.
    pub rows: TableRows,
    /// Rows to train with.
    pub train: Part,
    /// Rows held out.
    pub held: Part,
    /// Of data to data, both parts of the snapshots before the last, in the order of their times.
    pub before: Vec<[Part; 2]>,
    /// Of data to data, when the snapshots were seen.
    pub snapshots: Option<Snapshots>,
    pairs: bool,
    sha256: String,
}

/// The complete rows of a part of a table.
#[derive(Debug)]
pub struct Part {
    /// The rows as the file has them.
    pub table: Table,
    /// Number of rows.
    pub n: usize,
    /// What is learned, `[n, width]`.
    pub values: Vec<f32>,
    /// What conditions it, `[n, vector]`; empty without given columns.
    pub vectors: Vec<f32>,
    /// Rows that were left out because a value that is learned is missing or not known.
    pub left_out: usize,
}

/// What a model of a table keeps: enough to decode its samples and to encode conditions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableRows {
    /// Whether a bit for each number of a condition says if it is known.
    pub masked: bool,
    /// How rows become numbers and back.
    pub encoder: Encoder,
}

impl TableRows {
    /// Numbers in a condition vector, 0 without given columns.
    #[must_use]
    pub fn vector(&self) -> usize {
        self.encoder.given_width() * if self.masked { 2 } else { 1 }
    }

    /// Names of the given columns.
    pub fn given(&self) -> impl Iterator<Item = &str> {
        self.encoder.spans(Role::Given).map(|(column, _)| column.name.as_str())
    }

    /// Condition vectors of a table with a row of conditions for each sample, `[n, vector]`.
    ///
    /// # Errors
    /// When a given column is missing from the table or from a row, unless some were missing in
    /// training too, and when a value is not of its column.
    pub fn conditions(&self, given: &Table) -> Result<Vec<f32>, RunError> {
        let (rows, mask) = self.encoder.encode_given(given).map_err(|error| usage!("{error}"))?;
        let width = self.encoder.given_width();
        if !self.masked
            && let Some(at) = mask.iter().position(|known| *known == 0.0)
        {
            let column =
                self.encoder.spans(Role::Given).find(|(_, span)| span.contains(&(at % width)));
            return Err(usage!(
                "row {} of the conditions lacks `{}`: the model was always told it, give a value",
                at / width + 1,
                column.map_or("", |(column, _)| &column.name)
            ));
        }
        Ok(self.vectors(&rows, &mask))
    }

    /// Condition vectors of encoded conditions and their masks, `[n, given_width]` each.
    #[must_use]
    pub fn vectors(&self, given: &[f32], mask: &[f32]) -> Vec<f32> {
        let width = self.encoder.given_width();
        if width == 0 || !self.masked {
            return given.to_vec();
        }
        let both = given.chunks(width).zip(mask.chunks(width));
        both.flat_map(|(given, mask)| given.iter().chain(mask).copied()).collect()
    }

    /// What a model keeps under its own key.
    ///
    /// # Panics
    /// Never: an encoder is made of numbers, text and lists.
    #[must_use]
    pub fn kept(&self) -> toml::Table {
        let own = toml::Value::try_from(self).expect("an encoder is valid TOML");
        toml::Table::from_iter([(KEY.to_owned(), own)])
    }

    /// What a model of a table has kept; nothing for other models.
    ///
    /// # Errors
    /// When it is damaged.
    pub fn of(rows: &toml::Table) -> Result<Option<Self>, RunError> {
        let Some(own) = rows.get(KEY) else { return Ok(None) };
        let read = own.clone().try_into().map(Some);
        read.map_err(|error: toml::de::Error| usage!("the model's table: {}", error.message()))
    }
}

impl TableData {
    /// Reads the table of a recipe, guesses its columns, holds rows out and encodes the rest.
    ///
    /// # Errors
    /// When a file cannot be read, holds what cannot be encoded, or too few complete rows, and when
    /// files do not fit together.
    pub fn open(data: &recipe::Data) -> Result<Self, RunError> {
        let Some(file) = &data.file else {
            return Err(usage!("data.set is table, name its file with data.file=FILE.csv"));
        };
        let refused = |error: flow_datasets::TableError| usage!("{}: {error}", file.display());
        let (snapshots, tables) = tables(data, file)?;
        let overrides = Overrides {
            given: data.given.clone(),
            columns: data.columns.clone(),
            drop: data.drop.clone(),
            types: data.types.clone(),
            transforms: data.transforms.clone(),
        };
        let columns = Columns::guess(&stacked(&tables), &overrides).map_err(refused)?;
        if let (Some(from), [before, _]) = (&data.from, &tables[..]) {
            check_columns(&columns, before, from)?;
        }
        let sides = sides(data, &tables)?;
        let train: Vec<Table> = sides.iter().map(|[train, _]| train.clone()).collect();
        let encoder = Encoder::fit(&stacked(&train), &columns).map_err(refused)?;
        if encoder.width() == 0 {
            return Err(usage!("{}: no column is left to learn", file.display()));
        }
        // A category that only held-out rows have cannot be learned: such a row is left out.
        let mut lenient = encoder.clone();
        lenient.unseen = Unseen::Missing;
        let numbers = |[train, held]: &[Table; 2]| {
            Ok([Numbers::of(&encoder, train)?, Numbers::of(&lenient, held)?])
        };
        let numbers: Vec<[Numbers; 2]> =
            sides.iter().map(numbers).collect::<Result<_, _>>().map_err(refused)?;
        let masked = numbers.iter().any(|[train, _]| train.given_mask.contains(&0.0));
        let rows = TableRows { masked, encoder };
        let mut before = parts(&rows, &sides, &numbers, data.pairs);
        for (at, name) in ["to train with", "held out"].into_iter().enumerate() {
            for part in before.iter().map(|sides| &sides[at]).filter(|part| part.n < FEWEST) {
                return Err(usage!(
                    "{}: {} complete rows {name}, at least {FEWEST} are needed ({} more lack a \
                     value)",
                    file.display(),
                    part.n,
                    part.left_out
                ));
            }
        }
        let Some([train, held]) = before.pop() else {
            return Err(usage!("{} has no rows", file.display()));
        };
        let all = before.iter().flatten().chain([&train, &held]);
        let sha256 = digest(&rows, all);
        let pairs = data.pairs;
        Ok(Self { columns, rows, train, held, before, snapshots, pairs, sha256 })
    }

    /// SHA-256 of all that is learned from, by which other data are noticed.
    #[must_use]
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// The held-out rows whose conditions a score tells the model in turn: those that its paths
    /// start from, if they have any.
    #[must_use]
    pub fn told(&self) -> &Part {
        let starts = self.before.first().map(|[_, held]| held);
        starts.filter(|held| !held.vectors.is_empty()).unwrap_or(&self.held)
    }

    /// What a source of rows is made of, to train with and to validate with.
    pub(crate) fn snapshots_of(&self, side: usize) -> Vec<Snapshot> {
        let last = [&self.train, &self.held][side];
        let parts = self.before.iter().map(|sides| &sides[side]).chain([last]);
        let times = self.snapshots.as_ref().map_or(vec![0.0], |seen| seen.times.clone());
        let one = |(part, time): (&Part, f64)| Snapshot {
            time,
            rows: part.values.clone(),
            labels: None,
            vectors: (!part.vectors.is_empty()).then(|| part.vectors.clone()),
        };
        parts.zip(times).map(one).collect()
    }

    /// Whether row `i` of the data belongs to row `i` of the file that paths start from.
    pub(crate) fn pairs(&self) -> bool {
        self.pairs
    }
}

/// Rows that each part of a table needs.
const FEWEST: usize = 2;

/// The table of a recipe; of data to data, the snapshots in the order of their times.
fn tables(
    data: &recipe::Data,
    file: &Path,
) -> Result<(Option<Snapshots>, Vec<Table>), RunError> {
    let read = |path: &Path| {
        Table::read(path, &ReadOptions::default())
            .map_err(|error| usage!("{}: {error}", path.display()))
    };
    let table = read(file)?;
    if let Some(time) = &data.time {
        let times = numbers_of(&table, time)
            .ok_or_else(|| usage!("{} has no column of numbers `{time}`", file.display()))?;
        let (snapshots, rows) = Snapshots::of_column(time, &times)?;
        let rest = table.without(time);
        return Ok((Some(snapshots), rows.iter().map(|rows| rest.select(rows)).collect()));
    }
    let Some(from) = &data.from else { return Ok((None, vec![table])) };
    let before = read(from)?;
    if data.pairs && before.len() != table.len() {
        return Err(usage!(
            "{} has {} rows and {} has {}: data.pairs is true, so that row i belongs to row i",
            from.display(),
            before.len(),
            file.display(),
            table.len()
        ));
    }
    Ok((Some(Snapshots::of_files()), vec![before, table]))
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
fn stacked(tables: &[Table]) -> Table {
    let mut from_the_last = tables.iter().rev().cloned();
    let last = from_the_last.next().expect("a recipe has a table");
    from_the_last.fold(last, |all, table| all.stacked(&table))
}

/// Refuses a file to start from that lacks a column which is learned, or some of those given.
fn check_columns(columns: &Columns, before: &Table, from: &Path) -> Result<(), RunError> {
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
fn sides(data: &recipe::Data, tables: &[Table]) -> Result<Vec<[Table; 2]>, RunError> {
    let split = data.split.clone().unwrap_or_default();
    if 1 < tables.len() && matches!(split, Holdout::File { .. }) {
        return Err(usage!(
            "data.split names a file, and paths start from data: hold out by hash or by column"
        ));
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
struct Numbers {
    n: usize,
    values: Vec<f32>,
    mask: Vec<f32>,
    /// Conditions; empty for rows that have none.
    given: Vec<f32>,
    given_mask: Vec<f32>,
}

impl Numbers {
    fn of(encoder: &Encoder, table: &Table) -> Result<Self, flow_datasets::TableError> {
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

/// Both parts of each table, without the rows that lack a value.
fn parts(
    rows: &TableRows,
    sides: &[[Table; 2]],
    numbers: &[[Numbers; 2]],
    pairs: bool,
) -> Vec<[Part; 2]> {
    let complete = |at: usize| -> Vec<Vec<bool>> {
        let mut each: Vec<Vec<bool>> =
            numbers.iter().map(|sides| rows.complete(&sides[at])).collect();
        if pairs && let [before, after] = &mut each[..] {
            // Both ends of a pair, or neither.
            for (a, b) in before.iter_mut().zip(after) {
                (*a, *b) = (*a && *b, *a && *b);
            }
        }
        each
    };
    let complete = [0, 1].map(complete);
    let part = |k: usize, at: usize| {
        Part::of(rows, &sides[k][at], &numbers[k][at], &complete[at][k])
    };
    (0..sides.len()).map(|k| [part(k, 0), part(k, 1)]).collect()
}

impl TableRows {
    /// Whether each row has all that is learned, and all its conditions if none may be missing.
    fn complete(&self, numbers: &Numbers) -> Vec<bool> {
        let (width, given) = (self.encoder.width(), self.encoder.given_width());
        let whole = |mask: &[f32], row: usize, width: usize| {
            mask.is_empty() || !mask[row * width..(row + 1) * width].contains(&0.0)
        };
        let complete = |row: usize| {
            whole(&numbers.mask, row, width)
                && (self.masked || whole(&numbers.given_mask, row, given))
        };
        (0..numbers.n).map(complete).collect()
    }
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

fn digest<'a>(rows: &TableRows, parts: impl Iterator<Item = &'a Part>) -> String {
    let mut digest = Sha256::new();
    digest.update(serde_json::to_vec(rows).unwrap_or_default());
    for part in parts {
        digest.update((part.n as u64).to_le_bytes());
        for number in part.values.iter().chain(&part.vectors) {
            digest.update(number.to_le_bytes());
        }
    }
    format!("{:x}", digest.finalize())
}
