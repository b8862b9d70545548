//! A predictor whose askers may be stopped.

use std::cell::Cell;
use std::ops::ControlFlow;

use burn::tensor::Tensor;
use flow_path::{Prediction, Schedule};

use crate::predictor::Predictor;
use crate::sampler::Visit;

/// A predictor that answers for as long as somebody waits for what is computed.
///
/// `go_on` is asked before every prediction, so that a stop is heard within one evaluation of the
/// network, wherever it falls: in the corrections of [`Langevin`](crate::Langevin), the iterations
/// of [`Mmps`](crate::Mmps) or the rejected steps of a solver, none of which can be left from
/// outside. Once it has said no it is asked no more, and neither is the network: all further
/// predictions are zero, with a gradient of zero, so that what is under way comes to its end at the
/// price of no network. Its numbers mean nothing: look at [`is_stopped`](Self::is_stopped). A walk
/// along a grid ends at the next step if its [`Way`](crate::Way) is watched by
/// [`watch`](Self::watch).
pub struct Interruptible<'a, P> {
    predictor: P,
    go_on: &'a dyn Fn() -> bool,
    stopped: Cell<bool>,
}

impl<'a, P: Predictor> Interruptible<'a, P> {
    /// A predictor that is asked until `go_on` says no.
    #[must_use]
    pub fn new(predictor: P, go_on: &'a dyn Fn() -> bool) -> Self {
        Self { predictor, go_on, stopped: Cell::new(false) }
    }

    /// Whether it was stopped, so that what was computed with it means nothing.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.stopped.get()
    }

    /// Ends a walk at the first step after the stop.
    pub fn watch(&self) -> impl Fn(Visit<'_>) -> ControlFlow<()> {
        |_| if self.goes_on() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }

    fn goes_on(&self) -> bool {
        if !self.stopped.get() && !(self.go_on)() {
            self.stopped.set(true);
        }
        !self.stopped.get()
    }
}

impl<P: Predictor> Predictor for Interruptible<'_, P> {
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
        // A product, not fresh zeros: whoever asks for a gradient finds one.
        if self.goes_on() { self.predictor.predict(what, x, t) } else { x.clone() * 0.0 }
    }

    fn jump(&self, x: &Tensor<2>, t: f64, s: f64) -> Option<Tensor<2>> {
        if self.goes_on() { self.predictor.jump(x, t, s) } else { Some(x.clone()) }
    }
}
