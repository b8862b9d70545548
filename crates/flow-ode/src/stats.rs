//! The cost of a solve: evaluations, steps, factorisations.

/// Counts and extremes of a solve.
///
/// ```
/// use flow_ode::{Method, Stepping, solve};
/// let end = solve(&|_, y: &f64| -y, (0.0, 1.0), 1.0, Method::Rk4, &Stepping::Count(10)).unwrap();
/// assert_eq!((end.stats.evals, end.stats.accepted, end.stats.rejected), (40, 10, 0));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Stats {
    /// Evaluations of the field, all of them.
    pub evals: usize,
    /// Steps taken.
    pub accepted: usize,
    /// Steps tried in vain.
    pub rejected: usize,
    /// Jacobians found, by an implicit method; the evaluations for those by differences are in
    /// `evals`.
    pub jacobians: usize,
    /// Matrices factored, by an implicit method: one in each attempted step.
    pub factorizations: usize,
    /// Size of the smallest step taken; 0 if none was.
    pub smallest_step: f64,
    /// Size of the largest step taken; 0 if none was.
    pub largest_step: f64,
}

impl Stats {
    /// These steps with the counts of the field.
    pub(crate) fn with_counts(self, counts: Self) -> Self {
        let Self { evals, jacobians, factorizations, .. } = counts;
        Self { evals, jacobians, factorizations, ..self }
    }

    pub(crate) fn accept(&mut self, h: f64) {
        let h = h.abs();
        self.smallest_step = if self.accepted == 0 { h } else { self.smallest_step.min(h) };
        self.largest_step = self.largest_step.max(h);
        self.accepted += 1;
    }
}
