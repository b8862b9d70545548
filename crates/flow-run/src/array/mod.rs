//! An array of the user's own as data to train on, and what a model of one keeps of it.

mod given;
mod pieces;
mod read;
mod rows;
mod scale;

use std::fmt;
use std::sync::Arc;

use flow_datasets::array::Labels;
use flow_datasets::{Table, TableRows, counted};
use flow_train::{RowStore as _, Snapshot};
use sha2::{Digest, Sha256};

use crate::error::{RunError, usage};
use crate::recipe;
use crate::snapshots::Snapshots;
pub use given::GivenColumns;
pub use pieces::Pieces;
use read::{FilePart, before, last, part, read, sides};
pub(crate) use read::{in_two, which_array};
pub use rows::ArrayRows;

/// The name of the set.
pub const ARRAY: &str = "array";

/// An array that is open: what its rows look like, and its two parts.
#[derive(Debug)]
pub struct ArrayData {
    /// How rows of the file become those of the network, and back.
    pub rows: ArrayRows,
    /// Rows to train with.
    pub train: ArrayPart,
    /// Rows held out.
    pub held: ArrayPart,
    /// Of data to data, both parts of the snapshots before the last, in the order of their times.
    pub before: Vec<[ArrayPart; 2]>,
    /// Of data to data, when the snapshots were seen.
    pub snapshots: Option<Snapshots>,
    /// Of data to data, whether row `i` belongs to row `i`.
    pub pairs: bool,
    /// What the file calls the classes.
    pub class_names: Vec<String>,
    /// The columns that its rows are told, if any.
    pub given: Option<GivenColumns>,
    sha256: String,
}

/// Some rows of an array, as the network sees them.
#[derive(Clone, Debug, Default)]
pub struct ArrayPart {
    /// Number of rows.
    pub n: usize,
    /// The rows, one after another; none where they lie in a file.
    pub values: Vec<f32>,
    /// Their classes.
    pub labels: Option<Vec<usize>>,
    /// The columns that they are told, a row for each.
    pub given: Option<Table>,
    /// The same as the network takes them, one after another.
    pub vectors: Option<Vec<f32>>,
    /// How many elements each sequence has, if any ends early; zeros follow.
    pub lengths: Option<Vec<usize>>,
    /// The rows of an array that is larger than memory.
    pub pieces: Option<Arc<Pieces>>,
}

impl ArrayPart {
    /// The rows at these places, of `size` numbers each.
    ///
    /// # Errors
    /// For a place that has no such row, and when the file in which they lie cannot be read, or has
    /// changed.
    pub fn rows_at(&self, places: &[usize], size: usize) -> Result<Vec<f32>, RunError> {
        let mut rows = Vec::new();
        for &place in places {
            let none = || {
                let n = self.n;
                usage!("row {place} of {size} numbers is asked for, and {n} are there from 0 on")
            };
            match &self.pieces {
                Some(pieces) if place < pieces.len() => {
                    rows.extend(pieces.row(place).map_err(|reason| usage!("{reason}"))?);
                }
                Some(_) => return Err(none()),
                None => {
                    let start = place.checked_mul(size).ok_or_else(none)?;
                    let end = start.checked_add(size).ok_or_else(none)?;
                    rows.extend_from_slice(self.values.get(start..end).ok_or_else(none)?);
                }
            }
        }
        Ok(rows)
    }

    /// Shows all rows in their order, some at a time.
    fn each(&self, visit: &mut dyn FnMut(&[f32])) -> Result<(), RunError> {
        if let Some(pieces) = &self.pieces {
            return pieces.each(visit);
        }
        visit(&self.values);
        Ok(())
    }
}

impl ArrayData {
    /// Reads the array of a recipe, holds rows out and scales them: as a model keeps it that is
    /// `like` this, else by the rows to train with; what they are told likewise.
    ///
    /// # Errors
    /// When a file cannot be read, is none of rows, or has too few of them, and when files do not
    /// fit together.
    pub fn open(
        data: &recipe::Data,
        (like, like_given): (Option<ArrayRows>, Option<TableRows>),
    ) -> Result<Self, RunError> {
        let Some(file) = &data.file else {
            return Err(usage!("data.set is array, name its file with data.file=FILE.npy"));
        };
        if let Some(pieces) = pieces::open(file, data, like.as_ref(), like_given.as_ref())? {
            return Ok(pieces);
        }
        let read = Arc::new(read(file, data, data.time.clone())?);
        let (mut class_names, whole) = (Vec::new(), read.rows.len());
        if let Some(Labels { names, .. }) = &read.labels {
            class_names.clone_from(names);
        }
        if let (Some(column), None) = (&data.time, &read.times) {
            return Err(usage!(
                "data.time is {column:?}, and {} has no times: leave it out (--time)",
                file.display()
            ));
        }
        let shape = read.rows.shape[1..].to_vec();
        let (mut snapshots, mut parts) = (None, vec![part(file, &read)]);
        if let (Some(column), Some(times)) = (&data.time, &read.times) {
            let (found, rows) = Snapshots::of_column(column, times)?;
            snapshots = Some(found);
            parts = rows.into_iter().map(|rows| FilePart { rows, ..part(file, &read) }).collect();
        } else if let Some(from) = &data.from {
            let before = Arc::new(before(from, data, &shape, &class_names)?);
            let n = before.rows.len();
            if data.pairs && n != whole {
                return Err(usage!(
                    "{} has {} and {} has {whole}: data.pairs is true, so that row i belongs \
                     to row i",
                    from.display(),
                    counted(n, "row"),
                    file.display()
                ));
            }
            snapshots = Some(Snapshots::of_files());
            parts.insert(0, part(from, &before));
        }
        // Of image files the channels come first, whatever an array of these sizes looks like.
        let channels_last = last(&shape, data.layout) && !file.is_dir();
        let mut rows = ArrayRows::unscaled(read.rows.element, shape, channels_last);
        rows.name.clone_from(&read.names.rows);
        if let Some(like) = like {
            like.check_like(&rows, read.lengths.is_some(), file)?;
            rows = like;
        }
        let sides = sides(data, &rows, &parts)?;
        if rows.shift.is_empty() {
            rows.fit(data.scale, &|visit| {
                let mut show =
                    |part: &ArrayPart| part.each(&mut |rows| visit(rows, part.lengths.as_deref()));
                sides.iter().try_for_each(|[train, _]| show(train))
            })?;
        }
        if data.is_given_starts() && !rows.lengths.is_empty() {
            return Err(usage!(
                "{} has sequences of different lengths, to which paths lead from noise: leave out \
                 data.from and data.time",
                file.display()
            ));
        }
        let mut before: Vec<[ArrayPart; 2]> =
            sides.into_iter().map(|sides| sides.map(|raw| rows.encoded(raw))).collect();
        let Some([mut train, mut held]) = before.pop() else {
            return Err(usage!("{} has no rows", file.display()));
        };
        let given = tell(data, &mut train, &mut held, like_given)?;
        let all = || before.iter().flatten().chain([&train, &held]);
        let sha256 = digest(&rows, all())?;
        let pairs = data.pairs;
        Ok(Self { rows, train, held, before, snapshots, pairs, class_names, given, sha256 })
    }

    /// SHA-256 of all that is learned from, by which other data are noticed.
    #[must_use]
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// How many elements each sequence has of those to train with or to validate with, if any ends
    /// early.
    pub(crate) fn lengths_of(&self, side: usize) -> Option<Vec<usize>> {
        [&self.train, &self.held][side].lengths.clone()
    }

    /// What a source of rows is made of, to train with and to validate with.
    pub(crate) fn snapshots_of(&self, side: usize) -> Vec<Snapshot> {
        let last = [&self.train, &self.held][side];
        let parts = self.before.iter().map(|sides| &sides[side]).chain([last]);
        let times = self.snapshots.as_ref().map_or(vec![0.0], |seen| seen.times.clone());
        let one = |(part, time): (&ArrayPart, f64)| Snapshot {
            time,
            rows: part.values.clone(),
            labels: part.labels.clone(),
            vectors: part.vectors.clone(),
        };
        parts.zip(times).map(one).collect()
    }
}

/// Gives both parts the condition vectors of the columns that they are told, if there are any.
fn tell(
    data: &recipe::Data,
    train: &mut ArrayPart,
    held: &mut ArrayPart,
    like: Option<TableRows>,
) -> Result<Option<GivenColumns>, RunError> {
    let (Some(of_train), Some(of_held)) = (&train.given, &held.given) else { return Ok(None) };
    let (given, vectors) = GivenColumns::of(data, [of_train, of_held], like)?;
    let [of_train, of_held] = vectors.map(Some);
    (train.vectors, held.vectors) = (of_train, of_held);
    Ok(Some(given))
}

fn digest<'a>(
    rows: &ArrayRows,
    parts: impl Iterator<Item = &'a ArrayPart>,
) -> Result<String, RunError> {
    let mut digest = Sha256::new();
    digest.update(serde_json::to_vec(rows).unwrap_or_default());
    for part in parts {
        digest.update((part.n as u64).to_le_bytes());
        part.each(&mut |rows| {
            for number in rows {
                digest.update(number.to_le_bytes());
            }
        })?;
        for number in part.vectors.iter().flatten() {
            digest.update(number.to_le_bytes());
        }
        for &number in part.labels.iter().chain(&part.lengths).flatten() {
            digest.update((number as u64).to_le_bytes());
        }
    }
    Ok(format!("{:x}", digest.finalize()))
}

/// A number for people: large ones are no long row of digits.
fn shown(x: f32) -> String {
    if x.abs() < 1e7 { x.to_string() } else { format!("{x:?}") }
}

/// What the file was taken for, to be looked at before anything is learned.
impl fmt::Display for ArrayData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ArrayRows { element, shape, channels_last, shift, scale, range, .. } = &self.rows;
        let channels = |n: usize| counted(n, "channel");
        match shape[..] {
            [height, width, last] if *channels_last => {
                let channels = channels(last);
                write!(f, "images of {height} x {width} pixels and {channels}, the last axis")?;
            }
            [first, height, width] => {
                let channels = channels(first);
                write!(f, "images of {height} x {width} pixels and {channels}, the first axis")?;
            }
            [length, last] => match self.rows.shortest() {
                Some(least) => write!(
                    f,
                    "sequences of {least} to {length} steps, NaN behind their ends, and {}",
                    channels(last)
                )?,
                None => write!(f, "sequences of {length} steps and {}", channels(last))?,
            },
            _ => write!(f, "points of {}", counted(self.rows.size(), "number"))?,
        }
        let all = |values: &[f32], of: f32| values.iter().all(|x| x.total_cmp(&of).is_eq());
        let scaled = if all(shift, 0.0) && all(scale, 1.0) {
            "as they are".to_owned()
        } else if all(shift, shift[0]) && all(scale, scale[0]) && self.rows.is_range() {
            let [low, high] = range.map(shown);
            format!("scaled from {low} .. {high} to -1 .. 1")
        } else {
            "scaled to mean 0 and deviation 1 of each channel".to_owned()
        };
        let element = format!("{element:?}").to_lowercase();
        write!(f, "; numbers of type {element}, {scaled}")?;
        if !self.class_names.is_empty() {
            write!(f, "; {}", counted(self.class_names.len(), "class"))?;
        }
        write!(f, "\n{} to train with, {} held out", counted(self.train.n, "row"), self.held.n)?;
        if self.train.pieces.is_some() {
            write!(f, ", read from the file when they are needed")?;
        }
        if let Some(snapshots) = &self.snapshots {
            let times: Vec<String> = snapshots.times.iter().map(ToString::to_string).collect();
            let kind = if self.pairs { "pairs" } else { "snapshots" };
            write!(f, " at the end; {kind} at the times {}", times.join(", "))?;
        }
        match &self.given {
            Some(given) => write!(f, "\nthey are told\n{}", given.columns.to_string().trim_end()),
            None => Ok(()),
        }
    }
}
