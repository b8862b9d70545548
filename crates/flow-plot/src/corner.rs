//! Rows of several numbers: the law of each column, and of each pair.

use crate::{Chart, Figure, Series, Style};

/// Cells of a histogram: about the root of the rows, within these.
const CELLS: (f64, f64) = (8.0, 30.0);
/// Dots of a set in a panel, few enough to be told apart.
const DOTS: usize = 400;
/// Panels in a row of marginals.
const ACROSS: usize = 3;
/// Sides of the panels.
const PANEL: (f32, f32) = (300.0, 220.0);

/// Densities of the columns on the diagonal and pairs of columns below it: a corner plot.
///
/// Each set is a label with rows of as many numbers as there are names. The first of several sets
/// is drawn as what the others are compared with. Of many rows the first 400 are drawn as dots.
///
/// # Panics
/// Panics if the numbers of a set do not divide into rows of the names.
#[must_use]
pub fn corner(names: &[String], sets: &[(&str, &[f32])]) -> Figure {
    let panel = |row: usize, column: usize| {
        if row == column { marginal(names, sets, row) } else { pair(names, sets, row, column) }
    };
    Figure::column(
        (0..names.len()).map(|row| Figure::row((0..=row).map(|column| panel(row, column)))),
    )
}

/// The density of each column, three side by side.
///
/// Sets and errors are those of [`corner`].
///
/// # Panics
/// As [`corner`].
#[must_use]
pub fn marginals(names: &[String], sets: &[(&str, &[f32])]) -> Figure {
    let all: Vec<usize> = (0..names.len()).collect();
    let row = |row: &[usize]| Figure::row(row.iter().map(|&column| marginal(names, sets, column)));
    Figure::column(all.chunks(ACROSS).map(row))
}

/// The numbers of a column of a set.
fn column(rows: &[f32], columns: usize, at: usize) -> impl Iterator<Item = f64> + Clone + '_ {
    assert!(rows.len().is_multiple_of(columns), "expected rows of {columns} numbers");
    rows.iter().skip(at).step_by(columns).copied().map(f64::from)
}

/// How a set is drawn: the first of several is the reference.
fn line(sets: &[(&str, &[f32])], set: usize) -> Style {
    if set == 0 && 1 < sets.len() { Style::Dashed } else { Style::Line }
}

fn marginal(names: &[String], sets: &[(&str, &[f32])], at: usize) -> Figure {
    let values = |rows| column(rows, names.len(), at).filter(|x: &f64| x.is_finite());
    let all = sets.iter().flat_map(|(_, rows)| values(rows));
    let low = all.clone().fold(f64::INFINITY, f64::min);
    let span = all.fold(f64::NEG_INFINITY, f64::max) - low;
    let fewest = sets.iter().map(|(_, rows)| rows.len() / names.len()).min().unwrap_or(0);
    let cells = (fewest as f64).sqrt().clamp(CELLS.0, CELLS.1) as usize;
    let width = if span > 0.0 { span / cells as f64 } else { 1.0 };
    let curves: Vec<Vec<(f64, f64)>> = sets
        .iter()
        .map(|(_, rows)| {
            let mut counts = vec![0_usize; cells];
            let mut n = 0_usize;
            for x in values(rows) {
                counts[(((x - low) / width) as usize).min(cells - 1)] += 1;
                n += 1;
            }
            let density = |count: usize| count as f64 / n.max(1) as f64 / width;
            let centre = |i: usize| low + (i as f64 + 0.5) * width;
            counts.iter().enumerate().map(|(i, &count)| (centre(i), density(count))).collect()
        })
        .collect();
    let mut chart = Chart::new("").x(&names[at]).y("density").size(PANEL.0, PANEL.1);
    for (set, points) in curves.iter().enumerate() {
        let (label, style) = (sets[set].0, line(sets, set));
        chart = chart.series(Series { label, points, style, color: None });
    }
    chart.figure()
}

fn pair(names: &[String], sets: &[(&str, &[f32])], row: usize, at: usize) -> Figure {
    let clouds: Vec<Vec<(f64, f64)>> = sets
        .iter()
        .map(|(_, rows)| {
            let x = column(rows, names.len(), at);
            x.zip(column(rows, names.len(), row)).take(DOTS).collect()
        })
        .collect();
    let chart = Chart::new("").x(&names[at]).y(&names[row]).size(PANEL.0, PANEL.1);
    let chart = clouds.iter().zip(sets).fold(chart, |chart, (points, (label, _))| {
        chart.series(Series { label, points, style: Style::Dots, color: None })
    });
    chart.figure()
}
