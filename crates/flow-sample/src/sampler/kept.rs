//! States at the times that a caller requests, between the times of a grid.

use burn::tensor::Tensor;

/// Gathers the states at given times as a walk passes them.
///
/// At a time of the grid that is the state there, between two of them the point on the line between
/// their states.
pub(super) struct Kept<'a> {
    times: &'a [f64],
    states: Vec<Tensor<2>>,
}

impl<'a> Kept<'a> {
    pub(super) fn new(times: &'a [f64]) -> Self {
        Self { times, states: Vec::with_capacity(times.len()) }
    }

    /// Takes what lies before the walk, from the state at a time that is not after its start.
    pub(super) fn before(&mut self, start: f64, at: impl Fn(f64) -> Tensor<2>) {
        while let Some(t) = self.next(start) {
            self.states.push(at(t));
        }
    }

    /// Takes what lies on a step.
    pub(super) fn pass(&mut self, (t, s): (f64, f64), x: &Tensor<2>, x_s: &Tensor<2>) {
        while let Some(time) = self.next(s) {
            let share = (time - t) / (s - t);
            let between = || x.clone() * (1.0 - share) + x_s.clone() * share;
            self.states.push(if time < s { between() } else { x_s.clone() });
        }
    }

    /// All states: those of later times are the end.
    pub(super) fn finish(mut self, end: &Tensor<2>) -> Vec<Tensor<2>> {
        self.states.resize(self.times.len(), end.clone());
        self.states
    }

    /// The next time, if it is not after `until`.
    fn next(&self, until: f64) -> Option<f64> {
        self.times.get(self.states.len()).copied().filter(|&t| t <= until)
    }
}
