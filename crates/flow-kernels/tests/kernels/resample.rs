//! Replication of pixels.

use burn::tensor::{DType, Device, Tensor, TensorData};
use flow_kernels::upsample_nearest;

use crate::harness::{
    assert_differences_agree, assert_kernel_agrees, assert_threads_do_not_matter, value,
};

fn op(dims: [usize; 4], factor: usize) -> impl Fn(&[Tensor<1>]) -> Tensor<1> {
    move |t| {
        let len = dims.iter().product::<usize>() * factor * factor;
        upsample_nearest(t[0].clone().reshape(dims), factor).reshape([len])
    }
}

#[test]
fn each_pixel_becomes_a_block() {
    let x = Tensor::<4>::from_floats([[[[1.0, 2.0]]]], &Device::flex());
    let expected = TensorData::from([[[[1.0_f32, 1.0, 2.0, 2.0], [1.0, 1.0, 2.0, 2.0]]]]);
    upsample_nearest(x, 2).into_data().assert_eq(&expected, true);
}

#[test]
fn kernel_and_composition_agree() {
    for (dims, factor) in
        [([2, 3, 4, 5], 2), ([1, 1, 1, 1], 3), ([2, 3, 7, 2], 1), ([1, 5, 3, 4], 4)]
    {
        let len = [dims.iter().product()];
        assert_kernel_agrees(&format!("{dims:?} by {factor}"), &op(dims, factor), &len);
    }
}

#[test]
fn composition_has_the_gradient_of_its_differences() {
    assert_differences_agree("upsample", &op([1, 2, 2, 3], 2), &[12]);
}

#[test]
fn threads_do_not_change_a_bit() {
    assert_threads_do_not_matter("upsample", &op([8, 16, 16, 16], 2), &[8 * 16 * 16 * 16]);
}

#[test]
fn an_empty_batch_gives_an_empty_result() {
    assert!(value(&op([0, 2, 3, 3], 2), &[0], DType::F32).is_empty());
}
