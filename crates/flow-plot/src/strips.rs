//! Several things as they change, one below the other: a row for each, a column for each time.

use crate::axes::{Axes, Axis, LABEL_SIZE, TICK_SIZE};
use crate::clouds::dots;
use crate::density::time_title;
use crate::image_grid::{enlargement, tile};
use crate::scale::Range;
use crate::scene::{Anchor, Area, Mark, Scene};
use crate::{Figure, Limits, color, font};

/// The longer side of a cell with a cloud.
const CLOUD: f32 = 110.0;
/// The most room that the name of a row takes.
const NAME: f32 = 160.0;
/// Room above the cells for their times.
const TOP: f32 = 28.0;
const EDGE: f32 = 12.0;
const BETWEEN: f32 = 4.0;

/// An image of each strip at each time: a row for each strip, with its name on the left.
///
/// A strip holds an image of `c` channels (1: grey, 3: red, green, blue) of `h` by `w` pixels for
/// each of the times, in the order `[times, c, h, w]`. Pixels are coloured as in
/// [`image_grid`](crate::image_grid).
///
/// # Panics
/// Panics if a strip does not hold an image for each time, if `c` is neither 1 nor 3, or if `h` or
/// `w` is zero.
#[must_use]
pub fn image_strips(strips: &[(&str, &[f32])], times: &[f64], [c, h, w]: [usize; 3]) -> Figure {
    assert!(c == 1 || c == 3, "expected 1 or 3 channels, got {c}");
    assert!(h > 0 && w > 0, "expected images of pixels, got {h} x {w}");
    let count = times.len();
    let values = [count, c, h, w].into_iter().try_fold(1, usize::checked_mul);
    for (_, images) in strips {
        assert_eq!(Some(images.len()), values, "expected {count} x {c} x {h} x {w} values");
    }
    let names: Vec<&str> = strips.iter().map(|(name, _)| *name).collect();
    let side = |pixels: usize| pixels.saturating_mul(enlargement(h, w)) as f32;
    cells(&names, times, [side(w), side(h)], |row, column, area| {
        let image = &strips[row].1[column * c * h * w..][..c * h * w];
        vec![Mark::Image { area, picture: tile(image, [c, h, w]) }]
    })
}

/// A cloud of points of each strip at each time, all with the same `limits`: a row for each strip,
/// with its name on the left.
///
/// Points beyond the limits, or not finite, are left out.
///
/// # Panics
/// Panics if a strip does not hold a cloud for each time, or if the limits are not finite or do not
/// grow.
#[must_use]
pub fn cloud_strips(strips: &[(&str, &[Vec<[f32; 2]>])], times: &[f64], limits: Limits) -> Figure {
    limits.assert_growing();
    for (_, clouds) in strips {
        assert_eq!(clouds.len(), times.len(), "expected a cloud for each time");
    }
    let names: Vec<&str> = strips.iter().map(|(name, _)| *name).collect();
    let (width, height) = limits.panel(CLOUD);
    cells(&names, times, [width, height], |row, column, area| {
        let x = Axis::horizontal(Range::linear(limits.x.0, limits.x.1), width);
        let y = Axis::vertical(Range::linear(limits.y.0, limits.y.1), height);
        let axes = Axes { area, x, y };
        vec![Mark::Clip { area, marks: vec![dots(&axes, &strips[row].1[column])] }, axes.frame()]
    })
}

/// A table of cells with times above and names on the left; `content(row, column, area)` are the
/// marks of one.
fn cells(
    names: &[&str],
    times: &[f64],
    [width, height]: [f32; 2],
    content: impl Fn(usize, usize, Area) -> Vec<Mark>,
) -> Figure {
    let names: Vec<String> = names.iter().map(|name| font::fit(name, LABEL_SIZE, NAME)).collect();
    let widest = names.iter().map(|name| font::width(name, LABEL_SIZE)).fold(0.0, f32::max).ceil();
    let left = EDGE + widest + 2.0 * BETWEEN;
    let x = |column: usize| left + column as f32 * (width + BETWEEN);
    let y = |row: usize| TOP + row as f32 * (height + BETWEEN);

    let mut marks = Vec::new();
    for (column, &time) in times.iter().enumerate() {
        let title = font::fit(&time_title(time), TICK_SIZE, width);
        let at = [x(column) + width / 2.0, TOP - 8.0];
        marks.push(Mark::text(at, &title, TICK_SIZE, Anchor::Middle, color::TEXT));
    }
    for (row, name) in names.iter().enumerate() {
        let middle = y(row) + 0.5 * (height + font::CAP_HEIGHT * LABEL_SIZE);
        let at = [left - 2.0 * BETWEEN, middle];
        marks.push(Mark::text(at, name, LABEL_SIZE, Anchor::End, color::TEXT));
        for column in 0..times.len() {
            marks.extend(content(row, column, Area { x: x(column), y: y(row), width, height }));
        }
    }
    let (width, height) = (x(times.len()) + EDGE, y(names.len()) + EDGE);
    Figure { scene: Scene { width, height, marks } }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pictures of a figure with where they lie, in the order in which they are drawn.
    fn pictures(figure: &Figure) -> Vec<([f32; 2], &[u8])> {
        let marks = figure.scene.marks.iter();
        let pictures = marks.filter_map(|mark| match mark {
            Mark::Image { area, picture } => Some(([area.x, area.y], picture.rgb())),
            _ => None,
        });
        pictures.collect()
    }

    #[test]
    fn a_strip_is_a_row_and_a_time_is_a_column() {
        // Images of one pixel, which are enlarged to 48.
        let strips: [(&str, &[f32]); 2] = [("ot", &[-1.0, 0.0, 1.0]), ("vp", &[1.0, -1.0, 1.0])];
        let figure = image_strips(&strips, &[0.0, 0.5, 1.0], [1, 1, 1]);
        let drawn = pictures(&figure);
        let grey: Vec<u8> = drawn.iter().map(|(_, rgb)| rgb[0]).collect();
        assert_eq!(grey, [0, 128, 255, 255, 0, 255]);
        let [first, second, .., last] = [0, 1, 3, 5].map(|i: usize| drawn[i].0);
        assert_eq!((second[0] - first[0], second[1] - first[1]), (48.0 + BETWEEN, 0.0));
        assert_eq!((last[0] - first[0], last[1] - first[1]), (2.0 * 52.0, 52.0));
        let (width, height) = figure.size();
        assert_eq!((width - last[0], height - last[1]), (52.0 + EDGE, 52.0 + EDGE));
    }

    #[test]
    fn colours_are_those_of_their_own_image() {
        let images = [1.0, -1.0, -1.0, -1.0, -1.0, 1.0];
        let figure = image_strips(&[("a", &images)], &[0.0, 1.0], [3, 1, 1]);
        let drawn = pictures(&figure);
        assert_eq!((drawn[0].1, drawn[1].1), (&[255, 0, 0][..], &[0, 0, 255][..]));
    }

    #[test]
    #[should_panic(expected = "expected 2 x 1 x 2 x 2 values")]
    fn a_strip_without_an_image_for_each_time_is_refused() {
        let _ = image_strips(&[("a", &[0.0; 4])], &[0.0, 1.0], [1, 2, 2]);
    }

    #[test]
    #[should_panic(expected = "expected a cloud for each time")]
    fn a_strip_without_a_cloud_for_each_time_is_refused() {
        let _ = cloud_strips(&[("a", &[vec![]])], &[0.0, 1.0], Limits::square(1.0));
    }
}
