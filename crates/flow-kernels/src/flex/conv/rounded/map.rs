//! The convolution and its adjoint.
#![allow(unsafe_code, reason = "result buffers are not zeroed before they are written")]

use std::mem::MaybeUninit;

use super::{
    super::super::{
        bf16::{Block, SIDE, Side, Tile, Tiles, numbers, pack, with_zeros},
        buffer::{with_numbers, written},
        gemm::Matrix,
        parallel::for_each,
    },
    Rounded,
};

impl Rounded {
    /// The convolution of all images.
    pub(in super::super) fn convolve(&self, x: &[f32], weight: &[f32], bias: &[f32]) -> Vec<f32> {
        let taps = self.kernel * self.kernel;
        self.apply(x, |o, c, tap| weight[(o * self.channels_in + c) * taps + tap], bias)
    }

    /// `dL/dx` from `g = dL/dy`: the convolution of `g` by the weight turned by half a turn.
    pub(in super::super) fn adjoint(&self, g: &[f32], weight: &[f32]) -> Vec<f32> {
        let &Self { channels_in, channels_out, kernel, .. } = self;
        let adjoint = Self { channels_in: channels_out, channels_out: channels_in, ..*self };
        let taps = kernel * kernel;
        let weight =
            |c: usize, o: usize, tap: usize| weight[(o * channels_in + c) * taps + taps - 1 - tap];
        adjoint.apply(g, weight, &vec![0.0; channels_in])
    }

    fn apply(
        &self,
        x: &[f32],
        weight: impl Fn(usize, usize, usize) -> f32,
        bias: &[f32],
    ) -> Vec<f32> {
        let (input, output) = (self.channels_in * self.pixels(), self.channels_out * self.pixels());
        let batch = x.len() / input;
        // A result does not depend on the images beside its own.
        let images = self.images().min(batch.div_ceil(rayon::current_num_threads())).max(1);
        let weight = self.packed(weight);
        let work = batch * self.pixels() * self.channels_in * self.channels_out;
        let write = |y: &mut [MaybeUninit<f32>]| {
            let jobs = y.chunks_mut(images * output).zip(x.chunks(images * input));
            for_each(jobs, work, |(y, x)| self.apply_to_images(x, &weight, bias, y));
        };
        // SAFETY: the jobs cover the result, and `apply_to_images` writes all of each.
        unsafe { written(batch * output, write) }
    }

    /// The weight as left tiles, `[C_out / 32, taps, C_in / 32]`.
    fn packed(&self, weight: impl Fn(usize, usize, usize) -> f32) -> Box<[MaybeUninit<Tile>]> {
        let Self { engine, channels_in, channels_out, kernel, .. } = *self;
        let (taps, padded) = (kernel * kernel, channels_in.next_multiple_of(SIDE));
        let mut rows = vec![0.0; channels_out * taps * padded];
        for (o, row) in rows.chunks_mut(taps * padded).enumerate() {
            for (tap, row) in row.chunks_mut(padded).enumerate() {
                for (c, to) in row[..channels_in].iter_mut().enumerate() {
                    *to = weight(o, c, tap);
                }
            }
        }
        let rows = Matrix::rows(&rows, channels_out, taps * padded, taps * padded);
        let steps = taps * padded / SIDE;
        let mut tiles = Box::new_uninit_slice(channels_out.div_ceil(SIDE) * steps);
        for (i, tiles) in tiles.chunks_mut(steps).enumerate() {
            pack(engine, Side::Left, rows, [i * SIDE, 0], tiles);
        }
        tiles
    }

    /// Writes the convolution of some images.
    fn apply_to_images(
        &self,
        x: &[f32],
        weight: &[MaybeUninit<Tile>],
        bias: &[f32],
        y: &mut [MaybeUninit<f32>],
    ) {
        let Self { engine, channels_in, channels_out, width, .. } = *self;
        let images = x.len() / (channels_in * self.pixels());
        let (line, positions) = (self.line(images), self.positions(images));
        let blocks = channels_in.div_ceil(SIDE);
        let steps: Vec<[usize; 2]> = self
            .shifts()
            .flat_map(|shift| (0..blocks).map(move |block| block * SIDE * line + 2 * shift))
            .enumerate()
            .map(|(step, place)| [step * SIDE * SIDE, place])
            .collect();
        with_zeros(blocks * SIDE * line, |pairs| {
            for (i, pair) in pairs.chunks_exact_mut(2 * line).enumerate() {
                if channels_in <= 2 * i {
                    break;
                }
                let odd = (2 * i + 1).min(channels_in - 1);
                let rows = self.rows(x, channels_in, 2 * i).zip(self.rows(x, channels_in, odd));
                for ((place, even), (_, odd)) in rows {
                    let odd = if channels_in == 2 * i + 1 { &[][..] } else { odd };
                    let to = &mut pair[2 * (self.lead() + place)..][..2 * width];
                    engine.interleave(even, odd, to);
                }
            }
            with_numbers(channels_out.next_multiple_of(SIDE) * positions, |sums| {
                let ready = engine.prepare();
                for first in (0..positions).step_by(SIDE) {
                    let left = weight.chunks(steps.len());
                    for (left, sums) in left.zip(sums.chunks_mut(SIDE * positions)) {
                        // SAFETY: `packed` has written all tiles.
                        let left = unsafe { numbers(left) };
                        let block = Block {
                            left: Tiles { numbers: left, row: Side::Left.row() },
                            right: Tiles { numbers: &pairs[2 * first..], row: 2 * line },
                            steps: &steps,
                            size: [SIDE; 2],
                        };
                        block.multiply_into(&ready, &mut sums[first..], positions, false);
                    }
                }
                for (i, y) in y.chunks_mut(channels_out * self.pixels()).enumerate() {
                    let channels = y.chunks_mut(self.pixels()).zip(sums.chunks(positions));
                    for ((y, sums), bias) in channels.zip(bias) {
                        let sums = sums[i * self.image()..].chunks(self.pitch());
                        for (y, sums) in y.chunks_mut(width).zip(sums) {
                            for (y, sum) in y.iter_mut().zip(sums) {
                                y.write(sum + bias);
                            }
                        }
                    }
                }
            });
        });
    }
}
