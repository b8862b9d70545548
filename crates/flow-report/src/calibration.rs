//! The pictures of a calibration: coverage and ranks beside what they should be.

use std::path::PathBuf;

use flow_eval::Ranks;
use flow_judge::{Calibrated, Calibration};
use flow_plot::{Chart, Figure};
use flow_run::Run;

use crate::error::ReportError;
use crate::page::page;

/// Probability that the curves, and that the histograms, of right posteriors stay within the bands.
const LEVEL: f64 = 0.95;
/// Bins of a histogram.
const BINS: usize = 20;
const FEWEST_BINS: usize = 5;
/// Panels in a row, and their sides.
const ACROSS: usize = 3;
const PANEL: (f32, f32) = (320.0, 280.0);

/// Draws what a calibration found into `calibration.png` and `calibration-ranks.png` of a run,
/// refreshes the page of the run and returns both files.
///
/// The first has the distribution function of the ranks of each column, and of TARP, with the bands
/// within which uniform ranks stay. A curve above the diagonal on the left and below it on the
/// right is that of draws that lie too close together: the truth is at their ends more often than
/// it should. The second has the ranks of each column as histograms, which then rise at both ends.
///
/// # Errors
/// When a file cannot be read or written.
pub fn draw_calibration(run: &Run, found: &Calibration) -> Result<[PathBuf; 2], ReportError> {
    let curves = found.rows.iter().map(|row| curve(row, found.seed));
    // The last row is TARP, whose ranks are those of distances and no parameter's.
    let columns = found.rows.split_last().map_or(&[][..], |(_, columns)| columns);
    let pictures = [
        save(run, "calibration", curves.collect())?,
        save(run, "calibration-ranks", columns.iter().map(histogram).collect())?,
    ];
    page(run)?;
    Ok(pictures)
}

fn save(run: &Run, name: &str, panels: Vec<Figure>) -> Result<PathBuf, ReportError> {
    let rows = panels.chunks(ACROSS).map(|row| Figure::row(row.iter().cloned()));
    let path = run.folder.join("plots").join(format!("{name}.png"));
    let figure = Figure::column(rows);
    figure.save(&path)?;
    figure.save(path.with_extension("svg"))?;
    Ok(path)
}

fn curve(row: &Calibrated, seed: u64) -> Figure {
    let bands = row.ranks.bands(LEVEL, seed);
    let points = |values: &[f64]| -> Vec<(f64, f64)> {
        bands.expected.iter().copied().zip(values.iter().copied()).collect()
    };
    let (found, even) = (points(&bands.found), [(0.0, 0.0), (1.0, 1.0)]);
    Chart::new(&row.name)
        .x("share of the draws below")
        .y("share of the truths")
        .size(PANEL.0, PANEL.1)
        .band(&outline(points(&bands.low), points(&bands.high)))
        .line("found", &found)
        .faint("even", &even)
        .figure()
}

fn histogram(row: &Calibrated) -> Figure {
    let bins = bins(&row.ranks);
    let found = row.ranks.histogram_within(bins, LEVEL);
    let steps = |counts: &[usize]| -> Vec<(f64, f64)> {
        let edge = |bin: usize| bin as f64 / bins as f64;
        let step =
            |(bin, &count): (usize, &usize)| [bin, bin + 1].map(|at| (edge(at), count as f64));
        counts.iter().enumerate().flat_map(step).collect()
    };
    let even = row.ranks.ranks().len() as f64 / bins as f64;
    Chart::new(&row.name)
        .x("rank of the truth, as a share of the draws")
        .y("held-out rows")
        .size(PANEL.0, PANEL.1)
        .band(&outline(steps(&found.low), steps(&found.high)))
        .line("found", &steps(&found.counts))
        .faint("even", &[(0.0, even), (1.0, even)])
        .figure()
}

/// The most bins of which each holds as many of the values that a rank may take.
fn bins(ranks: &Ranks) -> usize {
    let values = ranks.draws().saturating_add(1);
    let even = (FEWEST_BINS..=BINS).rev().find(|bins| values.is_multiple_of(*bins));
    even.unwrap_or(BINS.min(values))
}

/// Along the lower edge, and back along the upper one.
fn outline(mut low: Vec<(f64, f64)>, high: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    low.extend(high.into_iter().rev());
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_hold_as_many_values_each_where_they_can() {
        let of = |draws: usize| bins(&Ranks::new(vec![0], draws).unwrap());
        // 100 values, 21, a prime number of them, and fewer than there are bins.
        assert_eq!([99, 20, 100, 2].map(of), [20, 7, 20, 3]);
    }
}
