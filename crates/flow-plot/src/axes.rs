//! The frame of a plot: grid, axes, ticks, labels and title.

use crate::color;
use crate::font;
use crate::scale::Range;
use crate::scene::{Anchor, Area, Dash, Direction, Mark, Point, Text};
use crate::ticks::{Tick, ticks};

pub(crate) const TITLE_SIZE: f32 = 14.0;
pub(crate) const LABEL_SIZE: f32 = 12.0;
pub(crate) const TICK_SIZE: f32 = 11.0;
/// From the end of a tick to its label, and to the label of the axis.
const GAP: f32 = 5.0;
const TICK: f32 = 4.0;
/// Room below an area for ticks and their labels.
pub(crate) const TICK_ROOM: f32 = TICK + GAP + TICK_SIZE;
/// Room below an area for ticks and the label of the axis.
pub(crate) const X_ROOM: f32 = TICK_ROOM + GAP + LABEL_SIZE + 2.0;

/// A rectangle in which values have places.
pub(crate) struct Axes {
    pub(crate) area: Area,
    pub(crate) x: Axis,
    pub(crate) y: Axis,
}

#[derive(Clone)]
pub(crate) struct Axis {
    pub(crate) range: Range,
    pub(crate) ticks: Vec<Tick>,
}

impl Axis {
    /// An axis from left to right over `length` pixels: labels keep a space between them.
    pub(crate) fn horizontal(range: Range, length: f32) -> Self {
        let ticks = ticks(&range, |ticks| {
            let labelled = ticks.iter().filter(|tick| !tick.label.is_empty());
            let mut free_from = f32::NEG_INFINITY;
            labelled.into_iter().all(|tick| {
                let middle = tick.fraction as f32 * length;
                let half = font::width(&tick.label, TICK_SIZE) / 2.0;
                let free = middle - half >= free_from;
                free_from = middle + half + 12.0;
                free
            })
        });
        Self { range, ticks }
    }

    /// An axis from bottom to top over `length` pixels: labels keep two lines' distance.
    pub(crate) fn vertical(range: Range, length: f32) -> Self {
        let ticks = ticks(&range, |ticks| {
            let labelled: Vec<f64> =
                ticks.iter().filter(|tick| !tick.label.is_empty()).map(|t| t.fraction).collect();
            let apart = |pair: &[f64]| (pair[1] - pair[0]) as f32 * length >= 2.0 * TICK_SIZE;
            labelled.windows(2).all(apart)
        });
        Self { range, ticks }
    }

    /// Pixels that the widest label takes.
    pub(crate) fn label_width(&self) -> f32 {
        self.ticks.iter().map(|tick| font::width(&tick.label, TICK_SIZE)).fold(0.0, f32::max)
    }

    /// Pixels by which labels of a horizontal axis stand out at its ends, both together.
    pub(crate) fn overhang(&self, length: f32) -> f32 {
        let half = |tick: &Tick| font::width(&tick.label, TICK_SIZE) / 2.0;
        let from_left = |tick: &Tick| tick.fraction as f32 * length;
        let left = self.ticks.iter().map(|tick| half(tick) - from_left(tick));
        let right = self.ticks.iter().map(|tick| from_left(tick) + half(tick) - length);
        left.fold(0.0, f32::max) + right.fold(0.0, f32::max)
    }

    /// Room beside a vertical axis for ticks and their labels.
    pub(crate) fn room(&self) -> f32 {
        TICK + GAP + self.label_width()
    }
}

impl Axes {
    /// The place of the point `(x, y)`; `None` if it has none.
    pub(crate) fn place(&self, x: f64, y: f64) -> Option<Point> {
        let (right, up) = (self.x.range.fraction(x)?, self.y.range.fraction(y)?);
        Some([self.column(right), self.row(up)])
    }

    fn column(&self, fraction: f64) -> f32 {
        self.area.x + self.area.width * fraction as f32
    }

    fn row(&self, fraction: f64) -> f32 {
        self.area.bottom() - self.area.height * fraction as f32
    }

    /// Light lines at the labelled ticks.
    pub(crate) fn grid(&self) -> Vec<Mark> {
        let Area { x, y, .. } = self.area;
        let (right, bottom) = (self.area.right(), self.area.bottom());
        let labelled = |tick: &&Tick| !tick.label.is_empty();
        let upright = self.x.ticks.iter().filter(labelled).map(|tick| {
            let column = self.column(tick.fraction);
            Mark::segment([column, y], [column, bottom], color::GRID, 1.0)
        });
        let level = self.y.ticks.iter().filter(labelled).map(|tick| {
            let row = self.row(tick.fraction);
            Mark::segment([x, row], [right, row], color::GRID, 1.0)
        });
        upright.chain(level).collect()
    }

    /// Lines at the left and at the bottom.
    pub(crate) fn spines(&self) -> Mark {
        let Area { x, y, .. } = self.area;
        let (right, bottom) = (self.area.right(), self.area.bottom());
        line(vec![[x, y], [x, bottom], [right, bottom]])
    }

    /// Lines on all four sides.
    pub(crate) fn frame(&self) -> Mark {
        frame(&self.area)
    }

    /// Ticks below the area, with their labels.
    pub(crate) fn x_ticks(&self) -> Vec<Mark> {
        let bottom = self.area.bottom();
        let mark = |tick: &Tick| {
            let column = self.column(tick.fraction);
            let end = bottom + tick_length(tick);
            let baseline = bottom + TICK + GAP + font::CAP_HEIGHT * TICK_SIZE;
            let label = [column, baseline];
            [
                Mark::segment([column, bottom], [column, end], color::AXIS, 1.0),
                Mark::text(label, &tick.label, TICK_SIZE, Anchor::Middle, color::AXIS),
            ]
        };
        self.x.ticks.iter().flat_map(mark).collect()
    }

    /// Ticks left of the area, with their labels.
    pub(crate) fn y_ticks(&self) -> Vec<Mark> {
        let mark = |tick: &Tick| {
            let row = self.row(tick.fraction);
            let end = self.area.x - tick_length(tick);
            let label = [self.area.x - TICK - GAP, row + CENTER_TICK];
            [
                Mark::segment([self.area.x, row], [end, row], color::AXIS, 1.0),
                Mark::text(label, &tick.label, TICK_SIZE, Anchor::End, color::AXIS),
            ]
        };
        self.y.ticks.iter().flat_map(mark).collect()
    }

    /// Ticks right of the area, with their labels.
    pub(crate) fn y_ticks_on_the_right(&self) -> Vec<Mark> {
        let right = self.area.right();
        let mark = |tick: &Tick| {
            let row = self.row(tick.fraction);
            let label = [right + TICK + GAP, row + CENTER_TICK];
            [
                Mark::segment([right, row], [right + tick_length(tick), row], color::AXIS, 1.0),
                Mark::text(label, &tick.label, TICK_SIZE, Anchor::Start, color::AXIS),
            ]
        };
        self.y.ticks.iter().flat_map(mark).collect()
    }

    /// The name of the horizontal axis, below its ticks.
    pub(crate) fn x_label(&self, label: &str) -> Mark {
        let middle = self.area.x + self.area.width / 2.0;
        let baseline = self.area.bottom() + TICK_ROOM + GAP + font::CAP_HEIGHT * LABEL_SIZE;
        let label = font::fit(label, LABEL_SIZE, self.area.width);
        Mark::text([middle, baseline], &label, LABEL_SIZE, Anchor::Middle, color::TEXT)
    }

    /// The name of the vertical axis, upwards on the baseline at `column`.
    pub(crate) fn y_label(&self, label: &str, column: f32) -> Mark {
        Mark::Text(Text {
            at: [column, self.area.y + self.area.height / 2.0],
            content: font::fit(label, LABEL_SIZE, self.area.height),
            size: LABEL_SIZE,
            anchor: Anchor::Middle,
            color: color::TEXT,
            direction: Direction::Up,
        })
    }

    /// A title above the left end of the area.
    pub(crate) fn title(&self, title: &str, size: f32) -> Mark {
        let at = [self.area.x, self.area.y - 8.0];
        let title = font::fit(title, size, self.area.width);
        Mark::text(at, &title, size, Anchor::Start, color::TEXT)
    }
}

/// From the middle of a tick label down to its baseline.
const CENTER_TICK: f32 = font::CAP_HEIGHT * TICK_SIZE / 2.0;

fn tick_length(tick: &Tick) -> f32 {
    if tick.label.is_empty() { TICK / 2.0 } else { TICK }
}

fn line(path: Vec<Point>) -> Mark {
    Mark::Lines { paths: vec![path], ink: color::AXIS.into(), width: 1.0, dash: Dash::Solid }
}

/// Lines on all four sides of `area`.
pub(crate) fn frame(area: &Area) -> Mark {
    let (right, bottom) = (area.right(), area.bottom());
    let corners = [[area.x, area.y], [right, area.y], [right, bottom], [area.x, bottom]];
    line(corners.into_iter().chain([corners[0]]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scale::Scale;

    #[test]
    fn labels_of_a_horizontal_axis_never_touch() {
        for scale in [Scale::Linear, Scale::Log] {
            for (length, i) in
                [120.0, 190.0, 550.0].into_iter().flat_map(|l| (0..200).map(move |i| (l, i)))
            {
                let width = 0.05 * 1.1f64.powi(i % 60);
                let low = f64::from(i) * 0.37 - 20.0;
                let range = Range { scale, low, high: low + width };
                let axis = Axis::horizontal(range, length);
                let ends: Vec<(f32, f32)> = axis
                    .ticks
                    .iter()
                    .filter(|tick| !tick.label.is_empty())
                    .map(|tick| {
                        let half = font::width(&tick.label, TICK_SIZE) / 2.0;
                        let middle = tick.fraction as f32 * length;
                        (middle - half, middle + half)
                    })
                    .collect();
                // On short axes, two round numbers do not always fit.
                let least = if length > 300.0 { 2 } else { 1 };
                assert!(ends.len() >= least, "{range:?} over {length}: {:?}", axis.ticks);
                assert!(ends.windows(2).all(|pair| pair[0].1 < pair[1].0), "{range:?}: {ends:?}");
            }
        }
    }
}
