//! The pixels that each tap of a kernel is multiplied with.

use super::Geometry;

/// A tap of the kernel that lies inside the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Tap {
    /// Its place in the kernel, row by row.
    pub(super) index: usize,
    /// The input pixel under it.
    pub(super) source: usize,
}

/// For each output pixel the taps that lie inside the image, in the order of the kernel.
pub(super) struct Stencil {
    inside: Vec<Tap>,
    /// Where each output pixel's taps end.
    ends: Vec<usize>,
    taps: usize,
    pixels_in: usize,
}

impl Stencil {
    pub(super) fn new(geometry: &Geometry) -> Self {
        let &Geometry { output: [rows, columns], kernel: [height, width], .. } = geometry;
        let (mut inside, mut ends) = (Vec::new(), Vec::new());
        for pixel in 0..rows * columns {
            let (i, j) = (pixel / columns, pixel % columns);
            inside.extend((0..height * width).filter_map(|index| {
                let source = geometry.pixel_under([i, j], [index / width, index % width])?;
                Some(Tap { index, source })
            }));
            ends.push(inside.len());
        }
        Self { inside, ends, taps: height * width, pixels_in: geometry.pixels_in() }
    }

    /// The stencil of the adjoint: from output pixels to input pixels, by the same taps.
    pub(super) fn transposed(&self) -> Self {
        let mut rows = vec![Vec::new(); self.pixels_in];
        for (pixel, taps) in self.rows().enumerate() {
            for tap in taps {
                rows[tap.source].push(Tap { index: tap.index, source: pixel });
            }
        }
        let (mut inside, mut ends) = (Vec::with_capacity(self.len()), Vec::new());
        for mut row in rows {
            // The adjoint's kernel is rotated by half a turn, and summed from its own first tap.
            row.sort_unstable_by(|a: &Tap, b| b.cmp(a));
            inside.append(&mut row);
            ends.push(inside.len());
        }
        Self { inside, ends, taps: self.taps, pixels_in: self.pixels_out() }
    }

    /// The taps of each output pixel.
    pub(super) fn rows(&self) -> impl Iterator<Item = &[Tap]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| &self.inside[start..end])
    }

    /// Taps inside the image, over all output pixels.
    pub(super) fn len(&self) -> usize {
        self.inside.len()
    }

    /// Taps of the kernel.
    pub(super) fn taps(&self) -> usize {
        self.taps
    }

    pub(super) fn pixels_in(&self) -> usize {
        self.pixels_in
    }

    pub(super) fn pixels_out(&self) -> usize {
        self.ends.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_3x3_kernel_on_2x2_pixels_four_taps_lie_inside() {
        let stencil = Stencil::new(&Geometry::new([1, 1, 2, 2], [1, 1, 3, 3], 1, 1));
        let first: Vec<_> =
            stencil.rows().next().unwrap().iter().map(|t| (t.index, t.source)).collect();
        assert_eq!(first, [(4, 0), (5, 1), (7, 2), (8, 3)]);
        assert_eq!(stencil.len(), 16);
    }

    #[test]
    fn transposing_twice_gives_the_same_taps() {
        let stencil = Stencil::new(&Geometry::new([1, 1, 5, 4], [1, 1, 3, 2], 2, 1));
        let twice = stencil.transposed().transposed();
        for (a, b) in stencil.rows().zip(twice.rows()) {
            let mut b = b.to_vec();
            b.sort_unstable();
            assert_eq!(a, b);
        }
        assert_eq!(twice.pixels_in(), 20);
    }
}
