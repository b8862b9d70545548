//! The numbers that are scored: points, features of images, rows of a table.

use flow_eval::{EvalError, Points};
use flow_nn::Inception;

use crate::classifier::Verdict;

/// Data to be scored, real or generated: points, or features of images.
#[derive(Debug, Default)]
pub(crate) struct Subject {
    pub rows: Vec<f32>,
    pub dim: usize,
    /// Of tables: numbers in their units, and categories by index.
    pub cells: Vec<f32>,
    /// Of images: what the classifier takes them for.
    pub verdict: Option<Verdict>,
    /// Of images with classes: what they should be.
    pub labels: Option<Vec<usize>>,
    /// Of images that were told a small copy of another: their pixels.
    pub pixels: Vec<f32>,
    /// Of images, if the network of FID is at hand: its features.
    pub inception: Vec<f32>,
}

impl Subject {
    pub(crate) fn points(&self) -> Result<Points<'_>, EvalError> {
        Points::new(&self.rows, self.dim)
    }

    pub(crate) fn inception(&self) -> Result<Points<'_>, EvalError> {
        Points::new(&self.inception, Inception::FEATURES)
    }
}
