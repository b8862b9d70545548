//! Colours: a qualitative palette that colour-blind readers can tell apart, and two perceptual
//! maps.

/// Red, green and blue in sRGB.
pub(crate) type Rgb = [u8; 3];

pub(crate) const WHITE: Rgb = [255, 255, 255];
/// Titles and labels.
pub(crate) const TEXT: Rgb = [38, 38, 38];
/// Axis lines, ticks and their labels.
pub(crate) const AXIS: Rgb = [90, 90, 90];
pub(crate) const GRID: Rgb = [232, 232, 232];
/// Raw, noisy curves behind smoothed ones.
pub(crate) const FAINT: Rgb = [176, 184, 192];
pub(crate) const BLUE: Rgb = [0, 114, 178];
/// Marks a value that is not a number.
pub(crate) const MISSING: Rgb = [204, 121, 167];

/// Series colours, in order of use: the palette of Okabe and Ito (2008), "Color Universal Design",
/// without its yellow, which is too light for lines on white.
const SERIES: [Rgb; 7] =
    [BLUE, [213, 94, 0], [0, 158, 115], [204, 121, 167], [230, 159, 0], [86, 180, 233], [0, 0, 0]];

/// The colour of the `i`-th series. From the eighth on they come back pale, from the fifteenth on
/// dark; three times seven can be told apart, and then they repeat.
pub(crate) fn series(i: usize) -> Rgb {
    let color = SERIES[i % SERIES.len()];
    let mixed = |with: u8| color.map(|c| u8::midpoint(c, with));
    match i / SERIES.len() % 3 {
        0 => color,
        1 => mixed(230),
        _ => mixed(AXIS[0]),
    }
}

/// Maps from `[0, 1]` to colours of even perceptual steps.
///
/// Both are 17 samples of matplotlib's maps (Stéfan van der Walt and Nathaniel Smith, released
/// under CC0), interpolated linearly: at most 6 of 255 steps from the originals.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ColorMap {
    Viridis,
    Magma,
}

#[rustfmt::skip]
const VIRIDIS: [u32; 17] = [
    0x440154, 0x48186a, 0x472d7b, 0x424086, 0x3b528b, 0x33638d, 0x2c728e, 0x26818e, 0x21908c,
    0x1f9f88, 0x28ae80, 0x3ebc74, 0x5dc963, 0x82d34c, 0xabdc32, 0xd5e21a, 0xfde725,
];

#[rustfmt::skip]
const MAGMA: [u32; 17] = [
    0x000004, 0x0a0822, 0x1d1146, 0x36106a, 0x50127c, 0x691c81, 0x822681, 0x9c2e7f, 0xb63779,
    0xcf4170, 0xe65163, 0xf5695c, 0xfb8761, 0xfea571, 0xfec387, 0xfde0a2, 0xfcfdbf,
];

impl ColorMap {
    /// The colour at `value`, clamped to `[0, 1]`; NaN has the colour [`MISSING`].
    pub(crate) fn at(self, value: f64) -> Rgb {
        if value.is_nan() {
            return MISSING;
        }
        let table = match self {
            Self::Viridis => &VIRIDIS,
            Self::Magma => &MAGMA,
        };
        let position = value.clamp(0.0, 1.0) * (table.len() - 1) as f64;
        let below = (position as usize).min(table.len() - 2);
        let weight = position - below as f64;
        let [_, a @ ..] = table[below].to_be_bytes();
        let [_, b @ ..] = table[below + 1].to_be_bytes();
        std::array::from_fn(|c| {
            (f64::from(a[c]) * (1.0 - weight) + f64::from(b[c]) * weight).round() as u8
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_one_series_have_colours_of_their_own() {
        // Of 255 steps in the channel that differs most; any two of the palette differ by 63.
        let apart = |a: Rgb, b: Rgb| (0..3).map(|c| a[c].abs_diff(b[c])).max();
        for i in 0..21 {
            for j in 0..i {
                let steps = apart(series(i), series(j));
                assert!(steps > Some(28), "series {i} and {j} differ by {steps:?}");
            }
        }
        assert_eq!(series(21), series(0));
    }

    #[test]
    fn maps_pass_through_the_published_ends_and_middle() {
        assert_eq!(ColorMap::Viridis.at(0.0), [0x44, 0x01, 0x54]);
        assert_eq!(ColorMap::Viridis.at(0.5), [0x21, 0x90, 0x8c]);
        assert_eq!(ColorMap::Magma.at(1.0), [0xfc, 0xfd, 0xbf]);
    }

    #[test]
    fn lightness_grows_along_both_maps() {
        let luma =
            |[r, g, b]: Rgb| 0.2126 * f64::from(r) + 0.7152 * f64::from(g) + 0.0722 * f64::from(b);
        for map in [ColorMap::Viridis, ColorMap::Magma] {
            for i in 0..64 {
                let (a, b) = (map.at(f64::from(i) / 64.0), map.at(f64::from(i + 1) / 64.0));
                assert!(luma(a) < luma(b), "{map:?} at {i}: {a:?} {b:?}");
            }
        }
    }

    #[test]
    fn values_outside_the_unit_interval_are_clamped_and_nan_is_marked() {
        assert_eq!(ColorMap::Magma.at(-3.0), ColorMap::Magma.at(0.0));
        assert_eq!(ColorMap::Magma.at(f64::INFINITY), ColorMap::Magma.at(1.0));
        assert_eq!(ColorMap::Magma.at(f64::NAN), MISSING);
    }
}
