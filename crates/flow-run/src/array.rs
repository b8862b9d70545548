//! An array of the user's own as data to train on, and what a model of one keeps of it.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use flow_datasets::array::{ArrayNames, LabelledArray, Labels};
use flow_datasets::table::by_hash;
use flow_datasets::{Element, Holdout};
use flow_train::Snapshot;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::{RunError, usage};
use crate::memory;
use crate::recipe::{self, Layout, Scaling};
use crate::snapshots::Snapshots;

/// The name of the set.
pub const ARRAY: &str = "array";

/// The key under which a model keeps what its rows look like in a file.
const KEY: &str = "array";

/// Rows that each part of an array needs.
const FEWEST: usize = 2;

/// Channels up to which the last axis of an image is taken for them, where the first is longer.
const MOST_CHANNELS: usize = 4;

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
    sha256: String,
}

/// Some rows of an array, as the network sees them.
#[derive(Clone, Debug, Default)]
pub struct ArrayPart {
    /// Number of rows.
    pub n: usize,
    /// The rows, one after another.
    pub values: Vec<f32>,
    /// Their classes.
    pub labels: Option<Vec<usize>>,
}

/// What a model of an array keeps: how rows lie in a file, of what numbers, and how they are
/// scaled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArrayRows {
    /// What the array was called, if it had a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The type of its numbers.
    pub element: Element,
    /// Shape of a row in the file.
    pub shape: Vec<usize>,
    /// Whether the channels of an image are its last axis there.
    #[serde(default)]
    pub channels_last: bool,
    /// What is subtracted from each channel.
    pub shift: Vec<f32>,
    /// By what each channel is divided then.
    pub scale: Vec<f32>,
    /// Least and greatest number of the training rows, in the file's own units.
    pub range: [f32; 2],
}

impl ArrayRows {
    /// Rows that are those of the network as they are: of data that ship.
    #[must_use]
    pub fn plain(shape: &[usize]) -> Self {
        let channels = channels(shape, false);
        Self {
            name: None,
            element: Element::F32,
            shape: shape.to_vec(),
            channels_last: false,
            shift: vec![0.0; channels],
            scale: vec![1.0; channels],
            range: [-1.0, 1.0],
        }
    }

    /// Shape of a row of the network: channels before height and width.
    #[must_use]
    pub fn network_shape(&self) -> Vec<usize> {
        match self.shape[..] {
            [height, width, channels] if self.channels_last => vec![channels, height, width],
            _ => self.shape.clone(),
        }
    }

    /// Rows of a file as those of the network.
    #[must_use]
    pub fn encode(&self, rows: &[f32]) -> Vec<f32> {
        let mut moved = if self.channels_last { self.moved(rows, true) } else { rows.to_vec() };
        self.each_channel(&mut moved, |x, shift, scale| (x - shift) / scale);
        moved
    }

    /// Rows of the network as those of a file.
    #[must_use]
    pub fn decode(&self, rows: &[f32]) -> Vec<f32> {
        let mut all = rows.to_vec();
        self.each_channel(&mut all, |z, shift, scale| z * scale + shift);
        if self.channels_last { self.moved(&all, false) } else { all }
    }

    /// Rows of the network from -1 to 1, for a picture: the range of the training rows.
    #[must_use]
    pub fn shown(&self, rows: &[f32]) -> Vec<f32> {
        let [low, high] = self.range;
        let mut all = rows.to_vec();
        self.each_channel(&mut all, |z, shift, scale| {
            2.0 * (z * scale + shift - low) / (high - low).max(f32::MIN_POSITIVE) - 1.0
        });
        all
    }

    /// Gaps between the values of pixels whose range is that of their type.
    ///
    /// # Errors
    /// When there are none, or they are scaled otherwise.
    pub(crate) fn gaps(&self) -> Result<u32, RunError> {
        match self.element {
            Element::U8 if self.is_range() => Ok(255),
            Element::Bool if self.is_range() => Ok(1),
            _ => Err(usage!(
                "data.dequantise spreads whole pixels over the gaps between them, which bytes and \
                 truth values with data.scale=range have: leave it out"
            )),
        }
    }

    /// Numbers of a row.
    #[must_use]
    pub fn size(&self) -> usize {
        self.shape.iter().product()
    }

    /// Changes rows of the network, each number with the shift and the scale of its channel.
    fn each_channel(&self, rows: &mut [f32], change: impl Fn(f32, f32, f32) -> f32) {
        // Neighbours of one channel: the pixels of an image, a single number of other rows.
        let together = if self.shape.len() == 3 { self.size() / self.shift.len() } else { 1 };
        for (at, x) in rows.iter_mut().enumerate() {
            let channel = at / together % self.shift.len();
            *x = change(*x, self.shift[channel], self.scale[channel]);
        }
    }

    /// Images with their channels moved to the front, or back.
    fn moved(&self, rows: &[f32], to_front: bool) -> Vec<f32> {
        let [height, width, channels] = self.shape[..] else { return rows.to_vec() };
        let (pixels, mut out) = (height * width, vec![0.0; rows.len()]);
        for (from, to) in rows.chunks(self.size()).zip(out.chunks_mut(self.size())) {
            for pixel in 0..pixels {
                for channel in 0..channels {
                    let (last, first) = (pixel * channels + channel, channel * pixels + pixel);
                    if to_front {
                        to[first] = from[last];
                    } else {
                        to[last] = from[first];
                    }
                }
            }
        }
        out
    }

    /// What a model keeps under its own key.
    ///
    /// # Panics
    /// Never: it is made of numbers, text and lists.
    #[must_use]
    pub fn kept(&self) -> toml::Table {
        let own = toml::Value::try_from(self).expect("numbers, text and lists are valid TOML");
        toml::Table::from_iter([(KEY.to_owned(), own)])
    }

    /// What a model of an array has kept; nothing for other models.
    ///
    /// # Errors
    /// When it is damaged.
    pub fn of(rows: &toml::Table) -> Result<Option<Self>, RunError> {
        let Some(own) = rows.get(KEY) else { return Ok(None) };
        let read: Self = own
            .clone()
            .try_into()
            .map_err(|error: toml::de::Error| usage!("the model's array: {}", error.message()))?;
        let channels = channels(&read.shape, read.channels_last);
        if [read.shift.len(), read.scale.len()] != [channels; 2] || channels == 0 {
            return Err(usage!("the model's array: it does not have {channels} shifts and scales"));
        }
        Ok(Some(read))
    }
}

/// Channels of a row of this shape in a file: those of an image or a sequence, or the numbers of a
/// point.
fn channels(shape: &[usize], channels_last: bool) -> usize {
    match *shape {
        [first, _, last] => if channels_last { last } else { first },
        [.., last] => last,
        [] => 0,
    }
}

impl ArrayData {
    /// Reads the array of a recipe, scales it and holds rows out.
    ///
    /// # Errors
    /// When a file cannot be read, is none of rows, or has too few of them, and when files do not
    /// fit together.
    pub fn open(data: &recipe::Data) -> Result<Self, RunError> {
        let Some(file) = &data.file else {
            return Err(usage!("data.set is array, name its file with data.file=FILE.npy"));
        };
        let read = Arc::new(read(file, data, data.time.clone())?);
        let (mut class_names, whole) = (Vec::new(), read.rows.len());
        if let Some(Labels { names, .. }) = &read.labels {
            class_names.clone_from(names);
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
                    "{} has {n} rows and {} has {whole}: data.pairs is true, so that row i belongs \
                     to row i",
                    from.display(),
                    file.display()
                ));
            }
            snapshots = Some(Snapshots::of_files());
            parts.insert(0, part(from, &before));
        }
        let mut rows = ArrayRows {
            name: read.names.rows.clone(),
            element: read.rows.element,
            channels_last: last(&shape, data.layout),
            shift: Vec::new(),
            scale: Vec::new(),
            range: [0.0, 1.0],
            shape,
        };
        let sides = sides(data, &rows, &parts)?;
        rows.fit(data.scale, &sides.iter().map(|[train, _]| train).collect::<Vec<_>>());
        let mut before: Vec<[ArrayPart; 2]> = sides
            .into_iter()
            .map(|sides| sides.map(|raw| ArrayPart { values: rows.encode(&raw.values), ..raw }))
            .collect();
        let Some([train, held]) = before.pop() else {
            return Err(usage!("{} has no rows", file.display()));
        };
        let all = || before.iter().flatten().chain([&train, &held]);
        let sha256 = digest(&rows, all());
        Ok(Self { rows, train, held, before, snapshots, pairs: data.pairs, class_names, sha256 })
    }

    /// SHA-256 of all that is learned from, by which other data are noticed.
    #[must_use]
    pub fn sha256(&self) -> &str {
        &self.sha256
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
            vectors: None,
        };
        parts.zip(times).map(one).collect()
    }
}

/// Some rows of a file.
struct FilePart<'a> {
    file: &'a Path,
    array: Arc<LabelledArray>,
    rows: Vec<usize>,
}

/// All rows of a file.
fn part<'a>(file: &'a Path, array: &Arc<LabelledArray>) -> FilePart<'a> {
    FilePart { file, array: Arc::clone(array), rows: (0..array.rows.len()).collect() }
}

/// Reads a file, and says how to name its arrays where it is not clear which is which.
fn read(
    file: &Path,
    data: &recipe::Data,
    times: Option<String>,
) -> Result<LabelledArray, RunError> {
    let names = ArrayNames { rows: data.array.clone(), classes: data.labels.clone(), times };
    let read = LabelledArray::read(file, &names, memory::limit() as u64);
    read.map_err(|error| match error {
        flow_datasets::ArrayError::WhichArray { asked: None, .. } => {
            usage!("{error}, as in data.array=NAME")
        }
        error => usage!("{error}"),
    })
}

/// The rows that paths start from, which have the shape of those of the data.
fn before(
    from: &Path,
    data: &recipe::Data,
    shape: &[usize],
    class_names: &[String],
) -> Result<LabelledArray, RunError> {
    // Its arrays have names of their own.
    let own = recipe::Data { array: None, labels: None, ..data.clone() };
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
        of_rows.iter_mut().for_each(|label| *label = places[*label]);
    }
    Ok(before)
}

/// Whether the channels of an image are its last axis, as said or as its sizes look.
fn last(shape: &[usize], layout: Option<Layout>) -> bool {
    let [first, _, last] = *shape else { return false };
    match layout {
        Some(layout) => layout == Layout::ChannelsLast,
        None => last <= MOST_CHANNELS && MOST_CHANNELS < first,
    }
}

/// Rows of the file to train with and held out, of each snapshot, in the file's own units.
fn sides(
    data: &recipe::Data,
    like: &ArrayRows,
    parts: &[FilePart<'_>],
) -> Result<Vec<[ArrayPart; 2]>, RunError> {
    let size = like.size();
    let of = |array: &LabelledArray, rows: &[usize]| ArrayPart {
        n: rows.len(),
        values: rows
            .iter()
            .flat_map(|row| &array.rows.values[row * size..(row + 1) * size])
            .copied()
            .collect(),
        labels: array
            .labels
            .as_ref()
            .map(|labels| rows.iter().map(|&row| labels.of_rows[row]).collect()),
    };
    let share = match &data.split {
        None => 0.1,
        Some(Holdout::Hash { share }) if (0.0..=1.0).contains(share) => *share,
        Some(Holdout::Hash { share }) => {
            return Err(usage!("data.split.share is {share}, it must lie between 0 and 1"));
        }
        Some(Holdout::File { path }) if parts.len() == 1 => {
            let held = before(path, data, &like.shape, &names_of(&parts[0].array))?;
            let all: Vec<usize> = (0..held.rows.len()).collect();
            return Ok(vec![[of(&parts[0].array, &parts[0].rows), of(&held, &all)]]);
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
            None => by_hash(&hashes(&array.rows.values, size, rows), share),
        };
        let side = |held: bool| -> Vec<usize> {
            rows.iter().zip(&is_held).filter(|(_, is)| **is == held).map(|(row, _)| *row).collect()
        };
        let sides = [side(false), side(true)];
        for (side, what) in sides.iter().zip(["to train with", "held out"]) {
            if side.len() < FEWEST {
                return Err(usage!(
                    "{}: {} of {} rows {what}, at least {FEWEST} are needed: add rows, or hold out \
                     another share by data.split.share",
                    file.display(),
                    side.len(),
                    rows.len()
                ));
            }
        }
        pairs = data.pairs.then_some(is_held);
        all.insert(0, sides.map(|rows| of(array, &rows)));
    }
    Ok(all)
}

fn names_of(array: &LabelledArray) -> Vec<String> {
    array.labels.as_ref().map(|labels| labels.names.clone()).unwrap_or_default()
}

/// The first 64 bits of the SHA-256 of each row.
fn hashes(values: &[f32], size: usize, rows: &[usize]) -> Vec<u64> {
    let one = |&row: &usize| {
        let mut hash = Sha256::new();
        values[row * size..(row + 1) * size].iter().for_each(|x| hash.update(x.to_le_bytes()));
        let digest = hash.finalize();
        u64::from_be_bytes(std::array::from_fn(|at| digest[at]))
    };
    rows.iter().map(one).collect()
}

impl ArrayRows {
    /// Learns the scale from rows of the file to train with.
    fn fit(&mut self, scaling: Option<Scaling>, train: &[&ArrayPart]) {
        let values = || train.iter().flat_map(|part| &part.values).copied();
        let low = values().fold(f32::INFINITY, f32::min);
        let high = values().fold(f32::NEG_INFINITY, f32::max);
        self.range = match self.element {
            Element::U8 => [0.0, 255.0],
            Element::Bool => [0.0, 1.0],
            _ => [low, high],
        };
        let by_range = matches!(self.element, Element::U8 | Element::Bool);
        let usual = if by_range { Scaling::Range } else { Scaling::Standard };
        let count = channels(&self.shape, self.channels_last);
        let (shift, scale): (Vec<f32>, Vec<f32>) = match scaling.unwrap_or(usual) {
            Scaling::None => (vec![0.0; count], vec![1.0; count]),
            Scaling::Range => {
                let [low, high] = self.range.map(f64::from);
                let half = if low < high { (high - low) / 2.0 } else { 1.0 };
                (vec![((low + high) / 2.0) as f32; count], vec![half as f32; count])
            }
            Scaling::Standard => moments(self, train).into_iter().unzip(),
        };
        (self.shift, self.scale) = (shift, scale);
    }
}

/// Mean and standard deviation of each channel; the spread of equal numbers is 1.
fn moments(rows: &ArrayRows, train: &[&ArrayPart]) -> Vec<(f32, f32)> {
    let count = channels(&rows.shape, rows.channels_last);
    let last = rows.shape.len() != 3 || rows.channels_last;
    let together = if last { 1 } else { rows.size() / count };
    let sums = |of: &dyn Fn(usize, f64) -> f64| {
        let mut sums = vec![(0.0, 0.0); count];
        for part in train {
            for (at, &x) in part.values.iter().enumerate() {
                let channel = at / together % count;
                let sum = &mut sums[channel];
                *sum = (sum.0 + of(channel, f64::from(x)), sum.1 + 1.0);
            }
        }
        sums.into_iter().map(|(sum, n)| sum / n).collect::<Vec<f64>>()
    };
    let means = sums(&|_, x| x);
    let variances = sums(&|channel, x| (x - means[channel]).powi(2));
    let one = |(mean, variance): (&f64, f64)| {
        // Below the rounding of the mean no spread can be told from none.
        let (std, least) = (variance.sqrt(), 1e-6 * mean.abs());
        (*mean as f32, if std <= least { 1.0 } else { std as f32 })
    };
    means.iter().zip(variances).map(one).collect()
}

fn digest<'a>(rows: &ArrayRows, parts: impl Iterator<Item = &'a ArrayPart>) -> String {
    let mut digest = Sha256::new();
    digest.update(serde_json::to_vec(rows).unwrap_or_default());
    for part in parts {
        digest.update((part.n as u64).to_le_bytes());
        part.values.iter().for_each(|number| digest.update(number.to_le_bytes()));
        for &label in part.labels.iter().flatten() {
            digest.update((label as u64).to_le_bytes());
        }
    }
    format!("{:x}", digest.finalize())
}

/// What the file was taken for, to be looked at before anything is learned.
impl fmt::Display for ArrayData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ArrayRows { element, shape, channels_last, shift, scale, range, .. } = &self.rows;
        match shape[..] {
            [height, width, channels] if *channels_last => {
                write!(f, "images of {height} x {width} pixels and {channels} channels, the last axis")?;
            }
            [channels, height, width] => {
                write!(f, "images of {height} x {width} pixels and {channels} channels, the first axis")?;
            }
            [length, channels] => write!(f, "sequences of {length} steps and {channels} channels")?,
            _ => write!(f, "points of {} numbers", self.rows.size())?,
        }
        let all = |values: &[f32], of: f32| values.iter().all(|x| x.total_cmp(&of).is_eq());
        let scaled = if all(shift, 0.0) && all(scale, 1.0) {
            "as they are".to_owned()
        } else if all(shift, shift[0]) && all(scale, scale[0]) && self.rows.is_range() {
            format!("scaled from {} .. {} to -1 .. 1", range[0], range[1])
        } else {
            "scaled to mean 0 and deviation 1 of each channel".to_owned()
        };
        let element = format!("{element:?}").to_lowercase();
        write!(f, "; numbers of type {element}, {scaled}")?;
        if !self.class_names.is_empty() {
            write!(f, "; {} classes", self.class_names.len())?;
        }
        write!(f, "\n{} rows to train with, {} held out", self.train.n, self.held.n)?;
        if let Some(snapshots) = &self.snapshots {
            let times: Vec<String> = snapshots.times.iter().map(ToString::to_string).collect();
            let kind = if self.pairs { "pairs" } else { "snapshots" };
            write!(f, " at the end; {kind} at the times {}", times.join(", "))?;
        }
        Ok(())
    }
}

impl ArrayRows {
    /// Whether the range of the training rows becomes `[-1, 1]`.
    fn is_range(&self) -> bool {
        let ends = self.range.map(|x| (x - self.shift[0]) / self.scale[0]);
        (ends[0] + 1.0).abs() < 1e-4 && (ends[1] - 1.0).abs() < 1e-4
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(shape: &[usize], channels_last: bool, element: Element) -> ArrayRows {
        let (shift, scale) = (Vec::new(), Vec::new());
        let shape = shape.to_vec();
        ArrayRows { name: None, element, shape, channels_last, shift, scale, range: [0.0; 2] }
    }

    fn part(values: Vec<f32>, n: usize) -> ArrayPart {
        ArrayPart { n, values, labels: None }
    }

    #[test]
    fn rows_come_back_as_they_went_in_whatever_axis_the_channels_are() {
        let values: Vec<f32> = (0..48).map(|i| (i * 37 % 101) as f32).collect();
        for (shape, last) in [(&[2, 3, 4][..], false), (&[2, 3, 4], true), (&[6, 4], false), (&[24], false)] {
            for scaling in [Scaling::None, Scaling::Range, Scaling::Standard] {
                let mut rows = rows(shape, last, Element::F32);
                rows.fit(Some(scaling), &[&part(values.clone(), 2)]);
                let seen = rows.encode(&values);
                let back = rows.decode(&seen);
                let near = back.iter().zip(&values).all(|(a, b)| (a - b).abs() < 1e-4);
                assert!(near, "{shape:?} {scaling:?}: {back:?}");
                assert_eq!(ArrayRows::of(&rows.kept()).unwrap(), Some(rows));
            }
        }
        let mut rows = rows(&[2, 2, 3], true, Element::F32);
        rows.fit(Some(Scaling::None), &[&part(values[..12].to_vec(), 1)]);
        assert_eq!(rows.network_shape(), [3, 2, 2]);
        let pixels: Vec<f32> = (0..12).map(|i| i as f32).collect();
        let expected = [0.0, 3.0, 6.0, 9.0, 1.0, 4.0, 7.0, 10.0, 2.0, 5.0, 8.0, 11.0];
        assert_eq!(rows.encode(&pixels), expected, "all of a channel together");
    }

    #[test]
    fn each_channel_has_mean_zero_and_spread_one() {
        let values: Vec<f32> = (0..60).map(|i| (i % 5) as f32 * 10.0 + (i % 3) as f32).collect();
        for (shape, last) in [(&[3, 2, 5][..], true), (&[5, 2, 3], false), (&[6, 5], false)] {
            let mut rows = rows(shape, last, Element::F32);
            rows.fit(None, &[&part(values.clone(), 2)]);
            let seen = rows.encode(&values);
            let channels = rows.shift.len();
            let together = if shape.len() == 3 { 30 / channels } else { 1 };
            for channel in 0..channels {
                let own = || {
                    let own = |(at, _): &(usize, &f32)| at / together % channels == channel;
                    seen.iter().enumerate().filter(own).map(|(_, &x)| f64::from(x))
                };
                let n = own().count() as f64;
                let mean = own().sum::<f64>() / n;
                let variance = own().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
                // Rounding to f32 of numbers below 50.
                assert!(mean.abs() < 1e-5 && (variance - 1.0).abs() < 1e-4, "{shape:?} {channel}");
            }
        }
    }

    #[test]
    fn bytes_have_the_range_of_their_type_and_the_axis_of_channels_is_guessed() {
        let mut rows = rows(&[1, 2, 2], false, Element::U8);
        rows.fit(None, &[&part(vec![10.0, 20.0, 30.0, 200.0], 1)]);
        assert_eq!(rows.encode(&[0.0, 255.0, 127.5, 51.0]), [-1.0, 1.0, 0.0, -0.6]);
        assert!(last(&[28, 28, 3], None) && !last(&[3, 28, 28], None) && !last(&[8, 8, 16], None));
        assert!(!last(&[28, 28, 3], Some(Layout::ChannelsFirst)) && !last(&[28, 3], None));
        assert!(!last(&[3, 32, 4], None), "channels come first unless it looks otherwise");
    }
}
