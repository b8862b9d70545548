//! Group normalisation, scale, shift and activation.
//!
//! A group of one sample is contiguous and fits a core's cache, so the passes over it (mean,
//! variance, result) cost one trip to memory. The groups of all samples are the jobs.
#![allow(unsafe_code, reason = "result buffers are not zeroed before they are written")]

use std::{marker::PhantomData, sync::Arc};

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
    activation::{Function, WithFunction, choose},
    buffer::Place,
    contiguous, dims,
    parallel::for_each,
    simd::{LANES, Simd, WithSimd, dispatch, mul_add, sum_lanes, sum_of},
    slice,
    tape::{self, Step},
    tensor, transform,
};
use crate::Activation;

#[derive(Clone, Copy, Debug)]
pub(super) struct Options {
    pub(super) groups: usize,
    pub(super) epsilon: f64,
    pub(super) act: Activation,
}

/// Mean and reciprocal standard deviation of one group in one sample.
#[derive(Clone, Copy, Debug, Default)]
struct Moments {
    mean: f32,
    rstd: f32,
}

/// How `[B, C, H, W]` divides into groups.
#[derive(Clone, Copy)]
struct Layout {
    samples: usize,
    channels: usize,
    pixels: usize,
    groups: usize,
}

impl Layout {
    fn new(x: &FlexTensor, groups: usize) -> Self {
        let [samples, channels, h, w] = dims(x);
        Self { samples, channels, pixels: h * w, groups }
    }

    fn channels_per_group(&self) -> usize {
        self.channels / self.groups
    }

    /// Elements of one group; at least one, as the size of a piece must be.
    fn group_len(&self) -> usize {
        (self.channels_per_group() * self.pixels).max(1)
    }

    fn len(&self) -> usize {
        self.samples * self.channels * self.pixels
    }

    /// Of a coefficient of shape `[B, C]` or `[1, C]`, the entries for the `index`-th of all
    /// groups.
    fn entries<'a>(&self, coefficient: &'a [f32], index: usize) -> &'a [f32] {
        let per_group = self.channels_per_group();
        let start = (index * per_group) % coefficient.len();
        &coefficient[start..start + per_group]
    }
}

pub(super) fn forward(
    x: FlexTensor,
    scale: FlexTensor,
    shift: FlexTensor,
    options: Options,
) -> FlexTensor {
    normalise(contiguous(x), &contiguous(scale), &contiguous(shift), options).0
}

/// The result and the moments of each group.
fn normalise(
    x: FlexTensor,
    scale: &FlexTensor,
    shift: &FlexTensor,
    options: Options,
) -> (FlexTensor, Vec<Moments>) {
    let layout = Layout::new(&x, options.groups);
    let (scale, shift) = (slice(scale), slice(shift));
    let mut moments = vec![Moments::default(); layout.samples * layout.groups];
    let write = |place: Place<'_>| {
        let jobs = place.pieces(layout.group_len()).into_iter().zip(&mut moments);
        for_each(jobs.enumerate(), layout.len(), |(index, (group, moments))| {
            *moments = dispatch(Normalise {
                group,
                scale: layout.entries(scale, index),
                shift: layout.entries(shift, index),
                pixels: layout.pixels,
                options,
            });
        });
    };
    // SAFETY: the pieces cover all elements, and `Normalise` writes each of its piece.
    let y = unsafe { transform(x, write) };
    (y, moments)
}

struct Normalise<'a> {
    group: Place<'a>,
    scale: &'a [f32],
    shift: &'a [f32],
    pixels: usize,
    options: Options,
}

impl WithSimd for Normalise<'_> {
    type Output = Moments;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Moments {
        choose(self.options.act, Vectorised(self, PhantomData::<S>))
    }
}

/// A kernel with its instruction set, to be given its activation.
struct Vectorised<K, S>(K, PhantomData<S>);

impl<S: Simd> WithFunction for Vectorised<Normalise<'_>, S> {
    type Output = Moments;

    #[inline(always)]
    fn with_function<F: Function>(self) -> Moments {
        let Normalise { mut group, scale, shift, pixels, options } = self.0;
        let x = group.source();
        let n = x.len() as f32;
        let mean = sum_of(x, |x| x) / n;
        let var = sum_of(x, |x| (x - mean) * (x - mean)) / n;
        let rstd = (f64::from(var) + options.epsilon).sqrt().recip() as f32;

        for (c, (&scale, &shift)) in scale.iter().zip(shift).enumerate() {
            let a = scale * rstd;
            let b = shift - a * mean;
            let channel = group.part(c * pixels..(c + 1) * pixels);
            channel.map(|x| F::value::<S>(mul_add::<S>(a, x, b)));
        }
        Moments { mean, rstd }
    }
}

/// The gradients of [`forward`] with respect to `x`, `scale` and `shift`.
fn backward(g: FlexTensor, saved: &Saved) -> [FlexTensor; 3] {
    let layout = Layout::new(&saved.x, saved.options.groups);
    let (x, scale, shift) = (slice(&saved.x), slice(&saved.scale), slice(&saved.shift));
    let per_group = layout.channels_per_group();
    // One row per sample, summed over the samples afterwards where they share a coefficient.
    let mut scale_grad = vec![0.0; layout.samples * layout.channels];
    let mut shift_grad = scale_grad.clone();

    let write = |place: Place<'_>| {
        let jobs = place
            .pieces(layout.group_len())
            .into_iter()
            .zip(x.chunks(layout.group_len()))
            .zip(saved.moments.iter())
            .zip(scale_grad.chunks_mut(per_group))
            .zip(shift_grad.chunks_mut(per_group));
        for_each(
            jobs.enumerate(),
            layout.len(),
            |(index, ((((g, x), &moments), scale_grad), shift_grad))| {
                dispatch(Differentiate {
                    g,
                    x,
                    moments,
                    scale: layout.entries(scale, index),
                    shift: layout.entries(shift, index),
                    scale_grad,
                    shift_grad,
                    pixels: layout.pixels,
                    act: saved.options.act,
                });
            },
        );
    };
    // SAFETY: the pieces cover all elements, and `Differentiate` writes each of its piece.
    let x_grad = unsafe { transform(contiguous(g), write) };
    [x_grad, like_coefficient(scale_grad, &saved.scale), like_coefficient(shift_grad, &saved.shift)]
}

/// Sums the rows of a `[B, C]` gradient if its coefficient is shared by the batch.
fn like_coefficient(rows: Vec<f32>, coefficient: &FlexTensor) -> FlexTensor {
    let [shared, channels] = dims(coefficient);
    if rows.len() == shared * channels {
        return tensor(rows, [shared, channels]);
    }
    let mut sum = vec![0.0; channels];
    for row in rows.chunks(channels) {
        for (sum, &x) in sum.iter_mut().zip(row) {
            *sum += x;
        }
    }
    tensor(sum, [1, channels])
}

struct Differentiate<'a> {
    /// `dL/dy`, to be replaced by `dL/dx`.
    g: Place<'a>,
    x: &'a [f32],
    moments: Moments,
    scale: &'a [f32],
    shift: &'a [f32],
    scale_grad: &'a mut [f32],
    shift_grad: &'a mut [f32],
    pixels: usize,
    act: Activation,
}

impl WithSimd for Differentiate<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        choose(self.act, Vectorised(self, PhantomData::<S>));
    }
}

impl<S: Simd> WithFunction for Vectorised<Differentiate<'_>, S> {
    type Output = ();

    /// The derivative is taken twice per element, which is cheaper than storing `dz`.
    #[inline(always)]
    fn with_function<F: Function>(self) {
        let derivative = |z| F::derivative::<S>(z);
        self.0.differentiate::<S>(derivative);
    }
}

impl Differentiate<'_> {
    #[inline(always)]
    fn differentiate<S: Simd>(mut self, derivative: impl Fn(f32) -> f32) {
        let Moments { mean, rstd } = self.moments;
        let (mut mean_dz, mut mean_dz_x_hat) = (0.0, 0.0);
        for (c, (&scale, &shift)) in self.scale.iter().zip(self.shift).enumerate() {
            let channel = c * self.pixels..(c + 1) * self.pixels;
            let (x, g) = (&self.x[channel.clone()], &self.g.source()[channel]);
            let a = scale * rstd;
            let b = shift - a * mean;
            let [dz, dz_x_hat] = sums_of_pairs(x, g, |x, g| {
                let dz = g * derivative(mul_add::<S>(a, x, b));
                [dz, dz * ((x - mean) * rstd)]
            });
            self.shift_grad[c] = dz;
            self.scale_grad[c] = dz_x_hat;
            mean_dz += scale * dz;
            mean_dz_x_hat += scale * dz_x_hat;
        }
        let n = self.x.len() as f32;
        mean_dz /= n;
        mean_dz_x_hat /= n;

        let slope = -mean_dz_x_hat * rstd * rstd;
        let offset = -mean_dz * rstd - slope * mean;
        for (c, (&scale, &shift)) in self.scale.iter().zip(self.shift).enumerate() {
            let channel = c * self.pixels..(c + 1) * self.pixels;
            let a = scale * rstd;
            let b = shift - a * mean;
            self.g.part(channel.clone()).map_with(&self.x[channel], |g, x| {
                let dz = g * derivative(mul_add::<S>(a, x, b));
                mul_add::<S>(a, dz, mul_add::<S>(slope, x, offset))
            });
        }
    }
}

/// The sums of two terms over the pairs of two slices.
#[inline(always)]
fn sums_of_pairs(x: &[f32], g: &[f32], terms: impl Fn(f32, f32) -> [f32; 2]) -> [f32; 2] {
    let (mut first, mut second) = ([0.0; LANES], [0.0; LANES]);
    let (x_blocks, x_rest) = x.as_chunks::<LANES>();
    let (g_blocks, g_rest) = g.as_chunks::<LANES>();
    for (x, g) in x_blocks.iter().zip(g_blocks) {
        for i in 0..LANES {
            let [a, b] = terms(x[i], g[i]);
            first[i] += a;
            second[i] += b;
        }
    }
    for (i, (&x, &g)) in x_rest.iter().zip(g_rest).enumerate() {
        let [a, b] = terms(x, g);
        first[i] += a;
        second[i] += b;
    }
    [sum_lanes(first), sum_lanes(second)]
}

#[derive(Clone, Debug)]
struct Saved {
    x: FlexTensor,
    scale: FlexTensor,
    shift: FlexTensor,
    moments: Arc<[Moments]>,
    options: Options,
}

pub(super) fn tracked<C: CheckpointStrategy>(
    x: FloatTensor<Autodiff<Flex, C>>,
    scale: FloatTensor<Autodiff<Flex, C>>,
    shift: FloatTensor<Autodiff<Flex, C>>,
    options: Options,
) -> FloatTensor<Autodiff<Flex, C>> {
    let nodes = [x.node(), scale.node(), shift.node()];
    let [x, scale, shift] = [x, scale, shift].map(|t| contiguous(t.into_primitive()));
    match Step::<Saved>::new().prepare::<C>(nodes).compute_bound().stateful() {
        OpsKind::UnTracked(prep) => prep.finish(forward(x, scale, shift, options)),
        OpsKind::Tracked(prep) => {
            let (y, moments) = normalise(x.clone(), &scale, &shift, options);
            let saved = Saved { x, scale, shift, moments: moments.into(), options };
            prep.finish(saved, y)
        }
    }
}

impl tape::Saved<3> for Saved {
    fn gradients(self, g: FlexTensor, _: [bool; 3]) -> [Option<FlexTensor>; 3] {
        backward(g, &self).map(Some)
    }
}
