//! Group normalisation with activation.

use burn::tensor::{DType, Device, Tensor};
use flow_kernels::{Activation, group_norm_act};

use crate::harness::{
    assert_differences_agree, assert_kernel_agrees, assert_threads_do_not_matter, outcome, value,
};

/// `[B, C, H, W]`, groups, rows of scale and of shift, activation.
type Case = ([usize; 4], usize, [usize; 2], Activation);

const EPSILON: f64 = 1e-5;

fn op(&([b, c, h, w], groups, [scales, shifts], act): &Case) -> impl Fn(&[Tensor<1>]) -> Tensor<1> {
    move |t| {
        let x = t[0].clone().reshape([b, c, h, w]);
        let scale = t[1].clone().reshape([scales, c]) + 1.0;
        let shift = t[2].clone().reshape([shifts, c]);
        group_norm_act(x, groups, EPSILON, scale, shift, act).reshape([b * c * h * w])
    }
}

fn lens(([b, c, h, w], _, [scales, shifts], _): &Case) -> [usize; 3] {
    [b * c * h * w, scales * c, shifts * c]
}

const CASES: [Case; 9] = [
    ([2, 8, 4, 4], 2, [1, 1], Activation::Silu),
    ([2, 8, 4, 4], 2, [1, 1], Activation::Identity),
    ([3, 6, 5, 7], 3, [3, 3], Activation::Silu),
    ([3, 6, 5, 7], 3, [3, 1], Activation::Identity),
    ([3, 6, 5, 7], 3, [3, 3], Activation::Gelu),
    ([1, 5, 3, 2], 5, [1, 1], Activation::Silu),
    ([2, 7, 9, 1], 1, [2, 2], Activation::Silu),
    ([4, 12, 1, 1], 3, [1, 4], Activation::Silu),
    ([2, 32, 33, 31], 8, [2, 2], Activation::Silu),
];

#[test]
fn kernel_and_composition_agree() {
    for case in CASES {
        assert_kernel_agrees(&format!("{case:?}"), &op(&case), &lens(&case));
    }
}

#[test]
fn composition_has_the_gradient_of_its_differences() {
    for case in [
        ([2, 4, 2, 3], 2, [1, 2], Activation::Silu),
        ([2, 4, 2, 3], 2, [2, 1], Activation::Identity),
    ] {
        assert_differences_agree(&format!("{case:?}"), &op(&case), &lens(&case));
    }
}

#[test]
fn a_view_of_other_strides_gives_the_same_numbers() {
    let op = |t: &[Tensor<1>]| {
        let x = t[0].clone().reshape([2, 5, 8, 3]).swap_dims(1, 2);
        let scale = t[1].clone().reshape([8, 2]).swap_dims(0, 1);
        let shift = t[2].clone().reshape([1, 8]).expand([2, 8]);
        group_norm_act(x, 4, EPSILON, scale, shift, Activation::Silu).reshape([240])
    };
    assert_kernel_agrees("views", &op, &[240, 16, 8]);
}

#[test]
fn an_argument_held_elsewhere_is_not_overwritten() {
    let device = Device::flex();
    let x = Tensor::<4>::ones([1, 2, 2, 2], &device);
    let ones = Tensor::<2>::ones([1, 2], &device);
    let _ = group_norm_act(x.clone(), 1, EPSILON, ones.clone(), ones, Activation::Silu);
    let ones = Tensor::<4>::ones([1, 2, 2, 2], &device);
    x.into_data().assert_eq(&ones.into_data(), true);
}

#[test]
fn threads_do_not_change_a_bit() {
    for case in [
        ([8, 32, 32, 32], 8, [1, 8], Activation::Silu),
        ([1, 8, 128, 128], 1, [1, 1], Activation::Identity),
    ] {
        assert_threads_do_not_matter(&format!("{case:?}"), &op(&case), &lens(&case));
    }
}

#[test]
fn an_empty_batch_gives_an_empty_result_and_zero_gradients() {
    let case: Case = ([0, 8, 4, 4], 2, [1, 1], Activation::Silu);
    assert!(value(&op(&case), &lens(&case), DType::F32).is_empty());
    let gradients = outcome(&op(&case), &lens(&case), DType::F32).gradients;
    assert!(gradients.iter().flatten().all(|&x| x == 0.0));
}

#[test]
#[should_panic(expected = "3 groups do not divide 8 channels")]
fn groups_that_do_not_divide_the_channels_panic() {
    let case: Case = ([1, 8, 2, 2], 3, [1, 1], Activation::Silu);
    let _ = value(&op(&case), &lens(&case), DType::F32);
}
