//! What `eval.json` holds, and how it is shown.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Result;
use flow_eval::Score;
use serde::{Deserialize, Serialize};

use super::course::Point;
use super::paths::{ErrorReport, PathReport};
use crate::ambiguity::AmbiguityReport;
use crate::control::ControlReport;
use crate::field::FieldReport;
use crate::latent::LatentReport;
use flow_run::json;

/// The content of `eval.json`. Files of earlier versions lack some of it, and those of later ones
/// may hold more; the solvers' scores are always there.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Report {
    #[serde(default)]
    pub(crate) schema: u32,
    #[serde(default)]
    pub(crate) recipe: String,
    #[serde(default)]
    pub(crate) step: usize,
    #[serde(default)]
    pub(crate) seed: u64,
    /// Samples that were asked for; 0 in files that do not say it.
    #[serde(default)]
    pub(crate) n: usize,
    #[serde(default)]
    pub(crate) seconds: f64,
    /// Of a model with classes: what they are called, in the order of their labels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) classes: Vec<String>,
    pub(crate) rows: Vec<Row>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) paths: Option<PathReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) errors: Option<ErrorReport>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) course: Vec<Point>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) classifier_accuracy: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) inception: Option<InceptionFile>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) field: Option<FieldReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ambiguity: Option<AmbiguityReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) latent: Option<LatentReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) control: Option<ControlReport>,
}

/// The weights from which FID came.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct InceptionFile {
    #[serde(default)]
    pub(crate) file: PathBuf,
    #[serde(default)]
    pub(crate) sha256: String,
    /// Training images whose features are the reference; null for statistics that do not say it.
    pub(crate) reference: Option<usize>,
}

/// One solver's scores.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) solver: String,
    /// Network evaluations per sample.
    pub(crate) nfe: f64,
    pub(crate) scores: Vec<Score>,
}

impl Report {
    /// What `eval.json` of a run's folder holds; nothing if there is no such file.
    pub(crate) fn read(folder: &Path) -> Result<Option<Self>> {
        let path = folder.join("eval.json");
        if path.exists() { Ok(Some(json::read(&path)?)) } else { Ok(None) }
    }

    pub(crate) fn json(&self) -> String {
        serde_json::to_string_pretty(self).expect("scores are numbers and text")
    }

    /// The report as text for a terminal.
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
