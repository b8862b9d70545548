//! Curves against a common axis: losses, learning rates, errors.

use std::path::Path;

use crate::axes::{Axes, Axis, LABEL_SIZE, TICK_ROOM, TITLE_SIZE, X_ROOM};
use crate::legend::Legend;
use crate::scale::{Range, Scale};
use crate::scene::{Anchor, Area, Mark, Scene};
use crate::series::{Series, Style, colored};
use crate::{Figure, PlotError, color, font};

/// Curves over one pair of axes, with the legend above them.
///
/// The axes show all points; a linear axis of values that come near to zero starts there.
#[derive(Clone, Debug)]
pub struct Chart<'a> {
    title: &'a str,
    x_label: &'a str,
    y_label: &'a str,
    x_scale: Scale,
    y_scale: Scale,
    series: Vec<Series<'a>>,
    width: f32,
    height: f32,
}

/// Room on the left, the same for all charts with ordinary labels so that charts in a column align.
const LEFT: f32 = 68.0;
const RIGHT: f32 = 22.0;
const BOTTOM: f32 = 8.0;
const TOP: f32 = 34.0;
/// Longer sides are cut: no screen or printer shows more, and their numbers stay finite.
const LONGEST: f32 = 1e6;
/// The least height of the plot between title, legend and axis.
const LEAST_HEIGHT: f32 = 60.0;

impl<'a> Chart<'a> {
    /// A chart of 640 by 400 pixels with linear axes and no series.
    #[must_use]
    pub fn new(title: &'a str) -> Self {
        Self {
            title,
            x_label: "",
            y_label: "",
            x_scale: Scale::Linear,
            y_scale: Scale::Linear,
            series: Vec::new(),
            width: 640.0,
            height: 400.0,
        }
    }

    /// Names the horizontal axis.
    #[must_use]
    pub fn x(self, label: &'a str) -> Self {
        Self { x_label: label, ..self }
    }

    /// Names the vertical axis.
    #[must_use]
    pub fn y(self, label: &'a str) -> Self {
        Self { y_label: label, ..self }
    }

    /// Makes the horizontal axis logarithmic.
    #[must_use]
    pub fn log_x(self) -> Self {
        Self { x_scale: Scale::Log, ..self }
    }

    /// Makes the vertical axis logarithmic.
    #[must_use]
    pub fn log_y(self) -> Self {
        Self { y_scale: Scale::Log, ..self }
    }

    /// Sets width and height, in pixels of 1/96 inch; at least 200 by 150, and higher if
    /// the legend needs it. NaN is the least, and sides end at a million.
    #[must_use]
    pub fn size(self, width: f32, height: f32) -> Self {
        let side = |side: f32, least: f32| side.max(least).min(LONGEST);
        Self { width: side(width, 200.0), height: side(height, 150.0), ..self }
    }

    /// Adds a line.
    #[must_use]
    pub fn line(self, label: &'a str, points: &'a [(f64, f64)]) -> Self {
        self.add(label, points, Style::Line)
    }

    /// Adds an interrupted line.
    #[must_use]
    pub fn dashed(self, label: &'a str, points: &'a [(f64, f64)]) -> Self {
        self.add(label, points, Style::Dashed)
    }

    /// Adds dots.
    #[must_use]
    pub fn dots(self, label: &'a str, points: &'a [(f64, f64)]) -> Self {
        self.add(label, points, Style::Dots)
    }

    /// Adds a thin grey line.
    #[must_use]
    pub fn faint(self, label: &'a str, points: &'a [(f64, f64)]) -> Self {
        self.add(label, points, Style::Faint)
    }

    /// Adds a pale band between the lowest and the highest points, in the colour of the series that
    /// is added next; `outline` goes along one edge and back along the other.
    #[must_use]
    pub fn band(self, outline: &'a [(f64, f64)]) -> Self {
        self.add("", outline, Style::Band)
    }

    /// Adds a series in the next colour.
    fn add(self, label: &'a str, points: &'a [(f64, f64)], style: Style) -> Self {
        self.series(Series { label, points, style, color: None })
    }

    /// Adds a series; later ones cover earlier ones.
    #[must_use]
    pub fn series(mut self, series: Series<'a>) -> Self {
        self.series.push(series);
        self
    }

    /// Draws the chart and writes it as `.svg` or `.png`.
    ///
    /// # Errors
    /// As [`Figure::save`].
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), PlotError> {
        self.figure().save(path)
    }

    /// Draws the chart.
    #[must_use]
    pub fn figure(&self) -> Figure {
        let legend = Legend::new(&self.series, self.width - LEFT - RIGHT);
        let top = TOP + legend.height();
        let below = if self.x_label.is_empty() { TICK_ROOM } else { X_ROOM } + BOTTOM;
        let height = self.height.max(top + LEAST_HEIGHT + below);
        let axes = self.axes(top, height - top - below);

        let mut marks = axes.grid();
        let area = axes.area;
        let curves = colored(&self.series).flat_map(|(s, color)| s.marks(&axes, color));
        // A line on the edge is shown in its full width.
        let edge = Area {
            x: area.x - 3.0,
            y: area.y - 3.0,
            width: area.width + 6.0,
            height: area.height + 6.0,
        };
        marks.push(Mark::Clip { area: edge, marks: curves.collect() });
        marks.push(axes.spines());
        marks.extend(axes.x_ticks());
        marks.extend(axes.y_ticks());
        marks.push(axes.x_label(self.x_label));
        marks.push(axes.y_label(self.y_label, 18.0));
        let title = font::fit(self.title, TITLE_SIZE, self.width - area.x - RIGHT);
        marks.push(Mark::text([area.x, 22.0], &title, TITLE_SIZE, Anchor::Start, color::TEXT));
        marks.extend(legend.marks([area.x, TOP]));
        Figure { scene: Scene { width: self.width, height, marks } }
    }

    fn axes(&self, top: f32, height: f32) -> Axes {
        let points = || self.series.iter().flat_map(|series| series.points);
        let drawn = |&&(x, y): &&(f64, f64)| {
            self.x_scale.even(x).is_some() && self.y_scale.even(y).is_some()
        };
        let xs = points().filter(drawn).map(|(x, _)| *x);
        let ys = points().filter(drawn).map(|(_, y)| *y);
        let x_range = Range::around(self.x_scale, xs).extended_to_zero_if_near();
        let y_range = Range::around(self.y_scale, ys).extended_to_zero_if_near().with_margin(0.05);
        let y = Axis::vertical(y_range, height);
        let left = LEFT.max(y.room() + LABEL_SIZE + 14.0);
        let width = self.width - left - RIGHT;
        let x = Axis::horizontal(x_range, width);
        Axes { area: Area { x: left, y: top, width, height }, x, y }
    }
}
