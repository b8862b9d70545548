//! Every kernel with awkward numbers: infinities, NaN, zeros and empty shapes.
//!
//! A kernel has no errors: wrong shapes panic with both shapes, and numbers follow the rules of
//! floating point. So what is not finite comes out as not finite in the rows that it belongs to
//! (and nowhere else, where rows are independent), and what is finite stays so unless it overflows.

#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

use std::panic::catch_unwind;

use burn::tensor::{Device, Tensor, TensorData};
use flow_kernels::{
    Activation, AdamWStep, Precision, adamw, attention, attention_within, blend, conv2d, conv2d_in,
    fill_normal, group_norm_act, linear_act, linear_act_in, scale, sum_of_squares,
    upsample_nearest,
};
use flow_testing::{awkward, public};

/// Numbers in a row: one channel of 4 x 4 pixels, two heads of 2 tokens of 4, ...
const DIM: usize = 16;

type Row = (&'static str, fn());

const TABLE: [Row; 13] = [
    ("adamw", steps),
    ("attention", attentions),
    ("attention_within", attentions_within),
    ("blend", blends),
    ("conv2d", convolutions),
    ("conv2d_in", rounded_convolutions),
    ("fill_normal", noise),
    ("group_norm_act", norms),
    ("linear_act", linears),
    ("linear_act_in", rounded_linears),
    ("scale", scales),
    ("sum_of_squares", squares),
    ("upsample_nearest", resamplings),
];

#[test]
fn every_function_keeps_its_promise_for_awkward_numbers() {
    let names = TABLE.map(|(name, _)| name);
    let exempt = [("recomputed", "the numbers are those of the part that it is given")];
    public::assert_covered(env!("CARGO_MANIFEST_DIR"), &names, &exempt);
    let broken = TABLE.into_iter().filter(|(_, run)| catch_unwind(run).is_err());
    let broken: Vec<_> = broken.map(|(name, _)| name).collect();
    assert!(broken.is_empty(), "see above: {broken:?}");
}

fn matrix(rows: &[f32]) -> Tensor<2> {
    let data = TensorData::new(rows.to_vec(), [rows.len() / DIM, DIM]);
    Tensor::from_data(data, &Device::flex())
}

fn ones<const D: usize>(shape: [usize; D]) -> Tensor<D> {
    Tensor::full(shape, 0.5, &Device::flex())
}

fn read<const D: usize>(x: Tensor<D>) -> Vec<f32> {
    x.into_data().try_to_vec().unwrap()
}

/// The rows of a result that hold a number that is not finite.
fn broken(values: &[f32], rows: usize) -> Vec<bool> {
    let each = values.len().checked_div(rows).unwrap_or(0);
    values.chunks(each.max(1)).map(|row| row.iter().any(|x| !x.is_finite())).collect()
}

/// Checks an operation whose rows are independent; `largest` is the size up to which it does not
/// overflow.
fn by_rows(name: &str, largest: f32, op: impl Fn(Tensor<2>) -> Vec<f32>) {
    for set in awkward::rows(6, DIM) {
        let n = set.rows.len() / DIM;
        let got = broken(&op(matrix(&set.rows)), n);
        let expected = broken(&set.rows, n);
        assert_eq!(got.len(), n, "{name} of {}: rows", set.name);
        let size = set.rows.iter().fold(0.0_f32, |m, x| m.max(x.abs()));
        for (row, (got, expected)) in got.into_iter().zip(expected).enumerate() {
            let may_overflow = largest < size;
            assert!(
                got == expected || (got && may_overflow),
                "{name} of {}: row {row} is finite: {}, expected {}",
                set.name,
                !got,
                !expected
            );
        }
    }
}

fn panics(words: &str, f: impl FnOnce() + std::panic::UnwindSafe) {
    let panic = catch_unwind(f).expect_err(words);
    let text = panic.downcast_ref::<String>().cloned();
    let text = text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string)).unwrap();
    assert!(text.contains(words), "{text}");
}

const ACTIVATIONS: [Activation; 4] =
    [Activation::Identity, Activation::Silu, Activation::Gelu, Activation::GeluTanh];

fn linears() {
    for act in ACTIVATIONS {
        by_rows(&format!("linear_act, {act:?}"), 1e36, |x| {
            // Both signs, so that what is infinite reaches either end of an activation.
            let both = Tensor::cat(vec![ones([DIM, 8]), -ones([DIM, 8])], 1);
            read(linear_act(x, both, Some(ones([16])), act))
        });
    }
    panics("expected a weight of shape [16, 2], got [3, 2]", || {
        let _ = linear_act(matrix(&[0.0; 32]), ones([3, 2]), None, Activation::Silu);
    });
}

fn rounded_linears() {
    for act in ACTIVATIONS {
        by_rows(&format!("linear_act_in bf16, {act:?}"), 1e36, |x| {
            let both = Tensor::cat(vec![ones([DIM, 8]), -ones([DIM, 8])], 1);
            read(linear_act_in(x, both, Some(ones([16])), act, Precision::Bf16))
        });
    }
    panics("expected a weight of shape [16, 2], got [3, 2]", || {
        let (x, weight) = (matrix(&[0.0; 32]), ones([3, 2]));
        let _ = linear_act_in(x, weight, None, Activation::Silu, Precision::Bf16);
    });
}

fn rounded_convolutions() {
    for kernel in [1, 3] {
        by_rows(&format!("conv2d_in bf16 {kernel}"), 1e34, |x| {
            let n = x.dims()[0];
            // As many channels as products of rounded operands are made for.
            let x = x.reshape([n, 1, 4, 4]).repeat_dim(1, 16);
            let weight = ones([16, 16, kernel, kernel]);
            read(conv2d_in(x, weight, Some(ones([16])), 1, kernel / 2, Precision::Bf16))
        });
    }
    panics("does not fit", || {
        let (x, weight) = (ones([1, 1, 2, 2]), ones([1, 1, 5, 5]));
        let _ = conv2d_in(x, weight, None, 1, 1, Precision::Bf16);
    });
}

fn convolutions() {
    for (channels, kernel, stride) in [(3, 3, 1), (3, 3, 2), (3, 1, 1)] {
        by_rows(&format!("conv2d {kernel} by {stride}"), 1e35, |x| {
            let n = x.dims()[0];
            let x = x.reshape([n, 1, 4, 4]);
            let weight = ones([channels, 1, kernel, kernel]);
            read(conv2d(x, weight, Some(ones([channels])), stride, kernel / 2))
        });
    }
    panics("does not fit", || {
        let _ = conv2d(ones([1, 1, 2, 2]), ones([1, 1, 5, 5]), None, 1, 1);
    });
    panics("stride 0", || {
        let _ = conv2d(ones([1, 1, 4, 4]), ones([1, 1, 3, 3]), None, 0, 1);
    });
}

fn norms() {
    for act in ACTIVATIONS {
        // The variance is made of squares, which overflow from 1.8e19 on.
        by_rows(&format!("group_norm_act, {act:?}"), 1e18, |x| {
            let n = x.dims()[0];
            read(group_norm_act(x.reshape([n, 4, 2, 2]), 1, 1e-5, ones([1, 4]), ones([1, 4]), act))
        });
    }
    panics("3 groups do not divide 4 channels", || {
        let _ = group_norm_act(
            ones([1, 4, 2, 2]),
            3,
            1e-5,
            ones([1, 4]),
            ones([1, 4]),
            Activation::Silu,
        );
    });
}

fn attentions() {
    // Scores are products of two of them.
    by_rows("attention", 1e18, |x| {
        let n = x.dims()[0];
        let x = x.reshape([n, 2, 2, 4]);
        read(attention(x.clone(), x.clone(), x))
    });
    panics("expected keys of the queries' shape [1, 1, 2, 4], got [1, 1, 3, 4]", || {
        let _ = attention(ones([1, 1, 2, 4]), ones([1, 1, 3, 4]), ones([1, 1, 2, 4]));
    });
}

fn attentions_within() {
    by_rows("attention_within", 1e18, |x| {
        let n = x.dims()[0];
        let x = x.reshape([n, 2, 2, 4]);
        read(attention_within(x.clone(), x.clone(), x, &vec![2; n].into()))
    });
    panics("expected 1 lengths of at most 2 tokens, got [3]", || {
        let x = ones([1, 1, 2, 4]);
        let _ = attention_within(x.clone(), x.clone(), x, &[3].into());
    });
}

fn resamplings() {
    by_rows("upsample_nearest", f32::MAX, |x| {
        let n = x.dims()[0];
        read(upsample_nearest(x.reshape([n, 1, 4, 4]), 2))
    });
    panics("the factor must be positive, got 0", || {
        let _ = upsample_nearest(ones([1, 1, 2, 2]), 0);
    });
}

fn blends() {
    by_rows("blend into weights", 1e38, |x| read(blend(ones(x.dims()), x, 0.9)));
    by_rows("blend into averages", 1e38, |x| read(blend(x.clone(), ones(x.dims()), 0.9)));
    for (name, beta) in awkward::SCALARS {
        let result = catch_unwind(|| read(blend(matrix(&[1.0; DIM]), matrix(&[3.0; DIM]), beta)));
        let between = |x: &f32| (1.0..=3.0).contains(x);
        match result {
            Ok(values) => assert!(values.iter().all(between), "{name}: {values:?}"),
            Err(_) => assert!(!(0.0..=1.0).contains(&beta), "{name} panics"),
        }
    }
    panics("expected the average's shape [1, 16], got [2, 16]", || {
        let _ = blend(matrix(&[0.0; 16]), matrix(&[0.0; 32]), 0.5);
    });
}

fn steps() {
    let step = AdamWStep {
        rate: 1e-3,
        beta1: 0.9,
        beta2: 0.999,
        epsilon: 1e-8,
        weight_decay: 0.1,
        time: 1,
    };
    let take = |weight: Tensor<2>, gradient: Tensor<2>, step: &AdamWStep| {
        let zeros = weight.zeros_like();
        adamw(weight, gradient, [zeros.clone(), zeros], step)
    };
    by_rows("adamw of weights", 1e38, |x| {
        let gradient = ones(x.dims());
        read(take(x, gradient, &step).0)
    });
    // Beyond 1.8e19 a gradient's square overflows and its weight stands still, as its doc says.
    for set in awkward::rows(6, DIM) {
        let gradient = matrix(&set.rows);
        let (weight, [m, v]) = take(ones(gradient.dims()), gradient, &step);
        for (((x, w), m), v) in set.rows.iter().zip(read(weight)).zip(read(m)).zip(read(v)) {
            assert_eq!(
                w.is_finite() && m.is_finite(),
                x.is_finite(),
                "{}: {x} gives {w}",
                set.name
            );
            assert_eq!(v.is_finite(), x.is_finite() && x.abs() < 5.8e20, "{x} gives {v}");
        }
    }
    for (name, rate) in awkward::SCALARS {
        let (weight, _) = take(ones([1, 16]), ones([1, 16]), &AdamWStep { rate, ..step });
        assert_eq!(read(weight)[0].is_finite(), rate.is_finite(), "a rate of {name}");
    }
    let late = AdamWStep { time: usize::MAX, ..step };
    let moved = read(take(ones([1, 16]), ones([1, 16]), &late).0)[0];
    assert!((0.4..0.5).contains(&moved), "the last of all steps moves to {moved}");
    panics("expected the number of a step from 1, got 0", move || {
        let _ = take(ones([1, 16]), ones([1, 16]), &AdamWStep { time: 0, ..step });
    });
}

fn squares() {
    for set in awkward::rows(6, DIM) {
        let got = read(sum_of_squares(matrix(&set.rows)))[0];
        let sum: f64 = set.rows.iter().map(|&x| f64::from(x).powi(2)).sum();
        let fits = sum < f64::from(f32::MAX);
        assert_eq!(got.is_finite(), fits, "{}: {got} for {sum}", set.name);
        // 96 terms, each rounded to 6e-8 of it; squares of the smallest vanish.
        assert!(!fits || (f64::from(got) - sum).abs() <= 1e-6 * sum + 1e-40, "{got} for {sum}");
    }
}

fn scales() {
    by_rows("scale", f32::MAX, |x| read(scale(x, ones([1]))));
    for (name, factor) in awkward::SCALARS {
        let factor = factor as f32;
        let number = Tensor::from_floats([factor], &Device::flex());
        let got = read(scale(matrix(&[2.0; 16]), number))[0];
        let expected = 2.0 * factor;
        assert!(got.to_bits() == expected.to_bits() || got.is_nan() && expected.is_nan(), "{name}");
    }
    panics("expected a factor of shape [1], got [2]", || {
        let _ = scale(matrix(&[0.0; 16]), ones([2]));
    });
}

fn noise() {
    for (len, key) in [(0, 0), (1, u64::MAX), (5000, 1)] {
        let mut numbers = vec![f32::NAN; len];
        fill_normal(&mut numbers, key);
        assert!(numbers.iter().all(|x| x.abs() < 10.0), "{len} numbers of key {key}");
    }
}
