//! Networks have the shapes they promise, listen to everything they are told, and can be trained.

#![allow(clippy::unwrap_used, reason = "a failed test may panic")]
#![allow(clippy::float_cmp, reason = "equal to the bit is what is tested")]

mod common;

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Distribution, Tensor};
use common::{difference, ramp, stir};
use flow_nn::{
    Condition, FourierFeatures, Mlp, MlpConfig, Network, NetworkError, SplitMlpConfig, UNet,
    UNetConfig, init_seeded, parameter_count,
};

fn unet(config: &UNetConfig, device: &Device) -> UNet {
    init_seeded(5, device, |device| config.init(device)).unwrap()
}

fn mlp(config: &MlpConfig, device: &Device) -> Mlp {
    init_seeded(5, device, |device| config.init(device)).unwrap()
}

fn small(size: usize) -> UNetConfig {
    UNetConfig {
        image_channels: 1,
        size,
        channels: 8,
        multipliers: vec![1, 2],
        blocks: 1,
        attention: vec![size / 2],
        head_channels: 8,
        groups: 4,
        classes: 3,
        ..UNetConfig::default()
    }
}

#[test]
fn unets_keep_the_shape_from_8_to_64_pixels() {
    let device = Device::flex();
    for (size, multipliers, attention) in [
        (8, vec![1, 2], vec![4]),
        (28, vec![1, 2, 2], vec![7]),
        (32, vec![1, 2, 2], vec![8]),
        (64, vec![1, 1, 2, 2], vec![8, 16]),
    ] {
        let config = UNetConfig {
            image_channels: 3,
            size,
            multipliers,
            attention,
            channels: 16,
            head_channels: 16,
            ..UNetConfig::default()
        };
        let network = unet(&config, &device);
        let x = ramp([2, 3, size, size], &device);
        let y = network.forward(x, ramp([2], &device), &Condition::none());
        assert_eq!(y.dims(), [2, 3, size, size]);
    }
}

#[test]
fn an_untrained_unet_answers_zero() {
    let device = Device::flex();
    let network = unet(&small(8), &device);
    let y = network.forward(ramp([2, 1, 8, 8], &device), ramp([2], &device), &Condition::none());
    assert_eq!(difference(y.zeros_like(), y), 0.0);
}

#[test]
fn a_unet_listens_to_time_and_class() {
    let device = Device::flex();
    let network = stir(unet(&small(8), &device));
    let x = ramp([1, 1, 8, 8], &device);
    let at = |t: f32, class: usize| {
        let t = Tensor::from_floats([t], &device);
        network.forward(x.clone(), t, &Condition::classes(&[class], &device))
    };
    assert!(difference(at(0.2, 0), at(0.8, 0)) > 1e-4);
    assert!(difference(at(0.2, 0), at(0.2, 1)) > 1e-4);
    let none = network.forward(x.clone(), Tensor::from_floats([0.2], &device), &Condition::none());
    assert_eq!(difference(none, at(0.2, 3)), 0.0, "no class is the null class");
}

#[test]
fn rows_do_not_see_each_other() {
    let device = Device::flex();
    let network = stir(unet(&small(8), &device));
    let (x, t) = (ramp([3, 1, 8, 8], &device), ramp([3], &device));
    let condition = Condition::classes(&[0, 1, 2], &device);
    let whole = network.forward(x.clone(), t.clone(), &condition).narrow(0, 1, 1);
    let alone = network.forward(x.narrow(0, 1, 1), t.narrow(0, 1, 1), &condition.narrow(1, 1));
    // Sums of a matrix product may be ordered by its size: a few roundings of numbers of size 1.
    assert!(difference(whole, alone) < 1e-5);
}

/// One embedding of the time instead of five: rows of another product, the same up to rounding.
#[test]
fn one_time_for_all_rows_is_the_same_time_in_each() {
    fn check<N: Network<D>, const D: usize>(network: &N, x: Tensor<D>, condition: &Condition) {
        let device = x.device();
        let t = Tensor::<1>::from_floats([0.37], &device);
        let once = network.forward_at(x.clone(), t.clone(), condition);
        let each = network.forward(x, t.expand([5]), condition);
        assert!(each.clone().abs().max().into_scalar::<f32>() > 0.01);
        assert!(difference(once, each) < 1e-5);
    }
    let device = Device::flex();
    let classes = Condition::classes(&[0, 2, 1, 3, 0], &device);
    let points = ramp([5, 2], &device);
    check(&stir(unet(&small(8), &device)), ramp([5, 1, 8, 8], &device), &classes);
    let config = MlpConfig { hidden: 16, classes: 3, ..MlpConfig::default() };
    check(&mlp(&config, &device), points.clone(), &classes);
    let config = SplitMlpConfig { dim: 2, latent: 4, ..SplitMlpConfig::default() };
    let split = init_seeded(5, &device, |device| config.init(device)).unwrap();
    check(&split, points, &Condition::none().with_latent(ramp([5, 4], &device)));
}

fn without_gradient<M: Module>(module: &M, gradients: &GradientsParams) -> Vec<String> {
    struct Missing<'a>(&'a GradientsParams, Vec<String>, Vec<String>);
    impl ModuleVisitor for Missing<'_> {
        fn enter_module(&mut self, name: &str, _: &str) {
            self.1.push(name.into());
        }
        fn exit_module(&mut self, _: &str, _: &str) {
            self.1.pop();
        }
        fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
            let zero = self
                .0
                .get::<D>(parameter.id)
                .is_none_or(|g| g.abs().max().into_scalar::<f32>() == 0.0);
            if zero {
                self.2.push(self.1.join("."));
            }
        }
    }
    let mut missing = Missing(gradients, Vec::new(), Vec::new());
    module.visit(&mut missing);
    missing.2
}

#[test]
fn gradients_reach_every_parameter_of_a_unet() {
    let device = Device::flex();
    let network = stir(unet(&small(8), &device).train());
    let ad = device.clone().autodiff();
    let condition = Condition::classes(&[0, 1, 2, 3], &ad);
    let y = network.forward(ramp([4, 1, 8, 8], &ad), ramp([4], &ad), &condition);
    let gradients = GradientsParams::from_grads(y.square().mean().backward(), &network);
    let missing = without_gradient(&network, &gradients);
    assert!(missing.is_empty(), "no gradient reaches {missing:?}");
}

#[test]
fn gradients_reach_every_parameter_of_an_mlp() {
    let device = Device::flex();
    let config = MlpConfig { hidden: 16, classes: 2, ..MlpConfig::default() };
    let network = mlp(&config, &device).train();
    let ad = device.autodiff();
    let condition = Condition::classes(&[0, 1, 2], &ad);
    let y = network.forward(ramp([3, 2], &ad), ramp([3], &ad), &condition);
    let gradients = GradientsParams::from_grads(y.square().mean().backward(), &network);
    let missing = without_gradient(&network, &gradients);
    assert!(missing.is_empty(), "no gradient reaches {missing:?}");
}

#[test]
fn the_same_seed_gives_the_same_network_whatever_was_drawn_before() {
    let device = Device::flex();
    let config = MlpConfig::default();
    let first = mlp(&config, &device);
    let _ = Tensor::<1>::random([17], Distribution::Default, &device);
    let second = mlp(&config, &device);
    let x = ramp([4, 2], &device);
    let y = |network: &Mlp| network.forward(x.clone(), ramp([4], &device), &Condition::none());
    assert_eq!(difference(y(&first), y(&second)), 0.0);
}

/// Input 2 (1 + 2 * 3) + 8 = 22; time 8 * 8 + 8 twice; layers 22 * 16 + 16 and 16 * 16 + 16;
/// output 16 * 2 + 2.
#[test]
fn an_mlp_has_as_many_parameters_as_its_sizes_say() {
    let config = MlpConfig {
        dim: 2,
        hidden: 16,
        depth: 2,
        time_features: 8,
        fourier: FourierFeatures { octaves: 3, wavelength: 8.0 },
        classes: 0,
    };
    let expected = 2 * (8 * 8 + 8) + (22 * 16 + 16) + (16 * 16 + 16) + (16 * 2 + 2);
    assert_eq!(parameter_count(&mlp(&config, &Device::flex())), expected);
}

#[test]
fn sizes_that_do_not_fit_are_named() {
    let device = Device::flex();
    let error = |config: UNetConfig| config.init(&device).map(|_| ()).unwrap_err();
    let base = small(8);
    assert_eq!(
        error(UNetConfig { channels: 0, ..base.clone() }),
        NetworkError::Zero { field: "channels" }
    );
    assert_eq!(
        error(UNetConfig { attention: vec![5], ..base.clone() }),
        NetworkError::NoSuchResolution { asked: 5, have: vec![8, 4] }
    );
    assert_eq!(
        error(UNetConfig { size: 7, attention: vec![], ..base.clone() }),
        NetworkError::TooManyLevels { size: 7, halvings: 1 }
    );
    assert!(matches!(
        error(UNetConfig { groups: 3, ..base }),
        NetworkError::NotDivisible { divisor: 3, .. }
    ));
}
