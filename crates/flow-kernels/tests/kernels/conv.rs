//! Convolution.

use burn::tensor::{DType, Device, Tensor, TensorData};
use flow_kernels::conv2d;

use crate::harness::{
    assert_differences_agree, assert_kernel_agrees, assert_threads_do_not_matter, numbers, outcome,
    value,
};

/// `[B, C_in, H, W]`, `[C_out, k_h, k_w]`, stride, padding.
type Case = ([usize; 4], [usize; 3], usize, usize);

fn op(&([b, c, h, w], [o, kh, kw], stride, padding): &Case) -> impl Fn(&[Tensor<1>]) -> Tensor<1> {
    move |t| {
        let (x, weight) = (t[0].clone().reshape([b, c, h, w]), t[1].clone());
        let weight = weight.reshape([o, c, kh, kw]);
        let y = conv2d(x, weight, t.get(2).cloned(), stride, padding);
        let len = y.shape().num_elements();
        y.reshape([len])
    }
}

fn lens(([b, c, h, w], [o, kh, kw], ..): &Case) -> [usize; 3] {
    [b * c * h * w, o * c * kh * kw, *o]
}

const CASES: [Case; 18] = [
    ([2, 3, 8, 8], [5, 3, 3], 1, 1),
    ([3, 8, 7, 9], [16, 3, 3], 1, 1),
    ([2, 4, 9, 6], [3, 3, 3], 2, 1),
    ([1, 1, 1, 1], [1, 1, 1], 1, 0),
    ([2, 7, 5, 4], [6, 1, 1], 1, 0),
    ([2, 7, 5, 4], [6, 1, 1], 2, 0),
    ([2, 3, 8, 5], [4, 3, 3], 1, 0),
    ([2, 3, 8, 5], [4, 2, 3], 1, 1),
    ([1, 5, 6, 6], [4, 4, 4], 4, 0),
    // The padding is as wide as the kernel, so the gradient is no convolution.
    ([2, 2, 4, 4], [3, 2, 2], 1, 2),
    ([1, 16, 40, 33], [24, 5, 5], 1, 2),
    ([17, 4, 6, 6], [4, 3, 3], 1, 1),
    // Images too large for a vector of them: patches are unfolded.
    ([3, 16, 32, 32], [16, 3, 3], 2, 1),
    ([2, 16, 32, 32], [8, 1, 1], 1, 0),
    // Several bands of tiles, the last row and column of tiles half outside.
    ([2, 40, 33, 31], [48, 3, 3], 1, 1),
    // More output channels than a block of vectors, and rows of every remainder.
    ([2, 5, 3, 19], [33, 3, 3], 1, 1),
    ([2, 3, 1, 13], [64, 3, 3], 1, 1),
    ([3, 64, 5, 1], [1, 3, 3], 1, 1),
];

#[test]
fn kernel_and_composition_agree() {
    for case in CASES {
        assert_kernel_agrees(&format!("{case:?}"), &op(&case), &lens(&case));
        assert_kernel_agrees(&format!("{case:?} without bias"), &op(&case), &lens(&case)[..2]);
    }
}

#[test]
fn composition_has_the_gradient_of_its_differences() {
    for case in [([2, 2, 4, 3], [3, 3, 3], 1, 1), ([1, 2, 5, 4], [2, 3, 2], 2, 1)] {
        assert_differences_agree(&format!("{case:?}"), &op(&case), &lens(&case));
    }
}

#[test]
fn a_view_of_other_strides_gives_the_same_numbers() {
    let case: Case = ([2, 3, 6, 5], [4, 3, 3], 1, 1);
    let op = |t: &[Tensor<1>]| {
        let x = t[0].clone().reshape([2, 6, 3, 5]).swap_dims(1, 2);
        let weight = t[1].clone().reshape([3, 4, 3, 3]).swap_dims(0, 1);
        let y = conv2d(x, weight, Some(t[2].clone()), 1, 1);
        let len = y.shape().num_elements();
        y.reshape([len])
    };
    assert_kernel_agrees("views", &op, &lens(&case));
}

#[test]
fn threads_do_not_change_a_bit() {
    // One image shared by all threads, fewer and more images than chunks, and a strided one.
    for case in [
        ([1, 32, 32, 32], [64, 3, 3], 1, 1),
        ([5, 32, 32, 32], [32, 3, 3], 1, 1),
        ([40, 8, 16, 16], [24, 3, 3], 1, 1),
        ([6, 16, 32, 32], [16, 3, 3], 2, 1),
        ([40, 16, 7, 7], [64, 1, 1], 1, 0),
        ([20, 32, 8, 8], [32, 3, 3], 2, 1),
    ] {
        assert_threads_do_not_matter(&format!("{case:?}"), &op(&case), &lens(&case));
    }
}

#[test]
fn an_image_does_not_depend_on_its_batch() {
    for (kernel, stride, padding) in [(3, 1, 1), (3, 2, 1), (1, 1, 0)] {
        let rows = |b: usize| -> Vec<f64> {
            let case: Case = ([b, 24, 8, 8], [20, kernel, kernel], stride, padding);
            let weight = numbers(20 * 24 * kernel * kernel, 1);
            let inputs = [numbers(40 * 24 * 64, 0)[..b * 24 * 64].to_vec(), weight, numbers(20, 2)];
            let tensors = inputs.map(|v| {
                let len = v.len();
                Tensor::from_data(TensorData::new(v, [len]), (&Device::flex(), DType::F32))
            });
            op(&case)(&tensors).into_data().iter::<f64>().collect()
        };
        let (few, many) = (rows(3), rows(40));
        assert!(many[..few.len()] == few, "kernel {kernel}, stride {stride}");
    }
}

#[test]
fn an_empty_batch_gives_an_empty_result_and_zero_gradients() {
    let case: Case = ([0, 3, 8, 8], [5, 3, 3], 1, 1);
    assert!(value(&op(&case), &lens(&case), DType::F32).is_empty());
    let gradients = outcome(&op(&case), &lens(&case), DType::F32).gradients;
    assert!(gradients.iter().flatten().all(|&x| x == 0.0));
}

#[test]
fn frozen_parameters_leave_the_gradient_of_the_input_alone() {
    let device = Device::flex();
    let x = Tensor::<4>::ones([1, 2, 4, 4], &device.clone().autodiff()).require_grad();
    let weight = Tensor::<4>::ones([3, 2, 1, 1], &device);
    let grads = conv2d(x.clone(), weight, None, 1, 0).sum().backward();
    let gradient = x.grad(&grads).expect("x is tracked");
    gradient
        .into_data()
        .assert_eq(&Tensor::<4>::full([1, 2, 4, 4], 3.0, &device).into_data(), true);
}

#[test]
#[should_panic(expected = "expected a weight of shape [3, 2, 1, 1], got [3, 3, 1, 1]")]
fn a_weight_for_other_channels_panics() {
    let device = Device::flex();
    let x = Tensor::<4>::ones([1, 2, 4, 4], &device);
    let _ = conv2d(x, Tensor::ones([3, 3, 1, 1], &device), None, 1, 0);
}
