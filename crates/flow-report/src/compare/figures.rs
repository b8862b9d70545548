//! Columns as figures: scores against network evaluations, in the course of training, along the
//! path.

use std::borrow::Cow;
use std::collections::BTreeMap;

use flow_plot::{Chart, Figure, Series, Style};

use super::Curve;
use super::column::Column;
use super::course::{LEARNING, Moment, band, mean};

/// A figure with a name for its file.
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

/// The scores of one column by one method.
struct Solved<'a> {
    /// The number of the column.
    column: usize,
    name: &'a str,
    method: &'a str,
    points: Vec<Moment>,
}

/// Every method of every column in one chart: of one column in a colour for each method, of several
/// in a colour for each column and a style for each method. Where several columns have several
/// methods, a panel for each method follows, with the range of the seeds.
fn against_evaluations(columns: &[Column], score: &str) -> Option<Drawn> {
    let all = solved(columns, score);
    let mut methods: Vec<&str> = Vec::new();
    for one in all.iter().filter(|one| one.points.len() > 1) {
        if !methods.contains(&one.method) {
            methods.push(one.method);
        }
    }
    if methods.is_empty() {
        return None;
    }
    methods.sort_unstable();
    let floors = columns.iter().flat_map(|column| &column.scores);
    let floors = floors.filter(|compared| compared.score == score).filter_map(|c| c.floor);
    let floors: Vec<f64> = floors.collect();
    let floor = (!floors.is_empty()).then(|| floors.iter().sum::<f64>() / floors.len() as f64);
    let drawn = |title: &str, curves: &[Drawing<'_>]| {
        chart(&Axes { title, x: "network evaluations", y: score, log_x: true }, curves, floor)
    };
    let of_method = |method: &str| -> Vec<Drawing<'_>> {
        let own = all.iter().filter(|one| one.method == method);
        own.map(|one| Drawing::new(one.name, &one.points)).collect()
    };
    let (figures, ranges) = match (columns, &methods[..]) {
        ([_], _) => {
            let curves = all.iter().map(|one| Drawing::new(one.method, &one.points));
            let curves: Vec<_> = curves.collect();
            (vec![drawn(score, &curves)], range(curves.iter()))
        }
        (_, [method]) if all.iter().all(|one| one.method == *method) => {
            let curves = of_method(method);
            (vec![drawn(&format!("{score}, {method}"), &curves)], range(curves.iter()))
        }
        _ => {
            let together: Vec<_> = all.iter().map(|one| one.beside(&methods)).collect();
            let panels: Vec<_> = methods.iter().map(|method| of_method(method)).collect();
            let titled = methods.iter().zip(&panels);
            let panel = titled.map(|(method, curves)| drawn(&format!("{score}, {method}"), curves));
            let figures = std::iter::once(drawn(score, &together)).chain(panel).collect();
            (figures, range(panels.iter().flatten()))
        }
    };
    let caption = format!("{score} against network evaluations{ranges}");
    Some(Drawn { name: slug(score), caption, figure: Figure::column(figures) })
}

/// The scores that depend on a method, column by column.
fn solved<'a>(columns: &'a [Column], score: &str) -> Vec<Solved<'a>> {
    let of_column = |(column, of): (usize, &'a Column)| {
        let mut curves: BTreeMap<&str, Vec<Moment>> = BTreeMap::new();
        for compared in of.scores.iter().filter(|compared| compared.score == score) {
            if let Some((method, evaluations)) = &compared.solver {
                let values = compared.values.clone();
                curves.entry(method).or_default().push(Moment { at: *evaluations, values });
            }
        }
        curves.into_iter().map(move |(method, mut points)| {
            points.sort_by(|a, b| a.at.total_cmp(&b.at));
            Solved { column, name: &of.name, method, points }
        })
    };
    columns.iter().enumerate().flat_map(of_column).collect()
}

impl<'a> Solved<'a> {
    /// As a curve among those of all columns and methods, in the colour of its column.
    fn beside(&self, methods: &[&str]) -> Drawing<'a> {
        const STYLES: [Style; 4] = [Style::Line, Style::Dashed, Style::Dotted, Style::DashDotted];
        let place = methods.iter().position(|method| *method == self.method).unwrap_or_default();
        Drawing {
            label: format!("{}, {}", self.name, self.method).into(),
            curve: mean(&self.points),
            band: Curve::new(),
            style: STYLES[place % STYLES.len()],
            color: Some(self.column),
        }
    }
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
struct Drawing<'a> {
    label: Cow<'a, str>,
    curve: Curve,
    band: Curve,
    style: Style,
    color: Option<usize>,
}

impl<'a> Drawing<'a> {
    /// A line in the next colour through the means, with the range of the values.
    fn new(label: &'a str, moments: &[Moment]) -> Self {
        let (curve, band) = (mean(moments), band(moments));
        Self { label: label.into(), curve, band, style: Style::Line, color: None }
    }
}

/// What a caption adds where there are bands.
fn range<'a>(mut curves: impl Iterator<Item = &'a Drawing<'a>>) -> &'static str {
    let has_band = curves.any(|one| !one.band.is_empty());
    if has_band { ": mean and range of the seeds" } else { "" }
}

struct Axes<'a> {
    title: &'a str,
    x: &'a str,
    y: &'a str,
    log_x: bool,
}

/// Curves and a floor; logarithmic where all values are positive, and then a floor of zero has no
/// place.
fn chart(axes: &Axes<'_>, curves: &[Drawing<'_>], floor: Option<f64>) -> Figure {
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
fn slug(name: &str) -> String {
    let words = name.split('(').next().unwrap_or_default().trim().to_lowercase();
    let plain = words.replace(|c: char| !c.is_ascii_alphanumeric(), " ");
    plain.split_whitespace().collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::super::scored::{Measured, ScoredRun};
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

    /// A column with a distance by each method and number of evaluations.
    fn column(name: &str, rows: &[(&str, f64, f64)]) -> Column {
        let measured = |&(method, evaluations, value): &(&str, f64, f64)| Measured {
            solver: Some((method.into(), evaluations)),
            floor: Some(0.1),
            ..Measured::new("distance", &format!("{method} x {evaluations}"), value)
        };
        let run = ScoredRun {
            name: name.into(),
            seed: 0,
            keys: vec![],
            measured: rows.iter().map(measured).collect(),
            course: vec![],
            learning: vec![],
            noise_residual: vec![],
            errors: vec![],
        };
        Column::each(vec![run]).remove(0)
    }

    #[test]
    fn map_solvers_and_another_run_share_a_chart_over_the_evaluations() {
        let map = [("flow-map", 1.0, 0.5), ("flow-map", 4.0, 0.3), ("dopri5", 90.0, 0.2)];
        let flow = [("euler", 1.0, 2.0), ("euler", 4.0, 0.6), ("dopri5", 80.0, 0.25)];
        let drawn = |columns: &[Column]| {
            let mut all = all(columns);
            assert_eq!((all.len(), all[0].name.as_str()), (1, "distance"));
            all.remove(0).figure.to_svg()
        };
        let count = |svg: &str, words: &str| svg.matches(&format!(">{words}<")).count();

        let one = drawn(&[column("map", &map)]);
        for words in ["flow-map", "dopri5", "floor", "network evaluations"] {
            assert_eq!(count(&one, words), 1, "{words}");
        }
        let both = drawn(&[column("map", &map), column("flow", &flow)]);
        for words in ["map, flow-map", "map, dopri5", "flow, euler", "flow, dopri5"] {
            assert_eq!(count(&both, words), 1, "{words}");
        }
        // All of it together, and a panel for each of the two methods that have curves.
        assert_eq!(count(&both, "network evaluations"), 3);
        assert_eq!(count(&both, "distance, euler") + count(&both, "distance, flow-map"), 2);
        assert_eq!(count(&both, "distance, dopri5"), 0);
        // One method alone is in the title.
        let same = drawn(&[column("map", &map[..2]), column("other", &map[..2])]);
        assert_eq!(count(&same, "distance, flow-map") + count(&same, "other"), 2);
        assert_eq!(count(&same, "network evaluations"), 1);
        // A single point makes no chart.
        assert!(all(&[column("map", &map[2..])]).is_empty());
    }
}
