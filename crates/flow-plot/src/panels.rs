//! Panels side by side that show the same part of the plane.

use crate::axes::{Axes, Axis, TICK_ROOM};
use crate::color_bar::ColorBar;
use crate::scale::Range;
use crate::scene::{Area, Mark, Scene};
use crate::{Figure, Limits};

/// What lies below the contents of a panel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Backdrop {
    Grid,
    Plain,
}

/// A plot of one or more panels.
pub(crate) struct Panels<'a> {
    pub(crate) limits: Limits,
    pub(crate) backdrop: Backdrop,
    /// Stands right of the last panel of the first row.
    pub(crate) color_bar: Option<ColorBar<'a>>,
}

/// The most panels in a row.
const PER_ROW: usize = 5;
const TITLE: f32 = 13.0;
const TOP: f32 = 32.0;
const EDGE: f32 = 14.0;
const BETWEEN: f32 = 16.0;

impl Panels<'_> {
    /// Draws a panel for each title; `contents(axes, i)` are the marks inside the i-th.
    ///
    /// # Panics
    /// Panics if the limits are not finite or do not grow.
    pub(crate) fn figure(
        &self,
        titles: &[&str],
        contents: impl Fn(&Axes, usize) -> Vec<Mark>,
    ) -> Figure {
        self.limits.assert_growing();
        let Limits { x, y } = self.limits;
        let columns = titles.len().clamp(1, PER_ROW);
        let rows = titles.len().div_ceil(columns).max(1);
        let (width, height) = self.limits.panel(longer_side(columns));
        let x_axis = Axis::horizontal(Range::linear(x.0, x.1), width);
        let y_axis = Axis::vertical(Range::linear(y.0, y.1), height);
        let titled = titles.iter().any(|title| !title.is_empty());

        let left = (y_axis.room() + EDGE).round();
        let top = if titled { TOP } else { EDGE };
        let across = (width + BETWEEN.max(x_axis.overhang(width) + 6.0)).round();
        let down = top + height + TICK_ROOM + 6.0;
        let area = |i: usize| Area {
            x: left + (i % columns) as f32 * across,
            y: top + (i / columns) as f32 * down,
            width,
            height,
        };

        let mut marks = Vec::new();
        for (i, title) in titles.iter().enumerate() {
            let axes = Axes { area: area(i), x: x_axis.clone(), y: y_axis.clone() };
            if self.backdrop == Backdrop::Grid {
                marks.extend(axes.grid());
            }
            marks.push(Mark::Clip { area: axes.area, marks: contents(&axes, i) });
            marks.push(axes.frame());
            marks.extend(axes.x_ticks());
            if i % columns == 0 {
                marks.extend(axes.y_ticks());
            }
            marks.push(axes.title(title, TITLE));
        }

        let mut right = area(columns - 1).right();
        if let Some(bar) = &self.color_bar {
            let place = Area { x: right + BETWEEN, y: top, width: 14.0, height };
            let (bar_marks, end) = bar.draw(place);
            marks.extend(bar_marks);
            right = end;
        }
        let width = (right + EDGE).ceil();
        let height = (rows as f32 * down + EDGE / 2.0).ceil();
        Figure { scene: Scene { width, height, marks } }
    }
}

/// Panels shrink as their number grows.
fn longer_side(columns: usize) -> f32 {
    match columns {
        1 => 380.0,
        2 | 3 => 280.0,
        _ => 190.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "expected limits from a low to a high number, got 1 and -1")]
    fn limits_that_shrink_are_refused() {
        let limits = Limits { x: (1.0, -1.0), y: (0.0, 1.0) };
        let _ = Panels { limits, backdrop: Backdrop::Plain, color_bar: None }
            .figure(&["a"], |_, _| Vec::new());
    }
}
