//! Attention.

use burn::tensor::{DType, Device, Tensor};
use flow_kernels::attention;

use crate::harness::{
    assert_differences_agree, assert_kernel_agrees, assert_threads_do_not_matter, value,
};

fn op(dims: [usize; 4]) -> impl Fn(&[Tensor<1>]) -> Tensor<1> {
    move |t| {
        let [q, k, v] = [0, 1, 2].map(|i| t[i].clone().reshape(dims));
        attention(q * 3.0, k, v).reshape([dims.iter().product::<usize>()])
    }
}

fn lens(dims: [usize; 4]) -> [usize; 3] {
    [dims.iter().product(); 3]
}

#[test]
fn kernel_and_composition_agree() {
    for dims in [[1, 1, 1, 1], [2, 3, 5, 7], [3, 2, 64, 16], [1, 2, 65, 8], [2, 1, 200, 24]] {
        assert_kernel_agrees(&format!("{dims:?}"), &op(dims), &lens(dims));
    }
}

#[test]
fn composition_has_the_gradient_of_its_differences() {
    let dims = [1, 2, 3, 2];
    assert_differences_agree("attention", &op(dims), &lens(dims));
}

#[test]
fn a_view_of_other_strides_gives_the_same_numbers() {
    let op = |t: &[Tensor<1>]| {
        let [q, k, v] = [0, 1, 2].map(|i| t[i].clone().reshape([2, 3, 4, 9]).swap_dims(2, 3));
        attention(q, k, v).reshape([216])
    };
    assert_kernel_agrees("views", &op, &[216; 3]);
}

#[test]
fn scores_far_apart_neither_overflow_nor_vanish() {
    let device = Device::flex();
    let q = Tensor::<4>::from_floats([[[[1e4], [-1e4]]]], &device);
    let v = Tensor::<4>::from_floats([[[[1.0], [2.0]]]], &device);
    let y = attention(q.clone(), q, v).into_data();
    y.assert_eq(&burn::tensor::TensorData::from([[[[1.0_f32], [2.0]]]]), true);
}

#[test]
fn threads_do_not_change_a_bit() {
    let dims = [4, 2, 130, 16];
    assert_threads_do_not_matter("attention", &op(dims), &lens(dims));
}

#[test]
fn an_empty_batch_gives_an_empty_result() {
    let dims = [0, 2, 4, 4];
    assert!(value(&op(dims), &lens(dims), DType::F32).is_empty());
}

#[test]
#[should_panic(expected = "expected keys of the queries' shape")]
fn keys_of_another_shape_panic() {
    let device = Device::flex();
    let q = Tensor::<4>::ones([1, 1, 2, 3], &device);
    let k = Tensor::<4>::ones([1, 1, 3, 3], &device);
    let _ = attention(q, k.clone(), k);
}
