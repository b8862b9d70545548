//! Sampling exact fields ends in the data's distribution, and costs what it says.

#![allow(clippy::unwrap_used, reason = "a failed test may panic")]
#![allow(clippy::float_cmp, reason = "equal to the bit is what is tested")]

use std::cell::Cell;

use burn::tensor::{Device, Tensor};
use flow_ode::{Adaptive, Method, Stepping, Tolerance};
use flow_path::{Exact, Gaussian, Linear, Prediction, Schedule, VariancePreserving};
use flow_sample::{Guided, Interval, Ode, Predictor, Sampler, prior};

const MEAN: [f64; 2] = [1.5, -0.5];
const STD: f64 = 0.5;

fn field<S: Schedule>(schedule: S) -> Exact<Gaussian, S> {
    Exact::new(Gaussian::new(MEAN.to_vec(), STD), schedule)
}

fn host(x: Tensor<2>) -> Vec<f32> {
    x.into_data().try_into_vec().unwrap()
}

/// The flow of a Gaussian is `x_1 = m + s x_0` on the linear path, in closed form.
#[test]
fn a_gaussian_is_transported_by_its_closed_form_flow() {
    let device = Device::flex();
    let field = field(Linear { sigma_min: 0.0 });
    let x0 = prior::<2>(1, 0..200, &[2], &field, &device);
    let adaptive = Adaptive::new(Tolerance { atol: 1e-6, rtol: 1e-6 });
    let end = Ode::new(Method::Dopri5, adaptive.into()).sample(&field, x0.clone()).unwrap();
    for (row, (x, x0)) in host(end.x).chunks(2).zip(host(x0).chunks(2)).enumerate() {
        for k in 0..2 {
            let exact = MEAN[k] + STD * f64::from(x0[k]);
            // f32 states of size 2 and a tolerance of 1e-6 over about ten steps.
            assert!((f64::from(x[k]) - exact).abs() < 2e-5, "row {row}: {} is not {exact}", x[k]);
        }
    }
}

#[test]
fn a_sample_does_not_depend_on_its_batch() {
    let device = Device::flex();
    let field = field(Linear { sigma_min: 0.0 });
    let sampler = Ode::new(Method::Rk4, Stepping::Count(8));
    let whole = host(sampler.sample(&field, prior(9, 0..10, &[2], &field, &device)).unwrap().x);
    let part = host(sampler.sample(&field, prior(9, 4..7, &[2], &field, &device)).unwrap().x);
    assert_eq!(part, whole[8..14]);
}

/// Counts what a sampler really asks.
struct Counted<P>(P, Cell<usize>);

impl<P: Predictor<2>> Predictor<2> for Counted<P> {
    fn schedule(&self) -> &dyn Schedule {
        self.0.schedule()
    }
    fn predict(&self, what: Prediction, x: &Tensor<2>, t: f64) -> Tensor<2> {
        self.1.set(self.1.get() + 1);
        self.0.predict(what, x, t)
    }
}

#[test]
fn reported_evaluations_are_those_made() {
    let device = Device::flex();
    let adaptive = Stepping::from(Adaptive::new(Tolerance { atol: 1e-5, rtol: 1e-5 }));
    for (method, stepping) in [
        (Method::Euler, Stepping::Count(7)),
        (Method::Midpoint, Stepping::Count(7)),
        (Method::Rk4, Stepping::Count(7)),
        (Method::Dopri5, adaptive),
    ] {
        let field = Counted(field(Linear { sigma_min: 0.0 }), Cell::new(0));
        let x0 = prior::<2>(2, 0..16, &[2], &field, &device);
        let generated = Ode::new(method, stepping).sample(&field, x0).unwrap();
        assert_eq!(generated.nfe, field.1.get(), "{method}");
    }
}

#[test]
fn guidance_of_one_is_the_condition_and_of_zero_is_none() {
    let device = Device::flex();
    let schedule = VariancePreserving::default();
    let with = field(schedule);
    let without = Exact::new(Gaussian::new(vec![0.0, 0.0], 1.5), schedule);
    let x = prior::<2>(3, 0..8, &[2], &with, &device);
    let guided =
        |scale| Guided { with: &with, without: &without, scale, interval: Interval::default() };
    let difference = |a: Tensor<2>, b: Tensor<2>| (a - b).abs().max().into_scalar::<f32>();
    let v = |p: &dyn Predictor<2>| p.predict(Prediction::Velocity, &x, 0.4);
    // `b + (a - b)` rounds once more than `a`.
    assert!(difference(v(&guided(1.0)), v(&with)) < 1e-6);
    assert!(difference(v(&guided(0.0)), v(&without)) == 0.0);
    assert!(difference(v(&guided(2.0)), v(&with)) > 1e-2);
    assert_eq!(Predictor::<2>::calls(&guided(2.0)), 2);
}

/// Guidance is an affine combination, so guiding the data or the velocity gives the same velocity.
#[test]
fn guidance_commutes_with_conversions() {
    let device = Device::flex();
    let schedule = VariancePreserving::default();
    let guided = Guided {
        with: Exact::new(Gaussian::new(vec![1.0, 1.0], 0.5), schedule),
        without: Exact::new(Gaussian::new(vec![0.0, 0.0], 1.5), schedule),
        scale: 3.0,
        interval: Interval::default(),
    };
    let x = prior::<2>(3, 0..8, &[2], &guided.with, &device);
    let velocity = guided.predict(Prediction::Velocity, &x, 0.4);
    let data = guided.predict(Prediction::Data, &x, 0.4);
    let converted =
        Prediction::Data.convert_tensor(Prediction::Velocity, data, x, &schedule.at(0.4));
    // Conversion divides by sigma = 0.98 and the terms are of size 10.
    assert!((velocity - converted).abs().max().into_scalar::<f32>() < 2e-5);
}
