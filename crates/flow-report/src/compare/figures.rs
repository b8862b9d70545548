//! Columns as figures: scores against network evaluations, in the course of training, along the
//! path.

use std::borrow::Cow;

use flow_plot::{Chart, Figure, Series, Style};

use super::Curve;
use super::column::Column;
use super::course::{LEARNING, Moment, band, mean};
use super::evaluations::against_evaluations;

/// A figure with a name for its file.
#[derive(Debug)]
pub(crate) struct Drawn {
    pub(crate) name: String,
    pub(crate) caption: String,
    pub(crate) figure: Figure,
}

/// Every figure that the columns have numbers for.
pub(crate) fn all(columns: &[Column]) -> Vec<Drawn> {
    let mut names: Vec<&str> = Vec::new();
    for compared in columns.iter().flat_map(|column| &column.scores) {
        if compared.solver.is_some() && !names.contains(&compared.score.as_str()) {
            names.push(&compared.score);
        }
    }
    let mut drawn: Vec<Drawn> =
        names.into_iter().filter_map(|score| against_evaluations(columns, score)).collect();
    // The error in training says something beside another's: of a model whose velocity has a latent
    // and of one without.
    let latent = |column: &Column| column.keys.iter().any(|(key, _)| key.starts_with("latent."));
    let learning = columns.len() > 1 && columns.iter().any(latent);
    let mut courses: Vec<&str> = Vec::new();
    let all = columns.iter().flat_map(|column| &column.courses);
    for course in all.filter(|course| learning || course.score != LEARNING) {
        if !courses.contains(&course.score.as_str()) {
            courses.push(&course.score);
        }
    }
    drawn.extend(courses.into_iter().map(|name| in_the_course(columns, name)));
    drawn.extend(along_the_path(columns));
    drawn
}

fn in_the_course(columns: &[Column], name: &str) -> Drawn {
    let courses = columns.iter().filter_map(|column| {
        let course = column.courses.iter().find(|course| course.score == name)?;
        Some(Drawing::new(&column.name, &course.points))
    });
    let curves: Vec<_> = courses.collect();
    let places: Vec<f64> = curves.iter().flat_map(|one| &one.curve).map(|at| at.0).collect();
    let (first, last) = ends(&places);
    let figure = chart(
        &Axes {
            title: "In the course of training",
            x: "images seen",
            y: name,
            // Moments that lie by fractions come together at the left of an even axis.
            log_x: 50.0 * first < last,
        },
        &curves,
        None,
    );
    let range = range(curves.iter());
    let same = if name == LEARNING { "" } else { ", from the same noise" };
    let caption = format!("{name} in the course of training{same}{range}");
    Drawn { name: format!("course-{}", slug(name)), caption, figure }
}

fn along_the_path(columns: &[Column]) -> Option<Drawn> {
    let curves: Vec<(&str, Curve)> = columns
        .iter()
        .filter(|column| !column.noise_residual.is_empty())
        .map(|column| (column.name.as_str(), column.noise_residual.clone()))
        .collect();
    if curves.is_empty() {
        return None;
    }
    let mut chart = Chart::new("How much noise is left").x("time").y("|x_t - x_1| / |x_0 - x_1|");
    for (name, curve) in &curves {
        chart = chart.line(name, curve);
    }
    let caption = "Distance to the sample along the path, over that of the noise".into();
    Some(Drawn { name: "noise-left".into(), caption, figure: chart.figure() })
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
fn ends(numbers: &[f64]) -> (f64, f64) {
    // Folds drop a number that is none.
    let finite = || numbers.iter().copied().filter(|x| x.is_finite());
    (finite().fold(f64::INFINITY, f64::min), finite().fold(f64::NEG_INFINITY, f64::max))
}

/// The beginning of a name as a file name: `fd-clf` of "FD-clf (classifier accuracy 0.98)".
pub(super) fn slug(name: &str) -> String {
    let words = name.split('(').next().unwrap_or_default().trim().to_lowercase();
    let plain = words.replace(|c: char| !c.is_ascii_alphanumeric(), " ");
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
