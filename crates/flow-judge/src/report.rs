//! The contents of `eval.json`, and their tables.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use flow_datasets::counted;
use flow_eval::Score;
use flow_run::json;
use serde::{Deserialize, Serialize};

use crate::ambiguity::AmbiguityReport;
use crate::control::ControlReport;
use crate::course::Point;
use crate::error::JudgeError;
use crate::field::FieldReport;
use crate::latent::LatentReport;
use crate::paths::{ErrorReport, PathReport};

/// The content of `eval.json`. Files of earlier versions lack some of it, and those of later ones
/// may hold more; the solvers' scores are always there.
#[derive(Debug, Serialize, Deserialize)]
pub struct Report {
    /// Version of the format.
    #[serde(default)]
    pub schema: u32,
    /// Name of the recipe.
    #[serde(default)]
    pub recipe: String,
    /// Steps of the weights.
    #[serde(default)]
    pub step: usize,
    /// Seed of the noise and the reference.
    #[serde(default)]
    pub seed: u64,
    /// Samples that were asked for; 0 in files that do not say it.
    #[serde(default)]
    pub n: usize,
    /// What all of it took.
    #[serde(default)]
    pub seconds: f64,
    /// Of a model with classes: what they are called, in the order of their labels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<String>,
    /// Scores of each solver.
    pub rows: Vec<Row>,
    /// Scores of the paths.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paths: Option<PathReport>,
    /// What few steps cost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errors: Option<ErrorReport>,
    /// Scores in the course of training.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub course: Vec<Point>,
    /// How often the classifier is right on real test images.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub classifier_accuracy: Option<f64>,
    /// The weights from which FID came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inception: Option<InceptionFile>,
    /// The field beside the exact one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<FieldReport>,
    /// Spread of velocities.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ambiguity: Option<AmbiguityReport>,
    /// What the latent carries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latent: Option<LatentReport>,
    /// What the latent decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub control: Option<ControlReport>,
}

/// The weights from which FID came.
#[derive(Debug, Serialize, Deserialize)]
pub struct InceptionFile {
    /// The file.
    #[serde(default)]
    pub file: PathBuf,
    /// Its SHA-256.
    #[serde(default)]
    pub sha256: String,
    /// Training images whose features are the reference; null for statistics that do not say it.
    pub reference: Option<usize>,
}

/// One solver's scores.
#[derive(Debug, Serialize, Deserialize)]
pub struct Row {
    /// The solver and its steps.
    pub solver: String,
    /// Network evaluations per sample.
    pub nfe: f64,
    /// Its scores.
    pub scores: Vec<Score>,
}

impl Report {
    /// What `eval.json` of a run's folder holds; nothing if there is no such file.
    ///
    /// # Errors
    /// When it cannot be read, or holds no scores.
    pub fn read(folder: &Path) -> Result<Option<Self>, JudgeError> {
        let path = folder.join("eval.json");
        if path.exists() { Ok(Some(json::read(&path)?)) } else { Ok(None) }
    }

    /// The content of `eval.json`.
    ///
    /// # Panics
    /// Never: scores are numbers and text.
    #[must_use]
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(self).expect("scores are numbers and text")
    }

    /// The report as text for a terminal.
    #[must_use]
    pub fn table(&self) -> String {
        let mut text = format!("{}, after {}\n", self.recipe, counted(self.step, "step"));
        for row in &self.rows {
            let _ = writeln!(
                text,
                "{} ({})",
                row.solver,
                counted(format!("{:.0}", row.nfe), "evaluation")
            );
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
