//! Bounds that the parameters of samplers are held to.

use crate::error::SampleError;

/// The value, if it lies between two others, both included.
pub(crate) fn within(
    name: &'static str,
    value: f64,
    (low, high): (f64, f64),
) -> Result<f64, SampleError> {
    if (low..=high).contains(&value) {
        Ok(value)
    } else {
        Err(SampleError::Parameter { name, value, low, high })
    }
}
