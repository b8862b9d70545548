//! Linear maps with activation.

use burn::tensor::{DType, Device, Tensor, TensorData};
use flow_kernels::{Activation, linear_act};

use crate::harness::{
    assert_differences_agree, assert_kernel_agrees, assert_threads_do_not_matter, outcome, value,
};

/// Rows, inner size, outer size, activation.
type Case = (usize, usize, usize, Activation);

fn op(&(rows, inner, out, act): &Case) -> impl Fn(&[Tensor<1>]) -> Tensor<1> {
    move |t| {
        let x = t[0].clone().reshape([rows, inner]);
        let weight = t[1].clone().reshape([inner, out]);
        linear_act(x, weight, t.get(2).cloned(), act).reshape([rows * out])
    }
}

fn lens(&(rows, inner, out, _): &Case) -> [usize; 3] {
    [rows * inner, inner * out, out]
}

#[test]
fn kernel_and_composition_agree() {
    for case in [
        (1, 1, 1, Activation::Silu),
        (5, 3, 7, Activation::Identity),
        (33, 17, 9, Activation::Silu),
        (300, 20, 31, Activation::Silu),
        (1024, 64, 48, Activation::Silu),
        (1, 3, 1, Activation::Gelu),
        (300, 20, 31, Activation::Gelu),
        (300, 20, 31, Activation::GeluTanh),
    ] {
        assert_kernel_agrees(&format!("{case:?}"), &op(&case), &lens(&case));
        assert_kernel_agrees(&format!("{case:?} without bias"), &op(&case), &lens(&case)[..2]);
    }
}

/// Chunks of rows end in a row alone at 1, 33 and 97; inner sizes reach over the gemm crate's own
/// blocks of 512.
#[test]
fn a_row_has_the_same_bits_alone_and_among_others() {
    let device = Device::flex();
    for (inner, out) in [(1, 5), (2, 7), (3, 1), (17, 1), (20, 31), (256, 2), (700, 64), (600, 96)]
    {
        let number = |i: usize| ((i * 7919) % 1009) as f32 / 500.0 - 1.0;
        let tensor = |n: usize, size: usize| {
            let values: Vec<f32> = (0..n * size).map(number).collect();
            Tensor::<2>::from_data(TensorData::new(values, [n, size]), &device)
        };
        let (x, weight, bias) = (tensor(500, inner), tensor(inner, out), tensor(1, out));
        let rows = |n: usize| -> Vec<u32> {
            let x = x.clone().narrow(0, 0, n);
            let y =
                linear_act(x, weight.clone(), Some(bias.clone().reshape([out])), Activation::Silu);
            y.into_data().try_into_vec::<f32>().unwrap().into_iter().map(f32::to_bits).collect()
        };
        let all = rows(500);
        for n in [1, 2, 3, 31, 32, 33, 64, 97, 250] {
            assert!(rows(n) == all[..n * out], "{n} rows of [{inner}, {out}]");
        }
    }
}

#[test]
fn composition_has_the_gradient_of_its_differences() {
    for case in
        [(3, 4, 2, Activation::Silu), (2, 3, 3, Activation::Identity), (2, 5, 3, Activation::Gelu)]
    {
        assert_differences_agree(&format!("{case:?}"), &op(&case), &lens(&case));
    }
}

#[test]
fn a_view_of_other_strides_gives_the_same_numbers() {
    let op = |t: &[Tensor<1>]| {
        let x = t[0].clone().reshape([6, 40]).swap_dims(0, 1);
        let weight = t[1].clone().reshape([10, 6]).swap_dims(0, 1);
        linear_act(x, weight, Some(t[2].clone()), Activation::Silu).reshape([400])
    };
    assert_kernel_agrees("views", &op, &[240, 60, 10]);
}

#[test]
fn threads_do_not_change_a_bit() {
    for case in [
        (4096, 32, 64, Activation::Silu),
        (1000, 64, 64, Activation::Gelu),
        (70, 256, 256, Activation::Identity),
    ] {
        assert_threads_do_not_matter(&format!("{case:?}"), &op(&case), &lens(&case));
    }
}

#[test]
fn an_empty_batch_gives_an_empty_result_and_zero_gradients() {
    let case = (0, 8, 4, Activation::Silu);
    assert!(value(&op(&case), &lens(&case), DType::F32).is_empty());
    let gradients = outcome(&op(&case), &lens(&case), DType::F32).gradients;
    assert!(gradients.iter().flatten().all(|&x| x == 0.0));
}

#[test]
#[should_panic(expected = "expected a weight of shape [2, 4], got [3, 4]")]
fn a_weight_for_other_inputs_panics() {
    let device = Device::flex();
    let x = Tensor::<2>::ones([1, 2], &device);
    let _ = linear_act(x, Tensor::ones([3, 4], &device), None, Activation::Identity);
}
