//! Numbers that are given, and must be some.

use crate::error::ModelError;

/// Refuses rows of `size` numbers, the first of which is that of the sample `first`, that are not
/// made of finite numbers.
pub(crate) fn check_finite(
    what: &'static str,
    rows: &[f32],
    size: usize,
    first: usize,
) -> Result<(), ModelError> {
    match rows.iter().position(|x| !x.is_finite()) {
        None => Ok(()),
        Some(at) => {
            let sample = first + at / size.max(1);
            Err(ModelError::GivenNotFinite { what, sample, value: rows[at] })
        }
    }
}
