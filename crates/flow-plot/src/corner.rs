//! Rows of several numbers: the law of each column, and of each pair.

use crate::{Chart, Figure, Series, Style};

/// Cells of a histogram: about the root of the rows, within these.
const CELLS: (f64, f64) = (8.0, 30.0);
/// Half of the width of a bar.
const BAR: f64 = 0.4;
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

/// The cells of a histogram.
struct Cells {
    low: f64,
    width: f64,
    count: usize,
    /// Whether each holds one value, so that a share says more than a density.
    single: bool,
}

impl Cells {
    /// Those of some numbers, of which the smallest set has `fewest`. Whole numbers have cells of
    /// whole widths around them, or some would hold one value more than others.
    fn of(values: impl Iterator<Item = f64> + Clone, fewest: usize) -> Self {
        let low = values.clone().fold(f64::INFINITY, f64::min);
        let span = values.clone().fold(f64::NEG_INFINITY, f64::max) - low;
        let count = (fewest as f64).sqrt().clamp(CELLS.0, CELLS.1);
        let whole = values.clone().all(|x| x.fract().abs() <= 0.0);
        if whole && span < CELLS.1 {
            return Self { low: low - 0.5, width: 1.0, count: span as usize + 1, single: true };
        }
        if whole {
            let width = (span / count).ceil();
            let count = (span / width) as usize + 1;
            return Self { low: low - 0.5, width, count, single: false };
        }
        let width = if span > 0.0 { span / count.trunc() } else { 1.0 };
        Self { low, width, count: count as usize, single: false }
    }

    /// The density of some numbers in each cell: a line through the centres, or a bar for each
    /// value.
    fn curve(&self, values: impl Iterator<Item = f64>) -> Vec<(f64, f64)> {
        let mut counts = vec![0_usize; self.count];
        for x in values {
            counts[(((x - self.low) / self.width) as usize).min(self.count - 1)] += 1;
        }
        let n = counts.iter().sum::<usize>().max(1) as f64;
        let point = |(i, &count): (usize, &usize)| {
            let centre = self.low + (i as f64 + 0.5) * self.width;
            (centre, count as f64 / n / self.width)
        };
        let points = counts.iter().enumerate().map(point);
        if !self.single {
            return points.collect();
        }
        let bar = |(x, y)| [(x - BAR, 0.0), (x - BAR, y), (x + BAR, y), (x + BAR, 0.0)];
        points.flat_map(bar).collect()
    }
}

fn marginal(names: &[String], sets: &[(&str, &[f32])], at: usize) -> Figure {
    let values = |rows| column(rows, names.len(), at).filter(|x: &f64| x.is_finite());
    let fewest = sets.iter().map(|(_, rows)| rows.len() / names.len()).min().unwrap_or(0);
    let cells = Cells::of(sets.iter().flat_map(|(_, rows)| values(rows)), fewest);
    let curves: Vec<_> = sets.iter().map(|(_, rows)| cells.curve(values(rows))).collect();
    let y = if cells.single { "share" } else { "density" };
    let mut chart = Chart::new("").x(&names[at]).y(y).size(PANEL.0, PANEL.1);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_have_a_bar_each_or_cells_of_as_many() {
        let few = Cells::of([0.0, 1.0, 1.0, 3.0].into_iter(), 4);
        assert_eq!((few.count, few.width, few.single), (4, 1.0, true));
        let bars = few.curve([0.0, 1.0, 1.0, 3.0].into_iter());
        assert_eq!(bars[4..8], [(0.6, 0.0), (0.6, 0.5), (1.4, 0.5), (1.4, 0.0)]);
        // 0 to 99 in cells of the square root of 100.
        let many = Cells::of((0..100).map(f64::from), 100);
        assert_eq!((many.count, many.width, many.single), (10, 10.0, false));
        let line = many.curve((0..100).map(f64::from));
        assert!(line.iter().all(|(_, y)| (y - 0.01).abs() < 1e-12), "{line:?}");
        let real = Cells::of([0.0, 0.5, 1.0].into_iter(), 3);
        assert_eq!((real.count, real.width), (8, 0.125));
    }
}
