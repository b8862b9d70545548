//! Networks have the shapes they promise, listen to everything they are told, and can be trained.

#![allow(clippy::unwrap_used, reason = "a failed test may panic")]
#![allow(clippy::float_cmp, reason = "equal to the bit is what is tested")]

mod common;

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::{Device, Distribution, Tensor};
use common::{built, difference, ramp, stir, without_gradient};
use flow_nn::{
    Condition, FourierFeatures, Mlp, MlpConfig, Network, NetworkConfig, NetworkError, Signature,
    Time, UNetConfig, parameter_count,
};

/// A U-Net for gray images of 8 by 8 pixels in three classes.
fn small() -> (UNetConfig, Signature) {
    let config = UNetConfig {
        channels: 8,
        multipliers: vec![1, 2],
        blocks: 1,
        attention: vec![4],
        head_channels: 8,
        groups: 4,
        ..UNetConfig::default()
    };
    (config, Signature { classes: 3, ..Signature::of([1, 8, 8]) })
}

fn points(classes: usize) -> Signature {
    Signature { classes, ..Signature::of([2]) }
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
            multipliers,
            attention,
            channels: 16,
            head_channels: 16,
            ..UNetConfig::default()
        };
        let network = built(&config, &Signature::of([3, size, size]), &device);
        let x = ramp([2, 3 * size * size], &device);
        let y = network.forward(x, ramp([2], &device).into(), &Condition::none());
        assert_eq!(y.dims(), [2, 3 * size * size]);
    }
}

#[test]
fn an_untrained_unet_answers_zero() {
    let device = Device::flex();
    let (config, signature) = small();
    let network = built(&config, &signature, &device);
    let time = Time::at(ramp([2], &device));
    let y = network.forward(ramp([2, 64], &device), time, &Condition::none());
    assert_eq!(difference(y.zeros_like(), y), 0.0);
}

#[test]
fn a_unet_listens_to_time_and_class() {
    let device = Device::flex();
    let (config, signature) = small();
    let network = stir(built(&config, &signature, &device));
    let x = ramp([1, 64], &device);
    let at = |t: f32, class: usize| {
        let time = Time::at(Tensor::from_floats([t], &device));
        network.forward(x.clone(), time, &Condition::classes(&[class], &device))
    };
    assert!(difference(at(0.2, 0), at(0.8, 0)) > 1e-4);
    assert!(difference(at(0.2, 0), at(0.2, 1)) > 1e-4);
    let time = Time::at(Tensor::from_floats([0.2], &device));
    let none = network.forward(x.clone(), time, &Condition::none());
    assert_eq!(difference(none, at(0.2, 3)), 0.0, "no class is the null class");
}

#[test]
fn gradients_reach_every_parameter_of_a_unet() {
    let device = Device::flex();
    let (config, signature) = small();
    let network = stir(built(&config, &signature, &device).train());
    let ad = device.clone().autodiff();
    let condition = Condition::classes(&[0, 1, 2, 3], &ad);
    let y = network.forward(ramp([4, 64], &ad), ramp([4], &ad).into(), &condition);
    let gradients = GradientsParams::from_grads(y.square().mean().backward(), &network);
    let missing = without_gradient(&network, &gradients);
    assert!(missing.is_empty(), "no gradient reaches {missing:?}");
}

#[test]
fn gradients_reach_every_parameter_of_an_mlp() {
    let device = Device::flex();
    let config = MlpConfig { hidden: 16, ..MlpConfig::default() };
    let network = built(&config, &points(2), &device).train();
    let ad = device.autodiff();
    let condition = Condition::classes(&[0, 1, 2], &ad);
    let y = network.forward(ramp([3, 2], &ad), ramp([3], &ad).into(), &condition);
    let gradients = GradientsParams::from_grads(y.square().mean().backward(), &network);
    let missing = without_gradient(&network, &gradients);
    assert!(missing.is_empty(), "no gradient reaches {missing:?}");
}

#[test]
fn the_same_seed_gives_the_same_network_whatever_was_drawn_before() {
    let device = Device::flex();
    let mlp = || built(&MlpConfig::default(), &points(0), &device);
    let first = mlp();
    let _ = Tensor::<1>::random([17], Distribution::Default, &device);
    let second = mlp();
    let x = ramp([4, 2], &device);
    let time = Time::at(ramp([4], &device));
    let y = |network: &Mlp| network.forward(x.clone(), time.clone(), &Condition::none());
    assert_eq!(difference(y(&first), y(&second)), 0.0);
}

/// Input 2 (1 + 2 * 3) + 8 = 22; time 8 * 8 + 8 twice; layers 22 * 16 + 16 and 16 * 16 + 16;
/// output 16 * 2 + 2.
#[test]
fn an_mlp_has_as_many_parameters_as_its_sizes_say() {
    let config = MlpConfig {
        hidden: 16,
        depth: 2,
        time_features: 8,
        fourier: FourierFeatures { octaves: 3, wavelength: 8.0 },
        ..MlpConfig::default()
    };
    let expected = 2 * (8 * 8 + 8) + (22 * 16 + 16) + (16 * 16 + 16) + (16 * 2 + 2);
    assert_eq!(parameter_count(&built(&config, &points(0), &Device::flex())), expected);
}

#[test]
fn sizes_that_do_not_fit_are_named() {
    let device = Device::flex();
    let (base, digits) = small();
    let of = |config: UNetConfig, signature: &Signature| {
        config.init(signature, &device).map(|_| ()).unwrap_err()
    };
    let error = |config| of(config, &digits);
    assert_eq!(
        error(UNetConfig { channels: 0, ..base.clone() }),
        NetworkError::Zero { field: "channels" }
    );
    assert_eq!(
        error(UNetConfig { attention: vec![5], ..base.clone() }),
        NetworkError::NoSuchResolution { asked: 5, have: vec![8, 4] }
    );
    // Height and width are halved alike.
    let flat = UNetConfig { attention: vec![], ..base.clone() };
    for shape in [[1, 7, 7], [1, 7, 8], [1, 8, 7]] {
        assert_eq!(
            of(flat.clone(), &Signature::of(shape)),
            NetworkError::TooManyLevels { size: 7, halvings: 1 }
        );
    }
    for (shape, field) in [
        ([0, 8, 8], "channels of the image"),
        ([1, 0, 8], "height of the image"),
        ([1, 8, 0], "width of the image"),
    ] {
        assert_eq!(of(flat.clone(), &Signature::of(shape)), NetworkError::Zero { field });
    }
    assert!(matches!(
        error(UNetConfig { groups: 3, ..base }),
        NetworkError::NotDivisible { divisor: 3, .. }
    ));
}
