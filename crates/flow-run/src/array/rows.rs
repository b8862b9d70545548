//! What rows of an array look like in a file, and how they become those of a network.

use std::path::Path;

use flow_datasets::Element;
use flow_path::config::plain;
use serde::{Deserialize, Serialize};

use super::ArrayPart;
use crate::error::{RunError, usage};
use crate::recipe::Scaling;

/// The key under which a model keeps what its rows look like in a file.
const KEY: &str = "array";

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
    /// Of sequences that may end early, how many training rows have 1, 2, .. elements.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lengths: Vec<u64>,
}

impl ArrayRows {
    /// Rows that are those of the network as they are, whatever numbers: of data that ship.
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
            lengths: Vec::new(),
        }
    }

    /// Rows of a file whose scale is not known yet: [`fit`](Self::fit) learns it.
    pub(super) fn unscaled(element: Element, shape: Vec<usize>, channels_last: bool) -> Self {
        Self {
            name: None,
            element,
            shape,
            channels_last,
            shift: Vec::new(),
            scale: Vec::new(),
            range: [0.0, 1.0],
            lengths: Vec::new(),
        }
    }

    /// Elements of the shortest sequence, where any ends before the longest.
    #[must_use]
    pub fn shortest(&self) -> Option<usize> {
        self.lengths.iter().position(|&rows| 0 < rows).map(|before| before + 1)
    }

    /// Rows of the network as those of a file, with NaN behind the end of each sequence. What is
    /// beyond the range of `f32` there is infinite, and a length beyond the longest ends nothing.
    #[must_use]
    pub fn decode_within(&self, rows: &[f32], lengths: Option<&[usize]>) -> Vec<f32> {
        let mut all = self.decode(rows);
        self.behind(&mut all, lengths, f32::NAN);
        all
    }

    /// Some rows of a file as those of the network, with zeros behind the end of each sequence.
    pub(super) fn encoded(&self, raw: ArrayPart) -> ArrayPart {
        let mut values = self.encode(&raw.values);
        self.behind(&mut values, raw.lengths.as_deref(), 0.0);
        ArrayPart { values, ..raw }
    }

    /// Puts a number behind the end of each sequence.
    fn behind(&self, rows: &mut [f32], lengths: Option<&[usize]>, number: f32) {
        let ([_, channels], Some(lengths)) = (&self.shape[..], lengths) else { return };
        for (row, &length) in rows.chunks_mut(self.size().max(1)).zip(lengths) {
            row.iter_mut().skip(length.saturating_mul(*channels)).for_each(|x| *x = number);
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

    /// Rows of a file as those of the network. What is not finite stays so, and what is beyond the
    /// range of `f32` is infinite.
    #[must_use]
    pub fn encode(&self, rows: &[f32]) -> Vec<f32> {
        let mut moved = if self.channels_last { self.moved(rows, true) } else { rows.to_vec() };
        self.each_channel(&mut moved, |x, shift, scale| (x - shift) / scale);
        moved
    }

    /// Rows of the network as those of a file. What is not finite stays so, and what is beyond the
    /// range of `f32` is infinite.
    #[must_use]
    pub fn decode(&self, rows: &[f32]) -> Vec<f32> {
        let mut all = rows.to_vec();
        self.each_channel(&mut all, |z, shift, scale| z * scale + shift);
        if self.channels_last { self.moved(&all, false) } else { all }
    }

    /// Rows of the network from -1 to 1, for a picture: the range of the training rows. What is not
    /// finite stays so.
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
        let channels = self.shift.len();
        if channels == 0 {
            return;
        }
        // Neighbours of one channel: the pixels of an image, a single number of other rows.
        let together = if self.shape.len() == 3 { (self.size() / channels).max(1) } else { 1 };
        for (at, x) in rows.iter_mut().enumerate() {
            let channel = at / together % channels;
            *x = change(*x, self.shift[channel], self.scale[channel]);
        }
    }

    /// Images with their channels moved to the front, or back.
    fn moved(&self, rows: &[f32], to_front: bool) -> Vec<f32> {
        let [height, width, channels] = self.shape[..] else { return rows.to_vec() };
        let (pixels, mut out) = (height * width, vec![0.0; rows.len()]);
        let size = self.size().max(1);
        for (from, to) in rows.chunks_exact(size).zip(out.chunks_exact_mut(size)) {
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
        let read: Self = own.clone().try_into().map_err(|error: toml::de::Error| {
            usage!("the model's array: {}", plain(error.message()))
        })?;
        let channels = channels(&read.shape, read.channels_last);
        let counted = [0, read.shape.first().copied().unwrap_or(0)];
        if [read.shift.len(), read.scale.len()] != [channels; 2]
            || channels == 0
            || !counted.contains(&read.lengths.len())
        {
            return Err(usage!("the model's array: it does not have {channels} shifts and scales"));
        }
        let numbers = read.shift.iter().chain(&read.range);
        let scales = |x: &f32| x.is_finite() && 0.0 < *x;
        if !numbers.copied().all(f32::is_finite) || !read.scale.iter().all(scales) {
            return Err(usage!(
                "the model's array: its shifts and its range must be finite, and its scales \
                 positive numbers"
            ));
        }
        Ok(Some(read))
    }
}

/// Channels of a row of this shape in a file: those of an image or a sequence, or the numbers of a
/// point.
fn channels(shape: &[usize], channels_last: bool) -> usize {
    match *shape {
        [first, _, last] => {
            if channels_last {
                last
            } else {
                first
            }
        }
        [.., last] => last,
        [] => 0,
    }
}

impl ArrayRows {
    /// Refuses the rows of a file that lie there in another way than those that a model has
    /// learned, whose `self` is, or of which some end early where none of those did.
    pub(super) fn check_like(
        &self,
        other: &Self,
        ends_early: bool,
        file: &Path,
    ) -> Result<(), RunError> {
        let file = file.display();
        let last = |rows: &Self| if rows.channels_last { ", the channels last" } else { "" };
        if (&self.shape, self.channels_last) != (&other.shape, other.channels_last) {
            return Err(usage!(
                "rows of {file} have the shape {:?}{}, and those that the model has learned \
                 {:?}{}: name a file of such rows",
                other.shape,
                last(other),
                self.shape,
                last(self)
            ));
        }
        if ends_early && self.lengths.is_empty() {
            return Err(usage!(
                "some sequences of {file} end early, and none did that the model has learned: name \
                 a file of whole ones"
            ));
        }
        Ok(())
    }

    /// Learns the scale from rows of the file to train with.
    ///
    /// # Errors
    /// When they cannot be read.
    pub(super) fn fit(
        &mut self,
        scaling: Option<Scaling>,
        train: &Scan<'_>,
    ) -> Result<(), RunError> {
        let (mut low, mut high) = (f32::INFINITY, f32::NEG_INFINITY);
        let mut counts = vec![0; self.shape[0]];
        train(&mut |rows, lengths| {
            for (_, x) in self.there(rows, lengths) {
                (low, high) = (low.min(x), high.max(x));
            }
            lengths.into_iter().flatten().for_each(|&length| counts[length - 1] += 1);
        })?;
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
                (vec![f64::midpoint(low, high) as f32; count], vec![half as f32; count])
            }
            Scaling::Standard => moments(self, train)?.into_iter().unzip(),
        };
        (self.shift, self.scale) = (shift, scale);
        self.lengths = if counts.iter().any(|&rows| 0 < rows) { counts } else { Vec::new() };
        Ok(())
    }

    /// The numbers of rows that are there, each with its place in its row.
    fn there<'a>(
        &self,
        rows: &'a [f32],
        lengths: Option<&'a [usize]>,
    ) -> impl Iterator<Item = (usize, f32)> + 'a {
        let (size, channels) = (self.size(), *self.shape.last().unwrap_or(&1));
        rows.chunks(size).enumerate().flat_map(move |(row, values)| {
            let end = lengths.map_or(size, |lengths| lengths[row] * channels);
            values[..end].iter().copied().enumerate()
        })
    }
}

/// Shows all rows of a file to train with in their order, whole ones, some at a time, with the
/// lengths of those that end early.
pub(super) type Scan<'a> =
    dyn Fn(&mut dyn FnMut(&[f32], Option<&[usize]>)) -> Result<(), RunError> + 'a;

/// Mean and standard deviation of each channel; the spread of equal numbers is 1.
fn moments(rows: &ArrayRows, train: &Scan<'_>) -> Result<Vec<(f32, f32)>, RunError> {
    let count = channels(&rows.shape, rows.channels_last);
    let last = rows.shape.len() != 3 || rows.channels_last;
    let together = if last { 1 } else { rows.size() / count };
    let means = |of: &dyn Fn(usize, f64) -> f64| -> Result<Vec<f64>, RunError> {
        let mut sums = vec![(0.0, 0.0); count];
        train(&mut |values, lengths| {
            for (at, x) in rows.there(values, lengths) {
                let x = f64::from(x);
                let channel = at / together % count;
                let sum = &mut sums[channel];
                *sum = (sum.0 + of(channel, x), sum.1 + 1.0);
            }
        })?;
        Ok(sums.into_iter().map(|(sum, n)| sum / n).collect())
    };
    let mean = means(&|_, x| x)?;
    let variances = means(&|channel, x| (x - mean[channel]).powi(2))?;
    let one = |(mean, variance): (&f64, f64)| {
        // Below the rounding of the mean no spread can be told from none, nor by zero be divided.
        let (std, least) = (variance.sqrt(), 1e-6 * mean.abs());
        let none = std <= least || std as f32 <= 0.0;
        (*mean as f32, if none { 1.0 } else { std as f32 })
    };
    Ok(mean.iter().zip(variances).map(one).collect())
}

impl ArrayRows {
    /// Whether the range of the training rows becomes `[-1, 1]`.
    pub(super) fn is_range(&self) -> bool {
        let ends = self.range.map(|x| (x - self.shift[0]) / self.scale[0]);
        (ends[0] + 1.0).abs() < 1e-4 && (ends[1] - 1.0).abs() < 1e-4
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(shape: &[usize], channels_last: bool, element: Element) -> ArrayRows {
        ArrayRows::unscaled(element, shape.to_vec(), channels_last)
    }

    fn fit(rows: &mut ArrayRows, scaling: Option<Scaling>, values: &[f32]) {
        // In two pieces, of which the second ends the rows.
        let half = values.len() / rows.size() / 2 * rows.size();
        let pieces = [&values[..half], &values[half..]];
        rows.fit(scaling, &|visit| {
            for piece in pieces {
                visit(piece, None);
            }
            Ok(())
        })
        .unwrap();
    }

    #[test]
    fn rows_come_back_as_they_went_in_whatever_axis_the_channels_are() {
        let values: Vec<f32> = (0..48).map(|i| (i * 37 % 101) as f32).collect();
        for (shape, last) in
            [(&[2, 3, 4][..], false), (&[2, 3, 4], true), (&[6, 4], false), (&[24], false)]
        {
            for scaling in [Scaling::None, Scaling::Range, Scaling::Standard] {
                let mut rows = rows(shape, last, Element::F32);
                fit(&mut rows, Some(scaling), &values);
                let seen = rows.encode(&values);
                let back = rows.decode(&seen);
                let near = back.iter().zip(&values).all(|(a, b)| (a - b).abs() < 1e-4);
                assert!(near, "{shape:?} {scaling:?}: {back:?}");
                assert_eq!(ArrayRows::of(&rows.kept()).unwrap(), Some(rows));
            }
        }
        let mut rows = rows(&[2, 2, 3], true, Element::F32);
        fit(&mut rows, Some(Scaling::None), &values[..12]);
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
            fit(&mut rows, None, &values);
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
    fn bytes_have_the_range_of_their_type() {
        let mut rows = rows(&[1, 2, 2], false, Element::U8);
        fit(&mut rows, None, &[10.0, 20.0, 30.0, 200.0]);
        assert_eq!(rows.encode(&[0.0, 255.0, 127.5, 51.0]), [-1.0, 1.0, 0.0, -0.6]);
    }
}
