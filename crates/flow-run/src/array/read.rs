//! From files of arrays to rows to train with and held out.

use std::path::Path;
use std::sync::Arc;

use flow_datasets::array::{ArrayNames, LabelledArray, Labels};
use flow_datasets::table::by_hash;
use flow_datasets::{ArrayError, Holdout, ImageFiles, Table};
use sha2::{Digest, Sha256};

use super::{ArrayPart, ArrayRows, given};
use crate::error::{RunError, usage};
use crate::memory;
use crate::recipe::{self, Layout};

/// Rows that each part of an array needs.
const FEWEST: usize = 2;

/// Channels up to which the last axis of an image is taken for them, where the first is longer.
const MOST_CHANNELS: usize = 4;

/// Some rows of a file.
pub(super) struct FilePart<'a> {
    pub(super) file: &'a Path,
    pub(super) array: Arc<LabelledArray>,
    pub(super) rows: Vec<usize>,
}

/// All rows of a file.
pub(super) fn part<'a>(file: &'a Path, array: &Arc<LabelledArray>) -> FilePart<'a> {
    FilePart { file, array: Arc::clone(array), rows: (0..array.rows.len()).collect() }
}

/// The columns that all rows of a file are told.
fn given(
    data: &recipe::Data,
    file: &Path,
    array: &LabelledArray,
) -> Result<Option<Table>, RunError> {
    given::table(file, data, array.table.as_ref(), array.rows.len())
}

/// Reads a file, and says how to name its arrays where it is not clear which is which.
pub(super) fn read(
    file: &Path,
    data: &recipe::Data,
    times: Option<String>,
) -> Result<LabelledArray, RunError> {
    if file.is_dir() {
        return images(file, data);
    }
    let names = ArrayNames { rows: data.array.clone(), classes: data.labels.clone(), times };
    LabelledArray::read(file, &names, memory::limit() as u64).map_err(which_array)
}

/// What is wrong with a file of arrays, and how to name one where it is not clear which is meant.
pub(crate) fn which_array(error: ArrayError) -> RunError {
    match error {
        ArrayError::WhichArray { asked: None, ref names, .. } if 1 < names.len() => {
            usage!("{error}, as in data.array=NAME")
        }
        error => usage!("{error}"),
    }
}

/// All images of a folder.
fn images(folder: &Path, data: &recipe::Data) -> Result<LabelledArray, RunError> {
    let images = image_files(folder, data)?;
    let needed = 4.0 * images.shape().iter().map(|&n| n as f64).product::<f64>();
    if memory::limit() < needed {
        return Err(usage!(
            "the images of {} take {}, and this machine has {} of memory: data.pieces=true reads \
             them when they are needed, with a share of them held out",
            folder.display(),
            memory::shown(needed),
            memory::shown(memory::limit())
        ));
    }
    images.array().map_err(|error| usage!("{error}"))
}

/// The images of a folder, before their pixels are read.
pub(super) fn image_files(folder: &Path, data: &recipe::Data) -> Result<ImageFiles, RunError> {
    ImageFiles::open(folder, data.labels.as_deref(), &data.given).map_err(|error| usage!("{error}"))
}

/// The rows that paths start from, which have the shape of those of the data.
pub(super) fn before(
    from: &Path,
    data: &recipe::Data,
    shape: &[usize],
    class_names: &[String],
) -> Result<LabelledArray, RunError> {
    // Its arrays have names of their own.
    let own = recipe::Data { array: None, labels: None, ..data.clone() };
    if data.pairs {
        check_names(from, data)?;
    }
    let mut before = read(from, &own, None)?;
    if before.rows.shape[1..] != *shape {
        return Err(usage!(
            "rows of {} have the shape {:?}, and those of the data {shape:?}: both must have one",
            from.display(),
            &before.rows.shape[1..]
        ));
    }
    if let Some(Labels { of_rows, names }) = &mut before.labels {
        // Classes are numbered in each file by itself.
        let place = |name: &String| {
            class_names.iter().position(|known| known == name).ok_or_else(|| {
                usage!("{} has the class {name}, and the data have not", from.display())
            })
        };
        let places: Vec<usize> = names.iter().map(place).collect::<Result<_, _>>()?;
        for label in of_rows {
            *label = places[*label];
        }
    }
    Ok(before)
}

/// Refuses folders of images that are paired by their order and not by their names.
fn check_names(from: &Path, data: &recipe::Data) -> Result<(), RunError> {
    let Some(to) = data.file.as_deref().filter(|to| to.is_dir() && from.is_dir()) else {
        return Ok(());
    };
    let of_from = recipe::Data { labels: None, given: Vec::new(), ..data.clone() };
    let [starts, ends] = [image_files(from, &of_from)?.names(), image_files(to, data)?.names()];
    match starts.iter().zip(&ends).find(|(start, end)| start != end) {
        Some((start, end)) => Err(usage!(
            "data.pairs is true, and the image {start} of {} stands where {} has {end}: give the \
             images of a pair one name",
            from.display(),
            to.display()
        )),
        None => Ok(()),
    }
}

/// Whether the channels of an image are its last axis, as said or as its sizes look.
pub(super) fn last(shape: &[usize], layout: Option<Layout>) -> bool {
    let [first, _, last] = *shape else { return false };
    match layout {
        Some(layout) => layout == Layout::ChannelsLast,
        None => last <= MOST_CHANNELS && MOST_CHANNELS < first,
    }
}

/// Rows of the file to train with and held out, of each snapshot, in the file's own units.
pub(super) fn sides(
    data: &recipe::Data,
    like: &ArrayRows,
    parts: &[FilePart<'_>],
) -> Result<Vec<[ArrayPart; 2]>, RunError> {
    let size = like.size();
    let of = |array: &LabelledArray, rows: &[usize], given: Option<&Table>| ArrayPart {
        n: rows.len(),
        given: given.map(|given| given.select(rows)),
        values: rows
            .iter()
            .flat_map(|row| &array.rows.values[row * size..(row + 1) * size])
            .copied()
            .collect(),
        labels: array
            .labels
            .as_ref()
            .map(|labels| rows.iter().map(|&row| labels.of_rows[row]).collect()),
        lengths: array
            .lengths
            .as_ref()
            .map(|lengths| rows.iter().map(|&row| lengths[row]).collect()),
        vectors: None,
        pieces: None,
    };
    let share = match &data.split {
        None => 0.1,
        Some(Holdout::Hash { share }) => *share,
        Some(Holdout::File { path }) if parts.len() == 1 => {
            let FilePart { file, array, rows } = &parts[0];
            let held = before(path, data, &like.shape, &names_of(array))?;
            let all: Vec<usize> = (0..held.rows.len()).collect();
            if data.beside.is_some() {
                return Err(usage!(
                    "data.beside has a row for each of one file, and data.split names a second \
                     one: hold out a share of the rows, {{ kind = \"hash\", share = 0.1 }}"
                ));
            }
            let told = [given(data, file, array)?, given(data, path, &held)?];
            let [of_file, of_held] = told.each_ref().map(Option::as_ref);
            return Ok(vec![[of(array, rows, of_file), of(&held, &all, of_held)]]);
        }
        Some(_) => {
            return Err(usage!(
                "data.split of an array is {{ kind = \"hash\", share = 0.1 }}, or {{ kind = \
                 \"file\", path = FILE }} where paths start from noise"
            ));
        }
    };
    let mut pairs: Option<Vec<bool>> = None;
    let mut all = Vec::new();
    // The last first: pairs are held out together, by the hash of their end.
    for FilePart { file, array, rows } in parts.iter().rev() {
        let is_held = match &pairs {
            Some(is_held) => is_held.clone(),
            None => by_hash(&hashes(&array.rows.values, size, rows.iter().copied()), share)?,
        };
        let sides = in_two(file, rows, &is_held)?;
        pairs = data.pairs.then_some(is_held);
        let given = given(data, file, array)?;
        all.insert(0, sides.map(|rows| of(array, &rows, given.as_ref())));
    }
    Ok(all)
}

fn names_of(array: &LabelledArray) -> Vec<String> {
    array.labels.as_ref().map(|labels| labels.names.clone()).unwrap_or_default()
}

/// Rows to train with and rows held out, of each of which some are needed.
pub(crate) fn in_two(
    file: &Path,
    rows: &[usize],
    is_held: &[bool],
) -> Result<[Vec<usize>; 2], RunError> {
    let side = |held: bool| -> Vec<usize> {
        rows.iter().zip(is_held).filter(|(_, is)| **is == held).map(|(row, _)| *row).collect()
    };
    let sides = [side(false), side(true)];
    for (side, what) in sides.iter().zip(["to train with", "held out"]) {
        if side.len() < FEWEST {
            return Err(usage!(
                "{}: {} of {} rows {what}, at least {FEWEST} are needed, and equal rows stay \
                 together: add different rows, or hold out another share by data.split.share",
                file.display(),
                side.len(),
                rows.len()
            ));
        }
    }
    Ok(sides)
}

/// The first 64 bits of the SHA-256 of each row.
pub(super) fn hashes(values: &[f32], size: usize, rows: impl Iterator<Item = usize>) -> Vec<u64> {
    let one = |row: usize| {
        let mut hash = Sha256::new();
        values[row * size..(row + 1) * size].iter().for_each(|x| hash.update(x.to_le_bytes()));
        let digest = hash.finalize();
        u64::from_be_bytes(std::array::from_fn(|at| digest[at]))
    };
    rows.map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_axis_of_channels_is_guessed_unless_it_is_said() {
        assert!(last(&[28, 28, 3], None) && !last(&[3, 28, 28], None) && !last(&[8, 8, 16], None));
        assert!(!last(&[28, 28, 3], Some(Layout::ChannelsFirst)) && !last(&[28, 3], None));
        assert!(!last(&[3, 32, 4], None), "channels come first unless it looks otherwise");
    }
}
