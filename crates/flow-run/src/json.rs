//! Reads the reports that a run keeps as JSON.
//!
//! JSON knows neither infinity nor NaN, and serde writes both as null. Here null is read as NaN:
//! what the number was is lost, and none of the reports needs more than that it was no finite one.

use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

use crate::error::RunError;
use crate::files::read_text;

/// Reads a report.
///
/// # Errors
/// When the file cannot be read, or holds something else.
pub fn read<T: DeserializeOwned>(path: &Path) -> Result<T, RunError> {
    serde_json::from_str(&read_text(path)?)
        .map_err(|source| RunError::NoScores { path: path.to_path_buf(), source })
}

/// A number, or null.
///
/// # Errors
/// For anything else.
pub fn number<'de, D: Deserializer<'de>>(source: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(source)?.unwrap_or(f64::NAN))
}

/// Numbers, some of which may be null.
///
/// # Errors
/// For anything else.
pub fn numbers<'de, D: Deserializer<'de>>(source: D) -> Result<Vec<f64>, D::Error> {
    let numbers = Vec::<Option<f64>>::deserialize(source)?;
    Ok(numbers.into_iter().map(|number| number.unwrap_or(f64::NAN)).collect())
}
