//! Values and gradients of an operation, in either precision, and their comparison.

use burn::tensor::{DType, Device, Tensor, TensorData};

/// An operation on flat tensors, which it reshapes as it needs.
pub(crate) type Operation<'a> = &'a (dyn Fn(&[Tensor<1>]) -> Tensor<1> + Sync);

/// A result, and the gradient of `sum_i cotangent_i result_i` with respect to each input.
#[derive(Debug, PartialEq)]
pub(crate) struct Outcome {
    pub(crate) value: Vec<f64>,
    pub(crate) gradients: Vec<Vec<f64>>,
}

/// Reproducible numbers in `[-1, 1)`: the fractional parts of multiples of the golden ratio.
pub(crate) fn numbers(len: usize, stream: usize) -> Vec<f64> {
    (1..=len)
        .map(|i| ((i * (2 * stream + 1)) as f64 * 0.618_033_988_749_895).fract() * 2.0 - 1.0)
        .collect()
}

/// The multiples of 1/16 next to [`numbers`]: sums of thousands of products of two of them are
/// exact in any precision that has five digits for each and `f32` for the sum.
pub(crate) fn sixteenths(len: usize, stream: usize) -> Vec<f64> {
    numbers(len, stream).into_iter().map(|x| (16.0 * x).round() / 16.0).collect()
}

/// Numbers of a length, different in each stream.
type Streams = fn(usize, usize) -> Vec<f64>;

fn inputs(lens: &[usize], streams: Streams) -> Vec<Vec<f64>> {
    lens.iter().enumerate().map(|(stream, &len)| streams(len, stream)).collect()
}

fn tensors(values: &[Vec<f64>], device: &Device, dtype: DType) -> Vec<Tensor<1>> {
    values
        .iter()
        .map(|v| Tensor::from_data(TensorData::new(v.clone(), [v.len()]), (device, dtype)))
        .collect()
}

fn read(x: Tensor<1>) -> Vec<f64> {
    x.into_data().iter::<f64>().collect()
}

/// The result without a tape.
pub(crate) fn value(op: Operation<'_>, lens: &[usize], dtype: DType) -> Vec<f64> {
    read(op(&tensors(&inputs(lens, numbers), &Device::flex(), dtype)))
}

/// The result and all gradients, with a tape.
pub(crate) fn outcome(op: Operation<'_>, lens: &[usize], dtype: DType) -> Outcome {
    outcome_of(op, lens, dtype, numbers)
}

/// [`outcome`] of other numbers, inputs and cotangent.
pub(crate) fn outcome_of(
    op: Operation<'_>,
    lens: &[usize],
    dtype: DType,
    streams: Streams,
) -> Outcome {
    let device = Device::flex().autodiff();
    let inputs = tensors(&inputs(lens, streams), &device, dtype);
    let leaves: Vec<_> = inputs.into_iter().map(Tensor::require_grad).collect();
    let y = op(&leaves);
    let cotangent = &tensors(&[streams(y.dims()[0], lens.len())], &device, dtype)[0];
    let grads = (y.clone() * cotangent.clone()).sum().backward();
    Outcome {
        value: read(y),
        gradients: leaves
            .iter()
            .map(|leaf| read(leaf.grad(&grads).expect("every input takes part")))
            .collect(),
    }
}

/// Asserts that two lists agree up to `tolerance` times the largest magnitude expected.
#[track_caller]
pub(crate) fn assert_close(what: &str, got: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(got.len(), expected.len(), "{what}: number of elements");
    let largest = expected.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
    for (i, (a, b)) in got.iter().zip(expected).enumerate() {
        let error = (a - b).abs();
        assert!(
            error <= tolerance * largest,
            "{what}[{i}] = {a}, expected {b}: off by {error:e} of {largest:e}"
        );
    }
}

/// Asserts that the kernel agrees with the composition: its value with and without a tape, and its
/// gradient with respect to every input.
///
/// `f32` sums of `n` terms of random sign err by about `sqrt(n)` roundings of `6e-8` times the size
/// of a term; the tests sum up to some thousand terms, several times in a row.
#[track_caller]
pub(crate) fn assert_kernel_agrees(name: &str, op: Operation<'_>, lens: &[usize]) {
    const TOLERANCE: f64 = 2e-5;
    let expected = outcome(op, lens, DType::F64);
    let got = outcome(op, lens, DType::F32);
    assert_close(&format!("{name}: value"), &got.value, &expected.value, TOLERANCE);
    for (i, (got, expected)) in got.gradients.iter().zip(&expected.gradients).enumerate() {
        assert_close(&format!("{name}: gradient {i}"), got, expected, TOLERANCE);
    }
    let untaped = value(op, lens, DType::F32);
    assert_close(&format!("{name}: value without tape"), &untaped, &expected.value, TOLERANCE);
}

/// Asserts that the composition's gradients are those of central differences in `f64`.
#[track_caller]
pub(crate) fn assert_differences_agree(name: &str, op: Operation<'_>, lens: &[usize]) {
    // Truncation costs h^2 = 1e-10 times a third derivative, rounding 1e-16 / h = 1e-11.
    const STEP: f64 = 1e-5;
    const TOLERANCE: f64 = 1e-7;
    let expected = outcome(op, lens, DType::F64);
    let cotangent = numbers(expected.value.len(), lens.len());
    let loss = |values: &[Vec<f64>]| -> f64 {
        let y = read(op(&tensors(values, &Device::flex(), DType::F64)));
        y.iter().zip(&cotangent).map(|(y, c)| y * c).sum()
    };
    let mut values = inputs(lens, numbers);
    for input in 0..lens.len() {
        let mut differences = Vec::new();
        for i in 0..lens[input] {
            let x = values[input][i];
            let mut at = |x| {
                values[input][i] = x;
                loss(&values)
            };
            differences.push((at(x + STEP) - at(x - STEP)) / (2.0 * STEP));
            values[input][i] = x;
        }
        assert_close(
            &format!("{name}: difference {input}"),
            &differences,
            &expected.gradients[input],
            TOLERANCE,
        );
    }
}

/// Asserts that value and gradients have the same bits on 1, 2 and 3 threads, and in a second run.
#[track_caller]
pub(crate) fn assert_threads_do_not_matter(name: &str, op: Operation<'_>, lens: &[usize]) {
    let on = |threads: usize| {
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .expect("a pool of few threads can be made")
            .install(|| outcome(op, lens, DType::F32))
    };
    let expected = on(1);
    for threads in [1, 2, 3] {
        assert!(on(threads) == expected, "{name}: {threads} threads change the result");
    }
}
