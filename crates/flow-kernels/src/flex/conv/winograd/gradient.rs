//! The gradient with respect to the weight.

use std::marker::PhantomData;

use super::{
    super::super::{
        buffer::with_numbers,
        parallel::for_each,
        simd::{Simd, WithSimd, dispatch},
        transpose::{Rows, scatter_lanes},
    },
    POSITIONS, Winograd,
    product::OuterProducts,
    transform::{self, Input, OutputGradient, ToTiles, WeightGradient},
};

const TAPS: usize = 9;

/// Tiles in a partial sum, at least; partial sums, at most; and the numbers in all of them, at most
/// if there is more than one: 64 MiB.
const TILES: usize = 512;
const CHUNKS: usize = 16;
const NUMBERS: usize = 1 << 24;

impl Winograd {
    /// `dL/dweight`, `[channels_out, channels_in, 3, 3]`, from `g = dL/dy`.
    ///
    /// Partial sums over chunks of images, whose borders depend on the shapes alone, are added in
    /// order; threads that find no chunk share one by its input channels.
    pub(in super::super) fn weight_gradient(&self, x: &[f32], g: &[f32]) -> Vec<f32> {
        let (input, output) = (self.channels_in * self.pixels(), self.channels_out * self.pixels());
        let batch = x.len() / input;
        let images = self.images_in_a_sum(batch);
        let chunks = batch.div_ceil(images).max(1);
        let (each, len) = (POSITIONS * self.padded_out(), self.sum_len());
        let vectors = self.padded_in() / self.lanes;
        let parts = rayon::current_num_threads().div_ceil(chunks).min(vectors);
        let channels = vectors.div_ceil(parts) * self.lanes;

        let mut partial = vec![0.0; chunks * len];
        let jobs =
            partial.chunks_mut(len).zip(x.chunks(images * input)).zip(g.chunks(images * output));
        let jobs = jobs.flat_map(|((sum, x), g)| {
            let parts = sum.chunks_mut(channels * each).enumerate();
            parts.map(move |(part, sum)| (part * channels, sum, x, g))
        });
        let work = batch * POSITIONS / 4 * self.pixels() * self.channels_in * self.channels_out;
        for_each(jobs, work, |(first, sum, x, g)| self.add_images(first, x, g, sum));

        let (total, rest) = partial.split_at_mut(len);
        for chunk in rest.chunks(len) {
            for (total, &x) in total.iter_mut().zip(chunk) {
                *total += x;
            }
        }
        self.untransformed(total)
    }

    /// Numbers in a partial sum.
    fn sum_len(&self) -> usize {
        POSITIONS * self.padded_in() * self.padded_out()
    }

    /// Images that add to one partial sum.
    fn images_in_a_sum(&self, batch: usize) -> usize {
        let [rows, columns] = self.tiles();
        let sums = (NUMBERS / self.sum_len()).clamp(1, CHUNKS);
        TILES.div_ceil(rows * columns).max(batch.div_ceil(sums))
    }

    /// Adds some images' part for the input channels from `first` on.
    fn add_images(&self, first: usize, x: &[f32], g: &[f32], sum: &mut [f32]) {
        let (input, output) = (self.channels_in * self.pixels(), self.channels_out * self.pixels());
        let padded_out = self.padded_out();
        let padded = sum.len() / (POSITIONS * padded_out);
        let channels = first..self.channels_in.min(first + padded);
        let step = self.images();
        let groups = x.chunks(step * input).zip(g.chunks(step * output));
        for (x, g) in groups {
            for band in self.bands(x.len() / input) {
                let count = self.tiles_of(band);
                let [needed, made] = [1, 0].map(|halo| self.pixel_rows(band, halo));
                let [needed_len, made_len] =
                    [&needed, &made].map(|rows| band.images * rows.len() * self.width + 1);
                let lens = [
                    needed_len * padded,
                    made_len * padded_out,
                    POSITIONS * count * padded,
                    POSITIONS * count * padded_out,
                ];
                with_numbers(lens.iter().sum(), |numbers| {
                    let (x_pixels, numbers) = numbers.split_at_mut(lens[0]);
                    let (g_pixels, numbers) = numbers.split_at_mut(lens[1]);
                    let (x_tiles, g_tiles) = numbers.split_at_mut(lens[2]);
                    self.gather_band(x, channels.clone(), input, &needed, x_pixels, padded);
                    self.gather_band(g, 0..self.channels_out, output, &made, g_pixels, padded_out);
                    let sizes = *self;
                    dispatch(ToTiles::<Input, 4> {
                        sizes,
                        band,
                        rows: needed,
                        pixels: x_pixels,
                        channels: padded,
                        tiles: x_tiles,
                        line: PhantomData,
                    });
                    dispatch(ToTiles::<OutputGradient, 2> {
                        sizes,
                        band,
                        rows: made,
                        pixels: g_pixels,
                        channels: padded_out,
                        tiles: g_tiles,
                        line: PhantomData,
                    });
                    dispatch(OuterProducts {
                        sizes,
                        count,
                        x: x_tiles,
                        channels: padded,
                        g: g_tiles,
                        sum,
                    });
                });
            }
        }
    }

    /// `G^T u G` of `[channels_in, positions, channels_out]`, without the filling.
    fn untransformed(&self, transformed: &[f32]) -> Vec<f32> {
        let padded = self.padded_out();
        let inner = self.channels_in * TAPS;
        let mut weight = vec![0.0; self.channels_out * inner];
        with_numbers(TAPS * padded, |taps| {
            let inputs = transformed.chunks_exact(POSITIONS * padded).take(self.channels_in);
            for (c, products) in inputs.enumerate() {
                dispatch(ToTaps { products, taps });
                let table = Rows { count: self.channels_out, len: TAPS, pitch: inner };
                scatter_lanes(taps, padded, &mut weight[c * TAPS..], table);
            }
        });
        weight
    }
}

/// Transforms the products of one input and all outputs into taps.
struct ToTaps<'a> {
    /// `[positions, channels_out]`.
    products: &'a [f32],
    /// `[taps, channels_out]`.
    taps: &'a mut [f32],
}

impl WithSimd for ToTaps<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let products = S::as_simd_f32s(self.products).0;
        let taps = S::as_mut_simd_f32s(self.taps).0;
        let vectors = products.len() / POSITIONS;
        for v in 0..vectors {
            let mut square = [[simd.splat_f32s(0.0); 4]; 4];
            for (i, product) in square.as_flattened_mut().iter_mut().enumerate() {
                *product = products[i * vectors + v];
            }
            let weight = transform::square::<S, WeightGradient, 4, 3>(simd, square);
            for (tap, &weight) in weight.as_flattened().iter().enumerate() {
                taps[tap * vectors + v] = weight;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Partial sums, and the bytes of all of them.
    fn sums(channels: usize, size: usize, batch: usize) -> (usize, usize) {
        let (height, width, lanes) = (size, size, 8);
        let (channels_in, channels_out) = (channels, channels);
        let winograd = Winograd { height, width, channels_in, channels_out, lanes };
        let sums = batch.div_ceil(winograd.images_in_a_sum(batch));
        (sums, 4 * sums * winograd.sum_len())
    }

    #[test]
    fn partial_sums_take_64_mebibytes_at_most_or_are_one() {
        // Up to 256 channels nothing limits the sixteen sums.
        assert_eq!(sums(64, 16, 128), (16, 4 << 20));
        assert_eq!(sums(256, 16, 128), (16, 64 << 20));
        assert_eq!(sums(512, 16, 128), (4, 64 << 20));
        assert_eq!(sums(1024, 16, 128), (1, 64 << 20));
        assert_eq!(sums(2048, 16, 128).0, 1);
    }
}
