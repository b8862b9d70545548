//! Convolution of many small images: vectors run over the images.
//!
//! With as many images in a group as a vector has lanes, no vector reaches over the edge of an
//! image, so any kernel, stride and padding is a sum over the taps that lie inside, and taps
//! outside cost nothing: on 2 x 2 pixels five of nine of a 3 x 3 kernel. For each pixel a block of
//! output channels stays in registers while input channels and taps are summed, in the order of
//! [`super::direct`].
#![allow(unsafe_code, reason = "result and scratch buffers are not zeroed before they are written")]

use std::mem::MaybeUninit;

use super::{
    super::{
        buffer::{with_numbers, written},
        parallel::for_each,
        simd::{Simd, WithSimd, dispatch, lanes},
        transpose::{Rows, gather_lanes, scatter_lanes},
    },
    Geometry,
    stencil::Stencil,
};

/// Output channels in a block, and in a block of a map with few of them.
const BLOCK: usize = 16;
const NARROW: usize = 4;

/// The most numbers in a group of images: half a megabyte, so that two fit the second-level cache.
const CACHE: usize = 1 << 17;

/// The convolution, or the map from `dL/dy` to `dL/dx`.
pub(super) struct Small {
    stencil: Stencil,
    channels_in: usize,
    channels_out: usize,
    pixels_in: usize,
    lanes: usize,
    block: usize,
}

impl Small {
    /// The convolution, if groups of its images fit the cache.
    pub(super) fn convolution(geometry: &Geometry) -> Option<Self> {
        let &Geometry { channels_in, channels_out, .. } = geometry;
        fits(geometry).then(|| Self::new(Stencil::new(geometry), channels_in, channels_out))
    }

    /// Its adjoint, likewise.
    pub(super) fn adjoint(geometry: &Geometry) -> Option<Self> {
        let &Geometry { channels_in, channels_out, .. } = geometry;
        fits(geometry)
            .then(|| Self::new(Stencil::new(geometry).transposed(), channels_out, channels_in))
    }

    fn new(stencil: Stencil, channels_in: usize, channels_out: usize) -> Self {
        let block = if channels_out <= NARROW { NARROW } else { BLOCK };
        let pixels_in = stencil.pixels_in();
        Self { stencil, channels_in, channels_out, pixels_in, lanes: lanes(), block }
    }

    /// The map of all images, given the weight's element for `(output, input, tap)`.
    pub(super) fn apply(
        &self,
        x: &[f32],
        weight: impl Fn(usize, usize, usize) -> f32,
        bias: &[f32],
    ) -> Vec<f32> {
        let weight = self.packed(weight);
        let (input, output) =
            (self.channels_in * self.pixels_in, self.channels_out * self.stencil.pixels_out());
        let batch = x.len() / input;
        let work = self.channels_in * self.channels_out * self.stencil.len() * self.lanes;
        let write = |y: &mut [MaybeUninit<f32>]| {
            let groups = x.chunks(self.lanes * input).zip(y.chunks_mut(self.lanes * output));
            for_each(groups, batch.div_ceil(self.lanes) * work, |(x, y)| {
                let images = x.len() / input;
                with_numbers((input + output) * self.lanes, |numbers| {
                    let (gathered, sums) = numbers.split_at_mut(input * self.lanes);
                    gather_lanes(x, Rows::dense(images, input), self.lanes, gathered);
                    self.apply_to_group(gathered, &weight, bias, sums, work);
                    scatter_lanes(sums, self.lanes, y, Rows::dense(images, output));
                });
            });
        };
        // SAFETY: the groups cover the result, and `scatter_lanes` writes all of each.
        unsafe { written(batch * output, write) }
    }

    /// The weight as `[blocks, channels_in, taps, block]`, filled up with zeros.
    fn packed(&self, weight: impl Fn(usize, usize, usize) -> f32) -> Vec<f32> {
        let (taps, block) = (self.stencil.taps(), self.block);
        let mut packed =
            Vec::with_capacity(self.channels_out.next_multiple_of(block) * self.channels_in * taps);
        for first in (0..self.channels_out).step_by(block) {
            for c in 0..self.channels_in {
                for tap in 0..taps {
                    packed.extend(
                        (first..first + block)
                            .map(|o| if o < self.channels_out { weight(o, c, tap) } else { 0.0 }),
                    );
                }
            }
        }
        packed
    }

    /// Writes `[channels_out, pixels_out, lanes]` from `[channels_in, pixels_in, lanes]`.
    fn apply_to_group(&self, x: &[f32], weight: &[f32], bias: &[f32], y: &mut [f32], work: usize) {
        let blocks = y
            .chunks_mut(self.block * self.stencil.pixels_out() * self.lanes)
            .zip(weight.chunks(self.channels_in * self.stencil.taps() * self.block))
            .zip(bias.chunks(self.block));
        for_each(blocks, work, |((y, weight), bias)| {
            dispatch(Block { map: self, x, weight, bias, y });
        });
    }
}

/// Whether a group of images fits the cache.
///
/// The choice ignores the size of the batch: a sample must not depend on the others.
fn fits(geometry: &Geometry) -> bool {
    let (lanes, least) = (lanes(), geometry.input_len().min(geometry.output_len()));
    let largest = geometry.input_len().max(geometry.output_len());
    1 < lanes && 0 < least && largest * lanes <= CACHE
}

/// A block of output channels of a group of images.
struct Block<'a> {
    map: &'a Small,
    x: &'a [f32],
    weight: &'a [f32],
    bias: &'a [f32],
    y: &'a mut [f32],
}

impl WithSimd for Block<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        if self.map.block == NARROW {
            self.sum::<S, NARROW>(simd);
        } else {
            self.sum::<S, BLOCK>(simd);
        }
    }
}

impl Block<'_> {
    #[inline(always)]
    fn sum<S: Simd, const B: usize>(self, simd: S) {
        let Self { map: Small { stencil, pixels_in, .. }, weight, bias, y, .. } = self;
        let (x, y) = (S::as_simd_f32s(self.x).0, S::as_mut_simd_f32s(y).0);
        let weight = weight.as_chunks::<B>().0;
        for (pixel, taps) in stencil.rows().enumerate() {
            let mut sums = [simd.splat_f32s(0.0); B];
            for (x, weight) in x.chunks_exact(*pixels_in).zip(weight.chunks_exact(stencil.taps())) {
                for tap in taps {
                    let x = x[tap.source];
                    for (sum, &weight) in sums.iter_mut().zip(&weight[tap.index]) {
                        *sum = simd.mul_add_e_f32s(x, simd.splat_f32s(weight), *sum);
                    }
                }
            }
            for (channel, (sum, &bias)) in sums.into_iter().zip(bias).enumerate() {
                let sum = simd.add_f32s(sum, simd.splat_f32s(bias));
                let start = channel * stencil.pixels_out() + pixel;
                y[start] = sum;
            }
        }
    }
}
