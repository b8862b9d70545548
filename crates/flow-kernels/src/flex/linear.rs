//! Matrix product, bias and activation, a chunk of rows at a time.
#![allow(unsafe_code, reason = "result buffers are not zeroed before they are written")]

use std::mem::MaybeUninit;

use burn::backend::{
    Autodiff, Flex,
    autodiff::{
        checkpoint::strategy::CheckpointStrategy,
        ops::{Backward, OpsKind},
    },
    flex::FlexTensor,
    tensor::FloatTensor,
};

use super::{
    activation::{activate, activated, differentiate},
    buffer::{assume_init, with_scratch, written},
    contiguous, dims,
    gemm::{Matrix, Parallelism, Target, product},
    parallel::for_each,
    right::Right,
    slice,
    tape::{self, Step},
    tensor,
};
use crate::{Activation, Precision};

/// Sizes of `x W`, and its division into chunks of rows.
#[derive(Clone, Copy)]
struct Sizes {
    rows: usize,
    inner: usize,
    out: usize,
}

impl Sizes {
    fn new(x: &FlexTensor, weight: &FlexTensor) -> Self {
        let [rows, inner] = dims(x);
        let [_, out] = dims(weight);
        Self { rows, inner, out }
    }

    /// Rows in a chunk: enough that the weight's trip through the cache is shared by many.
    fn chunk(&self) -> usize {
        self.rows.div_ceil(32).next_multiple_of(16).clamp(32, 256)
    }

    fn work(&self) -> usize {
        self.rows * self.inner * self.out
    }
}

pub(super) fn forward(
    x: FlexTensor,
    weight: FlexTensor,
    bias: FlexTensor,
    act: Activation,
    precision: Precision,
) -> FlexTensor {
    affine([x, weight, bias].map(contiguous).each_ref(), act, precision)
}

/// `act(x W + b)`.
fn affine(
    [x, weight, bias]: [&FlexTensor; 3],
    act: Activation,
    precision: Precision,
) -> FlexTensor {
    let sizes = Sizes::new(x, weight);
    let (x, bias) = (slice(x), slice(bias));
    let weight =
        Right::new(precision, Matrix::rows(slice(weight), sizes.inner, sizes.out, sizes.out));
    let write = |y: &mut [MaybeUninit<f32>]| {
        let jobs = y.chunks_mut((sizes.chunk() * sizes.out).max(1)).enumerate();
        for_each(jobs, sizes.work(), |(i, y)| {
            let rows = y.len() / sizes.out;
            let start = i * sizes.chunk() * sizes.inner;
            let x = &x[start..start + rows * sizes.inner];
            let z = multiply(sizes, x, &weight, bias, y);
            activate(z, act);
        });
    };
    // SAFETY: the chunks cover the result, and `multiply` writes all of each.
    let y = unsafe { written(sizes.rows * sizes.out, write) };
    tensor(y, [sizes.rows, sizes.out])
}

/// Writes `x W + b` for some rows.
///
/// A product of a single row has another order of its sums in the gemm crate, so that a row alone
/// would differ in its last bits from the same row among others. It is multiplied as two equal
/// rows: a sample must not depend on the others.
fn multiply<'a>(
    sizes: Sizes,
    x: &[f32],
    weight: &Right<'_>,
    bias: &[f32],
    y: &'a mut [MaybeUninit<f32>],
) -> &'a mut [f32] {
    let Sizes { inner, out, .. } = sizes;
    let rows = y.len() / out;
    if rows == 1 {
        with_scratch(2 * out, |both| {
            y.write_copy_of_slice(&multiply(sizes, &[x, x].concat(), weight, bias, both)[..out]);
        });
        // SAFETY: the row has just been written.
        return unsafe { assume_init(y) };
    }
    for row in y.chunks_mut(out) {
        row.write_copy_of_slice(bias);
    }
    // SAFETY: every row has just been written.
    let y = unsafe { assume_init(y) };
    weight.multiply(Target::Add(y), out, Matrix::rows(x, rows, inner, inner));
    y
}

/// `dL/dx = dz W^T`.
fn input_gradient(sizes: Sizes, dz: &[f32], weight: &[f32], precision: Precision) -> FlexTensor {
    let Sizes { rows, inner, out } = sizes;
    let weight = Right::new(precision, Matrix::rows(weight, inner, out, out).transposed());
    let write = |x_grad: &mut [MaybeUninit<f32>]| {
        let jobs = x_grad.chunks_mut((sizes.chunk() * inner).max(1)).enumerate();
        for_each(jobs, sizes.work(), |(i, x_grad)| {
            let rows = x_grad.len() / inner;
            let dz = Matrix::rows(&dz[i * sizes.chunk() * out..], rows, out, out);
            weight.multiply(Target::Write(x_grad), inner, dz);
        });
    };
    // SAFETY: the chunks cover the result, and the product writes all of each.
    let x_grad = unsafe { written(rows * inner, write) };
    tensor(x_grad, [rows, inner])
}

/// `dL/dW = x^T dz`.
fn weight_gradient(sizes: Sizes, x: &[f32], dz: &[f32], precision: Precision) -> FlexTensor {
    let Sizes { rows, inner, out } = sizes;
    let dz = Right::new(precision, Matrix::rows(dz, rows, out, out));
    let write = |weight_grad: &mut [MaybeUninit<f32>]| {
        if let Right::F32(dz) = dz {
            let x = Matrix::rows(x, rows, inner, inner).transposed();
            product(Target::Write(weight_grad), out, 1.0, x, dz, Parallelism::Rayon(0));
            return;
        }
        // A sum runs over the rows of `x`, in their order, in whatever chunk of inputs it is.
        let chunk = inner.div_ceil(rayon::current_num_threads()).next_multiple_of(32).min(256);
        let jobs = weight_grad.chunks_mut((chunk * out).max(1)).enumerate();
        for_each(jobs, sizes.work(), |(i, weight_grad)| {
            let x = &x[(i * chunk).min(x.len())..];
            let x = Matrix::rows(x, rows, weight_grad.len() / out, inner).transposed();
            dz.multiply(Target::Write(weight_grad), out, x);
        });
    };
    // SAFETY: the product, or those of the chunks, which cover the result, write every element.
    let weight_grad = unsafe { written(inner * out, write) };
    tensor(weight_grad, [inner, out])
}

/// `dL/db`: the sum of the rows of `dz`, first within chunks, then over them.
fn bias_gradient(sizes: Sizes, dz: &[f32]) -> FlexTensor {
    let Sizes { rows, out, .. } = sizes;
    let mut partial = vec![0.0; rows.div_ceil(sizes.chunk()).max(1) * out];
    let jobs = partial.chunks_mut(out.max(1)).zip(dz.chunks((sizes.chunk() * out).max(1)));
    for_each(jobs, dz.len(), |(sum, dz)| add_rows(sum, dz));
    let mut sum = vec![0.0; out];
    add_rows(&mut sum, &partial);
    tensor(sum, [out])
}

fn add_rows(sum: &mut [f32], rows: &[f32]) {
    for row in rows.chunks(sum.len().max(1)) {
        for (sum, &x) in sum.iter_mut().zip(row) {
            *sum += x;
        }
    }
}

pub(super) fn tracked<C: CheckpointStrategy>(
    x: FloatTensor<Autodiff<Flex, C>>,
    weight: FloatTensor<Autodiff<Flex, C>>,
    bias: FloatTensor<Autodiff<Flex, C>>,
    act: Activation,
    precision: Precision,
) -> FloatTensor<Autodiff<Flex, C>> {
    let nodes = [x.node(), weight.node(), bias.node()];
    let [x, weight, bias] = [x, weight, bias].map(|t| contiguous(t.into_primitive()));
    match Step::<Saved>::new().prepare::<C>(nodes).compute_bound().stateful() {
        OpsKind::UnTracked(prep) => prep.finish(affine([&x, &weight, &bias], act, precision)),
        OpsKind::Tracked(prep) => {
            let z = affine([&x, &weight, &bias], Activation::Identity, precision);
            let (y, z) = match act {
                Activation::Identity => (z, None),
                _ => (activated(&z, act), Some((z, act))),
            };
            prep.finish(Saved { x, weight, z, precision }, y)
        }
    }
}

#[derive(Clone, Debug)]
struct Saved {
    x: FlexTensor,
    weight: FlexTensor,
    /// The activation and its argument, if there is one.
    z: Option<(FlexTensor, Activation)>,
    precision: Precision,
}

impl tape::Saved<3> for Saved {
    fn gradients(self, g: FlexTensor, asked: [bool; 3]) -> [Option<FlexTensor>; 3] {
        let Self { x, weight, z, precision } = self;
        let sizes = Sizes::new(&x, &weight);
        let g = contiguous(g);
        let dz = match &z {
            None => g,
            Some((z, act)) => differentiate(g, z, *act),
        };
        let dz = slice(&dz);
        [
            asked[0].then(|| input_gradient(sizes, dz, slice(&weight), precision)),
            asked[1].then(|| weight_gradient(sizes, slice(&x), dz, precision)),
            asked[2].then(|| bias_gradient(sizes, dz)),
        ]
    }
}
