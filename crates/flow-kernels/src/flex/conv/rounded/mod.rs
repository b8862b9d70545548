//! Convolution that keeps the size, of operands rounded to bfloat16.
//!
//! Nothing is unfolded. The pixels of all images of a channel lie in one line, with so many zeros
//! behind each row and each image that whatever lies outside of an image is zero: then a tap of the
//! kernel is a shift of the line, the convolution is a sum over taps and channels of products
//! `[C_out, C_in] [C_in, positions]` whose right operand begins elsewhere for each tap, and the
//! gradient with respect to the weight is one of products `[C_in, positions] [positions, C_out]`
//! whose left operand does. The results at the zeros are left out.

mod gradient;
mod map;

use super::{
    super::bf16::{Engine, SIDE},
    Geometry,
};
use crate::Precision;

/// The least channels on either side: with fewer most of a tile would be zeros.
const CHANNELS: usize = 16;

/// The least pixels of an image: of a smaller one the zeros around it are more than it.
const PIXELS: usize = 16;

/// Rounded numbers of the images that are worked on at a time, at most if they are several: half
/// a megabyte of the second-level cache.
const CACHE: usize = 1 << 18;

/// Sizes of a convolution of this kind.
#[derive(Clone, Copy)]
pub(super) struct Rounded {
    engine: Engine,
    height: usize,
    width: usize,
    channels_in: usize,
    channels_out: usize,
    /// Rows and columns of the kernel, `2 padding + 1`.
    kernel: usize,
}

impl Rounded {
    /// The sizes, if products are to be rounded, the CPU can, and the convolution is of this kind.
    pub(super) fn new(precision: Precision, geometry: &Geometry) -> Option<Self> {
        let &Geometry { channels_in, channels_out, kernel: [kernel, columns], .. } = geometry;
        let (engine, [height, width]) = (Engine::of(precision)?, geometry.input);
        let fits = kernel == columns
            && kernel % 2 == 1
            && geometry.padding == [kernel / 2; 2]
            && geometry.stride == 1
            && CHANNELS <= channels_in.min(channels_out)
            && PIXELS <= height * width;
        fits.then_some(Self { engine, height, width, channels_in, channels_out, kernel })
    }

    fn pixels(&self) -> usize {
        self.height * self.width
    }

    /// From a row of pixels to the next.
    fn pitch(&self) -> usize {
        self.width + self.kernel / 2
    }

    /// From an image to the next.
    fn image(&self) -> usize {
        (self.height + self.kernel / 2) * self.pitch()
    }

    /// Zeros before the first pixel: as far back as the first tap looks.
    fn lead(&self) -> usize {
        self.kernel / 2 * (self.pitch() + 1)
    }

    /// Positions of results of some images, in whole tiles.
    fn positions(&self, images: usize) -> usize {
        (images * self.image()).next_multiple_of(SIDE)
    }

    /// Length of a line: what the taps see from these positions, in whole tiles.
    fn line(&self, images: usize) -> usize {
        (self.positions(images) + 2 * self.lead()).next_multiple_of(SIDE)
    }

    /// How far each tap is from the first.
    fn shifts(&self) -> impl Iterator<Item = usize> + use<> {
        let (kernel, pitch) = (self.kernel, self.pitch());
        (0..kernel * kernel).map(move |tap| tap / kernel * pitch + tap % kernel)
    }

    /// Images that are worked on at a time.
    fn images(&self) -> usize {
        let channels = self.channels_in.max(self.channels_out).next_multiple_of(SIDE);
        (CACHE / (channels * self.image())).max(1)
    }

    /// Each row of pixels of some images of a channel, and the position that it begins at.
    fn rows<'a>(
        &self,
        images: &'a [f32],
        channels: usize,
        channel: usize,
    ) -> impl Iterator<Item = (usize, &'a [f32])> + use<'a> {
        let Self { width, height, .. } = *self;
        let (pixels, image, pitch) = (self.pixels(), self.image(), self.pitch());
        images.chunks(channels * pixels).enumerate().flat_map(move |(i, x)| {
            let x = &x[channel * pixels..][..height * width];
            x.chunks(width).enumerate().map(move |(row, x)| (i * image + row * pitch, x))
        })
    }
}
