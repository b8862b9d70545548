//! The picture of a calibration: coverage beside what it should be.

use std::path::PathBuf;

use flow_judge::{Calibrated, Calibration};
use flow_plot::{Chart, Figure};
use flow_run::Run;

use crate::error::ReportError;

/// Probability that the coverage of right posteriors stays within the bands.
const LEVEL: f64 = 0.95;
/// Panels in a row, and their sides.
const ACROSS: usize = 3;
const PANEL: (f32, f32) = (320.0, 280.0);

/// Draws the distribution function of the ranks of each column, and of TARP, with the bands within
/// which uniform ranks stay, and returns the file.
///
/// A curve below the diagonal on the left and above it on the right is that of draws that lie too
/// close together: the truth is at their ends more often than it should.
///
/// # Errors
/// When the file cannot be written.
pub fn draw_calibration(run: &Run, found: &Calibration) -> Result<PathBuf, ReportError> {
    let panels: Vec<Figure> = found.rows.iter().map(|row| panel(row, found.seed)).collect();
    let rows = panels.chunks(ACROSS).map(|row| Figure::row(row.iter().cloned()));
    let path = run.folder.join("plots").join("calibration.png");
    let figure = Figure::column(rows);
    figure.save(&path)?;
    figure.save(path.with_extension("svg"))?;
    Ok(path)
}

fn panel(row: &Calibrated, seed: u64) -> Figure {
    let bands = row.ranks.bands(LEVEL, seed);
    let points = |values: &[f64]| -> Vec<(f64, f64)> {
        bands.expected.iter().copied().zip(values.iter().copied()).collect()
    };
    let mut outline = points(&bands.low);
    outline.extend(points(&bands.high).into_iter().rev());
    let (found, even) = (points(&bands.found), [(0.0, 0.0), (1.0, 1.0)]);
    Chart::new(&row.name)
        .x("share of the draws below")
        .y("share of the truths")
        .size(PANEL.0, PANEL.1)
        .band(&outline)
        .line("found", &found)
        .faint("even", &even)
        .figure()
}
