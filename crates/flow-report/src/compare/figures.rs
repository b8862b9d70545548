//! Columns as figures: scores against network evaluations, in the course of training, along the
//! path.

use flow_plot::Chart;

use super::Curve;
use super::column::Column;
use super::course::LEARNING;
use super::drawing::{Axes, Drawing, Drawn, chart, ends, range, slug};
use super::evaluations::against_evaluations;

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
    apart(&mut drawn);
    drawn
}

/// Numbers the figures of one name from the second on: what stands in brackets is none of it.
fn apart(drawn: &mut [Drawn]) {
    for at in 1..drawn.len() {
        let name = drawn[at].name.clone();
        let same = drawn[..at].iter().filter(|other| other.name == name).count();
        if 0 < same {
            drawn[at].name = format!("{name}-{}", same + 1);
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
