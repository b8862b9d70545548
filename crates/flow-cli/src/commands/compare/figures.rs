//! Scores against network evaluations, one panel for each method.

use std::collections::BTreeMap;

use flow_plot::{Chart, Figure};

use super::column::Column;
use crate::document::Picture;

/// Evaluations and values.
type Curve = Vec<(f64, f64)>;

/// A picture for each score that was measured at several numbers of evaluations, named
/// `STEM-SCORE.svg`.
pub(crate) fn all(columns: &[Column], stem: &str) -> Vec<Picture> {
    let mut names: Vec<&str> = Vec::new();
    for compared in columns.iter().flat_map(|column| &column.scores) {
        if compared.solver.is_some() && !names.contains(&compared.score.as_str()) {
            names.push(&compared.score);
        }
    }
    names.into_iter().filter_map(|score| against_evaluations(columns, score, stem)).collect()
}

fn against_evaluations(columns: &[Column], score: &str, stem: &str) -> Option<Picture> {
    // By method, the curve of each column that has one.
    let mut panels: BTreeMap<&str, Vec<(&str, Curve)>> = BTreeMap::new();
    let mut floor: Vec<f64> = Vec::new();
    for column in columns {
        let mut curves: BTreeMap<&str, Curve> = BTreeMap::new();
        for compared in column.scores.iter().filter(|compared| compared.score == score) {
            floor.extend(compared.floor);
            if let Some((method, evaluations)) = &compared.solver {
                curves.entry(method).or_default().push((*evaluations, compared.mean));
            }
        }
        for (method, mut curve) in curves {
            curve.sort_by(|a, b| a.0.total_cmp(&b.0));
            panels.entry(method).or_default().push((&column.name, curve));
        }
    }
    panels.retain(|_, curves| curves.iter().any(|(_, curve)| curve.len() > 1));
    if panels.is_empty() {
        return None;
    }
    let floor = (!floor.is_empty()).then(|| floor.iter().sum::<f64>() / floor.len() as f64);
    let figure = Figure::column(panels.iter().map(|(method, curves)| {
        let ends = curves.iter().flat_map(|(_, curve)| curve.iter().map(|point| point.0));
        let (low, high) = ends.fold((f64::INFINITY, 0.0_f64), |(l, h), x| (l.min(x), h.max(x)));
        let floor = floor.map_or(Vec::new(), |floor| vec![(low, floor), (high, floor)]);
        let title = format!("{score}, {method}");
        let mut chart = Chart::new(&title).x("network evaluations").y(score).log_x();
        if curves.iter().flat_map(|(_, curve)| curve).all(|point| 0.0 < point.1) {
            chart = chart.log_y();
        }
        for (name, curve) in curves {
            chart = chart.line(name, curve);
        }
        if !floor.is_empty() {
            chart = chart.dashed("floor", &floor);
        }
        chart.figure()
    }));
    let name = format!("{stem}-{}.svg", slug(score));
    let caption = format!("{score} against network evaluations");
    Some(Picture { name, caption, bytes: figure.to_svg().into_bytes() })
}

/// The beginning of a name as a file name: `fd-clf` of "FD-clf (classifier accuracy 0.98)".
fn slug(name: &str) -> String {
    let words = name.split(['(', ',']).next().unwrap_or_default().trim().to_lowercase();
    words.replace(|c: char| !c.is_ascii_alphanumeric(), "-")
}
