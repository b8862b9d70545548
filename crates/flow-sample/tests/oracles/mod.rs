//! Predictors and noise shared by the tests of samplers.
#![allow(dead_code, reason = "each test binary uses a part")]

use std::cell::Cell;

use burn::tensor::Tensor;
use flow_path::{Coefficients, Prediction, Schedule};
use flow_sample::{Generated, Grid, Noise, Predictor, Sampler, Seeded, Way};

use crate::common::host;

/// A smooth function of `x` and `t` that is no posterior mean, in place of a trained network.
pub(crate) struct Arbitrary<S>(pub(crate) S);

impl<S: Schedule> Predictor for Arbitrary<S> {
    fn schedule(&self) -> &dyn Schedule {
        &self.0
    }

    fn predict(&self, what: Prediction, x: &Tensor<2>, t: f64) -> Tensor<2> {
        let data = (x.clone() * 1.7 + 0.3).tanh() * (3.0 * t).cos() + x.clone().sin() * 0.5;
        Prediction::Data.convert_tensor(what, data, x.clone(), &self.0.at(t))
    }
}

/// Every prediction, from a predictor that knows its velocity.
pub(crate) struct FromVelocity<P>(pub(crate) P);

impl<P: Predictor> Predictor for FromVelocity<P> {
    fn schedule(&self) -> &dyn Schedule {
        self.0.schedule()
    }

    fn predict(&self, what: Prediction, x: &Tensor<2>, t: f64) -> Tensor<2> {
        let v = self.0.predict(Prediction::Velocity, x, t);
        Prediction::Velocity.convert_tensor(what, v, x.clone(), &self.schedule().at(t))
    }
}

/// A schedule known at `n + 1` equally spaced times, with slopes that serve conversions alone.
#[derive(Debug)]
pub(crate) struct Table(pub(crate) Vec<(f64, f64)>);

impl Schedule for Table {
    fn at(&self, t: f64) -> Coefficients {
        let steps = self.0.len() - 1;
        let (alpha, sigma) = self.0[(t * steps as f64).round() as usize];
        Coefficients { alpha, sigma, d_alpha: 1.0, d_sigma: -1.0 }
    }
}

/// Counts what a sampler really asks.
pub(crate) struct Counted<P>(pub(crate) P, pub(crate) Cell<usize>);

impl<P: Predictor> Predictor for Counted<P> {
    fn schedule(&self) -> &dyn Schedule {
        self.0.schedule()
    }

    fn span(&self) -> (f64, f64) {
        self.0.span()
    }

    fn predict(&self, what: Prediction, x: &Tensor<2>, t: f64) -> Tensor<2> {
        self.1.set(self.1.get() + 1);
        self.0.predict(what, x, t)
    }
}

/// A way along a grid, with the same seeded noise for every sampler of a comparison.
pub(crate) fn along(grid: Grid) -> Way<'static> {
    Way::along(grid).with_noise(&Seeded { seed: 11, first: 0 })
}

/// Noise recorded step by step.
pub(crate) fn replay(steps: Vec<Tensor<2>>) -> impl Noise {
    move |step: usize, _: &Tensor<2>| steps[step].clone()
}

pub(crate) fn run(
    sampler: &dyn Sampler,
    field: &dyn Predictor,
    x0: &Tensor<2>,
    way: &Way<'_>,
) -> Tensor<2> {
    generate(sampler, field, x0, way).x
}

pub(crate) fn generate(
    sampler: &dyn Sampler,
    field: &dyn Predictor,
    x0: &Tensor<2>,
    way: &Way<'_>,
) -> Generated {
    sampler.sample(field, x0.clone(), way).expect("the grid suits the field")
}

/// Largest absolute difference; not a number if either side is not.
pub(crate) fn difference(a: &Tensor<2>, b: &Tensor<2>) -> f64 {
    let gaps = host(a.clone() - b.clone());
    gaps.into_iter().fold(0.0, |worst: f64, gap| if gap.abs() <= worst { worst } else { gap.abs() })
}
