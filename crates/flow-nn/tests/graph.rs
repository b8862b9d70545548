//! The graph that a network writes computes what the network does.

#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

#[path = "common/computed.rs"]
mod computed;

mod common;

use burn::tensor::{Device, Tensor, TensorData};
use common::difference;
use common::told::{all, everything, numbers, one_time};
use computed::by_graph;
use flow_nn::{Condition, Network, Time};

#[test]
fn a_graph_computes_what_the_network_does() {
    for (name, network) in all() {
        let (condition, time) = (everything(network.signature()), one_time(network.signature()));
        let got = by_graph(&network, numbers(network.signature().size()), &time, &condition);
        let got = got.unwrap_or_else(|| panic!("{name} is not written down"));
        let expected = network.forward(numbers(network.signature().size()), time, &condition);
        let got = Tensor::from_data(TensorData::new(got, expected.dims()), &Device::flex());
        // Sums in another order: a few roundings of numbers of size 1 to 10 in a dozen layers.
        let off = difference(got, expected);
        assert!(off < 2e-5, "{name}: {off}");
    }
}

/// The control: what is told counts, so that a graph that forgot it would be noticed.
/// Ten times the tolerance above.
#[test]
fn a_graph_that_is_told_something_else_computes_something_else() {
    for (name, network) in all() {
        let signature = network.signature();
        let (condition, time) = (everything(signature), one_time(signature));
        let later = Time { t: time.t.clone() + 0.5, s: time.s.clone() };
        let answer = |condition: &Condition, time: &Time| {
            by_graph(&network, numbers(signature.size()), time, condition).unwrap()
        };
        let same = answer(&condition, &time);
        let off = |other: Vec<f32>| {
            let pairs = same.iter().zip(&other);
            pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
        };
        assert!(2e-4 < off(answer(&condition, &later)), "{name} does not read the time");
        if 0 < signature.vector {
            let other = condition.vector.clone().unwrap() + 1.0;
            let told = condition.clone().with_vector(other);
            assert!(2e-4 < off(answer(&told, &time)), "{name} does not read its vector");
        }
        if !signature.context.is_empty() {
            let other = condition.context.clone().unwrap() + 1.0;
            let told = condition.clone().with_context(other);
            assert!(2e-4 < off(answer(&told, &time)), "{name} does not read its context");
        }
    }
}
