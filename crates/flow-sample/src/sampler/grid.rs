//! Time grids: where a sampler stops on its way from noise to data.

use std::cmp::Ordering;

use flow_path::{Schedule, TimeShift};

use super::bounds::within;
use crate::error::SampleError;
use crate::predictor::Predictor;

/// The times of a sampler, in increasing order.
///
/// A grid by count runs from the first time at which the predictor answers to the end of its
/// schedule: those two times stand for the first and the last value of the formula, whose levels
/// are clipped to those that the schedule has between them. No sampler asks for a prediction at the
/// end, so it may lie beyond the predictor's own span; a time before it that does is moved to the
/// end of that span, and times closer than 1e-9 become one.
///
/// ```
/// use flow_path::{Exact, Gaussian, Linear, TimeShift};
/// use flow_sample::Grid;
///
/// let field = Exact::new(Gaussian::new(vec![0.0], 1.0), Linear { sigma_min: 0.0 });
/// let uniform = Grid::Uniform { steps: 4 };
/// assert_eq!(uniform.times(&field).unwrap(), [0.0, 0.25, 0.5, 0.75, 1.0]);
/// let shifted = uniform.shifted(TimeShift::new(3.0).unwrap());
/// assert_eq!(shifted.times(&field).unwrap(), [0.0, 0.1, 0.25, 0.5, 1.0]);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Grid {
    /// Equal steps of time.
    Uniform {
        /// Number of steps.
        steps: usize,
    },
    /// Equal steps of the log signal-to-noise ratio `2 ln(alpha / sigma)`, from `min` to `max`.
    LogSnr {
        /// Number of steps.
        steps: usize,
        /// Ratio for which the noise end stands.
        min: f64,
        /// Ratio for which the data end stands.
        max: f64,
    },
    /// Equal steps of the `rho`-th root of the noise level `sigma / alpha`, then none:
    /// `(max^(1/rho) + k / (steps - 1) (min^(1/rho) - max^(1/rho)))^rho` for `k` below `steps`. A
    /// schedule that keeps more noise than `min` at its end has no such last step: there the end is
    /// the last level, and `steps` takes the place of `steps - 1`.
    ///
    /// # Reference
    /// Karras et al. (2022), "Elucidating the Design Space of Diffusion-Based Generative Models",
    /// arXiv:2206.00364, equation 5, with `rho` 7 and levels from 80 to 0.002.
    Karras {
        /// Number of steps.
        steps: usize,
        /// Exponent: larger means shorter steps near the data.
        rho: f64,
        /// Last noise level before none.
        min: f64,
        /// Level for which the noise end stands.
        max: f64,
    },
    /// The given times. The state handed to the sampler is that of the first of them; if the
    /// predictor answers later only, the state is carried there.
    Given(Vec<f64>),
    /// Another grid, its inner times shifted.
    Shifted(Box<Grid>, TimeShift),
}

/// Most steps: their times alone fill memory in the end, and no one waits for them.
const MOST_STEPS: usize = 1_000_000;

/// Times closer than this are one: a step of that length moves nothing.
const NEAR: f64 = 1e-9;

/// Where a grid leads.
#[derive(Clone, Debug)]
pub(super) struct Route {
    /// The time of the state that the sampler is handed.
    pub(super) from: f64,
    /// The times, all but the last within the predictor's span.
    pub(super) times: Vec<f64>,
}

impl Grid {
    /// This grid with its inner times shifted, as a network trained with that shift expects.
    #[must_use]
    pub fn shifted(self, shift: TimeShift) -> Self {
        Self::Shifted(Box::new(self), shift)
    }

    /// The times for a predictor: one more than there are steps, the last one never asked.
    ///
    /// # Errors
    /// If there are fewer than two times or more than a million steps, they do not increase or are
    /// not numbers, or lie where neither the predictor nor a passage from noise or to data reaches.
    pub fn times(&self, predictor: &dyn Predictor) -> Result<Vec<f64>, SampleError> {
        self.route(predictor).map(|route| route.times)
    }

    /// The times for a predictor, and that of the state which the sampler is handed.
    pub(super) fn route(&self, predictor: &dyn Predictor) -> Result<Route, SampleError> {
        within("number of steps", self.steps() as f64, (0.0, MOST_STEPS as f64))?;
        self.check()?;
        let (start, end) = predictor.span();
        let schedule = predictor.schedule();
        let (first, _) = schedule.span();
        let mut times = self.over(schedule, (start, end));
        let (Some(&begin), Some(&last)) = (times.first(), times.get(1..).and_then(<[f64]>::last))
        else {
            return Err(SampleError::ShortGrid { times: times.len() });
        };
        let falls = |pair: &[f64]| pair[0].partial_cmp(&pair[1]) != Some(Ordering::Less);
        if let Some(k) = times.windows(2).position(falls) {
            let (before, t) = (times[k], times[k + 1]);
            return Err(SampleError::GridOrder { index: k + 1, t, before });
        }
        for (t, reached) in
            [(begin, first <= begin && begin <= end), (last, start < last && last <= 1.0)]
        {
            if !reached {
                return Err(SampleError::OutsideSpan { t, start, end });
            }
        }
        times.pop();
        for t in &mut times {
            *t = t.max(start).min(end);
        }
        times.dedup_by(|t, before| *t - *before < NEAR);
        if last - times[times.len() - 1] < NEAR && 1 < times.len() {
            times.pop();
        }
        times.push(last);
        let from = if self.is_given() { begin } else { first };
        Ok(Route { from, times })
    }

    /// Refuses levels that are none.
    fn check(&self) -> Result<(), SampleError> {
        let (any, positive) = ((f64::MIN, f64::MAX), (f64::MIN_POSITIVE, f64::MAX));
        match self {
            Self::LogSnr { min, max, .. } => {
                within("min of the grid", *min, any)?;
                within("max of the grid", *max, any)?;
            }
            Self::Karras { rho, min, max, .. } => {
                within("rho of the grid", *rho, positive)?;
                within("min of the grid", *min, (0.0, f64::MAX))?;
                within("max of the grid", *max, positive)?;
            }
            Self::Shifted(grid, _) => grid.check()?,
            Self::Uniform { .. } | Self::Given(_) => {}
        }
        Ok(())
    }

    fn steps(&self) -> usize {
        match self {
            Self::Uniform { steps } | Self::LogSnr { steps, .. } | Self::Karras { steps, .. } => {
                *steps
            }
            Self::Given(times) => times.len().saturating_sub(1),
            Self::Shifted(grid, _) => grid.steps(),
        }
    }

    fn is_given(&self) -> bool {
        match self {
            Self::Given(_) => true,
            Self::Shifted(grid, _) => grid.is_given(),
            Self::Uniform { .. } | Self::LogSnr { .. } | Self::Karras { .. } => false,
        }
    }

    /// The formula for a predictor that answers between two times.
    fn over(&self, schedule: &dyn Schedule, (start, end): (f64, f64)) -> Vec<f64> {
        let last = schedule.span().1;
        let between = |steps: usize, time: &dyn Fn(f64) -> f64| -> Vec<f64> {
            let inner = (1..steps).map(|k| time(k as f64));
            std::iter::once(start).chain(inner).chain((0 < steps).then_some(last)).collect()
        };
        match self {
            Self::Uniform { steps } => {
                between(*steps, &|k| start + (last - start) * k / *steps as f64)
            }
            Self::LogSnr { steps, min, max } => {
                let ratio = |t: f64| schedule.at(t).log_snr();
                let (min, max) = (min.max(ratio(start)), max.min(ratio(end)));
                between(*steps, &|k| {
                    schedule.time_at_log_snr(min + (max - min) * k / *steps as f64)
                })
            }
            Self::Karras { steps, rho, min, max } => {
                let level = |t: f64| (-0.5 * schedule.at(t).log_snr()).exp();
                let (hot, cold) = (max.min(level(start)), min.max(level(end)));
                let count = if *min <= level(last) { *steps } else { steps.saturating_sub(1) };
                let root = |level: f64| level.powf(rho.recip());
                between(*steps, &|k| {
                    let root = root(hot) + k / count as f64 * (root(cold) - root(hot));
                    let ratio = -2.0 * root.powf(*rho).ln();
                    // An exponent may be too large or too small for roots that are numbers.
                    if ratio.is_nan() { ratio } else { schedule.time_at_log_snr(ratio) }
                })
            }
            Self::Given(times) => times.clone(),
            Self::Shifted(grid, shift) => {
                let mut times = grid.over(schedule, (start, end));
                if let [_, inner @ .., _] = times.as_mut_slice() {
                    for t in inner {
                        *t = shift.apply(*t);
                    }
                }
                times
            }
        }
    }
}
