//! The way from noise to data.

use crate::axes::Axes;
use crate::color::ColorMap;
use crate::color_bar::ColorBar;
use crate::panels::{Backdrop, Panels};
use crate::scale::Range;
use crate::scene::{Dash, Ink, Mark, Point};
use crate::{Figure, Limits, color};

/// Of more paths than this, an even selection is drawn.
const MAX_PATHS: usize = 400;
/// Steps of colour along a path.
const SHADES: usize = 32;

/// Paths through the plane, coloured by the time at which a point passes, `t` from 0 to 1.
///
/// The points of a path are at equal intervals of time, from the noise at `t = 0` (a grey dot) to
/// the sample at `t = 1` (a dark dot). A point that is not finite interrupts its path. Of more than
/// 400 paths, an even selection is drawn.
///
/// # Panics
/// Panics if the limits are not finite or do not grow.
#[must_use]
pub fn trajectories(paths: &[Vec<[f32; 2]>], limits: Limits) -> Figure {
    let stride = paths.len().div_ceil(MAX_PATHS).max(1);
    let shown: Vec<&[[f32; 2]]> = paths.iter().step_by(stride).map(Vec::as_slice).collect();
    let bar = ColorBar { map: ColorMap::Viridis, range: Range::linear(0.0, 1.0), label: "time t" };
    Panels { limits, backdrop: Backdrop::Grid, color_bar: Some(bar) }
        .figure(&["from noise (grey) to data (black)"], |axes, _| marks(axes, &shown))
}

fn marks(axes: &Axes, paths: &[&[[f32; 2]]]) -> Vec<Mark> {
    let place = |[x, y]: [f32; 2]| axes.place(f64::from(x), f64::from(y));
    let dots = |ends: Vec<Point>, ink: Ink, radius| Mark::Dots { centers: ends, ink, radius };
    let starts = paths.iter().filter_map(|path| place(*path.first()?)).collect();
    let ends = paths.iter().filter_map(|path| place(*path.last()?)).collect();

    let mut shades = vec![Vec::new(); SHADES];
    for path in paths {
        let places: Vec<Option<Point>> = path.iter().map(|point| place(*point)).collect();
        for (shade, pieces) in shades.iter_mut().enumerate() {
            pieces.extend(pieces_in_shade(&places, shade));
        }
    }
    let lines = shades.into_iter().enumerate().map(|(shade, paths)| {
        let color = ColorMap::Viridis.at((shade as f64 + 0.5) / SHADES as f64);
        Mark::Lines { paths, ink: color.into(), width: 0.8, dash: Dash::Solid }
    });
    let mut marks: Vec<Mark> = lines.collect();
    marks.push(dots(starts, color::FAINT.into(), 1.5));
    marks.push(dots(ends, color::TEXT.into(), 1.7));
    marks
}

/// The parts of a path whose time falls into one of [`SHADES`] equal intervals.
fn pieces_in_shade(places: &[Option<Point>], shade: usize) -> Vec<Vec<Point>> {
    let segments = places.len().saturating_sub(1);
    let first = (shade * segments).div_ceil(SHADES);
    let end = ((shade + 1) * segments).div_ceil(SHADES);
    if first >= end {
        return Vec::new();
    }
    places[first..=end]
        .split(Option::is_none)
        .map(|piece| piece.iter().flatten().copied().collect::<Vec<_>>())
        .filter(|piece| piece.len() > 1)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_segment_of_a_path_is_drawn_once() {
        for count in [0u8, 1, 2, 3, 32, 33, 100] {
            let places: Vec<_> = (0..count).map(|i| Some([f32::from(i), 0.0])).collect();
            let pieces = (0..SHADES).flat_map(|shade| pieces_in_shade(&places, shade));
            let drawn: Vec<[f32; 2]> = pieces
                .flat_map(|p| p.windows(2).map(|w| [w[0][0], w[1][0]]).collect::<Vec<_>>())
                .collect();
            let expected: Vec<_> = (1..count).map(|i| [f32::from(i - 1), f32::from(i)]).collect();
            assert_eq!(drawn, expected);
        }
    }

    #[test]
    fn a_point_that_is_not_finite_interrupts_the_path() {
        let mut places: Vec<Option<Point>> = (0..9u8).map(|i| Some([f32::from(i), 0.0])).collect();
        places[4] = None;
        let pieces: Vec<_> =
            (0..SHADES).flat_map(|shade| pieces_in_shade(&places, shade)).collect();
        assert!(!pieces.concat().contains(&[4.0, 0.0]), "{pieces:?}");
        assert_eq!(pieces.len(), 6);
    }
}
