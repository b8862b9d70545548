//! Models that have learned from rows which lack values: a sample lacks nothing.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;

use burn::tensor::Device;
use common::{MLP, UNET, config, network};
use flow_model::{Model, ModelConfig, ModelError, Registry, SampleRequest};
use flow_nn::{Condition, Signature};
use flow_ode::{Method, Stepping};
use flow_sample::Ode;

/// Numbers that say what a row lacks.
const HOLES: usize = 2;
/// Samples of a request.
const N: usize = 5;

fn model(section: &str, signature: &Signature, holes: usize) -> Result<Model, ModelError> {
    let config = ModelConfig { holes, ..config(section, signature) };
    Model::new(&Registry::default(), config, network(section, signature, 1), &Device::flex())
}

fn drawn(model: &Model, vectors: Option<Vec<f32>>) -> Vec<f32> {
    let request = SampleRequest { vectors, batch: 3, ..SampleRequest::new(N, 3) };
    let sampler = Ode::new(Method::Euler, Stepping::Count(2));
    model.sample(&request, &sampler).unwrap().rows
}

#[test]
fn callers_give_conditions_and_the_model_says_that_nothing_is_missing() {
    for (section, shape) in [(MLP, vec![2]), (UNET, vec![1, 8, 8])] {
        for given in [0, 1] {
            let signature = Signature { vector: given + HOLES, ..Signature::of(shape.clone()) };
            let own = model(section, &signature, HOLES).unwrap();
            let bare = model(section, &signature, 0).unwrap();
            assert_eq!((own.vector(), bare.vector()), (given, given + HOLES));
            let told = |holes: f32| {
                let one = [vec![0.5; given], vec![holes; HOLES]].concat();
                Some(one.repeat(N))
            };
            let own = drawn(&own, (0 < given).then(|| vec![0.5; N * given]));
            assert_eq!(own, drawn(&bare, told(0.0)), "{section}, {given}");
            // The control: the network reads these numbers.
            assert_ne!(own, drawn(&bare, told(1.0)), "{section}, {given}");
        }
    }
}

#[test]
fn a_velocity_is_that_of_whole_rows_without_a_word() {
    let signature = Signature { vector: HOLES, ..Signature::of([2]) };
    let model = model(MLP, &signature, HOLES).unwrap();
    let rows = [0.1, -0.4, 1.2, 0.7, -2.0, 0.3];
    let all = model.velocity(&rows, 0.4, Condition::none()).unwrap();
    let last = model.velocity(&rows[4..], 0.4, Condition::none()).unwrap();
    assert!(all.len() == 6 && all[4..].iter().zip(&last).all(|(a, b)| (a - b).abs() < 1e-5));
}

#[test]
fn holes_are_kept_and_no_more_than_the_network_is_told() {
    let signature = Signature { vector: HOLES, ..Signature::of([2]) };
    let kept = ModelConfig { holes: HOLES, ..config(MLP, &signature) };
    assert_eq!(ModelConfig::parse(&kept.text()).unwrap(), kept);
    assert!(!config(MLP, &signature).text().contains("holes"), "the usual is left out");
    let refused = model(MLP, &signature, HOLES + 1).unwrap_err().to_string();
    assert!(refused.contains("more holes than its network can be told"), "{refused}");
}
