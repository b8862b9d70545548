//! The course of a training, from its log.

use std::path::Path;

use flow_run::Silent;
use flow_run::metrics::{self, Line};

use super::Curve;
use crate::error::ReportError;

/// Windows of a training whose mean errors make a curve.
const WINDOWS: usize = 30;

/// The squared error of the velocity in the course of a training, from its log: the loss, or where
/// the loss has terms, such as that of a model with a latent, the term of this name.
///
/// # Errors
/// If there is a log that cannot be read.
pub(super) fn learning(folder: &Path) -> Result<Curve, ReportError> {
    if !folder.join("metrics.jsonl").exists() {
        return Ok(Vec::new());
    }
    let lines = metrics::read(folder, &Silent)?.into_iter().filter_map(|line| match line {
        Line::Train { images, loss, terms, .. } => {
            let error = terms.get("velocity_error").and_then(|values| values.first());
            Some((images as f64, error.copied().unwrap_or(loss)))
        }
        Line::Validation { .. } => None,
    });
    let lines: Vec<(f64, f64)> = lines.collect();
    let windows = lines.chunks(lines.len().div_ceil(WINDOWS).max(1)).map(|window| {
        let sum: f64 = window.iter().map(|line| line.1).sum();
        (window[window.len() - 1].0, sum / window.len() as f64)
    });
    Ok(windows.collect())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_training_is_a_curve_of_few_points() {
        let folder = tempfile::tempdir().unwrap();
        assert!(learning(folder.path()).unwrap().is_empty(), "a run without a log");
        let line = |i: usize, terms: &str| {
            let images = 10 * i;
            format!(
                "{{\"kind\":\"train\",\"step\":{i},\"images\":{images},\"loss\":9.0,\
                 \"learning_rate\":0.1,\"images_per_second\":1.0{terms}}}\n"
            )
        };
        let with = |i| line(i, &format!(",\"terms\":{{\"velocity_error\":[{i}.0]}}"));
        let log: String = (1..=60).map(with).collect();
        fs::write(folder.path().join("metrics.jsonl"), log).unwrap();
        let curve = learning(folder.path()).unwrap();
        assert_eq!((curve.len(), curve[0], curve[29]), (30, (20.0, 1.5), (600.0, 59.5)));
        fs::write(folder.path().join("metrics.jsonl"), line(1, "")).unwrap();
        assert_eq!(learning(folder.path()).unwrap(), [(10.0, 9.0)], "a loss without terms");
    }
}
