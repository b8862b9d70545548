//! Sampling exact fields ends in the data's distribution, and costs what it says.

#![allow(clippy::unwrap_used, reason = "a failed test may panic")]
#![allow(clippy::float_cmp, reason = "equal to the bit is what is tested")]

use std::cell::Cell;

use burn::tensor::{Device, Tensor};
use flow_ode::{Adaptive, Method, Stepping, Tolerance};
use flow_path::{Exact, Gaussian, Linear, Prediction, Schedule};
use flow_sample::{Ode, Predictor, Sampler, Way, prior};

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
    let x0 = prior(1, 0..200, 2, &field, &device);
    let adaptive = Adaptive::new(Tolerance { atol: 1e-6, rtol: 1e-6 });
    let dopri5 = Ode::new(Method::Dopri5, adaptive.into());
    let end = dopri5.sample(&field, x0.clone(), &Way::steps(1)).unwrap();
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
    let samples = |range| {
        let x0 = prior(9, range, 2, &field, &device);
        host(sampler.sample(&field, x0, &Way::steps(8)).unwrap().x)
    };
    assert_eq!(samples(4..7), samples(0..10)[8..14]);
}

/// Counts what a sampler really asks.
struct Counted<P>(P, Cell<usize>);

impl<P: Predictor> Predictor for Counted<P> {
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
        let x0 = prior(2, 0..16, 2, &field, &device);
        let generated = Ode::new(method, stepping).sample(&field, x0, &Way::steps(7)).unwrap();
        assert_eq!(generated.nfe, field.1.get(), "{method}");
    }
}
