//! How time advances: a number of steps, a step size, given times, or steps chosen by the error.

use crate::adaptive::Adaptive;
use crate::error::{OdeError, TimeFault, TimeList};

/// How time advances from one end of the span to the other.
///
/// Fixed grids end exactly on the end of the span, in either direction of time.
///
/// ```
/// use flow_ode::{Method, Stepping, solve};
/// let growth = |_t: f64, y: &f64| *y;
/// let steps = solve(&growth, (0.0, 1.0), 1.0, Method::Heun2, &Stepping::Count(10)).unwrap();
/// let sized = solve(&growth, (0.0, 1.0), 1.0, Method::Heun2, &Stepping::Size(0.1)).unwrap();
/// assert!((steps.y - sized.y).abs() < 1e-14);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Stepping {
    /// This many equal steps, at least one.
    Count(usize),
    /// Steps of this size, positive in either direction of time, the last one shortened.
    Size(f64),
    /// Steps between these times, the first the start of the span and the last its end.
    Grid(Vec<f64>),
    /// Steps as large as the tolerance allows.
    Adaptive(Adaptive),
}

impl From<Adaptive> for Stepping {
    fn from(adaptive: Adaptive) -> Self {
        Self::Adaptive(adaptive)
    }
}

/// `steps` equal steps over the span: `steps + 1` times, the ends exact.
pub(crate) fn equal_steps<S>((t0, t1): (f64, f64), steps: usize) -> Result<Vec<f64>, OdeError<S>> {
    if steps == 0 {
        return Err(OdeError::BadSetting {
            name: "Stepping::Count",
            value: 0.0,
            must: "a span takes at least one step",
        });
    }
    let time = |i: usize| t0 + (t1 - t0) * (i as f64 / steps as f64);
    Ok((0..steps).map(time).chain([t1]).collect())
}

/// A last step below this share of the others is rounding, not a step that was asked for.
const SLIVER: f64 = 1e-9;

/// Steps of size `h` over the span, the last one shortened.
pub(crate) fn sized_steps<S>((t0, t1): (f64, f64), h: f64) -> Result<Vec<f64>, OdeError<S>> {
    if !(h > 0.0 && h.is_finite()) {
        return Err(OdeError::BadSetting {
            name: "Stepping::Size",
            value: h,
            must: "a step size is positive and finite, also backward in time",
        });
    }
    let steps = ((t1 - t0).abs() / h - SLIVER).ceil().max(1.0);
    let signed = h.copysign(t1 - t0);
    Ok((0..steps as usize).map(|i| t0 + i as f64 * signed).chain([t1]).collect())
}

/// The given times, checked to lead from one end of the span to the other.
pub(crate) fn given_steps<S>((t0, t1): (f64, f64), grid: &[f64]) -> Result<Vec<f64>, OdeError<S>> {
    check_times(TimeList::Grid, (t0, t1), grid)?;
    let bad = |index, t, fault| Err(OdeError::BadTime { list: TimeList::Grid, index, t, fault });
    let (Some(first), Some(last)) = (grid.first(), grid.last()) else {
        return bad(0, f64::NAN, TimeFault::TooShort);
    };
    if *first != t0 {
        return bad(0, *first, TimeFault::NotTheStart);
    }
    if *last != t1 {
        return bad(grid.len() - 1, *last, TimeFault::NotTheEnd);
    }
    match grid.windows(2).position(|pair| pair[0] == pair[1]) {
        Some(i) => bad(i + 1, grid[i + 1], TimeFault::OutOfOrder),
        None => Ok(grid.to_vec()),
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    type Grid = Result<Vec<f64>, OdeError<f64>>;

    #[test]
    fn a_grid_of_59000_sized_steps_ends_exactly_and_without_a_sliver() {
        let grid: Grid = sized_steps((0.0, 5.9), 1e-4);
        let grid = grid.unwrap();
        assert_eq!(grid.len(), 59001);
        assert_eq!(grid.last(), Some(&5.9));
    }

    #[test]
    fn a_grid_backward_in_time_descends() {
        let grid: Grid = sized_steps((1.0, 0.0), 0.4);
        let grid = grid.unwrap();
        assert_eq!((grid[0], grid[3]), (1.0, 0.0));
        assert!(grid.windows(2).all(|pair| pair[1] < pair[0]), "{grid:?}");
    }

    #[test]
    fn grids_that_miss_an_end_or_turn_back_are_refused() {
        let fault = |grid: &[f64]| match given_steps::<f64>((0.0, 1.0), grid) {
            Err(OdeError::BadTime { fault, .. }) => Some(fault),
            _ => None,
        };
        assert_eq!(fault(&[0.1, 1.0]), Some(TimeFault::NotTheStart));
        assert_eq!(fault(&[0.0, 0.9]), Some(TimeFault::NotTheEnd));
        assert_eq!(fault(&[0.0, 0.6, 0.5, 1.0]), Some(TimeFault::OutOfOrder));
        assert_eq!(fault(&[0.0, 0.5, 0.5, 1.0]), Some(TimeFault::OutOfOrder));
        assert_eq!(fault(&[0.0, f64::NAN, 1.0]), Some(TimeFault::NotFinite));
        assert_eq!(fault(&[0.0, 2.0, 1.0]), Some(TimeFault::OutsideSpan));
        assert_eq!(fault(&[]), Some(TimeFault::TooShort));
        assert_eq!(fault(&[0.0, 0.3, 1.0]), None);
    }
}
