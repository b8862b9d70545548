//! A stop is heard within one evaluation of the network, wherever a computation stands.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

use std::cell::Cell;

use burn::tensor::{Device, Tensor};
use flow_ode::{Adaptive, Method, Tolerance};
use flow_path::{Exact, Linear, Mixture, Prediction, Schedule};
use flow_sample::{
    Conditioned, Ddim, Draws, ExactTrace, Interruptible, Langevin, Likelihood, Mask, Mmps,
    Observation, ObservationNoise, Ode, Predictor, SampleError, Sampler, SamplerConfig, Way, prior,
};

/// Counts what it is asked.
struct Counted {
    field: Exact<Mixture, Linear>,
    asked: Cell<usize>,
}

impl Counted {
    fn new() -> Self {
        let field = Exact::new(Mixture::ring(3, 2.0, 0.3), Linear { sigma_min: 0.0 });
        Self { field, asked: Cell::new(0) }
    }
}

impl Predictor for Counted {
    fn schedule(&self) -> &dyn Schedule {
        Predictor::schedule(&self.field)
    }

    fn predict(&self, what: Prediction, x: &Tensor<2>, t: f64) -> Tensor<2> {
        self.asked.set(self.asked.get() + 1);
        Predictor::predict(&self.field, what, x, t)
    }
}

fn start() -> Tensor<2> {
    prior(3, 0..5, 2, &Counted::new(), &Device::flex())
}

fn host(x: &Tensor<2>) -> Vec<f64> {
    x.clone().into_data().convert::<f64>().try_into_vec().unwrap()
}

/// All samplers but the one of flow maps, and an adaptive solver.
fn samplers() -> Vec<(String, Box<dyn Sampler>)> {
    let walks = SamplerConfig::choices().into_iter().filter(|choice| choice.name != "flow-map");
    let named = walks.map(|choice| {
        let config: SamplerConfig = choice.typed.parse().unwrap();
        (choice.name.to_owned(), config.build(Method::Heun2))
    });
    let tight = Adaptive::new(Tolerance { atol: 1e-6, rtol: 1e-6 });
    let adaptive: Box<dyn Sampler> = Box::new(Ode::new(Method::Dopri5, tight.into()));
    let corrected = Langevin { corrections: 1_000, ..Langevin::default() };
    let corrected: Box<dyn Sampler> = Box::new(corrected);
    let two = [("adaptive", adaptive), ("a thousand corrections", corrected)];
    named.chain(two.map(|(name, sampler)| (name.to_owned(), sampler))).collect()
}

#[test]
fn a_sampler_asks_the_network_no_more_after_a_stop() {
    for (name, sampler) in samplers() {
        for most in [0, 1, 5] {
            let counted = Counted::new();
            let go_on = || counted.asked.get() < most;
            let predictor = Interruptible::new(&counted, &go_on);
            let watch = predictor.watch();
            let way = Way::steps(6).watched_by(&watch);
            let _ = sampler.sample(&predictor, start(), &way);
            assert!(predictor.is_stopped(), "{name}");
            assert_eq!(counted.asked.get(), most, "{name}");
        }
    }
}

#[test]
fn whoever_is_not_stopped_gets_the_same_bits() {
    for (name, sampler) in samplers().into_iter().filter(|(name, _)| !name.starts_with("a th")) {
        let alone = sampler.sample(&Counted::new(), start(), &Way::steps(6)).unwrap();
        let counted = Counted::new();
        let predictor = Interruptible::new(&counted, &|| true);
        let watch = predictor.watch();
        let way = Way::steps(6).watched_by(&watch);
        let watched = sampler.sample(&predictor, start(), &way).unwrap();
        assert!(!predictor.is_stopped(), "{name}");
        assert_eq!(host(&watched.x), host(&alone.x), "{name}");
        assert_eq!(watched.nfe, alone.nfe, "{name}");
    }
}

/// A thousand iterations within one prediction, and many draws behind each other.
#[test]
fn an_answer_asks_the_network_no_more_after_a_stop() {
    let device = Device::flex();
    let y = Tensor::<2>::from_data([[2.0, f32::NAN]], &device);
    let mask = Mask::new(&[true, false], 2, &device);
    let noise = ObservationNoise::Gaussian { std: 0.1 };
    let observation = Observation::new(mask, y, noise).unwrap();
    let counted = Counted::new();
    let go_on = || counted.asked.get() < 7;
    let predictor = Interruptible::new(&counted, &go_on);
    let method = Mmps { observation: observation.clone(), iterations: 1_000 };
    let conditioned = Conditioned { predictor: &predictor, method };
    let draws = Draws { draws: 1_000, at_once: 1, seed: 0 };
    let watch = predictor.watch();
    let way = Way::steps(5).watched_by(&watch);
    let answers = draws.answer(&Ddim::default(), &conditioned, &observation, &way, [1, 2], &device);
    assert!(matches!(answers, Err(SampleError::Stopped { .. })), "{answers:?}");
    assert!(predictor.is_stopped());
    assert_eq!(counted.asked.get(), 7);
}

#[test]
fn a_density_asks_the_network_no_more_after_a_stop() {
    let tight = Adaptive::new(Tolerance { atol: 1e-12, rtol: 1e-12 });
    let likelihood = Likelihood::new(Method::Dopri5, tight.into());
    for most in [0, 1, 9, 30] {
        let counted = Counted::new();
        let go_on = || counted.asked.get() < most;
        let predictor = Interruptible::new(&counted, &go_on);
        let _ = likelihood.log_prob(&predictor, start(), &ExactTrace { chunk: 2 });
        assert!(predictor.is_stopped());
        assert_eq!(counted.asked.get(), most);
    }
}
