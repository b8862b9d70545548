//! The few colours that an animation may have.

use std::collections::{BTreeMap, HashMap};

use crate::color::Rgb;

/// At most this many colours, so that one of 256 is left to mean "as before".
pub(crate) const MAX_COLORS: usize = 255;

/// Colours and, for any colour, the index of the nearest.
pub(crate) struct Palette {
    colors: Vec<Rgb>,
    nearest: HashMap<Rgb, u8>,
}

impl Palette {
    /// A palette for all of `pixels`: their own colours if these are few, else by median cut.
    ///
    /// Median cut (Heckbert (1982), "Color Image Quantization for Frame Buffer Display"): the box
    /// with the most pixels along its longest side is cut at the median until the boxes suffice.
    pub(crate) fn of(pixels: impl Iterator<Item = Rgb>) -> Self {
        let mut counts: BTreeMap<Rgb, u64> = BTreeMap::new();
        pixels.for_each(|pixel| *counts.entry(pixel).or_default() += 1);
        let counts: Vec<(Rgb, u64)> = counts.into_iter().collect();
        let colors = if counts.len() <= MAX_COLORS {
            counts.iter().map(|(color, _)| *color).collect()
        } else {
            median_cut(counts)
        };
        Self { colors, nearest: HashMap::new() }
    }

    /// The index of the colour nearest to `color`.
    pub(crate) fn index(&mut self, color: Rgb) -> u8 {
        let colors = &self.colors;
        *self.nearest.entry(color).or_insert_with(|| {
            let by_distance = |i: &usize| distance(colors[*i], color);
            (0..colors.len()).min_by_key(by_distance).unwrap_or(0) as u8
        })
    }

    /// The colours in the order of their indices.
    pub(crate) fn colors(&self) -> &[Rgb] {
        &self.colors
    }
}

fn distance(a: Rgb, b: Rgb) -> u32 {
    (0..3).map(|c| u32::from(a[c].abs_diff(b[c])).pow(2)).sum()
}

type Counted = Vec<(Rgb, u64)>;

fn median_cut(counts: Counted) -> Vec<Rgb> {
    let mut boxes = vec![counts];
    while boxes.len() < MAX_COLORS {
        let Some(worst) = (0..boxes.len()).max_by_key(|i| error(&boxes[*i])) else {
            break;
        };
        let (low, high) = cut(boxes.swap_remove(worst));
        boxes.extend([low, high]);
    }
    boxes.iter().map(mean).collect()
}

/// What it costs to give a box one colour: its longest side squared, by the root of its pixels,
/// so that a large even background does not take all the colours.
fn error(counts: &Counted) -> u64 {
    let pixels: u64 = counts.iter().map(|(_, count)| count).sum();
    let (_, side) = longest_side(counts);
    u64::from(side).pow(2) * pixels.isqrt()
}

/// The channel in which the colours differ most, and by how much.
fn longest_side(counts: &Counted) -> (usize, u8) {
    let side = |channel: usize| {
        let values = counts.iter().map(|(color, _)| color[channel]);
        let (low, high) = values.fold((255, 0), |(a, b), v: u8| (a.min(v), b.max(v)));
        high.saturating_sub(low)
    };
    (0..3).map(|channel| (channel, side(channel))).max_by_key(|(_, side)| *side).unwrap_or((0, 0))
}

/// Two boxes of about as many pixels, none empty.
fn cut(mut counts: Counted) -> (Counted, Counted) {
    let (channel, _) = longest_side(&counts);
    counts.sort_by_key(|(color, _)| color[channel]);
    let half = counts.iter().map(|(_, count)| count).sum::<u64>() / 2;
    let mut seen = 0;
    let before_half = counts.iter().take_while(|(_, count)| {
        seen += count;
        seen <= half
    });
    let middle = before_half.count().clamp(1, counts.len() - 1);
    let high = counts.split_off(middle);
    (counts, high)
}

fn mean(counts: &Counted) -> Rgb {
    let total: u64 = counts.iter().map(|(_, count)| count).sum();
    std::array::from_fn(|c| {
        let sum: u64 = counts.iter().map(|(color, count)| u64::from(color[c]) * count).sum();
        ((sum + total / 2) / total) as u8
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_colours_are_kept_exactly() {
        let colors: Vec<Rgb> = (0..200).map(|i| [i, 255 - i, i / 2]).collect();
        let mut palette = Palette::of(colors.iter().copied());
        for color in colors {
            let index = palette.index(color);
            assert_eq!(palette.colors()[usize::from(index)], color);
        }
    }

    #[test]
    fn many_colours_are_met_within_a_few_steps_and_white_stays_white() {
        // A ramp from white to blue on a white ground, as in anti-aliased dots, and its shadows.
        let ramp = (0..=255u8).flat_map(|i| (0..8u8).map(move |j| [i, i / 2 + 127 - j, 255 - j]));
        let ground = std::iter::repeat_n([255u8; 3], 100_000);
        let mut palette = Palette::of(ramp.clone().chain(ground));
        assert_eq!(palette.colors().len(), MAX_COLORS);
        let white = palette.index([255; 3]);
        assert_eq!(palette.colors()[usize::from(white)], [255; 3]);
        for color in ramp {
            let index = palette.index(color);
            let found = palette.colors()[usize::from(index)];
            // 2048 colours on 255: boxes of about 8 colours, a few steps wide.
            assert!(distance(found, color) <= 3 * 8 * 8, "{color:?} became {found:?}");
        }
    }
}
