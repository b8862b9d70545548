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

/// Table 4 of the paper gives 6.06, 23.01, 80.71 and 118.64 Gflops, in which a product and its sum
/// are one, for latents of 4 x 32 x 32.
#[test]
fn the_sizes_of_the_paper_take_as_many_products_as_it_says() {
    let latents = Signature { classes: 1000, ..Signature::of([4, 32, 32]) };
    for (config, published) in [
        (DitConfig::s(2), 6.06e9),
        (DitConfig::b(2), 23.01e9),
        (DitConfig::l(2), 80.71e9),
        (DitConfig::xl(2), 118.64e9),
    ] {
        let products = config.footprint(&latents).products;
        assert!((products / published - 1.0).abs() < 2e-3, "{config:?} takes {products:e}");
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

/// A transformer of sequences of `length` elements of two numbers, with the weights of one seed,
/// and what it answers to each row of the same numbers, cut or filled up.
fn of_length(length: usize, lengths: Option<&[usize]>) -> (Dit, Tensor<2>, Condition) {
    let signature = Signature { lengths: lengths.is_some(), ..Signature::of([length, 2]) };
    let network = stir(built(&dit(), &signature, &Device::flex()).train());
    let all = ramp([ROWS, 7, 2], &Device::flex()).narrow(1, 0, length);
    let condition = match lengths {
        Some(lengths) => Condition::none().with_lengths(lengths),
        None => Condition::none(),
    };
    (network, all.reshape([ROWS, length * 2]), condition)
}

#[test]
fn a_padded_batch_is_the_sequences_alone_and_zero_behind_their_ends() {
    let (network, x, condition) = of_length(7, Some(&[4; ROWS]));
    let time = || Time::at(ramp([ROWS], &Device::flex()).abs());
    let padded = network.forward(x.clone(), time(), &condition).reshape([ROWS, 7, 2]);
    let (short, alone, none) = of_length(4, None);
    let expected = short.forward(alone, time(), &none).reshape([ROWS, 4, 2]);
    let inside = padded.clone().narrow(1, 0, 4);
    // Seven tokens in place of four are another order of sums in matrix products.
    assert!(difference(inside.clone(), expected) < 1e-5);
    assert_eq!(largest(padded.narrow(1, 4, 3)), 0.0);
    // The control: with all tokens there, the first four read the others.
    let whole = Condition::none().with_lengths(&[7; ROWS]);
    let heard = network.forward(x, time(), &whole).reshape([ROWS, 7, 2]).narrow(1, 0, 4);
    assert!(difference(inside, heard) > 1e-3);
}

#[test]
fn numbers_behind_the_end_have_no_gradient_and_no_part_in_that_of_the_weights() {
    let ad = Device::flex().autodiff();
    let lengths: Vec<usize> = (0..ROWS).map(|row| 1 + 2 * (row % 3)).collect();
    let gradients = |filling: f64| {
        let (network, x, condition) = of_length(7, Some(&lengths));
        let there = condition.within(network.signature(), &x).unwrap().greater_elem(0.0);
        let x = x.mask_fill(there.clone().bool_not(), filling);
        let x = Tensor::<2>::from_data(x.into_data(), &ad).require_grad();
        let time = Time::at(ramp([ROWS], &ad).abs());
        let y = network.forward(x.clone(), time, &condition);
        let all = y.square().sum().backward();
        let own = x.grad(&all).unwrap();
        let behind = own.clone().mask_fill(there.clone(), 0.0);
        let inside = largest(own.mask_fill(there.bool_not(), 0.0));
        let gradients = GradientsParams::from_grads(all, &network);
        assert!(without_gradient(&network, &gradients).is_empty());
        let qkv = gradients_of(&network, &gradients);
        (largest(behind), inside, qkv)
    };
    let (behind, inside, weights) = gradients(0.3);
    assert!(behind == 0.0 && 1e-3 < inside, "{behind}, {inside}");
    let (_, _, other) = gradients(-20.0);
    assert_eq!(weights, other, "what fills the row reaches the weights");
}

/// Bits of the gradients of all weights, in order.
fn gradients_of(network: &Dit, gradients: &GradientsParams) -> Vec<Vec<u32>> {
    struct All<'a>(&'a GradientsParams, Vec<Vec<u32>>);
    impl burn::module::ModuleVisitor for All<'_> {
        fn visit_float<const D: usize>(&mut self, parameter: &burn::module::Param<Tensor<D>>) {
            self.1.extend(self.0.get::<D>(parameter.id).map(common::bits));
        }
    }
    let mut all = All(gradients, Vec::new());
    network.visit(&mut all);
    all.1
}

#[test]
fn what_cannot_end_early_is_refused() {
    let refused = |signature: Signature| {
        let signature = Signature { lengths: true, ..signature };
        dit().init(&signature, &Device::flex()).map(drop).unwrap_err().to_string()
    };
    let error = refused(Signature::of([3, 4, 4]));
    assert!(error.contains("lengths of other rows than sequences"), "{error}");
    let error = refused(Signature { context: vec![3, 2], ..Signature::of([4, 2]) });
    assert!(error.contains("lengths beside a context"), "{error}");
}
