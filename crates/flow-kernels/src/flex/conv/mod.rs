//! Convolution, in one of four ways that the sizes and the precision choose.
//!
//! One whose operands are to be rounded is a sum of products over shifted images ([`rounded`])
//! where that pays; the others are of `f32`. The 3 x 3 convolution that keeps the size, the bulk of
//! a U-Net, is made of short products ([`winograd`]). Any other one of small images runs its
//! vectors over the images ([`small`]). In general an image's patches are unfolded a tile at a time
//! into a core's cache and multiplied with the weight straight into the result ([`geometry`]); its
//! gradient with respect to the input is, for stride 1, a convolution with the flipped weight. The
//! gradient with respect to the weight is summed over fixed chunks of the batch, each in the order
//! of its images.
#![allow(unsafe_code, reason = "result buffers are not zeroed before they are written")]

mod geometry;
mod rounded;
mod small;
mod stencil;
mod tracked;
mod winograd;

use std::mem::MaybeUninit;

use burn::backend::flex::FlexTensor;

use super::{
    buffer::{assume_init, with_scratch, written},
    contiguous, dims,
    gemm::{Matrix, Parallelism, Target, product},
    parallel::for_each,
    simd::{Simd, WithSimd, dispatch, sum_of},
    slice, tensor,
};
use crate::Precision;
use geometry::Geometry;
use rounded::Rounded;
use small::Small;
pub(super) use tracked::tracked;
use winograd::Winograd;

pub(super) fn forward(
    x: FlexTensor,
    weight: FlexTensor,
    bias: FlexTensor,
    stride: usize,
    padding: usize,
    precision: Precision,
) -> FlexTensor {
    let [x, weight, bias] = [x, weight, bias].map(contiguous);
    let geometry = Geometry::new(dims(&x), dims(&weight), stride, padding);
    convolve(&geometry, precision, slice(&x), slice(&weight), slice(&bias))
}

/// Threads share an image only if there are fewer images than threads.
fn within_job(jobs: usize, work: usize) -> Parallelism {
    if jobs < rayon::current_num_threads() && 1 << 20 < work {
        Parallelism::Rayon(0)
    } else {
        Parallelism::None
    }
}

fn convolve(
    geometry: &Geometry,
    precision: Precision,
    x: &[f32],
    weight: &[f32],
    bias: &[f32],
) -> FlexTensor {
    if let Some(rounded) = Rounded::new(precision, geometry) {
        return tensor(rounded.convolve(x, weight, bias), geometry.output_shape());
    }
    if let Some(winograd) = Winograd::new(geometry) {
        return tensor(winograd.convolve(x, weight, bias), geometry.output_shape());
    }
    if let Some(small) = Small::convolution(geometry) {
        let (inner, taps) = (geometry.channels_in, geometry.taps());
        let y = small.apply(x, |o, c, tap| weight[(o * inner + c) * taps + tap], bias);
        return tensor(y, geometry.output_shape());
    }
    let parallelism = within_job(geometry.batch, geometry.work());
    let write = |y: &mut [MaybeUninit<f32>]| {
        let images = y.chunks_mut(geometry.output_len().max(1)).enumerate();
        let each = |(i, y): (usize, &mut [_])| {
            let x = &x[i * geometry.input_len()..(i + 1) * geometry.input_len()];
            convolve_image(geometry, x, weight, bias, y, parallelism);
        };
        match parallelism {
            Parallelism::None => for_each(images, geometry.work(), each),
            Parallelism::Rayon(_) => images.for_each(each),
        }
    };
    // SAFETY: the images cover the result, and `convolve_image` writes all of each.
    let y = unsafe { written(geometry.batch * geometry.output_len(), write) };
    tensor(y, geometry.output_shape())
}

/// Writes the convolution of one image.
fn convolve_image(
    geometry: &Geometry,
    x: &[f32],
    weight: &[f32],
    bias: &[f32],
    y: &mut [MaybeUninit<f32>],
    parallelism: Parallelism,
) {
    let (pixels, columns) = (geometry.pixels_out(), geometry.output[1]);
    for (channel, &bias) in y.chunks_mut(pixels).zip(bias) {
        channel.fill(MaybeUninit::new(bias));
    }
    // SAFETY: every channel has just been filled.
    let y = unsafe { assume_init(y) };
    let weight =
        Matrix::rows(weight, geometry.channels_out, geometry.patch_len(), geometry.patch_len());
    for rows in geometry.tiles() {
        let tile = Target::Add(&mut y[rows.start * columns..]);
        with_patches(geometry, x, rows, |patches| {
            product(tile, pixels, 1.0, weight, patches, parallelism);
        });
    }
}

/// Calls `f` with the patches of some output rows as columns.
fn with_patches(
    geometry: &Geometry,
    x: &[f32],
    rows: std::ops::Range<usize>,
    f: impl FnOnce(Matrix<'_>),
) {
    let (patch, columns) = (geometry.patch_len(), geometry.output[1]);
    let pixels = rows.len() * columns;
    if geometry.is_pointwise() {
        let tile = &x[rows.start * columns..];
        return f(Matrix::rows(tile, patch, pixels, geometry.pixels_in()));
    }
    with_scratch(patch * pixels, |scratch| {
        geometry.unfold(x, rows, scratch);
        // SAFETY: `unfold` writes every patch element of every pixel.
        let patches = unsafe { assume_init(scratch) };
        f(Matrix::rows(patches, patch, pixels, pixels));
    });
}

/// `dL/dx` from `g = dL/dy`.
fn input_gradient(
    geometry: &Geometry,
    precision: Precision,
    g: &[f32],
    weight: &[f32],
) -> FlexTensor {
    let &Geometry { batch, channels_in, channels_out, input: [h, w], output: [_, columns], .. } =
        geometry;
    if let Some(rounded) = Rounded::new(precision, geometry) {
        return tensor(rounded.adjoint(g, weight), [batch, channels_in, h, w]);
    }
    if let Some(winograd) = Winograd::new(geometry) {
        return tensor(winograd.adjoint(g, weight), [batch, channels_in, h, w]);
    }
    if let Some(small) = Small::adjoint(geometry) {
        let (bias, taps) = (vec![0.0; channels_in], geometry.taps());
        let weight = |c, o, tap| weight[(o * channels_in + c) * taps + tap];
        return tensor(small.apply(g, weight, &bias), [batch, channels_in, h, w]);
    }
    if let Some(adjoint) = geometry.adjoint() {
        let bias = vec![0.0; channels_in];
        return convolve(&adjoint, Precision::F32, g, &flipped(geometry, weight), &bias);
    }
    let (patch, pixels) = (geometry.patch_len(), geometry.pixels_out());
    let mut x_grad = vec![0.0; batch * geometry.input_len()];
    let images =
        x_grad.chunks_mut(geometry.input_len().max(1)).zip(g.chunks(geometry.output_len().max(1)));
    for_each(images, geometry.work(), |(x_grad, g)| {
        for rows in geometry.tiles() {
            let tile = rows.len() * columns;
            with_scratch(patch * tile, |scratch| {
                product(
                    Target::Write(scratch),
                    tile,
                    1.0,
                    Matrix::rows(weight, channels_out, patch, patch).transposed(),
                    Matrix::rows(&g[rows.start * columns..], channels_out, tile, pixels),
                    Parallelism::None,
                );
                // SAFETY: the product has written all its elements, which fill the scratch.
                geometry.fold(unsafe { assume_init(scratch) }, rows, x_grad);
            });
        }
    });
    tensor(x_grad, [batch, channels_in, h, w])
}

/// The weight of the adjoint: `[C_in, C_out, k_h, k_w]`, rotated by half a turn.
fn flipped(geometry: &Geometry, weight: &[f32]) -> Vec<f32> {
    let taps = geometry.taps();
    let mut flipped = Vec::with_capacity(weight.len());
    for c in 0..geometry.channels_in {
        for o in 0..geometry.channels_out {
            let start = (o * geometry.channels_in + c) * taps;
            flipped.extend(weight[start..start + taps].iter().rev());
        }
    }
    flipped
}

/// `dL/dweight` from `g = dL/dy`.
fn weight_gradient(geometry: &Geometry, precision: Precision, x: &[f32], g: &[f32]) -> FlexTensor {
    let &Geometry { channels_in, channels_out, kernel: [kernel_h, kernel_w], .. } = geometry;
    let gradient = match (Rounded::new(precision, geometry), Winograd::new(geometry)) {
        (Some(rounded), _) => rounded.weight_gradient(x, g),
        (None, Some(winograd)) => winograd.weight_gradient(x, g),
        (None, None) => unfolded_weight_gradient(geometry, x, g),
    };
    tensor(gradient, [channels_out, channels_in, kernel_h, kernel_w])
}

/// `dL/dbias[o] = sum g[b, o, i, j]`, image after image.
fn bias_gradient(geometry: &Geometry, g: &[f32]) -> FlexTensor {
    let mut sums = vec![0.0; geometry.channels_out];
    for g in g.chunks(geometry.output_len().max(1)) {
        dispatch(AddRowSums { rows: g, sums: &mut sums });
    }
    tensor(sums, [geometry.channels_out])
}

/// `dL/dweight` by products of `g` with patches of `x`, in chunks of images.
fn unfolded_weight_gradient(geometry: &Geometry, x: &[f32], g: &[f32]) -> Vec<f32> {
    /// Numbers in all partial sums, and jobs if there are enough images.
    const PARTIAL: usize = 1 << 22;
    const CHUNKS: usize = 16;

    let (batch, len) = (geometry.batch, geometry.weight_len());
    let chunks = (PARTIAL / len.max(1)).clamp(1, CHUNKS);
    let images = batch.div_ceil(chunks).max(1);
    let parallelism = within_job(batch.div_ceil(images), geometry.work());

    let mut partial = vec![0.0; batch.div_ceil(images).max(1) * len];
    let jobs = partial
        .chunks_mut(len.max(1))
        .zip(x.chunks((images * geometry.input_len()).max(1)))
        .zip(g.chunks((images * geometry.output_len()).max(1)));
    let each = |((sum, x), g): ((&mut [f32], &[f32]), &[f32])| {
        for (x, g) in x.chunks(geometry.input_len()).zip(g.chunks(geometry.output_len())) {
            add_weight_gradient(geometry, x, g, sum, parallelism);
        }
    };
    match parallelism {
        Parallelism::None => for_each(jobs, geometry.work(), each),
        Parallelism::Rayon(_) => jobs.for_each(each),
    }

    let (total, rest) = partial.split_at_mut(len);
    for chunk in rest.chunks(len.max(1)) {
        for (total, &x) in total.iter_mut().zip(chunk) {
            *total += x;
        }
    }
    partial.truncate(len);
    partial
}

/// Adds one image's part of `dL/dweight`.
fn add_weight_gradient(
    geometry: &Geometry,
    x: &[f32],
    g: &[f32],
    weight: &mut [f32],
    parallelism: Parallelism,
) {
    let (pixels, columns) = (geometry.pixels_out(), geometry.output[1]);
    for rows in geometry.tiles() {
        let tile = rows.len() * columns;
        let g = Matrix::rows(&g[rows.start * columns..], geometry.channels_out, tile, pixels);
        with_patches(geometry, x, rows, |patches| {
            product(
                Target::Add(weight),
                geometry.patch_len(),
                1.0,
                g,
                patches.transposed(),
                parallelism,
            );
        });
    }
}

/// Adds the sum of each row to its total.
struct AddRowSums<'a> {
    rows: &'a [f32],
    sums: &'a mut [f32],
}

impl WithSimd for AddRowSums<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let len = self.rows.len() / self.sums.len();
        for (sum, row) in self.sums.iter_mut().zip(self.rows.chunks(len)) {
            *sum += sum_of(row, |x| x);
        }
    }
}
