//! The sixteen matrix products over tiles and channels, in registers.

use super::{
    super::super::simd::{Simd, WithSimd},
    POSITIONS, Winograd,
};

/// At each position `[tiles, channels_out] = [tiles, channels_in] [channels_in, channels_out]`.
pub(super) struct Products<'a> {
    pub(super) sizes: Winograd,
    /// Output channels in a block: one or two vectors.
    pub(super) block: usize,
    pub(super) count: usize,
    pub(super) tiles: &'a [f32],
    /// `[blocks, positions, channels_in, block]`.
    pub(super) weight: &'a [f32],
    /// `[positions, tiles, blocks block]`.
    pub(super) out: &'a mut [f32],
}

impl WithSimd for Products<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        if self.block == S::F32_LANES {
            self.run::<S, 1>(simd);
        } else {
            self.run::<S, 2>(simd);
        }
    }
}

impl Products<'_> {
    #[inline(always)]
    fn run<S: Simd, const N: usize>(self, simd: S) {
        let Self { sizes, count, tiles, weight, out, .. } = self;
        let (inner, padded) = (sizes.channels_in, sizes.padded_in());
        let weight = S::as_simd_f32s(weight).0.as_chunks::<N>().0;
        let out = S::as_mut_simd_f32s(out).0.as_chunks_mut::<N>().0;
        let blocks = weight.len() / (POSITIONS * inner);
        for position in 0..POSITIONS {
            let tiles = &tiles[position * count * padded..][..count * padded];
            let out = &mut out[position * count * blocks..][..count * blocks];
            for block in 0..blocks {
                let weight = &weight[(block * POSITIONS + position) * inner..][..inner];
                let mut first = 0;
                // As many tiles at a time as there are registers for their sums.
                macro_rules! tiles {
                    ($($P:literal)*) => {$(
                        while $P <= count - first && 4 * $P <= S::REGISTER_COUNT {
                            let sums = sums::<S, $P, N>(simd, &tiles[first * padded..], padded, weight);
                            for (p, sums) in sums.into_iter().enumerate() {
                                out[(first + p) * blocks + block] = sums;
                            }
                            first += $P;
                        }
                    )*};
                }
                tiles!(8 4 2 1);
            }
        }
    }
}

/// For each of `P` tiles the sums over channels of one block.
#[inline(always)]
fn sums<S: Simd, const P: usize, const N: usize>(
    simd: S,
    tiles: &[f32],
    pitch: usize,
    weight: &[[S::f32s; N]],
) -> [[S::f32s; N]; P] {
    let mut sums = [[simd.splat_f32s(0.0); N]; P];
    let mut rows = [&[][..]; P];
    for (p, row) in rows.iter_mut().enumerate() {
        *row = &tiles[p * pitch..][..weight.len()];
    }
    for (c, weight) in weight.iter().enumerate() {
        for (sums, row) in sums.iter_mut().zip(rows) {
            let x = simd.splat_f32s(row[c]);
            for (sum, &weight) in sums.iter_mut().zip(weight) {
                *sum = simd.mul_add_e_f32s(x, weight, *sum);
            }
        }
    }
    sums
}

/// Input channels whose sums are in registers at the same time.
const GROUP: usize = 8;

/// Adds to `[channels, positions, channels_out]` the sums over tiles of the products of inputs and
/// gradients.
pub(super) struct OuterProducts<'a> {
    pub(super) sizes: Winograd,
    pub(super) count: usize,
    /// `[positions, tiles, channels]`, whole vectors of channels.
    pub(super) x: &'a [f32],
    pub(super) channels: usize,
    /// `[positions, tiles, channels_out]`, whole blocks.
    pub(super) g: &'a [f32],
    pub(super) sum: &'a mut [f32],
}

impl WithSimd for OuterProducts<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match (self.sizes.block() == S::F32_LANES, 32 <= S::REGISTER_COUNT) {
            (true, true) => self.run::<S, 1, GROUP>(simd),
            (false, true) => self.run::<S, 2, GROUP>(simd),
            (true, false) => self.run::<S, 1, 4>(simd),
            (false, false) => self.run::<S, 2, 4>(simd),
        }
    }
}

impl OuterProducts<'_> {
    #[inline(always)]
    fn run<S: Simd, const N: usize, const C: usize>(self, simd: S) {
        let Self { count, x, channels, g, sum, .. } = self;
        let g = S::as_simd_f32s(g).0.as_chunks::<N>().0;
        let sum = S::as_mut_simd_f32s(sum).0.as_chunks_mut::<N>().0;
        let blocks = g.len() / (POSITIONS * count);
        for position in 0..POSITIONS {
            let x = &x[position * count * channels..][..count * channels];
            let g = &g[position * count * blocks..][..count * blocks];
            for block in 0..blocks {
                for first in (0..channels).step_by(C) {
                    let mut sums = [[simd.splat_f32s(0.0); N]; C];
                    for (x, g) in x.chunks_exact(channels).zip(g.chunks_exact(blocks)) {
                        let (x, g) = (&x[first..first + C], &g[block]);
                        for (sums, &x) in sums.iter_mut().zip(x) {
                            let x = simd.splat_f32s(x);
                            for (sum, &g) in sums.iter_mut().zip(g) {
                                *sum = simd.mul_add_e_f32s(x, g, *sum);
                            }
                        }
                    }
                    for (c, sums) in sums.into_iter().enumerate() {
                        let total = &mut sum[((first + c) * POSITIONS + position) * blocks + block];
                        for (total, sum) in total.iter_mut().zip(sums) {
                            *total = simd.add_f32s(*total, sum);
                        }
                    }
                }
            }
        }
    }
}
