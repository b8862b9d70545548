//! Networks listen to vectors and contexts, and guidance hides them.

#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;

use burn::tensor::{Device, Tensor};
use common::bits;
use common::told::{
    ROWS, everything, flags, mlp, network, numbers, one_time, told_images, told_points, unet,
};
use flow_nn::{Condition, DynNetwork, Fusion, Network};

/// What each row answers to a condition, as bits.
fn rows(network: &DynNetwork, condition: &Condition) -> Vec<Vec<u32>> {
    let signature = network.signature();
    let y = network.forward(numbers(signature.size()), one_time(signature), condition);
    bits(y).chunks(signature.size()).map(<[u32]>::to_vec).collect()
}

/// The condition with other numbers in the first two rows of its vector and of its context.
fn changed(condition: &Condition) -> [(&'static str, Condition); 2] {
    let change = |part: &Tensor<2>| {
        let first = part.clone().narrow(0, 0, 2) + 1.0;
        Tensor::cat(vec![first, part.clone().narrow(0, 2, ROWS - 2)], 0)
    };
    let (vector, context) = (condition.vector.as_ref(), condition.context.as_ref());
    let base = || condition.clone();
    [
        ("vector", base().with_vector(change(vector.unwrap()))),
        ("context", base().with_context(change(context.unwrap()))),
    ]
}

#[test]
fn vector_and_context_are_listened_to_row_by_row_and_not_where_they_are_hidden() {
    for network in
        [network(&mlp(), &told_points()), network(&unet(4, Fusion::AdaptiveNorm), &told_images())]
    {
        let signature = network.signature();
        let condition = everything(signature);
        let before = rows(&network, &condition);
        for (part, changed) in changed(&condition) {
            if part == "context" && signature.context.is_empty() {
                continue;
            }
            let after = rows(&network, &changed);
            // The first row is seen, the second one hidden, the others are as they were.
            assert_ne!(after[0], before[0], "the {part} is not read");
            assert_eq!(after[1..], before[1..], "{part}: hidden numbers leak, or other rows");
            let hidden = rows(&network, &changed.with_hidden(flags([true; ROWS])));
            assert_ne!(hidden[0], after[0], "{part}: hiding changes nothing");
        }
        let seen = rows(&network, &condition.clone().with_hidden(flags([false; ROWS])));
        let mut open = condition;
        open.hidden = None;
        assert_eq!(seen, rows(&network, &open), "no flags mean that nothing is hidden");
    }
}

#[test]
fn what_guidance_hides_leaves_the_latent_alone() {
    let network = network(&unet(4, Fusion::AdaptiveNorm), &told_images());
    let signature = network.signature();
    let condition = everything(signature);
    let hidden = rows(&network, &condition.hide(signature));
    for (part, changed) in changed(&condition) {
        assert_eq!(rows(&network, &changed.hide(signature)), hidden, "the {part} leaks");
    }
    let nothing = Tensor::full([ROWS, 2], f32::NAN, &Device::flex());
    let missing = condition.clone().with_vector(nothing).hide(signature);
    assert_eq!(rows(&network, &missing), hidden, "what is missing leaks where it is hidden");
    let mut other = condition.clone();
    other.class = Condition::classes(&[1; ROWS], &Device::flex()).class;
    assert_eq!(rows(&network, &other.hide(signature)), hidden, "the class leaks");
    let latent = condition.with_latent(numbers(3) + 1.0);
    assert_ne!(rows(&network, &latent.hide(signature)), hidden, "the latent is kept");
}

#[test]
#[should_panic(expected = "expected a condition vector of 2 numbers per row, got Some(3)")]
fn a_vector_of_another_size_panics() {
    let network = network(&mlp(), &told_points());
    let condition = Condition::none().with_vector(numbers(3));
    let _ = network.forward(numbers(2), one_time(network.signature()), &condition);
}

#[test]
#[should_panic(expected = "expected a conditioning row of 192 numbers per row, got None")]
fn a_missing_context_panics() {
    let network = network(&unet(4, Fusion::AdaptiveNorm), &told_images());
    let mut condition = everything(network.signature());
    condition.context = None;
    let _ = network.forward(numbers(288), one_time(network.signature()), &condition);
}
