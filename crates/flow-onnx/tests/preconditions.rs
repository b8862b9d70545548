//! No public function takes numbers: they are those of a model. What it is made of is written as it
//! is, or refused in a sentence.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;
#[path = "../src/proto.rs"]
#[allow(dead_code, reason = "the writer uses the rest")]
mod proto;

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Device, Tensor};
use common::{MLP, model};
use flow_model::{Model, Registry, SampleConfig};
use flow_nn::Signature;
use flow_onnx::{network, pair, sampler};
use flow_testing::awkward::SCALARS;
use flow_testing::public;
use prost::Message;

#[test]
fn no_public_function_takes_numbers() {
    public::assert_covered(env!("CARGO_MANIFEST_DIR"), &[], &[]);
}

/// Whether all constants of a file, those of loops too, are finite.
fn is_finite(bytes: &[u8]) -> bool {
    fn of(graph: &proto::Graph) -> bool {
        let finite = |tensor: &proto::Tensor| match tensor.data_type {
            proto::FLOAT => {
                tensor.raw_data.as_chunks().0.iter().all(|&x| f32::from_le_bytes(x).is_finite())
            }
            proto::DOUBLE => {
                tensor.raw_data.as_chunks().0.iter().all(|&x| f64::from_le_bytes(x).is_finite())
            }
            _ => true,
        };
        let mut inner = graph.node.iter().flat_map(|node| &node.attribute);
        graph.initializer.iter().all(finite)
            && inner.all(|attribute| attribute.g.as_ref().is_none_or(of))
    }
    of(&proto::Model::decode(bytes).unwrap().graph.unwrap())
}

#[test]
fn awkward_settings_are_written_as_finite_numbers_or_refused_by_their_key() {
    let signature = Signature { classes: 3, ..Signature::of([2]) };
    let written = |what: &str, change: &dyn Fn(&mut SampleConfig)| {
        let model = model(MLP, signature.clone(), |config| change(&mut config.sample));
        match pair(&model, None) {
            Ok(pair) => {
                let whole =
                    is_finite(&pair.network) && pair.sampler.as_deref().map_or(true, is_finite);
                assert!(whole, "{what}");
                true
            }
            Err(error) => {
                assert!(error.to_string().starts_with("sample."), "{what}: {error}");
                false
            }
        }
    };
    for (name, x) in SCALARS {
        assert_eq!(written(name, &|s| s.shift = x), 0.0 < x && x.is_finite(), "shift of {name}");
        for tolerance in
            [|s: &mut SampleConfig, x| s.rtol = x, |s: &mut SampleConfig, x| s.atol = x]
        {
            let right = 0.0 <= x && x.is_finite();
            assert_eq!(written(name, &|s| tolerance(s, x)), right, "tolerance of {name}");
        }
        let right = 0.0 <= x && x.is_finite();
        assert_eq!(written(name, &|s| s.guidance = x), right, "guidance of {name}");
        let from = written(name, &|s| s.guidance_interval = [x, 0.5]);
        assert_eq!(from, x <= 0.5 && x.is_finite(), "guidance from {name}");
        let to = written(name, &|s| s.guidance_interval = [0.5, x]);
        assert_eq!(to, 0.5 <= x && x.is_finite(), "guidance to {name}");
    }
    for steps in [0, 1, 1_000_000, 1 << 40, usize::MAX] {
        let right = (1..=1_000_000).contains(&steps);
        assert_eq!(written("steps", &|s| s.steps = steps), right, "{steps} steps");
    }
}

/// Puts a number into every weight.
struct Fill(f32);

impl ModuleMapper for Fill {
    fn map_float<const D: usize>(&mut self, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
        parameter.map(|p| p.clone() * 0.0 + Tensor::full(p.dims(), self.0, &Device::flex()))
    }
}

#[test]
fn awkward_weights_are_written_as_they_are_or_refused_by_their_name() {
    let good = model(MLP, Signature::of([2]), |_| {});
    for (name, x) in SCALARS {
        let network_of = good.network().clone().map(&mut Fill(x as f32));
        let config = good.config().clone();
        let filled = Model::new(&Registry::default(), config, network_of, &Device::flex()).unwrap();
        for made in [network(&filled), sampler(&filled, None)] {
            match made {
                Ok(bytes) => assert!(x.is_finite() && is_finite(&bytes), "{name}"),
                Err(error) => {
                    let said = error.to_string();
                    assert!(!x.is_finite(), "{name}: {said}");
                    assert!(said.starts_with("`network.") && said.contains("holds"), "{said}");
                }
            }
        }
    }
}
