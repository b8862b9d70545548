//! An array that is larger than memory: its rows stay in the file.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use flow_datasets::Holdout;
use flow_datasets::array::{ArrayFile, ArrayHead, ArrayNames};
use flow_datasets::table::by_hash;
use flow_train::RowStore;

use super::read::{hashes, in_two};
use super::{ArrayData, ArrayPart, ArrayRows, digest, last};
use crate::error::{RunError, usage};
use crate::{memory, recipe};

/// Bytes of a file that are read together when all rows are looked at.
const BLOCK: usize = 1 << 22;

/// Bytes of memory for each row of a file that stays there: its place, its hash, whether it is held
/// out, and its place among those of its part.
const BYTES_OF_ROW: f64 = 25.0;

/// How often an array takes its size while it is read and scaled in memory.
const COPIES: f64 = 3.0;

/// Some rows of a file, which are read when they are needed, as the network sees them.
#[derive(Debug)]
pub struct Pieces {
    file: Mutex<ArrayFile>,
    /// Which rows of the file they are, in increasing order.
    rows: Vec<usize>,
    /// How they are scaled; as they are, while that is not known.
    like: Option<ArrayRows>,
}

impl Pieces {
    fn open(path: &Path, rows: Vec<usize>, like: Option<ArrayRows>) -> Result<Self, RunError> {
        let file = ArrayFile::open(path).map_err(|error| usage!("{error}"))?;
        Ok(Self { file: Mutex::new(file), rows, like })
    }

    fn scaled(&self, rows: Vec<f32>) -> Vec<f32> {
        match &self.like {
            Some(like) => like.encode(&rows),
            None => rows,
        }
    }

    /// Shows all rows in their order, some at a time.
    ///
    /// # Errors
    /// When the file cannot be read, or has changed.
    pub(super) fn each(&self, visit: &mut dyn FnMut(&[f32])) -> Result<(), RunError> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let (n, size) = (file.shape()[0], file.shape()[1..].iter().product::<usize>());
        let block = (BLOCK / (4 * size)).max(1);
        let mut done = 0;
        while done < self.rows.len() {
            let start = self.rows[done];
            let end = n.min(start + block);
            let upto = done + self.rows[done..].partition_point(|row| *row < end);
            let read = file.rows(start..end).map_err(|error| usage!("{error}"))?;
            let place = |row: &usize| &read[(row - start) * size..(row + 1 - start) * size];
            visit(&self.scaled(self.rows[done..upto].iter().flat_map(place).copied().collect()));
            done = upto;
        }
        Ok(())
    }
}

impl RowStore for Pieces {
    fn len(&self) -> usize {
        self.rows.len()
    }

    fn row(&self, row: usize) -> Result<Vec<f32>, String> {
        let row = self.rows[row];
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let read = file.rows(row..row + 1).map_err(|error| error.to_string())?;
        Ok(self.scaled(read))
    }
}

/// Opens an array in pieces where a recipe asks for it, or where memory would not hold it; nothing
/// where it is read as a whole.
///
/// Everything that is learned from it has the bits that it has in memory: which rows are held out,
/// how they are scaled, and the order in which they are drawn.
///
/// # Errors
/// When pieces are asked for and the file is no npy with the rows one after another, or the rows
/// belong to others of another file; and as [`ArrayData::open`].
pub(super) fn open(
    path: &Path,
    data: &recipe::Data,
    like: Option<&ArrayRows>,
) -> Result<Option<ArrayData>, RunError> {
    let names = ArrayNames { rows: data.array.clone(), classes: data.labels.clone(), times: None };
    // A header is believed no further than the file is long; what is wrong is said by who reads it.
    let Ok(head) = ArrayHead::read(path, &names) else { return Ok(None) };
    let bytes = 4.0 * head.shape.iter().map(|&n| n as f64).product::<f64>();
    if !data.pieces.unwrap_or(memory::limit() < COPIES * bytes) {
        return Ok(None);
    }
    let whole = data.from.is_none() && data.time.is_none();
    let share = match &data.split {
        None => Some(0.1),
        Some(Holdout::Hash { share }) => Some(*share),
        Some(_) => None,
    };
    let is_npy = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("npy"));
    let Some(share) = share.filter(|_| whole && is_npy) else {
        return match data.pieces {
            None => Ok(None),
            Some(_) => Err(usage!(
                "data.pieces reads rows of an npy file when they are needed, of one file with a \
                 share of its rows held out: leave it out, or data.from, data.time and \
                 data.split.path"
            )),
        };
    };
    let (n, size) = (head.shape[0], head.shape[1..].iter().product::<usize>());
    let (needed, limit) = (BYTES_OF_ROW * n as f64, memory::limit());
    if limit < needed {
        return Err(usage!(
            "{} has {n} rows, of which places and hashes alone take {}, and this machine has {} of \
             memory: train on some of them",
            path.display(),
            memory::shown(needed),
            memory::shown(limit)
        ));
    }
    let all = Pieces::open(path, (0..n).collect(), None)?;
    let mut found = Vec::with_capacity(n);
    all.each(&mut |rows| found.extend(hashes(rows, size, 0..rows.len() / size)))?;
    let [train, held] = in_two(path, &all.rows, &by_hash(&found, share)?)?;

    let shape = head.shape[1..].to_vec();
    let channels_last = last(&shape, data.layout);
    let mut rows = ArrayRows::unscaled(head.element, shape, channels_last);
    let raw = Pieces::open(path, train, None)?;
    if let Some(like) = like {
        like.check_like(&rows, false, path)?;
        rows.clone_from(like);
    } else {
        rows.fit(data.scale, &|visit| raw.each(&mut |rows| visit(rows, None)))?;
    }
    let part = |of: Vec<usize>| -> Result<ArrayPart, RunError> {
        let pieces = Pieces::open(path, of, Some(rows.clone()))?;
        let n = pieces.rows.len();
        Ok(ArrayPart { n, pieces: Some(pieces.into()), ..ArrayPart::default() })
    };
    let (train, held) = (part(raw.rows)?, part(held)?);
    let sha256 = digest(&rows, [&train, &held].into_iter())?;
    let (before, class_names) = (Vec::new(), Vec::new());
    let (snapshots, pairs) = (None, false);
    Ok(Some(ArrayData { rows, train, held, before, snapshots, pairs, class_names, sha256 }))
}
