//! The convolution and its adjoint.
#![allow(unsafe_code, reason = "result buffers are not zeroed before they are written")]

use std::{marker::PhantomData, mem::MaybeUninit};

use super::{
    super::super::{
        buffer::{with_numbers, written},
        parallel::for_each,
        simd::{Simd, WithSimd, dispatch},
        transpose::{Rows, gather_lanes, scatter_lanes},
    },
    Band, POSITIONS, Winograd,
    product::Products,
    transform::{FromTiles, Input, ToTiles, Weight, square},
};

/// Taps of the kernel.
const TAPS: usize = 9;

impl Winograd {
    /// The convolution of all images.
    pub(in super::super) fn convolve(&self, x: &[f32], weight: &[f32], bias: &[f32]) -> Vec<f32> {
        let inner = self.channels_in * TAPS;
        let rows = |o: usize, c: usize| (o * inner + c * TAPS, inner);
        self.apply(x, &self.transformed(weight, rows, false), bias)
    }

    /// `dL/dx` from `g = dL/dy`: the convolution of `g` by the rotated weight.
    pub(in super::super) fn adjoint(&self, g: &[f32], weight: &[f32]) -> Vec<f32> {
        let &Self { channels_in, channels_out, .. } = self;
        let adjoint = Self { channels_in: channels_out, channels_out: channels_in, ..*self };
        let rows = |c: usize, o: usize| ((o * channels_in + c) * TAPS, TAPS);
        let weight = adjoint.transformed(weight, rows, true);
        adjoint.apply(g, &weight, &vec![0.0; channels_in])
    }

    /// The transformed weight, `[blocks, positions, channels_in, block]`.
    ///
    /// `rows(o, c)` is where the taps of output `o` and input `c` begin, and how far those of
    /// `o + 1` are from them; `rotated` takes the taps from the last to the first.
    fn transformed(
        &self,
        weight: &[f32],
        rows: impl Fn(usize, usize) -> (usize, usize),
        rotated: bool,
    ) -> Vec<f32> {
        let block = self.block();
        let mut transformed = vec![0.0; POSITIONS * self.channels_in * self.padded_out()];
        let blocks = transformed.chunks_exact_mut(POSITIONS * self.channels_in * block);
        with_numbers(TAPS * block, |taps| {
            for (first, transformed) in (0..).step_by(block).zip(blocks) {
                let count = block.min(self.channels_out - first);
                for c in 0..self.channels_in {
                    let (start, pitch) = rows(first, c);
                    let table = Rows { count, len: TAPS, pitch };
                    gather_lanes(&weight[start..], table, block, taps);
                    dispatch(ToProducts { taps, rotated, c, transformed, sizes: *self });
                }
            }
        });
        transformed
    }

    fn apply(&self, x: &[f32], weight: &[f32], bias: &[f32]) -> Vec<f32> {
        let (input, output) = (self.channels_in * self.pixels(), self.channels_out * self.pixels());
        let (batch, threads) = (x.len() / input, rayon::current_num_threads());
        // A number sums the same terms in the same order on any thread, so threads may share
        // an image by its output channels; each then transforms the image anew.
        let (images, channels) = if batch < threads {
            (1, self.block())
        } else {
            (self.images().min(batch.div_ceil(threads)).max(1), self.channels_out)
        };
        let mut padded = bias.to_vec();
        padded.resize(self.padded_out(), 0.0);
        let parts = self.channels_out.div_ceil(channels);
        let work = batch * POSITIONS / 4 * self.pixels() * self.channels_in * self.channels_out;
        let write = |y: &mut [MaybeUninit<f32>]| {
            let jobs =
                y.chunks_mut(images * output).zip(x.chunks(images * input)).flat_map(|(y, x)| {
                    let step = if parts == 1 { y.len() } else { channels * self.pixels() };
                    y.chunks_mut(step).enumerate().map(move |(part, y)| (part * channels, x, y))
                });
            for_each(jobs, work, |(first, x, y)| {
                let count = channels.min(self.channels_out - first);
                let part = Self { channels_out: count, ..*self };
                let end = first + count.next_multiple_of(self.block());
                let weight = &weight
                    [first * POSITIONS * self.channels_in..end * POSITIONS * self.channels_in];
                part.apply_to_images(self.block(), x, weight, &padded[first..end], y);
            });
        };
        // SAFETY: the jobs cover the result, and `apply_to_images` writes all of each.
        unsafe { written(batch * output, write) }
    }

    /// Writes some output channels of some images; `bias` is as long as the blocks of channels.
    fn apply_to_images(
        &self,
        block: usize,
        x: &[f32],
        weight: &[f32],
        bias: &[f32],
        y: &mut [MaybeUninit<f32>],
    ) {
        let (input, output) = (self.channels_in * self.pixels(), self.channels_out * self.pixels());
        let (padded_in, padded_out) = (self.padded_in(), bias.len());
        debug_assert_eq!(padded_out, self.channels_out.next_multiple_of(block));
        for band in self.bands(x.len() / input) {
            let tiles = self.tiles_of(band);
            let [needed, made] = [1, 0].map(|halo| self.pixel_rows(band, halo));
            let [needed_len, made_len] =
                [&needed, &made].map(|rows| band.images * rows.len() * self.width);
            let lens = [
                (needed_len + 1) * padded_in,
                POSITIONS * tiles * padded_in,
                POSITIONS * tiles * padded_out,
                made_len * padded_out,
            ];
            with_numbers(lens.iter().sum(), |numbers| {
                let (pixels, numbers) = numbers.split_at_mut(lens[0]);
                let (inputs, numbers) = numbers.split_at_mut(lens[1]);
                let (products, outputs) = numbers.split_at_mut(lens[2]);
                self.gather_band(x, 0..self.channels_in, input, &needed, pixels, padded_in);
                dispatch(ToTiles::<Input, 4> {
                    sizes: *self,
                    band,
                    rows: needed,
                    pixels,
                    channels: padded_in,
                    tiles: inputs,
                    line: PhantomData,
                });
                dispatch(Products {
                    sizes: *self,
                    block,
                    count: tiles,
                    tiles: inputs,
                    weight,
                    out: products,
                });
                let rows = made.clone();
                dispatch(FromTiles {
                    sizes: *self,
                    band,
                    rows,
                    tiles: products,
                    channels: padded_out,
                    bias,
                    pixels: outputs,
                });
                self.scatter_band(outputs, padded_out, band, &made, y, output);
            });
        }
    }

    /// Writes the pixels of a band, channels last, to images.
    fn scatter_band(
        &self,
        pixels: &[f32],
        lanes: usize,
        band: Band,
        rows: &std::ops::Range<usize>,
        images: &mut [MaybeUninit<f32>],
        image_len: usize,
    ) {
        let len = rows.len() * self.width;
        let table = Rows { count: self.channels_out, len, pitch: self.pixels() };
        debug_assert_eq!(images.len(), band.images * image_len);
        for (image, pixels) in images.chunks_mut(image_len).zip(pixels.chunks_exact(len * lanes)) {
            scatter_lanes(pixels, lanes, &mut image[rows.start * self.width..], table);
        }
    }
}

/// Transforms the taps of a block of outputs and one input.
struct ToProducts<'a> {
    /// `[taps, block]`.
    taps: &'a [f32],
    rotated: bool,
    c: usize,
    /// `[positions, channels_in, block]`.
    transformed: &'a mut [f32],
    sizes: Winograd,
}

impl WithSimd for ToProducts<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let taps = S::as_simd_f32s(self.taps).0;
        let transformed = S::as_mut_simd_f32s(self.transformed).0;
        let vectors = taps.len() / TAPS;
        for v in 0..vectors {
            let mut weight = [[simd.splat_f32s(0.0); 3]; 3];
            for (i, weight) in weight.as_flattened_mut().iter_mut().enumerate() {
                let tap = if self.rotated { TAPS - 1 - i } else { i };
                *weight = taps[tap * vectors + v];
            }
            let products = square::<S, Weight, 3, 4>(simd, weight);
            for (position, &product) in products.as_flattened().iter().enumerate() {
                transformed[(position * self.sizes.channels_in + self.c) * vectors + v] = product;
            }
        }
    }
}
