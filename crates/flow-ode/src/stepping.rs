//! How time advances: a number of steps, a step size, given times, or steps chosen by the error.

use crate::adaptive::Adaptive;
use crate::error::{OdeError, TimeFault, TimeList};
use crate::times::check_times;

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

impl Stepping {
    /// The same advance in the other direction of time: times that are given turn round.
    pub(crate) fn reversed(&self) -> Self {
        let turned = |times: &[f64]| times.iter().rev().copied().collect();
        match self {
            Self::Grid(times) => Self::Grid(turned(times)),
            Self::Adaptive(adaptive) => {
                Self::Adaptive(Adaptive { jumps: turned(&adaptive.jumps), ..adaptive.clone() })
            }
            Self::Count(_) | Self::Size(_) => self.clone(),
        }
    }
}

impl From<Adaptive> for Stepping {
    fn from(adaptive: Adaptive) -> Self {
        Self::Adaptive(adaptive)
    }
}

/// Times from one end of a span to the other, made as they are needed.
pub(crate) struct Grid<'a> {
    steps: usize,
    pub(crate) end: f64,
    /// Start of a step.
    start_of: Box<dyn Fn(usize) -> f64 + 'a>,
}

impl Grid<'_> {
    /// Start and end of every step, the last end exact. Steps below the resolution of time are
    /// left out.
    pub(crate) fn steps(&self) -> impl Iterator<Item = (f64, f64)> {
        let end_of = |i: usize| if i + 1 == self.steps { self.end } else { (self.start_of)(i + 1) };
        let mut start = (self.start_of)(0);
        let pairs = (0..self.steps).map(move |i| (std::mem::replace(&mut start, end_of(i)), start));
        pairs.filter(|(start, end)| start != end)
    }
}

/// The most steps that a number or a size may ask for: more than anyone waits for.
const MOST_STEPS: f64 = u32::MAX as f64;

/// `steps` equal steps over the span.
pub(crate) fn equal_steps<S>(
    (t0, t1): (f64, f64),
    steps: usize,
) -> Result<Grid<'static>, OdeError<S>> {
    let count = steps as f64;
    if !(1.0..=MOST_STEPS).contains(&count) {
        return Err(OdeError::BadSetting {
            name: "Stepping::Count",
            value: count,
            must: "a span takes at least one step and at most 4294967295",
        });
    }
    let start_of = move |i: usize| t0 + (t1 - t0) * (i as f64 / count);
    Ok(Grid { steps, end: t1, start_of: Box::new(start_of) })
}

/// A last step below this share of the others is rounding, not a step that was asked for.
const SLIVER: f64 = 1e-9;

/// Steps of size `h` over the span, the last one shortened.
pub(crate) fn sized_steps<S>((t0, t1): (f64, f64), h: f64) -> Result<Grid<'static>, OdeError<S>> {
    let steps = ((t1 - t0).abs() / h - SLIVER).ceil().max(1.0);
    let must = if !(h > 0.0 && h.is_finite()) {
        "a step size is positive and finite, also backward in time"
    } else if steps > MOST_STEPS {
        "the span would take more than 4294967295 steps of this size"
    } else {
        let signed = h.copysign(t1 - t0);
        let start_of = move |i: usize| t0 + i as f64 * signed;
        return Ok(Grid { steps: steps as usize, end: t1, start_of: Box::new(start_of) });
    };
    Err(OdeError::BadSetting { name: "Stepping::Size", value: h, must })
}

/// The given times, checked to lead from one end of the span to the other.
pub(crate) fn given_steps<S>((t0, t1): (f64, f64), times: &[f64]) -> Result<Grid<'_>, OdeError<S>> {
    check_times(TimeList::Grid, (t0, t1), times)?;
    let bad = |index, t, fault| Err(OdeError::BadTime { list: TimeList::Grid, index, t, fault });
    let (Some(first), Some(last)) = (times.first(), times.last()) else {
        return Err(OdeError::BadSetting {
            name: "Stepping::Grid",
            value: 0.0,
            must: "that many times make no grid, it takes both ends of the span",
        });
    };
    if *first != t0 {
        return bad(0, *first, TimeFault::NotTheStart);
    }
    if *last != t1 {
        return bad(times.len() - 1, *last, TimeFault::NotTheEnd);
    }
    match times.windows(2).position(|pair| pair[0] == pair[1]) {
        Some(i) => bad(i + 1, times[i + 1], TimeFault::OutOfOrder),
        None => Ok(Grid { steps: times.len() - 1, end: t1, start_of: Box::new(|i| times[i]) }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Outcome<'a> = Result<Grid<'a>, OdeError<f64>>;

    fn steps(grid: Outcome<'_>) -> Vec<(f64, f64)> {
        grid.map_or(Vec::new(), |grid| grid.steps().collect())
    }

    #[test]
    fn a_grid_of_59000_sized_steps_ends_exactly_and_without_a_sliver() {
        let steps = steps(sized_steps((0.0, 5.9), 1e-4));
        assert_eq!(steps.len(), 59000);
        assert_eq!(steps.last().map(|step| step.1), Some(5.9));
        assert!(steps.windows(2).all(|pair| pair[0].1 == pair[1].0));
    }

    #[test]
    fn a_grid_backward_in_time_descends() {
        let steps = steps(sized_steps((1.0, 0.0), 0.4));
        assert_eq!((steps[0].0, steps[2].1), (1.0, 0.0));
        assert!(steps.iter().all(|(start, end)| end < start), "{steps:?}");
    }

    #[test]
    fn steps_below_the_resolution_of_time_are_left_out() {
        let end = 1f64.next_up();
        assert_eq!(steps(equal_steps((1.0, end), 50)), [(1.0, end)]);
    }

    #[test]
    fn grids_without_end_are_refused_before_they_are_made() {
        for refused in [sized_steps((0.0, 1e300), 1e-300), equal_steps((0.0, 1.0), usize::MAX)] {
            let refused: Outcome<'_> = refused;
            assert!(matches!(refused, Err(OdeError::BadSetting { .. })));
        }
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
        assert_eq!(fault(&[0.0, 0.3, 1.0]), None);
    }
}
