//! What a number of a recipe may be.

use anyhow::Result;

use crate::exit::usage;

/// Keys with their values.
type Values<'a> = &'a [(&'a str, f64)];

/// Refuses all but positive numbers.
pub(super) fn positive(values: Values<'_>) -> Result<()> {
    all(values, |x| x.is_finite() && 0.0 < x, "it must be a positive number")
}

/// Refuses negative numbers.
pub(super) fn not_negative(values: Values<'_>) -> Result<()> {
    all(values, |x| x.is_finite() && 0.0 <= x, "it must be zero or a positive number")
}

/// Refuses what is no fraction of one.
pub(super) fn fractions(values: Values<'_>) -> Result<()> {
    all(values, |x| (0.0..=1.0).contains(&x), "it must lie between 0 and 1")
}

fn all(values: Values<'_>, good: fn(f64) -> bool, demand: &str) -> Result<()> {
    match values.iter().find(|(_, value)| !good(*value)) {
        Some((key, value)) => Err(usage!("{key} is {value}, {demand}")),
        None => Ok(()),
    }
}
