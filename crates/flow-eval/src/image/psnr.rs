//! Peak signal-to-noise ratio.

use crate::flow::trajectories::squared_distances;
use crate::points::{shared_dim, shared_len};
use crate::{EvalError, Points, Score};

/// Peak signal-to-noise ratio, `10 log10(range^2 / MSE)` in decibels, averaged over images.
///
/// Image `i` is compared with reference `i`. `range` is the greatest difference of two pixel
/// values: 2 for pixels in `[-1, 1]`. An image that equals its reference has an infinite ratio, and
/// then so has the mean. The standard error is that of the mean over images.
///
/// # Errors
/// Sets of different dimensions or sizes, and a range outside `[1e-100, 1e100]`.
pub fn psnr(reference: Points<'_>, images: Points<'_>, range: f64) -> Result<Score, EvalError> {
    let dim = shared_dim(reference, images)?;
    let n = shared_len(reference, images, "PSNR")?;
    check_range(range)?;
    let ratios: Vec<f64> = squared_distances(reference, images)
        .into_iter()
        .map(|square| 20.0 * range.log10() + 10.0 * (dim as f64 / square).log10())
        .collect();
    Ok(Score::higher("PSNR", 0.0, n).with_mean_of(&ratios).with_unit("dB"))
}

/// Refuses a range that is not positive, and one whose square leaves the range of `f64`.
pub(crate) fn check_range(range: f64) -> Result<(), EvalError> {
    if (1e-100..=1e100).contains(&range) {
        Ok(())
    } else {
        Err(EvalError::Parameter { name: "range", value: range, expected: "from 1e-100 to 1e100" })
    }
}
