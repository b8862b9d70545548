//! Rows that are larger than memory: they stay in their file, or in the files of a folder.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use flow_datasets::array::{ArrayFile, ArrayHead, ArrayNames, Labels};
use flow_datasets::table::by_hash;
use flow_datasets::{Element, Holdout, ImageFiles, Table, TableRows};
use flow_train::RowStore;

use super::read::{hashes, image_files, in_two};
use super::{ArrayData, ArrayPart, ArrayRows, digest, given, last, tell};
use crate::error::{RunError, usage};
use crate::{memory, recipe};

/// Bytes of a file that are read together when all rows are looked at.
const BLOCK: usize = 1 << 22;

/// Bytes of memory for each row of a file that stays there: its place, its hash, whether it is held
/// out, and its place among those of its part.
const BYTES_OF_ROW: f64 = 25.0;

/// How often an array takes its size while it is read and scaled in memory.
const COPIES: f64 = 3.0;

/// What holds the rows.
#[derive(Debug)]
enum Source {
    Array(ArrayFile),
    Images(ImageFiles),
}

impl Source {
    /// Numbers of a row.
    fn size(&self) -> usize {
        match self {
            Self::Array(file) => file.shape()[1..].iter().product(),
            Self::Images(files) => files.shape()[1..].iter().product(),
        }
    }

    /// Some rows, in increasing order: of a file in one piece from the first to the last, of a
    /// folder those alone.
    fn rows(&mut self, rows: &[usize]) -> Result<Vec<f32>, RunError> {
        let (Some(&first), Some(&last)) = (rows.first(), rows.last()) else {
            return Ok(Vec::new());
        };
        match self {
            Self::Array(file) => {
                let size = file.shape()[1..].iter().product::<usize>();
                let read = file.rows(first..last + 1).map_err(|error| usage!("{error}"))?;
                let place = |row: &usize| &read[(row - first) * size..(row + 1 - first) * size];
                Ok(rows.iter().flat_map(place).copied().collect())
            }
            Self::Images(files) => {
                let one = |row: &usize| files.rows(*row..row + 1);
                let read: Result<Vec<Vec<f32>>, _> = rows.iter().map(one).collect();
                Ok(read.map_err(|error| usage!("{error}"))?.concat())
            }
        }
    }
}

/// Some rows of a file, which are read when they are needed, as the network sees them.
#[derive(Debug)]
pub struct Pieces {
    source: Mutex<Source>,
    /// Which rows of it they are, in increasing order.
    rows: Vec<usize>,
    /// How they are scaled; as they are, while that is not known.
    like: Option<ArrayRows>,
}

impl Pieces {
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
        let mut source = self.source.lock().unwrap_or_else(PoisonError::into_inner);
        let block = (BLOCK / (4 * source.size())).max(1);
        let mut done = 0;
        while done < self.rows.len() {
            let end = self.rows[done] + block;
            let upto = done + self.rows[done..].partition_point(|row| *row < end);
            visit(&self.scaled(source.rows(&self.rows[done..upto])?));
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
        let mut source = self.source.lock().unwrap_or_else(PoisonError::into_inner);
        let read = source.rows(&[row]).map_err(|error| error.to_string())?;
        Ok(self.scaled(read))
    }
}

/// A file of rows, or a folder of images, which can be opened several times.
struct Place<'a> {
    path: &'a Path,
    /// Sizes, the number of rows first.
    shape: Vec<usize>,
    element: Element,
    images: Option<ImageFiles>,
}

impl<'a> Place<'a> {
    /// Nothing for a file that is none of rows: what is wrong is said by who reads it.
    fn of(path: &'a Path, data: &recipe::Data) -> Result<Option<Self>, RunError> {
        if path.is_dir() {
            let images = image_files(path, data)?;
            let (shape, element) = (images.shape().to_vec(), Element::U8);
            return Ok(Some(Self { path, shape, element, images: Some(images) }));
        }
        let (rows, classes) = (data.array.clone(), data.labels.clone());
        // A header is believed no further than the file is long.
        let head = ArrayHead::read(path, &ArrayNames { rows, classes, times: None });
        let of = |ArrayHead { shape, element, .. }| Self { path, shape, element, images: None };
        Ok(head.ok().map(of))
    }

    /// Whether rows can be read one by one.
    fn is_in_pieces(&self) -> bool {
        let is_npy = |ending: &std::ffi::OsStr| ending.eq_ignore_ascii_case("npy");
        self.images.is_some() || self.path.extension().is_some_and(is_npy)
    }

    fn pieces(&self, rows: Vec<usize>, like: Option<ArrayRows>) -> Result<Pieces, RunError> {
        let source = if let Some(images) = &self.images {
            Source::Images(images.clone())
        } else {
            let file = ArrayFile::open(self.path);
            Source::Array(file.map_err(|error| usage!("{error}"))?)
        };
        Ok(Pieces { source: Mutex::new(source), rows, like })
    }

    fn labels(&self) -> Option<&Labels> {
        self.images.as_ref().and_then(ImageFiles::labels)
    }

    /// The columns that its rows are told.
    fn given(&self, data: &recipe::Data) -> Result<Option<Table>, RunError> {
        let beside = self.images.as_ref().and_then(ImageFiles::table);
        given::table(self.path, data, beside, self.shape[0])
    }
}

/// Opens an array in pieces where a recipe asks for it, or where memory would not hold it; nothing
/// where it is read as a whole.
///
/// Everything that is learned from it has the bits that it has in memory: which rows are held out,
/// how they are scaled, and the order in which they are drawn.
///
/// # Errors
/// When pieces are asked for and the file is no folder of images and no npy with the rows one after
/// another, or the rows belong to others of another file; and as [`ArrayData::open`].
pub(super) fn open(
    path: &Path,
    data: &recipe::Data,
    like: Option<&ArrayRows>,
    like_given: Option<&TableRows>,
) -> Result<Option<ArrayData>, RunError> {
    let Some(place) = Place::of(path, data)? else { return Ok(None) };
    let bytes = 4.0 * place.shape.iter().map(|&n| n as f64).product::<f64>();
    if !data.pieces.unwrap_or(memory::limit() < COPIES * bytes) {
        return Ok(None);
    }
    let whole = data.from.is_none() && data.time.is_none();
    let share = match &data.split {
        None => Some(0.1),
        Some(Holdout::Hash { share }) => Some(*share),
        Some(_) => None,
    };
    let Some(share) = share.filter(|_| whole && place.is_in_pieces()) else {
        return match data.pieces {
            None => Ok(None),
            Some(_) => Err(usage!(
                "data.pieces reads rows of an npy file, or the images of a folder, when they are \
                 needed, of one file or folder with a share of its rows held out: leave it out, or \
                 data.from, data.time and data.split.path"
            )),
        };
    };
    let (n, size) = (place.shape[0], place.shape[1..].iter().product::<usize>());
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
    let all = place.pieces((0..n).collect(), None)?;
    let mut found = Vec::with_capacity(n);
    all.each(&mut |rows| found.extend(hashes(rows, size, 0..rows.len() / size)))?;
    let [train, held] = in_two(path, &all.rows, &by_hash(&found, share)?)?;

    let shape = place.shape[1..].to_vec();
    let channels_last = last(&shape, data.layout) && place.images.is_none();
    let mut rows = ArrayRows::unscaled(place.element, shape, channels_last);
    let raw = place.pieces(train, None)?;
    if let Some(like) = like {
        like.check_like(&rows, false, path)?;
        rows.clone_from(like);
    } else {
        rows.fit(data.scale, &|visit| raw.each(&mut |rows| visit(rows, None)))?;
    }
    let told = place.given(data)?;
    let part = |of: Vec<usize>| -> Result<ArrayPart, RunError> {
        let given = told.as_ref().map(|told| told.select(&of));
        let class = |labels: &Labels| of.iter().map(|&row| labels.of_rows[row]).collect();
        let labels = place.labels().map(class);
        let pieces = place.pieces(of, Some(rows.clone()))?;
        let n = pieces.rows.len();
        let pieces = Some(pieces.into());
        Ok(ArrayPart { n, labels, given, pieces, ..ArrayPart::default() })
    };
    let (mut train, mut held) = (part(raw.rows)?, part(held)?);
    let given = tell(data, &mut train, &mut held, like_given.cloned())?;
    let sha256 = digest(&rows, [&train, &held].into_iter())?;
    let class_names = place.labels().map(|labels| labels.names.clone()).unwrap_or_default();
    let (before, snapshots, pairs) = (Vec::new(), None, false);
    Ok(Some(ArrayData { rows, train, held, before, snapshots, pairs, class_names, given, sha256 }))
}
