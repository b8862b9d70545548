//! A named sequence of points and how it is drawn.

use crate::axes::Axes;
use crate::color::{self, Rgb};
use crate::scene::{Dash, Ink, Mark, Point};
use crate::thin;

/// How a series is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Style {
    /// A line in the next colour.
    Line,
    /// An interrupted line in the next colour: floors, references.
    Dashed,
    /// A line of dots in the next colour.
    Dotted,
    /// A line of dashes and dots in the next colour.
    DashDotted,
    /// A dot for each point in the next colour.
    Dots,
    /// A thin grey line that takes no colour: the raw values behind a smoothed curve.
    Faint,
    /// The inside of the outline that the points are, pale, in the colour of the series after it:
    /// the range of several curves behind their mean.
    Band,
}

/// How much of what lies below it a band hides.
const PALE: f32 = 0.2;

/// A named sequence of points `(x, y)`.
///
/// A point that has no place (not finite, or not positive on a logarithmic axis) interrupts the
/// line.
#[derive(Clone, Copy, Debug)]
pub struct Series<'a> {
    /// Its name in the legend; none if empty.
    pub label: &'a str,
    /// The points in the order in which a line joins them.
    pub points: &'a [(f64, f64)],
    /// How it is drawn.
    pub style: Style,
    /// The number of its colour, from 0 on, in place of the next one: series that belong together
    /// have one colour and differ in their style.
    pub color: Option<usize>,
}

impl Series<'_> {
    /// The series inside `axes`.
    pub(crate) fn marks(&self, axes: &Axes, color: Rgb) -> Vec<Mark> {
        let places: Vec<Option<Point>> =
            self.points.iter().map(|&(x, y)| axes.place(x, y)).collect();
        if self.style == Style::Band {
            return vec![self.stroke(vec![places.into_iter().flatten().collect()], color)];
        }
        let runs = places.split(Option::is_none).map(|run| run.iter().flatten().copied());
        if self.style == Style::Dots {
            return vec![self.stroke(runs.map(Iterator::collect).collect(), color)];
        }
        let (lone, paths): (Vec<_>, Vec<_>) = runs
            .map(|run| thin::curve(run.collect()))
            .filter(|path| !path.is_empty())
            .partition(|path| path.len() == 1);
        // A point between two gaps would be a line of no length.
        let lone = Self { style: Style::Dots, ..*self }.stroke(lone, color);
        vec![self.stroke(paths, color), lone]
    }

    /// Lines, dots or a surface in the manner of the series.
    pub(crate) fn stroke(&self, paths: Vec<Vec<Point>>, color: Rgb) -> Mark {
        let ink = Ink::from(color);
        match self.style {
            Style::Line => Mark::Lines { paths, ink, width: 1.75, dash: Dash::Solid },
            Style::Dashed => Mark::Lines { paths, ink, width: 1.5, dash: Dash::Dashed },
            Style::Dotted => Mark::Lines { paths, ink, width: 1.75, dash: Dash::Dotted },
            Style::DashDotted => Mark::Lines { paths, ink, width: 1.5, dash: Dash::Alternating },
            Style::Faint => Mark::Lines { paths, ink, width: 0.75, dash: Dash::Solid },
            Style::Band => {
                Mark::Surface { outline: paths.concat(), ink: Ink { color, opacity: PALE } }
            }
            Style::Dots => Mark::Dots { centers: paths.concat(), ink, radius: 2.5 },
        }
    }
}

/// Each series with its colour.
pub(crate) fn colored<'s, 'a>(
    series: &'s [Series<'a>],
) -> impl Iterator<Item = (&'s Series<'a>, Rgb)> {
    let mut colors = (0..).map(color::series).peekable();
    series.iter().map(move |series| match (series.color, series.style) {
        (Some(number), _) => (series, color::series(number)),
        (None, Style::Faint) => (series, color::FAINT),
        (None, Style::Band) => (series, *colors.peek().expect("the colours repeat for ever")),
        (None, _) => (series, colors.next().expect("the colours repeat for ever")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_band_has_the_colour_of_the_line_after_it_and_takes_none() {
        let series = |style| Series { label: "", points: &[], style, color: None };
        let all = [Style::Line, Style::Band, Style::Line].map(series);
        let colors: Vec<Rgb> = colored(&all).map(|(_, color)| color).collect();
        assert_eq!(colors, [color::series(0), color::series(1), color::series(1)]);
    }

    #[test]
    fn a_series_with_a_colour_of_its_own_takes_none_from_the_others() {
        let series = |(style, color)| Series { label: "", points: &[], style, color };
        let all = [(Style::Line, None), (Style::Dotted, Some(4)), (Style::DashDotted, None)];
        let all = all.map(series);
        let colors: Vec<Rgb> = colored(&all).map(|(_, color)| color).collect();
        assert_eq!(colors, [color::series(0), color::series(4), color::series(1)]);
    }
}
