//! Diagnosis of stiffness: whether error or stability kept the steps of a failed solve small.

use crate::error::HeldBy;
use crate::state::{State, Tolerance};
use crate::tableau::Tableau;

/// Evaluations for the estimate of `lambda`: each gains the ratio of the two largest eigenvalues,
/// which is large where it matters.
const ITERATIONS: usize = 12;

/// Share of the interval of stability from which on a step counts as bound by it: the controller
/// hovers between this and a little beyond all of it.
const AT_THE_EDGE: f64 = 0.5;

/// A failed solve, where it stood.
pub(crate) struct Standstill<'a, S> {
    pub(crate) y: &'a S,
    /// The step that was refused or would have come next, or the last one, if that was longer.
    pub(crate) h: f64,
    pub(crate) tol: Tolerance,
}

impl<S: State> Standstill<'_, S> {
    /// What kept the steps of an explicit method small. Only a failed solve asks: it evaluates the
    /// field some ten times, where the solve stood, and reads the device each time.
    ///
    /// `norm` is any norm of the state, such as that of one row of a batch.
    ///
    /// # Reference
    /// Hairer & Wanner (1996), "Solving Ordinary Differential Equations II", second edition,
    /// section IV.2, "Stiffness detection": a problem is stiff where `h |lambda|` lies at the edge
    /// of the domain of stability. `lambda` comes from the power method on differences of the
    /// field.
    pub(crate) fn held_by(
        &self,
        tableau: &Tableau,
        field: impl FnMut(&S) -> S,
        norm: impl Fn(&S) -> f64,
    ) -> HeldBy {
        let edge = tableau.real_stability();
        let h_lambda = self.h.abs() * largest_eigenvalue(self.y, field, norm).unwrap_or(0.0);
        if h_lambda.is_finite() && h_lambda >= AT_THE_EDGE * edge {
            HeldBy::Stability { h_lambda, edge }
        } else if self.tol.atol == 0.0 {
            HeldBy::RelativeTolerance
        } else {
            HeldBy::Tolerance
        }
    }
}

/// The plain root mean square of a state.
pub(crate) fn plain_norm<S: State>(x: &S) -> f64 {
    x.error_norm(x, x, &UNIT)
}

/// Measures errors as they are.
pub(crate) const UNIT: Tolerance = Tolerance { atol: 1.0, rtol: 0.0 };

/// The size of the largest eigenvalue of `df/dy` at `y`; `None` if the field stands still.
fn largest_eigenvalue<S: State>(
    y: &S,
    mut field: impl FnMut(&S) -> S,
    norm: impl Fn(&S) -> f64,
) -> Option<f64> {
    // Differences lose half the digits of the state's own type: f64 on the host, f32 elsewhere.
    let share = if S::ON_HOST { 1e-7 } else { 1e-3 };
    let size = |x: &S| Some(norm(x)).filter(|size| *size > 0.0 && size.is_finite());
    let step = share * size(y).unwrap_or(1.0);
    let f = field(y);
    let mut along = if size(&f).is_some() { f.clone() } else { y.clone() };
    let mut lambda = None;
    for _ in 0..ITERATIONS {
        let Some(length) = size(&along) else { break };
        let moved = field(&y.combine(&[(step / length, &along)]));
        along = S::untracked_sum(&[(1.0, &moved), (-1.0, &f)]);
        lambda = size(&along).map(|change| change / step);
    }
    lambda
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_eigenvalue_is_found_from_differences() {
        // Eigenvalues -1000 and -1 with a coupling; and a turn of 30.
        let decay = |y: &[f64; 2]| [-1000.0 * y[0] + y[1], -y[1]];
        let turn = |y: &[f64; 2]| [30.0 * y[1], -30.0 * y[0]];
        let at = [0.3, 0.7];
        let found = |lambda: Option<f64>, expected: f64| {
            let lambda = lambda.unwrap_or(0.0);
            assert!((lambda / expected - 1.0).abs() < 1e-4, "{lambda}");
        };
        found(largest_eigenvalue(&at, decay, plain_norm), 1000.0);
        found(largest_eigenvalue(&at, turn, plain_norm), 30.0);
        assert_eq!(largest_eigenvalue(&0.0, |_| 0.0, plain_norm), None);
    }
}
