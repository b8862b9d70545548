//! The gradient with respect to the weight.
#![allow(unsafe_code, reason = "tiles are not zeroed before they are written")]

use super::{
    super::super::{
        bf16::{Block, SIDE, Side, Tiles, numbers, pack, with_tiles, with_zeros},
        buffer::with_numbers,
        gemm::Matrix,
        parallel::for_each,
    },
    Rounded,
};

/// Partial sums, at most, and the numbers in all of them, at most if they are several: 64 MiB.
const CHUNKS: usize = 16;
const NUMBERS: usize = 1 << 24;

impl Rounded {
    /// `dL/dweight`, `[channels_out, channels_in, kernel, kernel]`, from `g = dL/dy`.
    ///
    /// Partial sums over chunks of images, whose borders depend on the shapes alone, are added in
    /// order.
    pub(in super::super) fn weight_gradient(&self, x: &[f32], g: &[f32]) -> Vec<f32> {
        let Self { channels_in, channels_out, kernel, .. } = *self;
        let (input, output) = (channels_in * self.pixels(), channels_out * self.pixels());
        let [padded_in, padded_out] = [channels_in, channels_out].map(|c| c.next_multiple_of(SIDE));
        let (taps, len) = (kernel * kernel, kernel * kernel * padded_in * padded_out);
        let batch = x.len() / input;
        let images = batch.div_ceil((NUMBERS / len).clamp(1, CHUNKS)).max(1);

        let mut partial = vec![0.0; batch.div_ceil(images).max(1) * len];
        let jobs =
            partial.chunks_mut(len).zip(x.chunks(images * input)).zip(g.chunks(images * output));
        let work = batch * self.pixels() * channels_in * channels_out;
        for_each(jobs, work, |((sum, x), g)| {
            let images = self.images();
            for (x, g) in x.chunks(images * input).zip(g.chunks(images * output)) {
                self.add_images(x, g, sum);
            }
        });

        let (total, rest) = partial.split_at_mut(len);
        for chunk in rest.chunks(len) {
            for (total, &x) in total.iter_mut().zip(chunk) {
                *total += x;
            }
        }
        let mut weight = vec![0.0; channels_out * channels_in * taps];
        for (o, weight) in weight.chunks_mut(channels_in * taps).enumerate() {
            for (c, weight) in weight.chunks_mut(taps).enumerate() {
                for (tap, weight) in weight.iter_mut().enumerate() {
                    *weight = total[(tap * padded_in + c) * padded_out + o];
                }
            }
        }
        weight
    }

    /// Adds some images' part to `[taps, C_in, C_out]`, channels in whole tiles.
    fn add_images(&self, x: &[f32], g: &[f32], sum: &mut [f32]) {
        let Self { engine, channels_in, channels_out, width, .. } = *self;
        let images = x.len() / (channels_in * self.pixels());
        let (line, positions) = (self.line(images), self.positions(images));
        let [padded_in, padded_out] = [channels_in, channels_out].map(|c| c.next_multiple_of(SIDE));
        let count = positions / SIDE;
        with_zeros(padded_in * line, |lines| {
            for (c, to) in lines.chunks_mut(line).take(channels_in).enumerate() {
                for (place, x) in self.rows(x, channels_in, c) {
                    engine.round_line(x, &mut to[self.lead() + place..][..width]);
                }
            }
            with_numbers(channels_out * positions, |gradients| {
                // What lies at the zeros of the lines is no result and has no gradient.
                gradients.fill(0.0);
                for (o, to) in gradients.chunks_mut(positions).enumerate() {
                    for (place, g) in self.rows(g, channels_out, o) {
                        to[place..][..width].copy_from_slice(g);
                    }
                }
                let gradients = Matrix::rows(gradients, channels_out, positions, positions);
                with_tiles(padded_out / SIDE * count, |tiles| {
                    for (i, tiles) in tiles.chunks_mut(count).enumerate() {
                        pack(engine, Side::Right, gradients, [i * SIDE, 0], tiles);
                    }
                    let ready = engine.prepare();
                    let shifts: Vec<usize> = self.shifts().collect();
                    for (o, tiles) in tiles.chunks(count).enumerate() {
                        // SAFETY: `pack` has just written all tiles.
                        let right = unsafe { numbers(tiles) };
                        for (tap, shift) in shifts.iter().enumerate() {
                            let steps: Vec<_> =
                                (0..count).map(|i| [shift + i * SIDE, i * SIDE * SIDE]).collect();
                            for c in (0..padded_in).step_by(SIDE) {
                                let block = Block {
                                    left: Tiles { numbers: &lines[c * line..], row: line },
                                    right: Tiles { numbers: right, row: Side::Right.row() },
                                    steps: &steps,
                                    size: [SIDE; 2],
                                };
                                let at = (tap * padded_in + c) * padded_out + o * SIDE;
                                block.multiply_into(&ready, &mut sum[at..], padded_out, true);
                            }
                        }
                    }
                });
            });
        });
    }
}
