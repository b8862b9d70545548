//! Checks of every list of times.

use crate::error::{OdeError, TimeFault, TimeList};

/// Checks that the times are finite, inside the span and in its direction; repeats are allowed.
pub(crate) fn check_times<S>(
    list: TimeList,
    (t0, t1): (f64, f64),
    times: &[f64],
) -> Result<(), OdeError<S>> {
    let direction = if t1 < t0 { -1.0 } else { 1.0 };
    let mut before = t0;
    for (index, &t) in times.iter().enumerate() {
        let fault = if !t.is_finite() {
            TimeFault::NotFinite
        } else if !(t0.min(t1)..=t0.max(t1)).contains(&t) {
            TimeFault::OutsideSpan
        } else if (t - before) * direction < 0.0 {
            TimeFault::OutOfOrder
        } else {
            before = t;
            continue;
        };
        return Err(OdeError::BadTime { list, index, t, fault });
    }
    Ok(())
}
