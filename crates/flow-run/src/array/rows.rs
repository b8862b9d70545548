//! What rows of an array look like in a file, and how they become those of a network.

use std::path::Path;

use flow_datasets::Element;
use flow_path::config::plain;
use serde::{Deserialize, Serialize};

use super::ArrayPart;
use crate::error::{RunError, usage};

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
pub(super) fn channels(shape: &[usize], channels_last: bool) -> usize {
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
}

#[cfg(test)]
mod tests {
    use super::super::scale::tests::{fit, rows};
    use super::*;
    use crate::recipe::Scaling;

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
}
