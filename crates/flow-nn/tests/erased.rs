//! A network or a posterior in its box is the module that it holds.

#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;

use burn::module::{Flag, Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::store::ModuleRecord;
use burn::tensor::{Bool, Device, Int, Tensor};
use common::{bits, built, ramp, stir, without_gradient};
use flow_nn::{
    Condition, DynNetwork, DynPosterior, MlpConfig, Network, PathPoints, PointEncoder,
    PointEncoderConfig, Posterior, PosteriorInput, Signature, Time, UNet, UNetConfig, init_seeded,
    parameter_count,
};

/// A U-Net with every part that a signature can ask for.
fn unet() -> UNet {
    let config = UNetConfig {
        channels: 8,
        multipliers: vec![1, 2],
        attention: vec![4],
        head_channels: 8,
        groups: 4,
        ..UNetConfig::default()
    };
    let signature = Signature {
        classes: 3,
        vector: 2,
        context: vec![1, 8, 12],
        latent: 2,
        two_times: true,
        ..Signature::of([1, 8, 12])
    };
    stir(built(&config, &signature, &Device::flex()))
}

fn encoder() -> PointEncoder {
    let inputs = [PosteriorInput::X1, PosteriorInput::T];
    let init = |device: &Device| PointEncoderConfig::default().init(2, &inputs, 3, device);
    init_seeded(5, &Device::flex(), init).unwrap()
}

/// What the U-Net answers for three rows, with everything that it may be told.
fn answer(network: &dyn Network, device: &Device) -> Tensor<2> {
    let rows = |size| ramp([3, size], device);
    let condition = Condition::classes(&[0, 3, 1], device)
        .with_vector(rows(2))
        .with_context(rows(96))
        .with_latent(rows(2))
        .with_hidden(Tensor::from_data([false, true, false], device));
    let t = ramp([3], device);
    network.forward(rows(96), Time::from_to(t.clone(), t + 0.2), &condition)
}

/// Path, identity and shape of every parameter, and its bits.
fn parameters<M: Module>(module: &M) -> Vec<(String, ParamId, Vec<usize>, Vec<u32>)> {
    #[derive(Default)]
    struct All(Vec<String>, Vec<(String, ParamId, Vec<usize>, Vec<u32>)>);
    impl ModuleVisitor for All {
        fn enter_module(&mut self, name: &str, _: &str) {
            self.0.push(name.into());
        }
        fn exit_module(&mut self, _: &str, _: &str) {
            self.0.pop();
        }
        fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
            let value = parameter.val();
            let (path, shape) = (self.0.join("."), value.dims().to_vec());
            self.1.push((path, parameter.id, shape, bits(value)));
        }
    }
    let mut all = All::default();
    module.visit(&mut all);
    all.1
}

#[test]
fn a_box_has_the_parameters_of_what_is_inside_under_the_same_paths() {
    let (network, posterior) = (unet(), encoder());
    let (boxed, boxed_posterior) =
        (DynNetwork::new(network.clone()), DynPosterior::new(posterior.clone()));
    assert_eq!(parameter_count(&boxed), parameter_count(&network));
    assert_eq!(parameters(&boxed), parameters(&network));
    assert_eq!(parameters(&boxed_posterior), parameters(&posterior));
    assert!(
        parameters(&boxed).iter().any(|(path, ..)| path == "down.0.units.0.block.conv1.weight")
    );
    assert_eq!(boxed.devices(), network.devices());
    // A box in a box is one as well.
    assert_eq!(parameters(&DynNetwork::new(boxed)), parameters(&network));
    let rows = ramp([4, 2], &Device::flex());
    let (x0, x1, x_t) = (rows.clone(), rows.clone(), rows);
    let seen = PathPoints { x0, x1, x_t, t: ramp([4], &Device::flex()) };
    assert_eq!(boxed_posterior.latent(), 3);
    let mean = |posterior: &dyn Posterior| bits(posterior.forward(&seen).mean);
    assert_eq!(mean(&boxed_posterior), mean(&posterior));
}

#[test]
fn mapping_a_box_maps_what_is_inside_and_a_clone_stays_as_it_was() {
    let network = unet();
    let boxed = DynNetwork::new(network.clone());
    let before = boxed.clone();
    assert_eq!(parameters(&stir(boxed)), parameters(&stir(network.clone())));
    assert_eq!(parameters(&before), parameters(&network));
    assert_ne!(parameters(&stir(network.clone())), parameters(&network));
}

#[test]
fn a_box_trains_and_validates_as_what_is_inside() {
    let (plain, tape) = (Device::flex(), Device::flex().autodiff());
    let boxed = DynNetwork::new(unet());
    let expected = bits(answer(&boxed, &plain));
    let training = boxed.fork(&plain).train();
    let y = answer(&training, &tape);
    assert!(y.device().is_autodiff(), "a network in training leaves a tape");
    assert_eq!(bits(y.inner()), expected);
    let valid = training.valid();
    assert!(!valid.devices().iter().any(Device::is_autodiff), "and one that is validated none");
    assert_eq!(bits(answer(&valid, &plain)), expected);
    assert_eq!(parameters(&valid.clone().to_device(&plain)), parameters(&valid));
    assert_eq!(parameters(&valid.clone().materialize()), parameters(&valid));
}

#[test]
fn gradients_reach_every_parameter_through_the_box_and_are_those_of_what_is_inside() {
    struct Same(GradientsParams, GradientsParams, usize);
    impl ModuleVisitor for Same {
        fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
            let [a, b] = [&self.0, &self.1].map(|all| bits(all.get::<D>(parameter.id).unwrap()));
            assert_eq!(a, b);
            self.2 += 1;
        }
    }
    let tape = Device::flex().autodiff();
    let network = unet().train();
    let boxed = DynNetwork::new(network.clone());
    let gradients = |network: &dyn Network| answer(network, &tape).square().mean().backward();
    let through = GradientsParams::from_grads(gradients(&boxed), &boxed);
    let missing = without_gradient(&boxed, &through);
    assert!(missing.is_empty(), "no gradient reaches {missing:?}");
    let inside = GradientsParams::from_grads(gradients(&network), &network);
    let mut same = Same(through, inside, 0);
    network.visit(&mut same);
    assert_eq!(same.2, parameters(&boxed).len());
}

#[test]
fn a_record_of_a_typed_network_fits_the_box_bit_for_bit_and_back() {
    let network = unet();
    let bytes = network.clone().into_record().into_bytes().unwrap();
    let other = DynNetwork::new(stir(unet()));
    assert_ne!(bits(answer(&other, &Device::flex())), bits(answer(&network, &Device::flex())));
    let loaded = other.load_record(ModuleRecord::from_bytes(bytes.clone()).unwrap());
    assert_eq!(parameters(&loaded), parameters(&network));
    assert_eq!(bits(answer(&loaded, &Device::flex())), bits(answer(&network, &Device::flex())));
    let again = loaded.into_record().into_bytes().unwrap();
    assert!(again[..] == bytes[..], "a box writes other bytes");
    let back = stir(unet()).load_record(ModuleRecord::from_bytes(again).unwrap());
    assert_eq!(parameters(&back), parameters(&network));
}

#[test]
fn a_record_of_another_network_is_refused_by_the_box() {
    let mlp = built(&MlpConfig::default(), &Signature::of([2]), &Device::flex());
    let record = mlp.into_record();
    assert!(DynNetwork::new(unet()).try_load_record(record).is_err());
}

/// A network of its user's own with parameters of every kind, which ours do not have.
#[derive(Module, Debug)]
struct Kinds {
    scale: Param<Tensor<3>>,
    steps: Param<Tensor<1, Int>>,
    mask: Param<Tensor<2, Bool>>,
    noisy: Param<Flag>,
    #[module(skip)]
    signature: Signature,
}

impl Network for Kinds {
    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn forward(&self, x: Tensor<2>, _: Time, _: &Condition) -> Tensor<2> {
        x
    }
}

#[test]
fn parameters_of_every_kind_cross_the_box() {
    #[derive(Default)]
    struct Seen(Vec<String>);
    impl ModuleVisitor for Seen {
        fn visit_float<const D: usize>(&mut self, p: &Param<Tensor<D>>) {
            self.0.push(format!("float {D} {:?}", p.val().into_data().to_string()));
        }
        fn visit_int<const D: usize>(&mut self, p: &Param<Tensor<D, Int>>) {
            self.0.push(format!("int {D} {:?}", p.val().into_data().to_string()));
        }
        fn visit_bool<const D: usize>(&mut self, p: &Param<Tensor<D, Bool>>) {
            self.0.push(format!("bool {D} {:?}", p.val().into_data().to_string()));
        }
        fn visit_flag(&mut self, flag: &Param<Flag>) {
            self.0.push(format!("flag {}", flag.val().is_enabled()));
        }
    }
    struct Change;
    impl ModuleMapper for Change {
        fn map_float<const D: usize>(&mut self, p: Param<Tensor<D>>) -> Param<Tensor<D>> {
            p.map(|x| x + 1.0)
        }
        fn map_int<const D: usize>(&mut self, p: Param<Tensor<D, Int>>) -> Param<Tensor<D, Int>> {
            p.map(|x| x + 1)
        }
        fn map_bool<const D: usize>(
            &mut self,
            p: Param<Tensor<D, Bool>>,
        ) -> Param<Tensor<D, Bool>> {
            p.map(Tensor::bool_not)
        }
        fn map_flag(&mut self, flag: Param<Flag>) -> Param<Flag> {
            let enabled = flag.val().is_enabled();
            flag.with_value(!enabled)
        }
    }
    fn seen<M: Module>(module: &M) -> Vec<String> {
        let mut seen = Seen::default();
        module.visit(&mut seen);
        seen.0
    }
    let device = Device::flex();
    let kinds = Kinds {
        scale: Param::from_tensor(ramp([1, 2, 1], &device)),
        steps: Param::initialized(ParamId::new(), Tensor::from_data([3, 5], &device)),
        mask: Param::initialized(ParamId::new(), Tensor::from_data([[true, false]], &device)),
        noisy: Param::<Flag>::from_bool(true),
        signature: Signature::of([2]),
    };
    let boxed = DynNetwork::new(kinds.clone());
    assert_eq!(seen(&boxed), seen(&kinds));
    assert_eq!(seen(&kinds).len(), 4);
    let changed = kinds.clone().map(&mut Change);
    assert!(seen(&changed).iter().zip(seen(&kinds)).all(|(a, b)| *a != b), "all are changed");
    assert_eq!(seen(&boxed.map(&mut Change)), seen(&changed));
}
