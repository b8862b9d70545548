//! Operations that turn an array of another program into one of ours.

use flow_pickle::Array;
use serde::Deserialize;

use crate::claims::Claim;
use crate::error::ImportError;
use crate::unet::{Heads, Place};

/// The ratio of the highest to the lowest frequency of times and positions.
const FREQUENCY_RANGE: f64 = 1e4;

/// Sizes that operations need, from the configuration of the network.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sizes {
    /// Blocks, or layers.
    pub(crate) depth: usize,
    pub(crate) hidden: usize,
    pub(crate) patch: usize,
    /// Channels of an image.
    pub(crate) channels: usize,
    /// Patches in a column and in a row.
    pub(crate) patches: [usize; 2],
    pub(crate) classes: usize,
    /// Of the time, in radians per step of 1,000.
    pub(crate) frequencies: Vec<f64>,
    /// Heads of an attention whose queries, keys and values stand together for each head.
    pub(crate) heads: Option<Heads>,
    /// Where the parts of a network stand that has them in several places.
    pub(crate) places: Vec<Place>,
    /// What the configuration says of the arrays.
    pub(crate) claims: Vec<Claim>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Operation {
    /// `[out, in]` to `[in, out]`: PyTorch's linear layers hold their transposed.
    Transpose,
    /// A convolution `[out, channels, p, p]` over patches to a linear layer of their numbers, laid
    /// out as row, column, channel: `[p p channels, out]`.
    Patches,
    /// Keeps, of each pixel of a patch, the channels of the image: the others are a variance that
    /// flows do not use.
    FirstChannels,
    /// Adds a vector of zeros for the null class where none was trained.
    NullClass,
    /// A layer `[out, in]` or `[out, in, 1]` as a convolution of single pixels, `[out, in, 1, 1]`.
    Pixelwise,
    /// Rows of `(head, query or key or value, channel)`, if that is how they stand, to rows of
    /// `(query or key or value, head, channel)`.
    HeadsLast,
    /// From steps, which count to the noise, to our time: see [`of_time`].
    Steps,
}

impl Operation {
    pub(crate) fn apply(
        self,
        name: &str,
        array: Array,
        sizes: &Sizes,
    ) -> Result<Array, ImportError> {
        let refuse = |array: &Array, need: String| ImportError::Shape {
            name: name.into(),
            shape: array.shape.clone(),
            need,
        };
        // A shape of no numbers may have sides of any length.
        if array.numbers.is_empty() {
            return Err(refuse(&array, "one that holds numbers".into()));
        }
        match self {
            Self::Transpose => match *array.shape {
                [rows, columns] => Ok(permuted(&array, [columns, rows], |c, r| r * columns + c)),
                _ => Err(refuse(&array, "[out, in]".into())),
            },
            Self::Patches => {
                let Sizes { channels, patch, .. } = *sizes;
                let out = array.shape.first().copied().unwrap_or_default();
                if array.shape != [out, channels, patch, patch] {
                    let need = format!("[out, {channels}, {patch}, {patch}]");
                    return Err(refuse(&array, need));
                }
                let width = patch * patch * channels;
                Ok(permuted(&array, [width, out], |place, out| {
                    let (pixel, channel) = (place / channels, place % channels);
                    (out * channels + channel) * patch * patch + pixel
                }))
            }
            Self::FirstChannels => {
                let (pixels, keep) = (sizes.patch.saturating_mul(sizes.patch), sizes.channels);
                let rows = array.shape.first().copied().unwrap_or_default();
                let have = rows / pixels.max(1);
                if !rows.is_multiple_of(pixels) || have < keep {
                    return Err(refuse(&array, format!("[{pixels} times {keep} or more, ..]")));
                }
                let width = array.numbers.len() / rows.max(1);
                let kept = (0..rows).filter(|row| row % have < keep);
                let numbers = kept.flat_map(|row| &array.numbers[row * width..(row + 1) * width]);
                let numbers = numbers.copied().collect();
                let mut shape = array.shape;
                shape[0] = pixels * keep;
                Ok(Array { shape, numbers })
            }
            Self::NullClass => {
                let Sizes { classes, hidden, .. } = *sizes;
                let mut array = array;
                if array.shape == [classes, hidden] {
                    array.shape[0] += 1;
                    array.numbers.extend(vec![0.0; hidden]);
                }
                Ok(array)
            }
            Self::Pixelwise => match *array.shape {
                [out, from] | [out, from, 1] => {
                    Ok(Array { shape: vec![out, from, 1, 1], numbers: array.numbers })
                }
                _ => Err(refuse(&array, "[out, in] or [out, in, 1]".into())),
            },
            Self::HeadsLast => match (sizes.heads, array.shape.first()) {
                (None, _) => Ok(array),
                (Some(heads), Some(&rows)) => {
                    let heads = heads.of(rows / 3);
                    if heads == 0 || !rows.is_multiple_of(heads.saturating_mul(3)) {
                        let need = format!("[3 times {heads} heads times their channels, ..]");
                        return Err(refuse(&array, need));
                    }
                    Ok(heads_last(array, heads))
                }
                (Some(_), None) => Err(refuse(&array, "[3 times channels, ..]".into())),
            },
            Self::Steps => {
                let count = sizes.frequencies.len();
                match *array.shape {
                    [_, width] if width == 2 * count => Ok(of_time(array, &sizes.frequencies)),
                    _ => Err(refuse(&array, format!("[out, {}]", 2 * count))),
                }
            }
        }
    }
}

/// Rows `(head, part, channel)` in the order `(part, head, channel)`, with three parts.
fn heads_last(array: Array, heads: usize) -> Array {
    let rows = array.shape[0];
    let (width, channels) = (array.numbers.len() / rows.max(1), rows / (3 * heads));
    let order = (0..3).flat_map(|part| {
        let of_head = move |head| (0..channels).map(move |c| (head * 3 + part) * channels + c);
        (0..heads).flat_map(of_head)
    });
    let numbers = order.flat_map(|row| &array.numbers[row * width..(row + 1) * width]);
    Array { numbers: numbers.copied().collect(), shape: array.shape }
}

/// A layer over `[cos(w k), sin(w k)]` of the step `k = 999 - 1000 t` as one over
/// `[cos(1000 w t), sin(1000 w t)]` of our time `t`.
///
/// `cos(a - b) = cos a cos b + sin a sin b` and `sin(a - b) = sin a cos b - cos a sin b`, so that
/// the change of the clock is a rotation of the weights of each frequency.
fn of_time(mut array: Array, frequencies: &[f64]) -> Array {
    let count = frequencies.len();
    for row in array.numbers.chunks_mut(2 * count) {
        for (k, &w) in frequencies.iter().enumerate() {
            let (sin, cos) = (LAST_STEP * w).sin_cos();
            let [of_cos, of_sin] = [row[k], row[count + k]].map(f64::from);
            row[k] = (of_cos * cos + of_sin * sin) as f32;
            row[count + k] = (of_cos * sin - of_sin * cos) as f32;
        }
    }
    array
}

/// The last of a thousand steps: noise.
const LAST_STEP: f64 = 999.0;

/// The matrix `[rows, columns]` whose entry `(r, c)` is number `place(r, c)` of an array.
fn permuted(
    array: &Array,
    [rows, columns]: [usize; 2],
    place: impl Fn(usize, usize) -> usize,
) -> Array {
    let place = &place;
    let places = (0..rows).flat_map(|r| (0..columns).map(move |c| place(r, c)));
    Array { shape: vec![rows, columns], numbers: places.map(|at| array.numbers[at]).collect() }
}

impl Sizes {
    /// Compares stored positions with the sines and cosines that our transformer computes: of the
    /// column, then of the row of each patch.
    pub(crate) fn check_positions(&self, name: &str, array: &Array) -> Result<(), ImportError> {
        let [rows, columns] = self.patches;
        let need = [1, rows.saturating_mul(columns), self.hidden];
        if array.shape != need {
            let (shape, need) = (array.shape.clone(), format!("{need:?}"));
            return Err(ImportError::Shape { name: name.into(), shape, need });
        }
        if !self.hidden.is_multiple_of(4) {
            let need = "of a width that is a multiple of 4: sines and cosines of two places".into();
            return Err(ImportError::Shape { name: name.into(), shape: array.shape.clone(), need });
        }
        let quarter = self.hidden / 4;
        for (at, &got) in array.numbers.iter().enumerate() {
            let (token, place) = (at / self.hidden, at % self.hidden);
            let position = if place < 2 * quarter { token % columns } else { token / columns };
            let w = FREQUENCY_RANGE.powf(-((place % quarter) as f64) / quarter as f64);
            let (sin, cos) = (position as f64 * w).sin_cos();
            let expected = if (place / quarter).is_multiple_of(2) { sin } else { cos } as f32;
            // Positions carry a rounding of their angle in single precision, some 1e-5, and that of
            // a file of half precision: 4e-3 of bfloat16.
            if 4e-3 < (got - expected).abs() || got.is_nan() {
                return Err(ImportError::Positions { name: name.into(), at, got, expected });
            }
        }
        Ok(())
    }
}
