//! Time grids: where a sampler stops on its way from noise to data.

use std::cmp::Ordering;

use flow_path::{Schedule, TimeShift};

use crate::error::SampleError;
use crate::predictor::Predictor;

/// The times of a sampler, in increasing order.
///
/// A grid by count runs from the first time at which the predictor answers to the end of its
/// schedule: those two times stand for the first and the last value of the formula. No sampler asks
/// for a prediction where no noise is left, so the end may lie beyond the predictor's own span.
///
/// ```
/// use flow_path::{Exact, Gaussian, Linear, TimeShift};
/// use flow_sample::Grid;
///
/// let field = Exact::new(Gaussian::new(vec![0.0], 1.0), Linear { sigma_min: 0.0 });
/// let uniform = Grid::Uniform { steps: 4 };
/// assert_eq!(uniform.times::<2>(&field).unwrap(), [0.0, 0.25, 0.5, 0.75, 1.0]);
/// let shifted = uniform.shifted(TimeShift::new(3.0).unwrap());
/// assert_eq!(shifted.times::<2>(&field).unwrap(), [0.0, 0.1, 0.25, 0.5, 1.0]);
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
    /// `(max^(1/rho) + k / (steps - 1) (min^(1/rho) - max^(1/rho)))^rho` for `k` below `steps`.
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
    /// The given times. The state handed to the sampler is that of the first of them.
    Given(Vec<f64>),
    /// Another grid, its inner times shifted.
    Shifted(Box<Grid>, TimeShift),
}

impl Grid {
    /// This grid with its inner times shifted, as a network trained with that shift expects.
    #[must_use]
    pub fn shifted(self, shift: TimeShift) -> Self {
        Self::Shifted(Box::new(self), shift)
    }

    /// The times for a predictor: one more than there are steps.
    ///
    /// # Errors
    /// If there are fewer than two times, they do not increase, or the predictor does not answer at
    /// one of them.
    pub fn times<const D: usize>(
        &self,
        predictor: &dyn Predictor<D>,
    ) -> Result<Vec<f64>, SampleError> {
        let (start, end) = predictor.span();
        let schedule = predictor.schedule();
        let times = self.over(schedule, (start, schedule.span().1));
        let Some((&last, asked @ [_, ..])) = times.split_last() else {
            return Err(SampleError::ShortGrid { times: times.len() });
        };
        let falls = |pair: &[f64]| pair[0].partial_cmp(&pair[1]) != Some(Ordering::Less);
        if let Some(k) = times.windows(2).position(falls) {
            let (before, t) = (times[k], times[k + 1]);
            return Err(SampleError::GridOrder { index: k + 1, t, before });
        }
        let outside = asked.iter().copied().find(|t| *t < start || end < *t);
        match outside.or((1.0 < last).then_some(last)) {
            Some(t) => Err(SampleError::OutsideSpan { t, start, end }),
            None => Ok(times),
        }
    }

    fn over(&self, schedule: &dyn Schedule, (start, end): (f64, f64)) -> Vec<f64> {
        let between = |steps: usize, time: &dyn Fn(f64) -> f64| -> Vec<f64> {
            let inner = (1..steps).map(|k| time(k as f64));
            std::iter::once(start).chain(inner).chain((0 < steps).then_some(end)).collect()
        };
        match self {
            Self::Uniform { steps } => {
                between(*steps, &|k| start + (end - start) * k / *steps as f64)
            }
            Self::LogSnr { steps, min, max } => between(*steps, &|k| {
                schedule.time_at_log_snr(min + (max - min) * k / *steps as f64)
            }),
            Self::Karras { steps, rho, min, max } => between(*steps, &|k| {
                let (hot, cold) = (max.powf(rho.recip()), min.powf(rho.recip()));
                let level = (hot + k / (steps - 1) as f64 * (cold - hot)).powf(*rho);
                schedule.time_at_log_snr(-2.0 * level.ln())
            }),
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
