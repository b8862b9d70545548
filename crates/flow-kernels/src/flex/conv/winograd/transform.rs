//! The transforms between pixels or weights and the products of a tile.
//!
//! Each acts on the rows and then on the columns of a square of vectors.

use std::ops::Range;

use super::{
    super::super::simd::{Simd, WithSimd},
    Band, Winograd,
};

/// A linear map of `A` numbers to `B`, of vectors lane by lane.
pub(super) trait Line<const A: usize, const B: usize> {
    fn apply<S: Simd>(simd: S, x: [S::f32s; A]) -> [S::f32s; B];
}

/// `B^T`, of inputs.
pub(super) struct Input;

impl Line<4, 4> for Input {
    #[inline(always)]
    fn apply<S: Simd>(simd: S, [a, b, c, d]: [S::f32s; 4]) -> [S::f32s; 4] {
        [simd.sub_f32s(a, c), simd.add_f32s(b, c), simd.sub_f32s(c, b), simd.sub_f32s(b, d)]
    }
}

/// `A^T`, of products.
pub(super) struct Output;

impl Line<4, 2> for Output {
    #[inline(always)]
    fn apply<S: Simd>(simd: S, [a, b, c, d]: [S::f32s; 4]) -> [S::f32s; 2] {
        let (sum, difference) = (simd.add_f32s(b, c), simd.sub_f32s(b, c));
        [simd.add_f32s(a, sum), simd.sub_f32s(difference, d)]
    }
}

/// `A`, of gradients of outputs.
pub(super) struct OutputGradient;

impl Line<2, 4> for OutputGradient {
    #[inline(always)]
    fn apply<S: Simd>(simd: S, [a, b]: [S::f32s; 2]) -> [S::f32s; 4] {
        [a, simd.add_f32s(a, b), simd.sub_f32s(a, b), simd.neg_f32s(b)]
    }
}

/// `G`, of weights.
pub(super) struct Weight;

impl Line<3, 4> for Weight {
    #[inline(always)]
    fn apply<S: Simd>(simd: S, [a, b, c]: [S::f32s; 3]) -> [S::f32s; 4] {
        let half = simd.splat_f32s(0.5);
        let ends = simd.add_f32s(a, c);
        let (sum, difference) = (simd.add_f32s(ends, b), simd.sub_f32s(ends, b));
        [a, simd.mul_f32s(half, sum), simd.mul_f32s(half, difference), c]
    }
}

/// `G^T`, of gradients of transformed weights.
pub(super) struct WeightGradient;

impl Line<4, 3> for WeightGradient {
    #[inline(always)]
    fn apply<S: Simd>(simd: S, [a, b, c, d]: [S::f32s; 4]) -> [S::f32s; 3] {
        let half = simd.splat_f32s(0.5);
        let sum = simd.mul_f32s(half, simd.add_f32s(b, c));
        let difference = simd.mul_f32s(half, simd.sub_f32s(b, c));
        [simd.add_f32s(a, sum), difference, simd.add_f32s(sum, d)]
    }
}

/// A [`Line`] on rows and columns.
#[inline(always)]
pub(super) fn square<S: Simd, L: Line<A, B>, const A: usize, const B: usize>(
    simd: S,
    x: [[S::f32s; A]; A],
) -> [[S::f32s; B]; B] {
    // Loops, since a closure is compiled for the baseline where it is not inlined.
    let zero = simd.splat_f32s(0.0);
    let mut rows = [[zero; B]; A];
    for (row, x) in rows.iter_mut().zip(x) {
        *row = L::apply(simd, x);
    }
    let mut square = [[zero; B]; B];
    for j in 0..B {
        let mut column = [zero; A];
        for (x, row) in column.iter_mut().zip(&rows) {
            *x = row[j];
        }
        for (row, x) in square.iter_mut().zip(L::apply(simd, column)) {
            row[j] = x;
        }
    }
    square
}

/// Transforms squares of `A` pixels into tiles, `[positions, tiles, channels]`.
pub(super) struct ToTiles<'a, L, const A: usize> {
    pub(super) sizes: Winograd,
    pub(super) band: Band,
    /// Rows of the image in `pixels`.
    pub(super) rows: Range<usize>,
    /// `[images, rows, width, channels]` and a pixel of zeros.
    pub(super) pixels: &'a [f32],
    pub(super) channels: usize,
    pub(super) tiles: &'a mut [f32],
    pub(super) line: std::marker::PhantomData<L>,
}

impl<L: Line<A, 4>, const A: usize> WithSimd for ToTiles<'_, L, A> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { sizes, band, rows, channels, .. } = self;
        let pixels = S::as_simd_f32s(self.pixels).0;
        let tiles = S::as_mut_simd_f32s(self.tiles).0;
        let vectors = channels / S::F32_LANES;
        let (width, columns, count) = (sizes.width, sizes.tiles()[1], sizes.tiles_of(band));
        // Squares of four overlap by one pixel on each side.
        let overlap = (A - 2) / 2;
        let outside = pixels.len() - vectors;
        for tile in 0..count {
            let (row, column) = (tile / columns, tile % columns);
            let (image, row) = (row / band.rows, band.first + row % band.rows);
            let mut places = [[outside; A]; A];
            for (i, places) in places.iter_mut().enumerate() {
                let Some(y) = (2 * row + i).checked_sub(overlap) else { continue };
                if !rows.contains(&y) {
                    continue;
                }
                for (j, place) in places.iter_mut().enumerate() {
                    if let Some(x) = (2 * column + j).checked_sub(overlap)
                        && x < width
                    {
                        let line = image * rows.len() + y - rows.start;
                        *place = (line * width + x) * vectors;
                    }
                }
            }
            for v in 0..vectors {
                let mut x = [[simd.splat_f32s(0.0); A]; A];
                for (x, &place) in x.as_flattened_mut().iter_mut().zip(places.as_flattened()) {
                    *x = pixels[place + v];
                }
                let products = square::<S, L, A, 4>(simd, x);
                for (position, &product) in products.as_flattened().iter().enumerate() {
                    tiles[(position * count + tile) * vectors + v] = product;
                }
            }
        }
    }
}

/// Transforms tiles into pairs of rows of pixels and adds the bias.
pub(super) struct FromTiles<'a> {
    pub(super) sizes: Winograd,
    pub(super) band: Band,
    pub(super) rows: Range<usize>,
    /// `[positions, tiles, channels]`.
    pub(super) tiles: &'a [f32],
    pub(super) channels: usize,
    /// One number per channel.
    pub(super) bias: &'a [f32],
    /// `[images, rows, width, channels]`.
    pub(super) pixels: &'a mut [f32],
}

impl WithSimd for FromTiles<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { sizes, band, rows, channels, .. } = self;
        let tiles = S::as_simd_f32s(self.tiles).0;
        let bias = S::as_simd_f32s(self.bias).0;
        let pixels = S::as_mut_simd_f32s(self.pixels).0;
        let vectors = channels / S::F32_LANES;
        let (width, columns, count) = (sizes.width, sizes.tiles()[1], sizes.tiles_of(band));
        for tile in 0..count {
            let (row, column) = (tile / columns, tile % columns);
            let (image, row) = (row / band.rows, band.first + row % band.rows);
            for v in 0..vectors {
                let mut products = [[simd.splat_f32s(0.0); 4]; 4];
                for (position, product) in products.as_flattened_mut().iter_mut().enumerate() {
                    *product = tiles[(position * count + tile) * vectors + v];
                }
                let square = square::<S, Output, 4, 2>(simd, products);
                for (i, line) in square.into_iter().enumerate() {
                    for (j, y) in line.into_iter().enumerate() {
                        let (row, column) = (2 * row + i, 2 * column + j);
                        if row < rows.end && column < width {
                            let line = image * rows.len() + row - rows.start;
                            pixels[(line * width + column) * vectors + v] =
                                simd.add_f32s(y, bias[v]);
                        }
                    }
                }
            }
        }
    }
}
