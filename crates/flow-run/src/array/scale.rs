//! The scale of an array, learned from its rows to train with.

use flow_datasets::Element;

use super::rows::{ArrayRows, channels};
use crate::error::RunError;
use crate::recipe::Scaling;

/// Shows all rows of a file to train with in their order, whole ones, some at a time, with the
/// lengths of those that end early.
pub(super) type Scan<'a> =
    dyn Fn(&mut dyn FnMut(&[f32], Option<&[usize]>)) -> Result<(), RunError> + 'a;

impl ArrayRows {
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
        let whole = matches!(self.element, Element::U8 | Element::Bool);
        let scaling = match (scaling, whole) {
            (None | Some(Scaling::Bytes), true) => Scaling::Range,
            (None, false) => Scaling::Standard,
            (Some(scaling), _) => scaling,
        };
        let count = channels(&self.shape, self.channels_last);
        let (shift, scale): (Vec<f32>, Vec<f32>) = match scaling {
            Scaling::None | Scaling::Bytes => (vec![0.0; count], vec![1.0; count]),
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

    /// Whether the range of the training rows becomes `[-1, 1]`.
    pub(super) fn is_range(&self) -> bool {
        let ends = self.range.map(|x| (x - self.shift[0]) / self.scale[0]);
        (ends[0] + 1.0).abs() < 1e-4 && (ends[1] - 1.0).abs() < 1e-4
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

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) fn rows(
        shape: &[usize],
        channels_last: bool,
        element: Element,
    ) -> ArrayRows {
        ArrayRows::unscaled(element, shape.to_vec(), channels_last)
    }

    pub(in super::super) fn fit(rows: &mut ArrayRows, scaling: Option<Scaling>, values: &[f32]) {
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

    #[test]
    fn bytes_alone_are_scaled_where_that_is_asked_for() {
        let values = [0.0, 255.0, 51.0, 127.5];
        for (element, expected) in [(Element::U8, [-1.0, 1.0, -0.6, 0.0]), (Element::F32, values)] {
            let mut rows = rows(&[2], false, element);
            fit(&mut rows, Some(Scaling::Bytes), &values);
            assert_eq!(rows.encode(&values), expected);
        }
    }
}
