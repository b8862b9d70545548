//! The 3 x 3 convolution of stride 1 that keeps the size of the image, without unfolding.
//!
//! Vectors run over output channels, so no vector is ever half outside the image. Forward, a tile of
//! pixels of one row stays in registers while channels and taps are summed: each weight vector is
//! loaded once for all pixels of the tile. Backward, the nine taps of one input channel stay in
//! registers while the pixels are summed. Output channels come in blocks of two vectors, the last
//! one filled up with zeros.
#![allow(unsafe_code, reason = "scratch buffers are not zeroed before they are written")]

use std::mem::MaybeUninit;

use super::{
    super::{
        buffer::{assume_init, with_scratch},
        simd::{Simd, WithSimd, dispatch},
    },
    Geometry,
};

const TAPS: usize = 9;

/// Vectors of output channels in a block.
const VECTORS: usize = 2;

/// The most pixels in a tile, and the most output channels in a block.
const PIXELS: usize = 8;
const BLOCK: usize = VECTORS * 16;

/// Sizes of a convolution of this kind.
#[derive(Clone, Copy)]
pub(super) struct Direct {
    height: usize,
    width: usize,
    channels_in: usize,
    channels_out: usize,
    /// Output channels in a block, for the instructions of this CPU.
    block: usize,
}

impl Direct {
    /// The sizes, if the convolution is of this kind and the CPU has vectors.
    pub(super) fn new(geometry: &Geometry) -> Option<Self> {
        struct Lanes;

        impl WithSimd for Lanes {
            type Output = usize;

            #[inline(always)]
            fn with_simd<S: Simd>(self, _: S) -> usize {
                S::F32_LANES
            }
        }

        let lanes = dispatch(Lanes);
        let [height, width] = geometry.input;
        let fits = geometry.kernel == [3, 3]
            && geometry.padding == [1, 1]
            && geometry.stride == 1
            && geometry.input_len() != 0
            && 1 < lanes;
        fits.then_some(Self {
            height,
            width,
            channels_in: geometry.channels_in,
            channels_out: geometry.channels_out,
            block: VECTORS * lanes,
        })
    }

    /// The same with only some of the output channels.
    pub(super) fn with_channels_out(self, channels_out: usize) -> Self {
        Self { channels_out, ..self }
    }

    /// Output channels in a block.
    pub(super) fn block(&self) -> usize {
        self.block
    }

    fn pixels(&self) -> usize {
        self.height * self.width
    }

    /// Pixels from one row of a padded plane to the next.
    fn pitch(&self) -> usize {
        self.width + 2
    }

    fn plane_len(&self) -> usize {
        (self.height + 2) * self.pitch()
    }

    /// Numbers in the weights of a block.
    pub(super) fn block_len(&self) -> usize {
        self.channels_in * TAPS * self.block
    }

    /// Numbers in a packed weight: `[blocks, channels_in, taps, block]`.
    pub(super) fn packed_len(&self) -> usize {
        self.channels_out.div_ceil(self.block) * self.block_len()
    }

    /// The packed weight, given its element for `(output, input, tap)`.
    pub(super) fn packed(&self, weight: impl Fn(usize, usize, usize) -> f32) -> Vec<f32> {
        let mut packed = vec![0.0; self.packed_len()];
        for o in 0..self.channels_out {
            let block = &mut packed[o / self.block * self.block_len()..][..self.block_len()];
            for (i, lanes) in block.chunks_exact_mut(self.block).enumerate() {
                lanes[o % self.block] = weight(o, i / TAPS, i % TAPS);
            }
        }
        packed
    }

    /// Undoes [`Self::packed`]: `[channels_out, channels_in, taps]`.
    pub(super) fn unpacked(&self, packed: &[f32]) -> Vec<f32> {
        (0..self.channels_out)
            .flat_map(|o| {
                packed[o / self.block * self.block_len()..][..self.block_len()]
                    .iter()
                    .skip(o % self.block)
                    .step_by(self.block)
            })
            .copied()
            .collect()
    }

    /// Writes an image's planes with a border of zeros.
    fn pad(&self, image: &[f32], planes: &mut [MaybeUninit<f32>]) {
        const ZERO: MaybeUninit<f32> = MaybeUninit::new(0.0);
        let planes = planes.chunks_exact_mut(self.plane_len());
        for (image, plane) in image.chunks_exact(self.pixels()).zip(planes) {
            let (top, rest) = plane.split_at_mut(self.pitch());
            let (middle, bottom) = rest.split_at_mut(self.height * self.pitch());
            top.fill(ZERO);
            bottom.fill(ZERO);
            let lines = middle.chunks_exact_mut(self.pitch());
            for (row, line) in image.chunks_exact(self.width).zip(lines) {
                line[0] = ZERO;
                line[1..=self.width].write_copy_of_slice(row);
                line[self.width + 1] = ZERO;
            }
        }
    }

    /// Calls `f` with an image's padded planes.
    fn with_padded<R>(&self, image: &[f32], f: impl FnOnce(&[f32]) -> R) -> R {
        with_scratch(self.channels_in * self.plane_len(), |planes| {
            self.pad(image, planes);
            // SAFETY: `pad` writes every plane.
            f(unsafe { assume_init(planes) })
        })
    }

    /// Writes the convolution of one image, given a packed weight.
    pub(super) fn convolve(
        self,
        x: &[f32],
        weight: &[f32],
        bias: &[f32],
        y: &mut [MaybeUninit<f32>],
    ) {
        self.with_padded(x, |planes| {
            dispatch(Forward { sizes: self, planes, weight, bias, y });
        });
    }

    /// Adds one image's part of the gradient of the packed weight.
    pub(super) fn add_weight_gradient(self, x: &[f32], g: &[f32], weight: &mut [f32]) {
        let blocks = self.channels_out.div_ceil(self.block);
        let block_len = self.pixels() * self.block;
        self.with_padded(x, |planes| {
            with_scratch(blocks * block_len, |lanes| {
                lanes.fill(MaybeUninit::new(0.0));
                for (o, channel) in g.chunks_exact(self.pixels()).enumerate() {
                    let block = &mut lanes[o / self.block * block_len..][..block_len];
                    let lane = block[o % self.block..].iter_mut().step_by(self.block);
                    for (to, &from) in lane.zip(channel) {
                        to.write(from);
                    }
                }
                // SAFETY: filled above.
                let g = &*unsafe { assume_init(lanes) };
                dispatch(Backward { sizes: self, planes, g, weight });
            });
        });
    }

    /// First pixels and lengths of the tiles of a row, as equal as can be.
    fn tiles(&self, most: usize) -> impl Iterator<Item = (usize, usize)> + use<> {
        let width = self.width;
        let tiles = width.div_ceil(most);
        (0..tiles).map(move |i| {
            let start = i * width / tiles;
            (start, (i + 1) * width / tiles - start)
        })
    }
}

struct Forward<'a> {
    sizes: Direct,
    planes: &'a [f32],
    weight: &'a [f32],
    bias: &'a [f32],
    /// `[channels_out, height, width]`.
    y: &'a mut [MaybeUninit<f32>],
}

impl WithSimd for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        // A tile takes two registers per pixel; weights and a pixel take three more.
        let most = ((S::REGISTER_COUNT - 4) / VECTORS).min(PIXELS);
        let sizes = self.sizes;
        let outputs = self.y.chunks_mut(sizes.block * sizes.pixels());
        let blocks = self.weight.chunks_exact(sizes.block_len()).zip(self.bias.chunks(sizes.block));
        for (y, (weight, bias)) in outputs.zip(blocks) {
            for row in 0..sizes.height {
                for (column, len) in sizes.tiles(most) {
                    let planes = &self.planes[row * sizes.pitch() + column..];
                    let mut sums = [0.0; PIXELS * BLOCK];
                    match len {
                        1 => tile::<S, 1>(simd, sizes, planes, weight, &mut sums),
                        2 => tile::<S, 2>(simd, sizes, planes, weight, &mut sums),
                        3 => tile::<S, 3>(simd, sizes, planes, weight, &mut sums),
                        4 => tile::<S, 4>(simd, sizes, planes, weight, &mut sums),
                        5 => tile::<S, 5>(simd, sizes, planes, weight, &mut sums),
                        6 => tile::<S, 6>(simd, sizes, planes, weight, &mut sums),
                        7 => tile::<S, 7>(simd, sizes, planes, weight, &mut sums),
                        _ => tile::<S, PIXELS>(simd, sizes, planes, weight, &mut sums),
                    }
                    let channels = y.chunks_exact_mut(sizes.pixels()).zip(bias);
                    for (o, (y, &bias)) in channels.enumerate() {
                        let start = row * sizes.width + column;
                        let sums = sums[o..].iter().step_by(sizes.block);
                        for (y, &sum) in y[start..start + len].iter_mut().zip(sums) {
                            y.write(sum + bias);
                        }
                    }
                }
            }
        }
    }
}

/// Sums over channels and taps for `P` pixels and a block of output channels: `[pixels, block]`.
#[inline(always)]
fn tile<S: Simd, const P: usize>(
    simd: S,
    sizes: Direct,
    planes: &[f32],
    weight: &[f32],
    out: &mut [f32],
) {
    let mut sums = [[simd.splat_f32s(0.0); VECTORS]; P];
    let planes = planes.chunks(sizes.plane_len());
    for (plane, weight) in planes.zip(weight.chunks_exact(TAPS * sizes.block)) {
        let weight = S::as_simd_f32s(weight).0.as_chunks::<VECTORS>().0;
        for (u, weight) in weight.chunks_exact(3).enumerate() {
            let row = &plane[u * sizes.pitch()..][..P + 2];
            for (v, weight) in weight.iter().enumerate() {
                for (sums, &x) in sums.iter_mut().zip(&row[v..]) {
                    let x = simd.splat_f32s(x);
                    for (sum, &weight) in sums.iter_mut().zip(weight) {
                        *sum = simd.mul_add_e_f32s(x, weight, *sum);
                    }
                }
            }
        }
    }
    let out = S::as_mut_simd_f32s(out).0.as_chunks_mut::<VECTORS>().0;
    out[..P].copy_from_slice(&sums);
}

struct Backward<'a> {
    sizes: Direct,
    planes: &'a [f32],
    /// `[blocks, height, width, block]`.
    g: &'a [f32],
    /// `[blocks, channels_in, taps, block]`.
    weight: &'a mut [f32],
}

impl WithSimd for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let sizes = self.sizes;
        let blocks = self
            .weight
            .chunks_exact_mut(sizes.block_len())
            .zip(self.g.chunks_exact(sizes.pixels() * sizes.block));
        for (weight, g) in blocks {
            let g = S::as_simd_f32s(g).0.as_chunks::<VECTORS>().0;
            let weights = weight.chunks_exact_mut(TAPS * sizes.block);
            for (plane, weight) in self.planes.chunks_exact(sizes.plane_len()).zip(weights) {
                let weight = S::as_mut_simd_f32s(weight).0.as_chunks_mut::<VECTORS>().0;
                if 32 <= S::REGISTER_COUNT {
                    add_taps::<S, 3>(simd, sizes, plane, g, weight);
                } else {
                    for (u, weight) in weight.chunks_exact_mut(3).enumerate() {
                        let plane = &plane[u * sizes.pitch()..];
                        add_taps::<S, 1>(simd, sizes, plane, g, weight);
                    }
                }
            }
        }
    }
}

/// Adds sums over all pixels for the taps of `U` kernel rows.
#[inline(always)]
fn add_taps<S: Simd, const U: usize>(
    simd: S,
    sizes: Direct,
    plane: &[f32],
    g: &[[S::f32s; VECTORS]],
    weight: &mut [[S::f32s; VECTORS]],
) {
    let mut sums = [[[simd.splat_f32s(0.0); VECTORS]; 3]; U];
    for (i, g) in g.chunks_exact(sizes.width).enumerate() {
        let mut rows = [&[][..]; U];
        for (u, row) in rows.iter_mut().enumerate() {
            *row = &plane[(i + u) * sizes.pitch()..][..sizes.pitch()];
        }
        for (j, g) in g.iter().enumerate() {
            for (sums, row) in sums.iter_mut().zip(rows) {
                for (sums, &x) in sums.iter_mut().zip(&row[j..j + 3]) {
                    let x = simd.splat_f32s(x);
                    for (sum, &g) in sums.iter_mut().zip(g) {
                        *sum = simd.mul_add_e_f32s(x, g, *sum);
                    }
                }
            }
        }
    }
    for (weight, sums) in weight.iter_mut().zip(sums.as_flattened()) {
        for (weight, &sum) in weight.iter_mut().zip(sums) {
            *weight = simd.add_f32s(*weight, sum);
        }
    }
}
