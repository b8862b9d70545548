//! What `eval.json` holds, and how it is shown.

use std::fmt::Write as _;
use std::path::PathBuf;

use flow_eval::Score;
use serde::Serialize;

use super::course::Point;
use super::paths::{ErrorReport, PathReport};
use crate::ambiguity::AmbiguityReport;
use crate::control::ControlReport;
use crate::field::FieldReport;
use crate::latent::LatentReport;

/// The content of `eval.json`.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(super) schema: u32,
    pub(super) recipe: String,
    pub(super) step: usize,
    pub(super) seed: u64,
    /// Samples that were asked for.
    pub(super) n: usize,
    pub(super) seconds: f64,
    /// Of a model with classes: what they are called, in the order of their labels.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) classes: Vec<String>,
    pub(super) rows: Vec<Row>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) paths: Option<PathReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) errors: Option<ErrorReport>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) course: Vec<Point>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) classifier_accuracy: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) inception: Option<InceptionFile>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) field: Option<FieldReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ambiguity: Option<AmbiguityReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) latent: Option<LatentReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) control: Option<ControlReport>,
}

/// The weights from which FID came.
#[derive(Debug, Serialize)]
pub(super) struct InceptionFile {
    pub(super) file: PathBuf,
    pub(super) sha256: String,
    /// Training images whose features are the reference; null for statistics that do not say it.
    pub(super) reference: Option<usize>,
}

/// One solver's scores.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    pub(super) solver: String,
    /// Network evaluations per sample.
    pub(super) nfe: f64,
    pub(super) scores: Vec<Score>,
}

impl Report {
    pub(crate) fn json(&self) -> String {
        serde_json::to_string_pretty(self).expect("scores are numbers and text")
    }

    /// For people.
    pub(crate) fn table(&self) -> String {
        let mut text = format!("{}, after {} steps\n", self.recipe, self.step);
        for row in &self.rows {
            let _ = writeln!(text, "{} ({:.0} evaluations)", row.solver, row.nfe);
            for score in &row.scores {
                let _ = writeln!(text, "  {score}");
            }
        }
        if !self.classes.is_empty() {
            let class = |(label, name): (usize, &String)| format!("{label} {name}");
            let classes: Vec<String> = self.classes.iter().enumerate().map(class).collect();
            let _ = writeln!(text, "classes: {}", classes.join(", "));
        }
        for score in self.paths.iter().flat_map(|paths| &paths.scores) {
            let _ = writeln!(text, "{score}");
        }
        if let Some(errors) = &self.errors {
            let _ = write!(text, "{}", errors.table());
        }
        if let Some(accuracy) = self.classifier_accuracy {
            let _ = writeln!(
                text,
                "classifier accuracy on real test images: {:.1} %",
                100.0 * accuracy
            );
        }
        if let Some(InceptionFile { file, sha256, reference }) = &self.inception {
            let reference = reference.map_or("a number".into(), |n| n.to_string());
            let _ = writeln!(
                text,
                "FID against {reference} of training images by {}, SHA-256 {sha256}",
                file.display()
            );
        }
        if let Some(field) = &self.field {
            let _ = write!(text, "{}", field.table());
        }
        if let Some(ambiguity) = &self.ambiguity {
            let _ = write!(text, "{}", ambiguity.table());
        }
        if let Some(latent) = &self.latent {
            let _ = write!(text, "{}", latent.table());
        }
        if let Some(control) = &self.control {
            let _ = write!(text, "{}", control.table());
        }
        let _ = write!(text, "scored in {:.1} s", self.seconds);
        text
    }
}
