//! A step of training of an imported network has the gradients that PyTorch has for it.
//!
//! `benches/peers/import_gradients.py` made the files, in double precision. The gradients stand
//! there under the names of the weights: read as a network, by the same map, they lie where ours
//! do.

#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;

use std::collections::BTreeMap;

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};
use common::{Io, config, reference};
use flow_import::{Family, Import};
use flow_nn::{Condition, DynNetwork, Time};
use flow_train::{Batch, Networks, Objective, Regression};

fn network(file: &str) -> DynNetwork {
    let import = Import::new(Family::Sit, reference(&format!("{file}.safetensors")));
    let import = import.with_config(config("sit_step"));
    import.run(&Device::flex()).unwrap().model.network().clone()
}

/// Numbers of each parameter, or of its gradient, by its path.
struct Named<'a> {
    gradients: Option<&'a GradientsParams>,
    path: Vec<String>,
    found: BTreeMap<String, Vec<f32>>,
}

impl ModuleVisitor for Named<'_> {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.into());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        let numbers = match self.gradients {
            Some(gradients) => gradients.get::<D>(parameter.id).unwrap(),
            None => parameter.val(),
        };
        self.found.insert(self.path.join("."), numbers.into_data().try_into_vec().unwrap());
    }
}

fn named(network: &DynNetwork, gradients: Option<&GradientsParams>) -> BTreeMap<String, Vec<f32>> {
    let mut named = Named { gradients, path: Vec::new(), found: BTreeMap::new() };
    network.visit(&mut named);
    named.found
}

/// The loss of the batch of the file, at times that may be changed, and the gradients.
fn step(clock: fn(f32) -> f32) -> (f64, BTreeMap<String, Vec<f32>>) {
    let (io, ad) = (Io::open("sit_step_io"), Device::flex().autodiff());
    let network = network("sit_step").train();
    let t: Vec<f32> = io.numbers("t").into_iter().map(clock).collect();
    let rows = |name| Tensor::<2>::from_data(io.rows(name).into_data(), &ad);
    let batch = Batch {
        // The regression reads neither end of the path.
        x0: rows("x"),
        x1: rows("x"),
        x_t: rows("x"),
        time: Time::at(Tensor::from_floats(&*t, &ad)),
        jumps: 0,
        target: rows("target"),
        weight: None,
        known: None,
        condition: Condition::classes(&io.classes().unwrap(), &ad),
        noise: None,
    };
    let total = Regression.loss(Networks::of(&network), batch).total;
    let loss = total.clone().into_scalar::<f64>();
    let gradients = GradientsParams::from_grads(total.backward(), &network);
    (loss, named(&network, Some(&gradients)))
}

/// The largest distance of a parameter's gradient from that of PyTorch, relative to its size.
fn error(found: &BTreeMap<String, Vec<f32>>) -> f64 {
    let expected = named(&network("sit_step_gradients"), None);
    assert!(found.keys().eq(expected.keys()) && 30 < found.len(), "{:?}", found.keys());
    let norm = |x: &mut dyn Iterator<Item = f64>| x.map(|x| x * x).sum::<f64>().sqrt();
    let one = |(name, found): (&String, &Vec<f32>)| {
        let expected = &expected[name];
        let pairs = found.iter().zip(expected);
        let off = norm(&mut pairs.map(|(a, b)| f64::from(a - b)));
        let size = norm(&mut expected.iter().map(|&b| f64::from(b)));
        assert!(0.0 < size, "PyTorch has no gradient for {name}");
        off / size
    };
    found.iter().map(one).fold(0.0, f64::max)
}

/// Single precision against double: some hundred sums of products, in some ten layers.
#[test]
fn a_step_of_an_imported_network_has_the_gradients_of_pytorch() {
    let (loss, gradients) = step(|t| t);
    let expected = f64::from(Io::open("sit_step_io").numbers("loss")[0]);
    assert!((loss - expected).abs() < 1e-6 * expected, "{loss} is not {expected}");
    let error = error(&gradients);
    assert!(error < 2e-5, "{error}");
}

#[test]
fn on_the_clock_that_runs_the_other_way_the_gradients_are_others() {
    let (_, gradients) = step(|t| 1.0 - t);
    assert!(error(&gradients) > 0.05);
}
