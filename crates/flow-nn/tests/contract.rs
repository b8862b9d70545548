//! The contract of a network, for every kind.

#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Device, Tensor};
use common::told::{
    ROWS, all, dit, everything, mlp, network, numbers, one_time, split, told_images, told_points,
    unet,
};
use common::{bits, built, difference, largest, ramp, stir, stir_except};
use flow_nn::{
    DynNetwork, Fusion, Network, NetworkConfig, NetworkError, Precision, Signature, Time,
};

#[test]
fn a_box_answers_as_the_network_inside() {
    let signature = told_images();
    let typed = stir(built(&unet(4, Fusion::AdaptiveNorm), &signature, &Device::flex()));
    let boxed = DynNetwork::new(typed.clone());
    assert_eq!(boxed.signature(), &signature);
    let (x, time, condition) = (numbers(288), one_time(&signature), everything(&signature));
    let inside = typed.forward(x.clone(), time.clone(), &condition);
    assert_eq!(bits(boxed.forward(x, time, &condition)), bits(inside));
}

/// One embedding of the time instead of five: rows of another product, the same up to rounding.
#[test]
fn one_time_for_all_rows_is_the_same_time_in_each() {
    for (name, network) in all() {
        let signature = network.signature();
        let (x, condition) = (numbers(signature.size()), everything(signature));
        let once = network.forward(x.clone(), one_time(signature), &condition);
        let each = network.forward(x, one_time(signature).expand(ROWS), &condition);
        assert_eq!(each.dims(), [ROWS, signature.size()], "{name}");
        assert!(largest(each.clone()) > 0.01, "{name} answers nothing");
        let gap = difference(once, each);
        assert!(gap < 1e-5, "{name}: {gap}");
    }
}

/// Operands between hidden numbers are off by up to 2^-9, and nothing else is.
#[test]
fn products_in_bf16_move_an_answer_a_little_and_those_in_f32_bring_it_back() {
    let native = Precision::Bf16.is_native_to(&Device::flex());
    for (name, mut network) in all() {
        let signature = network.signature().clone();
        let (x, time) = (numbers(signature.size()), one_time(&signature));
        let condition = everything(&signature);
        let answer = |network: &DynNetwork| network.forward(x.clone(), time.clone(), &condition);
        let exact = answer(&network);
        assert!(network.multiply_in(Precision::Bf16), "{name}");
        let gap = difference(exact.clone(), answer(&network)) / largest(exact.clone());
        assert!((0.0 < gap) == native && gap < 0.1, "{name}: {gap}");
        assert!(network.multiply_in(Precision::F32), "{name}");
        assert_eq!(bits(answer(&network)), bits(exact), "{name}");
    }
}

#[test]
fn a_row_does_not_depend_on_its_batch() {
    for (name, network) in all() {
        let signature = network.signature();
        let (x, condition) = (numbers(signature.size()), everything(signature));
        let t = ramp([ROWS], &Device::flex());
        let s = signature.two_times.then(|| t.clone() * 0.5 + 0.4);
        let whole = network.forward(x.clone(), Time { t: t.clone(), s: s.clone() }, &condition);
        for row in 0..ROWS {
            let of = |t: Tensor<1>| t.narrow(0, row, 1);
            let time = Time { t: of(t.clone()), s: s.clone().map(of) };
            let alone = x.clone().narrow(0, row, 1);
            let alone = network.forward(alone, time, &condition.narrow(row, 1));
            // Sums of a matrix product may be ordered by its size: a few roundings of numbers of
            // size 1.
            let gap = difference(whole.clone().narrow(0, row, 1), alone);
            assert!(gap < 1e-5, "{name}, row {row}: {gap}");
        }
        let gap = difference(whole.clone().narrow(0, 0, 1), whole.narrow(0, 1, 1));
        assert!(gap > 1e-4, "{name} answers all rows alike: {gap}");
    }
}

#[test]
fn conditions_outside_the_signature_change_nothing_to_the_bit() {
    for (name, network) in all() {
        let signature = network.signature();
        let (x, condition) = (numbers(signature.size()), everything(signature));
        let time = one_time(signature).expand(ROWS);
        let known = network.forward(x.clone(), time.clone(), &condition.only(signature));
        let told = network.forward(x.clone(), time.clone(), &condition);
        assert_eq!(bits(told), bits(known.clone()), "{name} reads what it was not built for");
        if !signature.two_times {
            let time = Time { s: Some(time.t.clone() + 0.1), ..time };
            let told = network.forward(x, time, &condition);
            assert_eq!(bits(told), bits(known), "{name} reads a second time");
        }
    }
}

/// Velocity and flow map of one seed, everything but the embedding of the duration off zero.
fn as_map<C: NetworkConfig>(config: &C, signature: &Signature) -> [C::Network; 2] {
    [false, true].map(|two_times| {
        let signature = Signature { two_times, ..signature.clone() };
        stir_except(built(config, &signature, &Device::flex()), Some("duration"))
    })
}

#[test]
fn a_new_map_is_the_velocity_wherever_it_arrives_and_a_trained_one_is_not() {
    fn check(name: &str, velocity: &dyn Network, map: &dyn Network, trained: &dyn Network) {
        let x = numbers(velocity.signature().size());
        let condition = everything(velocity.signature());
        let at = |t: f32| Tensor::<1>::from_floats([t], &Device::flex());
        let of = |network: &dyn Network, time: Time| network.forward(x.clone(), time, &condition);
        let here = of(velocity, Time::at(at(0.3)));
        assert!(largest(here.clone()) > 0.01, "{name} answers nothing");
        for s in [0.3, 0.8] {
            let there = of(map, Time::from_to(at(0.3), at(s)));
            assert_eq!(bits(there), bits(here.clone()), "{name}, to {s}");
        }
        // Where it starts is where a map without a second time arrives.
        let still = of(trained, Time::at(at(0.3)));
        assert_eq!(bits(of(trained, Time::from_to(at(0.3), at(0.3)))), bits(still.clone()));
        let gap = difference(of(trained, Time::from_to(at(0.3), at(0.8))), still);
        assert!(gap > 1e-4, "{name} does not read its time of arrival");
    }
    let [velocity, map] = as_map(&mlp(), &told_points());
    check("mlp", &velocity, &map, &stir(map.clone()));
    let [velocity, map] = as_map(&unet(4, Fusion::AdaptiveNorm), &told_images());
    check("unet", &velocity, &map, &stir(map.clone()));
    let [velocity, map] = as_map(&dit(), &told_images());
    check("dit", &velocity, &map, &stir(map.clone()));
}

/// Convolutions, norms and attention do not know which side is which, so that transposed kernels
/// give the transposed image.
#[test]
fn an_image_that_is_wider_than_high_is_the_transposed_of_one_that_is_higher_than_wide() {
    struct Transpose;
    impl ModuleMapper for Transpose {
        fn map_float<const D: usize>(&mut self, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
            parameter.map(|p| if D == 4 { p.swap_dims(2, 3) } else { p })
        }
    }
    let of = |height: usize, width: usize| {
        let signature = Signature { context: vec![2, height, width], ..told_images() };
        let signature = Signature { shape: vec![3, height, width], ..signature };
        network(&unet(height / 2, Fusion::AdaptiveNorm), &signature)
    };
    let transposed = |rows: Tensor<2>, channels: usize| {
        let size = channels * 8 * 12;
        rows.reshape([ROWS, channels, 8, 12]).swap_dims(2, 3).reshape([ROWS, size])
    };
    let (wide, high) = (of(8, 12), of(12, 8));
    let (time, condition) = (one_time(wide.signature()), everything(wide.signature()));
    let context = transposed(condition.context.clone().unwrap(), 2);
    let x = transposed(numbers(288), 3);
    let expected = transposed(wide.forward(numbers(288), time.clone(), &condition), 3);
    let condition = condition.with_context(context);
    // Numbers of size 1, summed in another order.
    let got = high.clone().map(&mut Transpose).forward(x.clone(), time.clone(), &condition);
    let gap = difference(got, expected.clone());
    assert!(gap < 1e-5, "{gap}");
    // The control: its own kernels give another image.
    assert!(difference(high.forward(x, time, &condition), expected) > 1e-3);
}

#[test]
fn what_a_network_has_no_place_for_is_named() {
    fn error<C: NetworkConfig>(config: &C, signature: &Signature) -> NetworkError {
        config.init(signature, &Device::flex()).map(|_| ()).unwrap_err()
    }
    let points = || Signature::of([2]);
    let no = |kind, what| NetworkError::CannotTake { kind, what };
    for (signature, what) in [
        (Signature { context: vec![2], ..points() }, "conditioning row"),
        (Signature { latent: 3, ..points() }, "latent"),
    ] {
        assert_eq!(error(&mlp(), &signature), no("mlp", what));
    }
    for (signature, what) in [
        (Signature { classes: 3, ..points() }, "classes"),
        (Signature { vector: 2, ..points() }, "condition vector"),
        (Signature { context: vec![2], ..points() }, "conditioning row"),
        (Signature { two_times: true, ..points() }, "second time"),
    ] {
        assert_eq!(error(&split(), &signature), no("split-mlp", what));
    }
    let (images, unet) = (Signature::of([3, 8, 12]), unet(4, Fusion::AdaptiveNorm));
    let shape = |kind, need, signature: &Signature| NetworkError::Shape {
        kind,
        need,
        shape: signature.shape.clone(),
    };
    assert_eq!(error(&mlp(), &images), shape("mlp", "points, [d]", &images));
    assert_eq!(error(&split(), &images), shape("split-mlp", "points, [d]", &images));
    let need = "images, [channels, height, width]";
    assert_eq!(error(&unet, &points()), shape("unet", need, &points()));
    let need = "a conditioning image of the height and width of its rows";
    for context in [vec![2, 12, 8], vec![8, 12], vec![2, 8, 12, 1]] {
        let context = Signature { context, ..images.clone() };
        let expected = NetworkError::Shape { kind: "unet", need, shape: context.context.clone() };
        assert_eq!(error(&unet, &context), expected);
    }
    let field = "channels of the conditioning image";
    let context = Signature { context: vec![0, 8, 12], ..images };
    assert_eq!(error(&unet, &context), NetworkError::Zero { field });
    let words = "split-mlp takes no classes, use another kind of network or leave that out";
    assert_eq!(no("split-mlp", "classes").to_string(), words);
}
