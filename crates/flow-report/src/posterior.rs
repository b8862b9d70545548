//! The picture of a posterior, among those of its run.

use std::path::PathBuf;

use flow_plot::corner;
use flow_run::Run;

use crate::error::ReportError;
use crate::page::page;

/// Draws a corner plot of posterior draws, `[n, names]`, into the pictures of a run, refreshes the
/// page of the run and returns the picture.
///
/// # Errors
/// When a file cannot be read or written.
///
/// # Panics
/// When the draws are no whole number of rows.
pub fn draw_posterior(run: &Run, names: &[String], draws: &[f32]) -> Result<PathBuf, ReportError> {
    let path = run.folder.join("plots").join("posterior.png");
    let figure = corner(names, &[("draws", draws)]);
    figure.save(&path)?;
    figure.save(path.with_extension("svg"))?;
    page(run)?;
    Ok(path)
}
