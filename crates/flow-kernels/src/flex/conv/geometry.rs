//! Sizes of a convolution, and its patches as columns of a matrix.

use std::{mem::MaybeUninit, ops::Range};

/// The sizes that two tensors, a stride and a padding determine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Geometry {
    pub(super) batch: usize,
    pub(super) channels_in: usize,
    pub(super) channels_out: usize,
    /// Height and width of the input, the kernel, the padding and the output.
    pub(super) input: [usize; 2],
    pub(super) kernel: [usize; 2],
    pub(super) padding: [usize; 2],
    pub(super) output: [usize; 2],
    pub(super) stride: usize,
}

impl Geometry {
    pub(super) fn new(
        [batch, channels_in, h, w]: [usize; 4],
        [channels_out, _, kernel_h, kernel_w]: [usize; 4],
        stride: usize,
        padding: usize,
    ) -> Self {
        let output = |size: usize, kernel: usize| (size + 2 * padding - kernel) / stride + 1;
        Self {
            batch,
            channels_in,
            channels_out,
            input: [h, w],
            kernel: [kernel_h, kernel_w],
            padding: [padding; 2],
            output: [output(h, kernel_h), output(w, kernel_w)],
            stride,
        }
    }

    /// The convolution by the flipped weight that maps `dL/dy` to `dL/dx`.
    ///
    /// Exists for stride 1 and a padding smaller than the kernel.
    pub(super) fn adjoint(&self) -> Option<Self> {
        let [kernel_h, kernel_w] = self.kernel;
        let [padding_h, padding_w] = self.padding;
        (self.stride == 1 && padding_h < kernel_h && padding_w < kernel_w).then(|| Self {
            channels_in: self.channels_out,
            channels_out: self.channels_in,
            input: self.output,
            padding: [kernel_h - 1 - padding_h, kernel_w - 1 - padding_w],
            output: self.input,
            ..*self
        })
    }

    /// Whether the patches are the pixels: a 1 x 1 kernel that visits each of them.
    pub(super) fn is_pointwise(&self) -> bool {
        self.kernel == [1, 1] && self.stride == 1 && self.padding == [0, 0]
    }

    /// Places of the kernel: `k_h k_w`.
    pub(super) fn taps(&self) -> usize {
        self.kernel[0] * self.kernel[1]
    }

    /// Numbers in one patch: `C_in k_h k_w`.
    pub(super) fn patch_len(&self) -> usize {
        self.channels_in * self.taps()
    }

    pub(super) fn pixels_in(&self) -> usize {
        self.input[0] * self.input[1]
    }

    pub(super) fn pixels_out(&self) -> usize {
        self.output[0] * self.output[1]
    }

    pub(super) fn input_len(&self) -> usize {
        self.channels_in * self.pixels_in()
    }

    pub(super) fn output_len(&self) -> usize {
        self.channels_out * self.pixels_out()
    }

    pub(super) fn output_shape(&self) -> [usize; 4] {
        let [h, w] = self.output;
        [self.batch, self.channels_out, h, w]
    }

    pub(super) fn weight_len(&self) -> usize {
        self.channels_out * self.patch_len()
    }

    /// Multiplications of one product of the weight with all patches.
    pub(super) fn work(&self) -> usize {
        self.batch * self.pixels_out() * self.weight_len()
    }

    /// Ranges of output rows whose patches fit a core's second-level cache.
    ///
    /// The number of pixels in a range is a multiple of a vector's length where that is possible.
    pub(super) fn tiles(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        const CACHE: usize = 1 << 17;
        const VECTOR: usize = 16;
        let [rows, columns] = self.output;
        let step = VECTOR >> columns.trailing_zeros().min(VECTOR.trailing_zeros());
        let fitting = CACHE / (self.patch_len() * columns).max(1);
        let tile = (fitting / step * step).clamp(step, rows.max(step));
        (0..rows).step_by(tile).map(move |start| start..(start + tile).min(rows))
    }

    /// For kernel column `v`, the output columns `j` whose pixel `stride j + v - padding` exists.
    fn columns_inside(&self, v: usize) -> Range<usize> {
        let first = self.padding[1].saturating_sub(v).div_ceil(self.stride);
        let end = (self.input[1] + self.padding[1])
            .saturating_sub(v)
            .div_ceil(self.stride)
            .min(self.output[1]);
        first.min(end)..end
    }

    /// The input row under kernel row `u` at output row `i`, if it exists.
    fn row_inside(&self, i: usize, u: usize) -> Option<usize> {
        (i * self.stride + u).checked_sub(self.padding[0]).filter(|&row| row < self.input[0])
    }

    /// The input pixel under a place of the kernel at an output pixel, if it exists.
    pub(super) fn pixel_under(&self, [i, j]: [usize; 2], [u, v]: [usize; 2]) -> Option<usize> {
        let column = (j * self.stride + v).checked_sub(self.padding[1]);
        let column = column.filter(|&column| column < self.input[1])?;
        Some(self.row_inside(i, u)? * self.input[1] + column)
    }

    /// Calls `visit(input, inside, column)` for each line of patch elements in the output rows
    /// `rows`, `inside` being the output columns that exist, `input` the offset of the first of
    /// them in the image, and `column` the offset of the line in the matrix of patches.
    fn for_each_line(&self, rows: Range<usize>, mut visit: impl FnMut(usize, Range<usize>, usize)) {
        let [kernel_h, kernel_w] = self.kernel;
        let width = self.output[1];
        let mut line = 0;
        for c in 0..self.channels_in {
            for u in 0..kernel_h {
                for v in 0..kernel_w {
                    let inside = self.columns_inside(v);
                    for i in rows.clone() {
                        match self.row_inside(i, u) {
                            Some(row) if !inside.is_empty() => {
                                let first = inside.start * self.stride + v - self.padding[1];
                                let input = (c * self.input[0] + row) * self.input[1] + first;
                                visit(input, inside.clone(), line);
                            }
                            _ => visit(0, 0..0, line),
                        }
                        line += width;
                    }
                }
            }
        }
    }

    /// Writes the patches of the output rows `rows` as columns: `[C_in k_h k_w, pixels]`.
    pub(super) fn unfold(
        &self,
        image: &[f32],
        rows: Range<usize>,
        patches: &mut [MaybeUninit<f32>],
    ) {
        let (width, stride) = (self.output[1], self.stride);
        self.for_each_line(rows, |input, inside, line| {
            let line = &mut patches[line..line + width];
            line[..inside.start].fill(MaybeUninit::new(0.0));
            line[inside.end..].fill(MaybeUninit::new(0.0));
            let (to, from) = (&mut line[inside], &image[input..]);
            if stride == 1 {
                to.write_copy_of_slice(&from[..to.len()]);
            } else {
                for (to, &from) in to.iter_mut().zip(from.iter().step_by(stride)) {
                    to.write(from);
                }
            }
        });
    }

    /// Adds the columns of [`Self::unfold`] back to the pixels that they came from.
    pub(super) fn fold(&self, patches: &[f32], rows: Range<usize>, image: &mut [f32]) {
        let stride = self.stride;
        self.for_each_line(rows, |input, inside, line| {
            let from = &patches[line + inside.start..line + inside.end];
            for (to, &from) in image[input..].iter_mut().step_by(stride).zip(from) {
                *to += from;
            }
        });
    }
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "sums of small integers are exact")]
mod tests {
    use super::*;

    #[test]
    fn tiles_cover_all_rows_once() {
        for (patch, rows, columns) in [(576, 32, 32), (9, 7, 5), (4608, 28, 28), (1, 1, 1)] {
            let geometry = Geometry::new([1, patch, rows, columns], [1, patch, 1, 1], 1, 0);
            let covered: Vec<usize> = geometry.tiles().flatten().collect();
            assert_eq!(covered, (0..rows).collect::<Vec<_>>());
        }
    }

    #[test]
    fn folding_is_the_transpose_of_unfolding() {
        // <unfold(x), p> = <x, fold(p)> for integers, exactly.
        for (kernel, stride, padding) in
            [([3, 3], 1, 1), ([3, 2], 2, 1), ([1, 1], 3, 0), ([2, 2], 1, 3)]
        {
            let geometry =
                Geometry::new([1, 2, 6, 5], [1, 2, kernel[0], kernel[1]], stride, padding);
            let x: Vec<f32> = (0..geometry.input_len()).map(|i| (i % 7) as f32).collect();
            let rows = 0..geometry.output[0];
            let len = geometry.patch_len() * geometry.pixels_out();
            let p: Vec<f32> = (0..len).map(|i| (i % 5) as f32).collect();
            let mut patches = vec![MaybeUninit::new(f32::NAN); len];
            geometry.unfold(&x, rows.clone(), &mut patches);
            let mut folded = vec![0.0; x.len()];
            geometry.fold(&p, rows, &mut folded);

            let unfolded = p.iter().zip(&patches);
            #[allow(unsafe_code, reason = "initialised above")]
            let left: f32 = unfolded.map(|(p, x)| p * unsafe { x.assume_init() }).sum();
            let right: f32 = folded.iter().zip(&x).map(|(p, x)| p * x).sum();
            assert_eq!(left, right, "kernel {kernel:?}, stride {stride}, padding {padding}");
        }
    }
}
