//! The ways of many points, seen at a few times.

use crate::points::{shared_dim, shared_len};
use crate::{EvalError, Points};

/// Between two times. Squared distances of f32 points reach 1e77 a coordinate, and are divided by
/// it.
const LEAST_STEP: f64 = 1e-150;
const MOST_STEP: f64 = 1e150;

/// States of the same points at increasing times: `states[k]` holds every point at `times[k]`.
///
/// ```
/// use flow_eval::{Trajectories, straightness};
///
/// let states = [[0.0, 1.0], [0.5, 1.0], [1.0, 1.0]];
/// let trajectories = Trajectories::new(&[0.0, 0.5, 1.0], &states, 1)?;
/// assert_eq!(straightness(&trajectories).value, 0.0);
/// # Ok::<(), flow_eval::EvalError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Trajectories<'a> {
    times: Vec<f64>,
    states: Vec<Points<'a>>,
}

impl<'a> Trajectories<'a> {
    /// Views the states of points of dimension `dim`: `times` is `[steps + 1]`, `states` is
    /// `[steps + 1][n * dim]`.
    ///
    /// # Errors
    /// When there are fewer than two times or not one state for each, when the times do not
    /// increase or lie so close or so far that a velocity leaves the range of `f64`, and when the
    /// states are not all finite, whole and of one size.
    pub fn new<S: AsRef<[f32]>>(
        times: &[f64],
        states: &'a [S],
        dim: usize,
    ) -> Result<Self, EvalError> {
        if states.len() != times.len() || times.len() < 2 {
            return Err(EvalError::StateCount { states: states.len(), times: times.len() });
        }
        for (index, pair) in times.windows(2).enumerate() {
            let (previous, time) = (pair[0], pair[1]);
            if !(previous < time && previous.is_finite() && time.is_finite()) {
                return Err(EvalError::TimesNotIncreasing { index: index + 1, previous, time });
            }
            if !(LEAST_STEP..=MOST_STEP).contains(&(time - previous)) {
                return Err(EvalError::TimeStep { index: index + 1, previous, time });
            }
        }
        let states = states
            .iter()
            .map(|state| Points::new(state.as_ref(), dim))
            .collect::<Result<Vec<_>, _>>()?;
        for state in &states {
            shared_dim(states[0], *state)?;
            shared_len(states[0], *state, "a trajectory")?;
        }
        Ok(Self { times: times.to_vec(), states })
    }

    /// Number of trajectories.
    #[must_use]
    #[allow(clippy::len_without_is_empty, reason = "a set of points is never empty")]
    pub fn len(&self) -> usize {
        self.states[0].len()
    }

    /// The times, increasing.
    #[must_use]
    pub fn times(&self) -> &[f64] {
        &self.times
    }

    /// All points at each time.
    #[must_use]
    pub fn states(&self) -> &[Points<'a>] {
        &self.states
    }

    /// Time from the first state to the last.
    pub(crate) fn duration(&self) -> f64 {
        self.times[self.times.len() - 1] - self.times[0]
    }

    /// Squared length of the straight line from start to end, by trajectory.
    pub(crate) fn squared_chords(&self) -> Vec<f64> {
        squared_distances(self.states[0], self.states[self.states.len() - 1])
    }

    /// Sum over the steps of a function of a step's squared length and duration, by trajectory.
    pub(crate) fn sum_over_steps(&self, term: impl Fn(f64, f64) -> f64) -> Vec<f64> {
        let mut sums = vec![0.0; self.len()];
        for (states, times) in self.states.windows(2).zip(self.times.windows(2)) {
            let squares = squared_distances(states[0], states[1]);
            for (sum, square) in sums.iter_mut().zip(squares) {
                *sum += term(square, times[1] - times[0]);
            }
        }
        sums
    }
}

/// `|a_i - b_i|^2` by point.
pub(crate) fn squared_distances(a: Points<'_>, b: Points<'_>) -> Vec<f64> {
    let square = |(x, y): (&[f32], &[f32])| {
        x.iter().zip(y).map(|(&x, &y)| (f64::from(x) - f64::from(y)).powi(2)).sum()
    };
    a.rows().zip(b.rows()).map(square).collect()
}
