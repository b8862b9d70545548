//! Products of rounded operands: layers and convolutions, forward and backward.
//!
//! On a CPU without such products they are those of `f32`, and so is what is tested.

use burn::tensor::{DType, Device, Tensor, TensorData};
use flow_kernels::{Activation, Precision, conv2d_in, linear_act_in};

use crate::harness::{
    Operation, assert_close, assert_threads_do_not_matter, numbers, outcome, outcome_of, sixteenths,
};

/// Sizes of the operands, and the operation in a precision.
struct Case {
    name: String,
    lens: Vec<usize>,
    op: Box<Rounded>,
}

type Rounded = dyn Fn(&[Tensor<1>], Precision) -> Tensor<1> + Sync;

impl Case {
    fn with<R>(&self, precision: Precision, f: impl FnOnce(Operation<'_>) -> R) -> R {
        f(&|t: &[Tensor<1>]| (self.op)(t, precision))
    }
}

fn linear(rows: usize, inner: usize, out: usize, act: Activation) -> Case {
    let op = move |t: &[Tensor<1>], precision: Precision| {
        let (x, weight) = (t[0].clone().reshape([rows, inner]), t[1].clone());
        let weight = weight.reshape([inner, out]);
        linear_act_in(x, weight, t.get(2).cloned(), act, precision).reshape([rows * out])
    };
    let name = format!("linear {rows} x {inner} x {out}, {act:?}");
    Case { name, lens: vec![rows * inner, inner * out, out], op: Box::new(op) }
}

/// Images of `[B, C_in, H, W]` to so many channels.
fn conv([b, c, h, w]: [usize; 4], out: usize, kernel: usize) -> Case {
    let op = move |t: &[Tensor<1>], precision: Precision| {
        let (x, weight) = (t[0].clone().reshape([b, c, h, w]), t[1].clone());
        let weight = weight.reshape([out, c, kernel, kernel]);
        conv2d_in(x, weight, t.get(2).cloned(), 1, kernel / 2, precision).reshape([b * out * h * w])
    };
    let name = format!("convolution {b} x {c} x {h} x {w} to {out}, {kernel} x {kernel}");
    let lens = vec![b * c * h * w, out * c * kernel * kernel, out];
    Case { name, lens, op: Box::new(op) }
}

/// All without an activation, which would have arguments that are no sixteenths.
fn cases() -> Vec<Case> {
    let same = Activation::Identity;
    vec![
        linear(1, 1, 1, same),
        linear(5, 3, 7, same),
        linear(33, 17, 9, same),
        linear(300, 70, 31, same),
        linear(1100, 64, 48, same),
        conv([3, 16, 5, 7], 17, 3),
        conv([9, 33, 8, 8], 48, 3),
        conv([2, 20, 13, 4], 16, 5),
        conv([3, 40, 4, 4], 32, 1),
        conv([2, 64, 28, 28], 32, 3),
    ]
}

#[test]
fn what_needs_no_rounding_is_exact_forward_and_backward() {
    for case in cases() {
        let of =
            |dtype| case.with(Precision::Bf16, |op| outcome_of(op, &case.lens, dtype, sixteenths));
        assert!(of(DType::F32) == of(DType::F64), "{}", case.name);
    }
}

#[test]
fn operands_are_rounded_forward_and_backward_where_that_is_native() {
    let native = Precision::Bf16.is_native_to(&Device::flex());
    for case in cases() {
        let of = |precision| case.with(precision, |op| outcome(op, &case.lens, DType::F32));
        let (rounded, exact) = (of(Precision::Bf16), of(Precision::F32));
        if !native {
            assert!(rounded == exact, "{}", case.name);
            continue;
        }
        let [before, after] = [&exact, &rounded].map(|outcome| {
            [&outcome.value, &outcome.gradients[0], &outcome.gradients[1], &outcome.gradients[2]]
        });
        // The gradient of the bias is a sum, not a product.
        assert_close(&case.name, after[3], before[3], 1e-5);
        for (before, after) in before.iter().zip(after).take(3) {
            assert!(*before != after, "{}: nothing is rounded", case.name);
        }
    }
}

/// Rounded to the nearest bfloat16, ties to even, by the digits.
fn nearest(len: usize, stream: usize) -> Vec<f64> {
    by_digits(len, stream, |bits| bits + 0x7fff + (bits >> 16 & 1))
}

/// Without the digits that a bfloat16 does not have.
fn cut(len: usize, stream: usize) -> Vec<f64> {
    by_digits(len, stream, |bits| bits)
}

fn by_digits(len: usize, stream: usize, digits: fn(u32) -> u32) -> Vec<f64> {
    let short = |x: f64| f32::from_bits(digits((x as f32).to_bits()) & 0xffff_0000);
    numbers(len, stream).into_iter().map(|x| f64::from(short(x))).collect()
}

#[test]
fn operands_go_to_the_nearest_and_are_not_cut() {
    for case in cases().into_iter().skip(2) {
        let of = |streams: fn(usize, usize) -> Vec<f64>| {
            // A bias is not rounded.
            let lens = &case.lens[..2];
            case.with(Precision::Bf16, |op| outcome_of(op, lens, DType::F32, streams))
        };
        let native = Precision::Bf16.is_native_to(&Device::flex());
        assert!((of(numbers) == of(nearest)) == native, "{}", case.name);
        let [got, other] = [of(nearest), of(cut)];
        assert!(got.value != other.value && got.gradients != other.gradients, "{}", case.name);
    }
}

#[test]
fn threads_do_not_change_a_bit() {
    for case in [
        linear(4096, 64, 96, Activation::Silu),
        linear(70, 300, 256, Activation::Gelu),
        conv([20, 32, 8, 8], 48, 3),
        conv([3, 64, 16, 16], 64, 3),
    ] {
        case.with(Precision::Bf16, |op| assert_threads_do_not_matter(&case.name, op, &case.lens));
    }
}

#[test]
fn a_sample_has_the_same_bits_alone_and_among_others() {
    let device = Device::flex();
    let tensor = |len: usize, stream: usize| {
        let values: Vec<f32> = numbers(len, stream).into_iter().map(|x| x as f32).collect();
        Tensor::<1>::from_data(TensorData::new(values, [len]), &device)
    };
    let bits =
        |y: Tensor<1>| -> Vec<u32> { y.into_data().iter::<f32>().map(f32::to_bits).collect() };
    let rows = |n: usize| {
        let (x, weight) = (tensor(300 * 70, 0).narrow(0, 0, n * 70), tensor(70 * 40, 1));
        let (x, weight) = (x.reshape([n, 70]), weight.reshape([70, 40]));
        let y = linear_act_in(x, weight, Some(tensor(40, 2)), Activation::Silu, Precision::Bf16);
        bits(y.reshape([n * 40]))
    };
    let images = |n: usize| {
        let (x, weight) = (tensor(40 * 16 * 64, 0).narrow(0, 0, n * 16 * 64), tensor(20 * 144, 1));
        let (x, weight) = (x.reshape([n, 16, 8, 8]), weight.reshape([20, 16, 3, 3]));
        bits(conv2d_in(x, weight, None, 1, 1, Precision::Bf16).reshape([n * 20 * 64]))
    };
    let (all_rows, all_images) = (rows(300), images(40));
    for n in [1, 2, 31, 33, 97] {
        assert!(rows(n) == all_rows[..n * 40], "{n} rows");
    }
    for n in [1, 2, 3, 13, 39] {
        assert!(images(n) == all_images[..n * 20 * 64], "{n} images");
    }
}
