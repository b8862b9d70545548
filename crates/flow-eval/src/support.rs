//! Mass outside a known support.

use crate::{Points, Score};

/// Fraction of the points for which `contains` is false, with its binomial standard error.
///
/// The error is above 0 also where no point, or every point, lies outside; one point has none.
///
/// For data that live on a known set, such as the dark squares of a checkerboard: it counts what
/// the trained flow puts where no data can be, but not what it leaves empty.
///
/// ```
/// use flow_eval::{Points, off_support_mass};
///
/// let points = Points::new(&[0.5, -0.5, 1.5, 0.25], 1)?;
/// let score = off_support_mass(points, |x| (0.0..1.0).contains(&x[0]));
/// assert_eq!(score.value, 0.5);
/// # Ok::<(), flow_eval::EvalError>(())
/// ```
#[must_use]
pub fn off_support_mass(points: Points<'_>, contains: impl Fn(&[f32]) -> bool) -> Score {
    let outside = points.rows().filter(|row| !contains(row)).count();
    Score::lower("off-support mass", 0.0, points.len()).with_fraction(outside, points.len())
}
