//! Attention.

use std::sync::Arc;

use burn::tensor::{DType, Device, Tensor};
use flow_kernels::{attention, attention_within};

use crate::harness::{
    assert_differences_agree, assert_kernel_agrees, assert_threads_do_not_matter, numbers, outcome,
    value,
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

/// Samples of one shape that end after so many tokens.
fn within(dims: [usize; 4], lengths: &[usize]) -> impl Fn(&[Tensor<1>]) -> Tensor<1> {
    let lengths: Arc<[usize]> = lengths.into();
    move |t| {
        let [q, k, v] = [0, 1, 2].map(|i| t[i].clone().reshape(dims));
        attention_within(q * 3.0, k, v, &lengths).reshape([dims.iter().product::<usize>()])
    }
}

#[test]
fn within_lengths_kernel_and_composition_agree() {
    for (dims, lengths) in [
        ([1, 1, 1, 1], &[1][..]),
        ([3, 2, 5, 7], &[5, 1, 3]),
        ([2, 3, 130, 16], &[65, 130]),
        ([3, 1, 64, 8], &[0, 64, 63]),
    ] {
        let name = format!("{dims:?} within {lengths:?}");
        assert_kernel_agrees(&name, &within(dims, lengths), &lens(dims));
    }
}

#[test]
fn the_composition_within_lengths_has_the_gradient_of_its_differences() {
    let dims = [2, 2, 3, 2];
    assert_differences_agree("attention within", &within(dims, &[3, 2]), &lens(dims));
}

/// The first `length` tokens of `[1, heads, N, d]` numbers.
fn cut(x: &[f64], [heads, tokens, d]: [usize; 3], length: usize) -> Vec<f64> {
    (0..heads).flat_map(|head| x[head * tokens * d..][..length * d].to_vec()).collect()
}

#[test]
fn a_padded_batch_is_the_samples_alone_and_zero_behind_their_ends() {
    let (dims, lengths) = ([3, 2, 70, 8], [70, 1, 66]);
    let [_, heads, tokens, d] = dims;
    let sample = heads * tokens * d;
    for dtype in [DType::F32, DType::F64] {
        let padded = outcome(&within(dims, &lengths), &lens(dims), dtype);
        for (i, &length) in lengths.iter().enumerate() {
            let own = |x: &[f64]| x[i * sample..(i + 1) * sample].to_vec();
            let inside = |x: &[f64]| cut(&own(x), [heads, tokens, d], length);
            let parts = [0, 1, 2].map(|stream| inside(&numbers(3 * sample, stream)));
            let cotangent = inside(&numbers(3 * sample, 3));
            let alone = alone(&parts, &cotangent, [1, heads, length, d], dtype);
            let found =
                [&padded.value, &padded.gradients[0], &padded.gradients[1], &padded.gradients[2]];
            for (what, (found, alone)) in found.into_iter().zip(&alone).enumerate() {
                // Another number of tokens is another order of sums.
                let near = inside(found).iter().zip(alone).all(|(a, b)| (a - b).abs() < 1e-5);
                assert!(near, "{dtype:?}, sample {i}, part {what}");
                let behind = own(found).iter().filter(|x| **x != 0.0).count();
                assert!(behind <= heads * length * d, "sample {i}, part {what}: not zero behind");
            }
        }
        // The control: with every token attended to, short samples are others.
        let whole = outcome(&within(dims, &[tokens; 3]), &lens(dims), dtype);
        let [a, b] =
            [&padded.value, &whole.value].map(|x| cut(&x[sample..], [heads, tokens, d], 1));
        assert!(a.iter().zip(&b).any(|(a, b)| (a - b).abs() > 0.05), "padding is attended to");
    }
}

/// Result and gradients of attention to all tokens, for these queries, keys, values and cotangents.
fn alone(
    parts: &[Vec<f64>; 3],
    cotangent: &[f64],
    dims: [usize; 4],
    dtype: DType,
) -> [Vec<f64>; 4] {
    let device = Device::flex().autodiff();
    let tensor = |x: &[f64]| {
        let data = burn::tensor::TensorData::new(x.to_vec(), dims);
        Tensor::<4>::from_data(data, (&device, dtype))
    };
    let [q, k, v] = [0, 1, 2].map(|i| tensor(&parts[i]).require_grad());
    let y = attention(q.clone() * 3.0, k.clone(), v.clone());
    let gradients = (y.clone() * tensor(cotangent)).sum().backward();
    let read = |x: Tensor<4>| x.into_data().iter::<f64>().collect::<Vec<_>>();
    let of = |x: &Tensor<4>| read(x.grad(&gradients).expect("it takes part"));
    [read(y), of(&q), of(&k), of(&v)]
}

#[test]
fn threads_do_not_change_a_bit_within_lengths() {
    let dims = [4, 2, 130, 16];
    assert_threads_do_not_matter("attention", &within(dims, &[130, 7, 64, 65]), &lens(dims));
}

#[test]
#[should_panic(expected = "expected 2 lengths of at most 3 tokens, got [3, 4]")]
fn lengths_behind_the_last_token_panic() {
    let x = Tensor::<4>::ones([2, 1, 3, 2], &Device::flex());
    let _ = attention_within(x.clone(), x.clone(), x, &Arc::from([3, 4]));
}
