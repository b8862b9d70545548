//! A predictor that counts what it is asked.

use std::cell::Cell;

use burn::tensor::Tensor;
use flow_path::{Prediction, Schedule};

use crate::predictor::Predictor;

/// A predictor whose network calls are counted as they are made, those with a gradient apart.
///
/// A call for a gradient gets `x` on a tape, keeps what the way back needs and goes it: it takes
/// about twice as long as another, and the memory of a step of training. Methods of answering
/// differ in how many of theirs are such calls.
#[derive(Debug)]
pub struct Counted<P> {
    predictor: P,
    calls: Cell<usize>,
    gradients: Cell<usize>,
}

impl<P: Predictor> Counted<P> {
    /// A predictor that has not been asked yet.
    #[must_use]
    pub fn new(predictor: P) -> Self {
        Self { predictor, calls: Cell::new(0), gradients: Cell::new(0) }
    }

    /// Network calls so far, each of a whole batch.
    #[must_use]
    pub fn made(&self) -> usize {
        self.calls.get()
    }

    /// Those of them that a gradient was taken of.
    #[must_use]
    pub fn gradients(&self) -> usize {
        self.gradients.get()
    }

    fn count(&self, x: &Tensor<2>, t: f64) {
        let calls = self.predictor.calls(t);
        self.calls.set(self.calls.get() + calls);
        if x.is_tracked() {
            self.gradients.set(self.gradients.get() + calls);
        }
    }
}

impl<P: Predictor> Predictor for Counted<P> {
    fn schedule(&self) -> &dyn Schedule {
        self.predictor.schedule()
    }

    fn span(&self) -> (f64, f64) {
        self.predictor.span()
    }

    fn calls(&self, t: f64) -> usize {
        self.predictor.calls(t)
    }

    fn predict(&self, what: Prediction, x: &Tensor<2>, t: f64) -> Tensor<2> {
        self.count(x, t);
        self.predictor.predict(what, x, t)
    }

    fn jump(&self, x: &Tensor<2>, t: f64, s: f64) -> Option<Tensor<2>> {
        let end = self.predictor.jump(x, t, s);
        if end.is_some() {
            self.count(x, t);
        }
        end
    }
}
