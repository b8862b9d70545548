//! A diffusion transformer has the sizes of its paper, sees all of its tokens and can be trained.

#![allow(clippy::unwrap_used, reason = "a failed test may panic")]
#![allow(clippy::float_cmp, reason = "equal to the bit is what is tested")]

mod common;

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};
use common::told::{ROWS, dit, everything, numbers, one_time, told_images};
use common::{built, difference, largest, ramp, stir, without_gradient};
use flow_nn::{
    Condition, Dit, DitConfig, Embeddings, Network, NetworkConfig, NetworkError, Signature, Time,
};

/// The code of the paper counts 675,129,632 numbers for DiT-XL/2 on latents of 4 x 32 x 32 with
/// 1,000 classes, and the paper gives 33, 130, 458 and 675 million. Ours lack two things: the
/// positions, which are no parameters, and the second half of the last layer, which is for a
/// variance.
#[test]
fn the_sizes_of_the_paper_have_as_many_parameters_as_it_says() {
    let latents = Signature { classes: 1000, ..Signature::of([4, 32, 32]) };
    for (config, published) in [
        (DitConfig::s(2), 33e6),
        (DitConfig::b(2), 130e6),
        (DitConfig::l(2), 458e6),
        (DitConfig::xl(2), 675e6),
    ] {
        let left_out = (256 * config.hidden + 16 * (config.hidden + 1)) as f64;
        let whole = config.footprint(&latents).parameters + left_out;
        assert!((whole - published).abs() < 1e6, "{config:?} has {whole}");
        if config.depth == 28 {
            assert_eq!(whole, 675_129_632.0);
        }
    }
}

#[test]
fn a_new_transformer_answers_zero_for_rows_of_every_shape() {
    let device = Device::flex();
    for shape in [&[5][..], &[6, 2], &[3, 4, 6]] {
        let signature = Signature::of(shape);
        let network = built(&dit(), &signature, &device);
        let y =
            network.forward(numbers(signature.size()), one_time(&signature), &Condition::none());
        assert_eq!((y.dims(), largest(y)), ([ROWS, signature.size()], 0.0));
    }
}

#[test]
fn gradients_reach_every_parameter() {
    let told =
        |shape: Vec<usize>, context: Vec<usize>| Signature { shape, context, ..told_images() };
    let own = DitConfig { embeddings: Embeddings::EachBlock, ..dit() };
    for (config, signature) in [
        (dit(), told_images()),
        (dit(), told(vec![6, 2], vec![4, 3])),
        (own, told(vec![3], vec![2])),
    ] {
        let network = stir(built(&config, &signature, &Device::flex()).train());
        let ad = Device::flex().autodiff();
        let condition = everything(&signature).to_device(&ad);
        let x = ramp([ROWS, signature.size()], &ad);
        let time = Time::from_to(ramp([ROWS], &ad), ramp([ROWS], &ad) * 0.5 + 0.3);
        let y = network.forward(x, time, &condition);
        let gradients = GradientsParams::from_grads(y.square().mean().backward(), &network);
        let missing = without_gradient(&network, &gradients);
        assert!(missing.is_empty(), "no gradient reaches {missing:?} of {signature:?}");
    }
}

/// Attention sees all tokens: a change of one number moves every number of the output.
#[test]
fn every_token_hears_every_other() {
    let device = Device::flex();
    for shape in [&[5][..], &[6, 2], &[2, 4, 6]] {
        let signature = Signature::of(shape);
        let network: Dit = stir(built(&dit(), &signature, &device));
        let size = signature.size();
        let one = |place: usize| {
            Tensor::<2>::zeros([1, size], &device)
                .slice_assign([0..1, place..place + 1], Tensor::ones([1, 1], &device))
        };
        let x = ramp([1, size], &device);
        let of = |x| network.forward(x, one_time(&signature), &Condition::none());
        let here = of(x.clone());
        for place in [0, size - 1] {
            let moved = (of(x.clone() + one(place)) - here.clone()).abs().min();
            let moved = moved.into_scalar::<f32>();
            assert!(moved > 1e-7, "{shape:?}: a number hears nothing of {place}");
        }
    }
}

/// Without positions a transformer would give the swapped sequence the swapped answer.
#[test]
fn a_transformer_knows_the_order_of_its_tokens() {
    let device = Device::flex();
    let signature = Signature::of([6, 2]);
    let network = stir(built(&dit(), &signature, &device));
    let swap = |x: Tensor<2>| x.reshape([1, 6, 2]).flip([1]).reshape([1, 12]);
    let x = ramp([1, 12], &device);
    let of = |x| network.forward(x, one_time(&signature), &Condition::none());
    assert!(difference(swap(of(x.clone())), of(swap(x))) > 1e-3);
}

#[test]
fn sizes_that_do_not_fit_are_named() {
    let device = Device::flex();
    let of = |config: DitConfig, shape: &[usize]| {
        config.init(&Signature::of(shape), &device).map(|_| ()).unwrap_err()
    };
    let digits = [1, 8, 8];
    assert_eq!(of(DitConfig { depth: 0, ..dit() }, &digits), NetworkError::Zero { field: "depth" });
    assert_eq!(
        of(DitConfig { heads: 3, ..dit() }, &digits),
        NetworkError::NotDivisible { field: "hidden", value: 16, divisor: 3 }
    );
    assert_eq!(
        of(DitConfig { patch: 3, ..dit() }, &[1, 9, 8]),
        NetworkError::NotDivisible { field: "width of the image", value: 8, divisor: 3 }
    );
    assert_eq!(of(DitConfig { patch: 0, ..dit() }, &digits), NetworkError::Zero { field: "patch" });
    for mlp_epsilon in [0.0, -1.0, f64::NAN, 1.0] {
        let error = of(DitConfig { mlp_epsilon, ..dit() }, &digits).to_string();
        assert!(error.contains("mlp_epsilon is") && error.contains("below 1"), "{error}");
    }
    let error = of(dit(), &[1, 2, 3, 4]).to_string();
    assert!(error.contains("dit takes points [d], sequences"), "{error}");
}
