//! The density of a flow at a few times.

use crate::color::ColorMap;
use crate::panels::{Backdrop, Panels};
use crate::scene::Mark;
use crate::{Figure, Limits, Picture};

/// Two-dimensional histograms side by side, one for each time `t` and its points.
///
/// In each panel the colours run from zero to the density that one occupied cell in a hundred
/// exceeds, so that panels show shapes, not heights. The number of cells grows with the number of
/// points. Points beyond the limits, or not finite, are left out.
///
/// # Panics
/// Panics if the limits are not finite or do not grow.
#[must_use]
pub fn density_frames(frames: &[(f64, &[[f32; 2]])], limits: Limits) -> Figure {
    let titles: Vec<String> = frames.iter().map(|(t, _)| time_title(*t)).collect();
    let titles: Vec<&str> = titles.iter().map(String::as_str).collect();
    Panels { limits, backdrop: Backdrop::Plain, color_bar: None }.figure(&titles, |axes, i| {
        let picture = Histogram::new(frames[i].1, limits).picture();
        vec![Mark::Image { area: axes.area, picture }]
    })
}

/// `t = 0.25`, with at most three decimals.
pub(crate) fn time_title(t: f64) -> String {
    let text = format!("{t:.3}");
    let short =
        if t.is_finite() { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("t = {short}")
}

/// Counts of points in square cells, row by row from the lowest.
struct Histogram {
    side: u32,
    counts: Vec<u32>,
}

impl Histogram {
    fn new(points: &[[f32; 2]], limits: Limits) -> Self {
        // About six points for each cell if they filled the limits evenly.
        let side = (points.len() as f64 / 6.0).sqrt().clamp(16.0, 100.0) as u32;
        let mut counts = vec![0; (side * side) as usize];
        for &[x, y] in points.iter().filter(|point| limits.contain(**point)) {
            let column = cell(f64::from(x), limits.x, side);
            let row = cell(f64::from(y), limits.y, side);
            counts[(row * side + column) as usize] += 1;
        }
        Self { side, counts }
    }

    fn picture(&self) -> Picture {
        let full = self.full_scale();
        Picture::from_fn(self.side, self.side, |column, row| {
            let from_below = self.side - 1 - row;
            let count = self.counts[(from_below * self.side + column) as usize];
            ColorMap::Magma.at(f64::from(count) / full)
        })
    }

    /// The count that has the last colour: exceeded in one of a hundred cells that hold a point.
    fn full_scale(&self) -> f64 {
        let mut occupied: Vec<u32> = self.counts.iter().copied().filter(|c| *c > 0).collect();
        occupied.sort_unstable();
        let rank = occupied.len().saturating_sub(1 + occupied.len() / 100);
        occupied.get(rank).map_or(1.0, |count| f64::from(*count))
    }
}

fn cell(value: f64, (low, high): (f64, f64), cells: u32) -> u32 {
    let position = (value - low) / (high - low) * f64::from(cells);
    (position as u32).min(cells - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_histogram_counts_each_point_inside_the_limits_once() {
        let points = [[-1.0, -1.0], [1.0, 1.0], [0.0, 0.0], [2.0, 0.0], [f32::NAN, 0.0]];
        let histogram = Histogram::new(&points, Limits::square(1.0));
        assert_eq!(histogram.counts.iter().sum::<u32>(), 3);
        assert_eq!((histogram.counts[0], histogram.counts[255]), (1, 1));
    }

    #[test]
    fn the_highest_point_is_in_the_first_row_of_pixels() {
        let picture = Histogram::new(&[[0.9, 0.9]], Limits::square(1.0)).picture();
        let bright = picture.rgb().chunks(3).position(|p| p == ColorMap::Magma.at(1.0));
        assert_eq!(bright, Some(15));
    }

    #[test]
    fn times_are_short() {
        let titles = [0.0, 0.25, 1.0, 1.0 / 3.0].map(time_title);
        assert_eq!(titles, ["t = 0", "t = 0.25", "t = 1", "t = 0.333"]);
    }
}
