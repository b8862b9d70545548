//! Checks of names and numbers, which an error names by their key.

use crate::error::{RunError, usage};

/// Keys with their values.
type Values<'a> = &'a [(&'a str, f64)];

/// Refuses a name that is no file name on every system.
///
/// # Errors
/// With the key.
pub fn name(key: &str, name: &str) -> Result<(), RunError> {
    if !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)) {
        return Ok(());
    }
    Err(usage!("{key} {name} becomes a file name: use letters, digits, `-`, `_` and `.`"))
}

/// Refuses all but positive numbers.
pub(crate) fn positive(values: Values<'_>) -> Result<(), RunError> {
    all(values, |x| x.is_finite() && 0.0 < x, "it must be a positive number")
}

/// Refuses negative numbers.
pub(crate) fn not_negative(values: Values<'_>) -> Result<(), RunError> {
    all(values, |x| x.is_finite() && 0.0 <= x, "it must be zero or a positive number")
}

/// Refuses what is no number, or an infinite one.
pub(crate) fn finite(values: Values<'_>) -> Result<(), RunError> {
    all(values, f64::is_finite, "it must be a finite number")
}

/// Refuses what is no fraction of one.
pub(crate) fn fractions(values: Values<'_>) -> Result<(), RunError> {
    all(values, |x| (0.0..=1.0).contains(&x), "it must lie between 0 and 1")
}

/// Refuses tolerances that no step can meet.
///
/// # Errors
/// With the keys.
pub fn tolerances(values: Values<'_>) -> Result<(), RunError> {
    not_negative(values)?;
    if values.iter().all(|(_, value)| *value == 0.0) {
        let keys: Vec<&str> = values.iter().map(|(key, _)| *key).collect();
        return Err(usage!("{} are all zero, which no step can meet", keys.join(" and ")));
    }
    Ok(())
}

fn all(values: Values<'_>, good: fn(f64) -> bool, demand: &str) -> Result<(), RunError> {
    for (key, value) in values {
        if !good(*value) {
            return Err(usage!("{key} is {value}, {demand}"));
        }
        if f64::from(f32::MAX) < value.abs() {
            return Err(usage!(
                "{key} is {value:e}, it must be at most {:.1e}, the largest number of single \
                 precision",
                f32::MAX
            ));
        }
    }
    Ok(())
}
