//! The 3 x 3 convolution that keeps the size of the image, by Winograd's short products.
//!
//! Two by two outputs need nine multiplications each; the transforms of [`transform`] make them
//! four: `y = A^T [(G w G^T) * (B^T x B)] A` with 4 x 4 elementwise products, each of which is,
//! over tiles and channels, a matrix product. Vectors run over channels, so a tile at the edge of
//! an image or a batch of one costs no more than others. The gradient with respect to the input is
//! the same map by the rotated weight; that with respect to the weight is
//! `G^T [(A g A^T) * (B^T x B)] G`, summed over tiles.
//!
//! # Reference
//! Lavin & Gray (2015), "Fast Algorithms for Convolutional Neural Networks", arXiv:1509.09308,
//! section 4.1.

mod gradient;
mod map;
mod product;
mod transform;

use super::{
    super::{
        simd::lanes,
        transpose::{Rows, gather_lanes},
    },
    Geometry,
};

/// Products in a tile.
const POSITIONS: usize = 16;

/// Numbers of the transformed tiles that are worked on at a time: a quarter of a megabyte.
const CACHE: usize = 1 << 16;

/// Sizes of a convolution of this kind.
#[derive(Clone, Copy)]
pub(super) struct Winograd {
    height: usize,
    width: usize,
    channels_in: usize,
    channels_out: usize,
    /// Numbers in a vector of this CPU.
    lanes: usize,
}

/// Some rows of tiles of some images.
#[derive(Clone, Copy)]
struct Band {
    images: usize,
    first: usize,
    rows: usize,
}

impl Winograd {
    /// The sizes, if the convolution is of this kind and the CPU has vectors.
    pub(super) fn new(geometry: &Geometry) -> Option<Self> {
        let [height, width] = geometry.input;
        let (lanes, &Geometry { channels_in, channels_out, .. }) = (lanes(), geometry);
        let fits = geometry.kernel == [3, 3]
            && geometry.padding == [1, 1]
            && geometry.stride == 1
            && geometry.input_len() != 0
            && geometry.output_len() != 0
            && 1 < lanes;
        fits.then_some(Self { height, width, channels_in, channels_out, lanes })
    }

    fn pixels(&self) -> usize {
        self.height * self.width
    }

    /// Input channels, filled up to whole vectors.
    fn padded_in(&self) -> usize {
        self.channels_in.next_multiple_of(self.lanes)
    }

    /// Output channels whose sums are in registers at the same time: one or two vectors.
    fn block(&self) -> usize {
        if self.channels_out <= self.lanes { self.lanes } else { 2 * self.lanes }
    }

    /// Output channels, filled up to whole blocks.
    fn padded_out(&self) -> usize {
        self.channels_out.next_multiple_of(self.block())
    }

    /// Rows and columns of tiles.
    fn tiles(&self) -> [usize; 2] {
        [self.height.div_ceil(2), self.width.div_ceil(2)]
    }

    /// Tiles that fit the cache at a time.
    fn fitting(&self) -> usize {
        (CACHE / POSITIONS / (self.padded_in() + self.padded_out())).max(1)
    }

    /// Images that are worked on at a time: as many as fit the cache, one at least.
    fn images(&self) -> usize {
        let [rows, columns] = self.tiles();
        (self.fitting() / (rows * columns)).max(1)
    }

    /// Cuts some images into bands that fit the cache.
    fn bands(&self, images: usize) -> impl Iterator<Item = Band> + use<> {
        let [rows, columns] = self.tiles();
        let step = (self.fitting() / (images * columns)).clamp(1, rows);
        (0..rows).step_by(step).map(move |first| Band {
            images,
            first,
            rows: step.min(rows - first),
        })
    }

    fn tiles_of(&self, band: Band) -> usize {
        band.images * band.rows * self.tiles()[1]
    }

    /// The rows of pixels that the outputs of a band are, and with `halo` those that they need.
    fn pixel_rows(&self, band: Band, halo: usize) -> std::ops::Range<usize> {
        let first = (2 * band.first).saturating_sub(halo);
        first..(2 * (band.first + band.rows) + halo).min(self.height)
    }

    /// Writes the pixels of a band, channels last, and a pixel of zeros after them.
    fn gather_band(
        &self,
        images: &[f32],
        channels: std::ops::Range<usize>,
        image_len: usize,
        rows: &std::ops::Range<usize>,
        to: &mut [f32],
        lanes: usize,
    ) {
        let len = rows.len() * self.width;
        let (pixels, zero) = to.split_at_mut(to.len() - lanes);
        zero.fill(0.0);
        let table = Rows { count: channels.len(), len, pitch: self.pixels() };
        for (image, to) in images.chunks(image_len).zip(pixels.chunks_exact_mut(len * lanes)) {
            let start = channels.start * self.pixels() + rows.start * self.width;
            gather_lanes(&image[start..], table, lanes, to);
        }
    }
}
