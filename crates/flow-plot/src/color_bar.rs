//! The key to a colour map.

use crate::Picture;
use crate::axes::{Axes, Axis, LABEL_SIZE};
use crate::color::ColorMap;
use crate::font;
use crate::scale::Range;
use crate::scene::{Area, Mark};

/// A vertical strip of the colours of a map beside the values they stand for.
pub(crate) struct ColorBar<'a> {
    pub(crate) map: ColorMap,
    pub(crate) range: Range,
    pub(crate) label: &'a str,
}

const SHADES: u32 = 128;

impl ColorBar<'_> {
    /// The bar at `area`, and the column where its label ends.
    pub(crate) fn draw(&self, area: Area) -> (Vec<Mark>, f32) {
        let shade = |_, row| self.map.at(1.0 - (f64::from(row) + 0.5) / f64::from(SHADES));
        let y = Axis::vertical(self.range, area.height);
        let label_column = area.right() + y.room() + font::CAP_HEIGHT * LABEL_SIZE + 8.0;
        let axes = Axes { area, x: Axis { range: self.range, ticks: Vec::new() }, y };
        let mut marks = vec![
            Mark::Image { area, picture: Picture::from_fn(1, SHADES, shade) },
            axes.frame(),
            axes.y_label(self.label, label_column),
        ];
        marks.extend(axes.y_ticks_on_the_right());
        (marks, label_column)
    }
}
