//! How curves of columns are drawn: lines in bands over two axes, with a floor and a caption.

use std::borrow::Cow;

use flow_plot::{Chart, Figure, Series, Style};

use super::Curve;
use super::course::{Moment, band, mean};

/// A figure with a name for its file.
#[derive(Debug)]
pub(crate) struct Drawn {
    pub(crate) name: String,
    pub(crate) caption: String,
    pub(crate) figure: Figure,
}

/// A curve, the outline of a band around it, and how it is drawn.
pub(super) struct Drawing<'a> {
    pub(super) label: Cow<'a, str>,
    pub(super) curve: Curve,
    pub(super) band: Curve,
    pub(super) style: Style,
    /// The number of its colour, if it is not to have the next one.
    pub(super) color: Option<usize>,
}

impl<'a> Drawing<'a> {
    /// A line in the next colour through the means, with the range of the values.
    pub(super) fn new(label: &'a str, moments: &[Moment]) -> Self {
        let (curve, band) = (mean(moments), band(moments));
        Self { label: label.into(), curve, band, style: Style::Line, color: None }
    }
}

/// What a caption adds where there are bands.
pub(super) fn range<'a>(mut curves: impl Iterator<Item = &'a Drawing<'a>>) -> &'static str {
    let has_band = curves.any(|one| !one.band.is_empty());
    if has_band { ": mean and range of the seeds" } else { "" }
}

/// What stands above a chart and at its axes.
pub(super) struct Axes<'a> {
    pub(super) title: &'a str,
    pub(super) x: &'a str,
    pub(super) y: &'a str,
    pub(super) log_x: bool,
}

/// Curves and a floor; logarithmic where all values are positive, and then a floor of zero has no
/// place.
pub(super) fn chart(axes: &Axes<'_>, curves: &[Drawing<'_>], floor: Option<f64>) -> Figure {
    let points = || curves.iter().flat_map(|one| one.curve.iter().chain(&one.band));
    let (low, high) = ends(&points().map(|point| point.0).collect::<Vec<_>>());
    let log_y = points().all(|point| 0.0 < point.1);
    let shown = |floor: &f64| floor.is_finite() && low <= high && (!log_y || 0.0 < *floor);
    let floor = floor.filter(shown);
    let floor = floor.map_or(Vec::new(), |floor| vec![(low, floor), (high, floor)]);
    let mut chart = Chart::new(axes.title).x(axes.x).y(axes.y);
    if axes.log_x {
        chart = chart.log_x();
    }
    if log_y {
        chart = chart.log_y();
    }
    for Drawing { label, curve, band, style, color } in curves {
        if !band.is_empty() {
            chart = chart.band(band);
        }
        // A single point has no line.
        let style = if curve.len() > 1 { *style } else { Style::Dots };
        chart = chart.series(Series { label, points: curve, style, color: *color });
    }
    if !floor.is_empty() {
        // The first colour that no curve has.
        let own = curves.iter().filter_map(|one| one.color).max();
        let color = Some(own.map_or(curves.len(), |last| last + 1));
        let style = Style::Dashed;
        chart = chart.series(Series { label: "floor", points: &floor, style, color });
    }
    chart.figure()
}

/// The smallest and the largest number; the one above the other, if there is none.
pub(super) fn ends(numbers: &[f64]) -> (f64, f64) {
    // Folds drop a number that is none.
    let finite = || numbers.iter().copied().filter(|x| x.is_finite());
    (finite().fold(f64::INFINITY, f64::min), finite().fold(f64::NEG_INFINITY, f64::max))
}

/// The beginning of a name as a file name: `fd-clf` of "FD-clf (classifier accuracy 0.98)".
pub(super) fn slug(name: &str) -> String {
    let words = name.split('(').next().unwrap_or_default().trim().to_lowercase();
    let plain = words.replace(|c: char| !c.is_alphanumeric(), " ");
    plain.split_whitespace().collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_floor_of_zero_is_left_out_of_a_logarithmic_chart() {
        let axes = Axes { title: "score", x: "x", y: "y", log_x: false };
        let has_floor = |least: f64, floor: f64| {
            let moment = |at, value| Moment { at, values: vec![value] };
            let curves = [Drawing::new("one", &[moment(1.0, least), moment(2.0, 0.5)])];
            chart(&axes, &curves, Some(floor)).to_svg().contains("floor")
        };
        assert!(has_floor(0.25, 0.1));
        assert!(!has_floor(0.25, 0.0), "there is no line that the legend could name");
        assert!(has_floor(0.0, 0.0), "an even axis has a zero");
    }
}
