//! A table of the user's own as data to train on, and what a model of one keeps of it.

mod conditions;
mod incomplete;
mod read;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use flow_datasets::table::{Coded, Role, Unseen};
use flow_datasets::{Columns, Encoder, ReadOptions, Table, TableError, counted};
use flow_train::{PartDrop, Rows, Snapshot, Spread};
use sha2::{Digest, Sha256};

use crate::error::{RunError, usage};
use crate::snapshots::Snapshots;
use crate::{memory, recipe};
pub use conditions::Conditions;
pub(crate) use conditions::warn_of_unseen;
pub use flow_datasets::TableRows;
pub use incomplete::Incomplete;
pub use read::numbers_of;
use read::{FEWEST, Numbers, check_columns, lacking, parts, sides, stacked, tables};

/// The name of the set.
pub const TABLE: &str = "table";

/// A table that is open: its columns, how they are encoded, and its two parts.
#[derive(Debug)]
pub struct TableData {
    /// What its columns were taken for, to be looked at before anything is learned.
    pub columns: Columns,
    /// How rows become numbers and back.
    pub rows: TableRows,
    /// Rows to train with.
    pub train: Part,
    /// Rows to train with that lack some of what is learned, if the recipe learns from them.
    pub incomplete: Incomplete,
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

impl TableData {
    /// Reads the table of a recipe, guesses its columns, holds rows out and encodes them: as a
    /// model keeps it that is `like` this, else as the rows to train with have it. With `holes`,
    /// these may lack some of what is learned.
    ///
    /// # Errors
    /// When a file cannot be read, holds what cannot be encoded, or too few complete rows, and when
    /// files do not fit together.
    pub fn open(
        data: &recipe::Data,
        holes: bool,
        like: Option<TableRows>,
    ) -> Result<Self, RunError> {
        let Some(file) = &data.file else {
            return Err(usage!("data.set is table, name its file with data.file=FILE.csv"));
        };
        let refused = |error: TableError| usage!("{}: {error}", file.display());
        let reading = data.reading()?;
        let (snapshots, tables) = tables(data, file, &reading)?;
        let overrides = data.overrides();
        let columns = Columns::guess(&stacked(&tables), &overrides).map_err(refused)?;
        if like.is_none() {
            columns.check_told(&overrides).map_err(refused)?;
        }
        if let (Some(from), [before, _]) = (&data.from, &tables[..]) {
            check_columns(&columns, before, from)?;
        }
        let sides = sides(data, &tables, &reading)?;
        let fitted = || {
            let train: Vec<Table> = sides.iter().map(|[train, _]| train.clone()).collect();
            Encoder::fit(&stacked(&train), &columns).map_err(refused)
        };
        let encoder = like.as_ref().map_or_else(fitted, |like| Ok(like.encoder.clone()))?;
        if encoder.width() == 0 {
            return Err(usage!("{}: no column is left to learn", file.display()));
        }
        // A category that only held-out rows have cannot be learned: such a row is left out.
        let mut lenient = encoder.clone();
        lenient.unseen = Unseen::Missing;
        let of_train = if like.is_some() { &lenient } else { &encoder };
        let numbers = |[train, held]: &[Table; 2]| {
            Ok([Numbers::of(of_train, train)?, Numbers::of(&lenient, held)?])
        };
        let numbers: Vec<[Numbers; 2]> =
            sides.iter().map(numbers).collect::<Result<_, _>>().map_err(refused)?;
        // Other files of the kind are read alike, but what separates their columns is their own.
        let reading = ReadOptions { delimiter: None, ..reading };
        let of_these_rows = || {
            let given_masks = numbers.iter().map(|[train, _]| &train.given_mask);
            let optional = optional(&encoder, given_masks, &data.given_drop);
            let holes = match &numbers[..] {
                [[train, _]] if holes => lacking(&encoder, Role::Target, [&train.mask]),
                _ => Vec::new(),
            };
            let masked = !optional.is_empty();
            TableRows { masked, optional, holes, encoder: encoder.clone(), reading }
        };
        let rows = like.unwrap_or_else(of_these_rows);
        let mut before = parts(&rows, &sides, &numbers, data.pairs);
        for (at, name) in ["to train with", "held out"].into_iter().enumerate() {
            let mut few = before.iter().map(|sides| &sides[at]).filter(|part| part.n < FEWEST);
            if let Some(Part { n, left_out, .. }) = few.next() {
                let why = match (left_out, at) {
                    (0, _) => String::new(),
                    (_, 0) => format!(" ({left_out} more lack a value)"),
                    _ => format!(
                        " ({left_out} more lack a value, or have a category that no row to train \
                         with has)"
                    ),
                };
                return Err(usage!(
                    "{}: {} {name}{why}, at least {FEWEST} are needed, and equal rows stay \
                     together: add different rows, or hold out others by data.split, such as \
                     another data.split.share",
                    file.display(),
                    counted(n, "complete row")
                ));
            }
        }
        let Some([mut train, held]) = before.pop() else {
            return Err(usage!("{} has no rows", file.display()));
        };
        let incomplete = match &numbers[..] {
            [[train, _]] if !rows.holes.is_empty() => Incomplete::of(&rows, train),
            _ => Incomplete::default(),
        };
        train.left_out -= incomplete.n;
        let all = before.iter().flatten().chain([&train, &held]);
        let sha256 = digest(&rows, all, &incomplete);
        let pairs = data.pairs;
        Ok(Self { columns, rows, train, incomplete, held, before, snapshots, pairs, sha256 })
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

    /// Rows of one side of a table that has holes: to train with, those that lack some of what is
    /// learned stand behind the others, and to validate with, rows are whole. All are told what
    /// they lack.
    pub(crate) fn with_incomplete(&self, side: usize) -> Rows {
        match side {
            0 => self.incomplete.behind(&self.rows, &self.train),
            _ => Incomplete::default().behind(&self.rows, &self.held),
        }
    }

    /// What spreads whole numbers over their cells, if some are learned.
    pub(crate) fn spread(&self) -> Option<Arc<dyn Spread>> {
        let encoder = &self.rows.encoder;
        encoder.has_whole().then(|| Arc::new(Cells(encoder.clone())) as Arc<dyn Spread>)
    }

    /// Whether row `i` of the data belongs to row `i` of the file that paths start from.
    pub(crate) fn pairs(&self) -> bool {
        self.pairs
    }
}

/// The given columns that a sample may do without: those that some row lacks by its mask, and those
/// that training hides alone.
pub(crate) fn optional<'a>(
    encoder: &Encoder,
    masks: impl IntoIterator<Item = &'a Vec<f32>>,
    rates: &BTreeMap<String, f64>,
) -> Vec<String> {
    let hidden = rates.iter().filter(|(_, rate)| 0.0 < **rate).map(|(name, _)| name.clone());
    let all: BTreeSet<String> =
        lacking(encoder, Role::Given, masks).into_iter().chain(hidden).collect();
    all.into_iter().collect()
}

/// The conditions that are hidden alone, each at its rate by the name of its column: its value and
/// what says that it is known.
pub(crate) fn part_drops(rows: &TableRows, rates: &BTreeMap<String, f64>) -> Vec<PartDrop> {
    let encoder = &rows.encoder;
    let hidden = |(column, span): (&Coded, Range<usize>)| {
        let probability = *rates.get(&column.name)?;
        let width = encoder.given_width();
        let numbers = span.clone().chain(span.start + width..span.end + width).collect();
        (0.0 < probability).then_some(PartDrop { numbers, probability })
    };
    encoder.spans(Role::Given).filter_map(hidden).collect()
}

/// The cells of length 1 around the whole numbers of a table.
#[derive(Debug)]
struct Cells(Encoder);

impl Spread for Cells {
    fn spread(&self, row: &mut [f32], noise: &mut dyn FnMut() -> f64) {
        self.0.dequantise(row, noise);
    }
}

/// Bytes of memory that a table may take as it is read: its two parts, as they are and as numbers,
/// take as much again.
pub(crate) fn most_bytes() -> u64 {
    (memory::limit() / 3.0) as u64
}

/// Reads a file as the table that a model has learned was read.
///
/// # Errors
/// As [`Table::read`].
pub fn read_like(rows: &TableRows, file: &Path) -> Result<Table, TableError> {
    Table::read(file, &ReadOptions { max_bytes: most_bytes(), ..rows.reading.clone() })
}

fn digest<'a>(
    rows: &TableRows,
    parts: impl Iterator<Item = &'a Part>,
    incomplete: &Incomplete,
) -> String {
    let mut digest = Sha256::new();
    // Which conditions may be unknown follows from their numbers.
    let rows = TableRows { optional: Vec::new(), ..rows.clone() };
    digest.update(serde_json::to_vec(&rows).unwrap_or_default());
    for part in parts {
        digest.update((part.n as u64).to_le_bytes());
        for number in part.values.iter().chain(&part.vectors) {
            digest.update(number.to_le_bytes());
        }
    }
    incomplete.numbers().for_each(|number| digest.update(number.to_le_bytes()));
    format!("{:x}", digest.finalize())
}

#[cfg(test)]
mod tests {
    use flow_datasets::Files;
    use flow_datasets::table::Column;
    use flow_model::Registry;
    use flow_path::stream::Streams;

    use crate::{Changes, Data, Recipe, Silent};

    #[test]
    #[allow(clippy::float_cmp, reason = "what is not moved is as it was")]
    fn whole_numbers_are_learned_as_cells_that_come_out_as_they_were() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/examples/penguins.csv");
        let whole = "data.holes=false".to_owned();
        let changes = [format!("data.file={file}"), "data.given=[\"sex\"]".into(), whole];
        let recipe = Recipe::named(&Registry::default(), "table", &changes).unwrap();
        let data = Data::open(&recipe, &Files::default(), &Silent).unwrap();
        let encoder = &data.table().unwrap().rows.encoder;
        let draws = |dequantise: bool, seed: u64| {
            let [train, _] = data.sources(Changes { dequantise, mirror: false }).unwrap();
            let n = data.table().unwrap().train.n as u64;
            [0, 1].map(|pass| train.draw(pass * n..(pass + 1) * n, &Streams::new(seed)))
        };
        let (plain, spread) = (draws(false, 1), draws(true, 1));
        for (plain, spread) in plain.iter().zip(&spread) {
            assert_eq!(plain.vectors, spread.vectors);
            let decode = |rows: &[f32]| -> Vec<Option<String>> {
                let table = encoder.decode(rows, None).unwrap();
                let cells = |column: &Column| -> Vec<Option<String>> {
                    (0..column.len()).map(|row| column.cell(row)).collect()
                };
                table.columns().iter().flat_map(cells).collect()
            };
            assert_eq!(decode(&plain.rows), decode(&spread.rows));
            // Three columns of whole numbers; the others are as they are in the file.
            let moved = plain.rows.iter().zip(&spread.rows).filter(|(a, b)| a != b).count();
            let rows = plain.rows.len() / encoder.width();
            assert!((3 * rows - 3..=3 * rows).contains(&moved), "{moved} of {rows} rows");
        }
        // The same for one seed, another noise in another pass and for another seed.
        assert_eq!(draws(true, 1), spread);
        let by_row = |pass: usize| -> Vec<u32> {
            let shifts = plain[pass].rows.iter().zip(&spread[pass].rows);
            let mut shifts: Vec<u32> = shifts.map(|(a, b)| (b - a).to_bits()).collect();
            shifts.sort_unstable();
            shifts
        };
        assert_ne!(by_row(0), by_row(1));
        assert_ne!(draws(true, 2)[0].rows, spread[0].rows);
    }
}
