//! Blocks into their place in a result.
#![allow(unsafe_code, reason = "a block of the result is written by a pointer")]

use std::mem::MaybeUninit;

use super::{SIDE, block::Block, engine::Ready};

impl Block<'_> {
    /// Adds the block to the numbers at the beginning of `out`, whose rows lie `row_stride` apart,
    /// or writes it there. One at the lower or right edge is summed as a whole one and copied.
    ///
    /// # Safety
    /// If `add`, the elements of the block must be initialised.
    pub(super) unsafe fn multiply(
        &self,
        ready: &Ready,
        out: &mut [MaybeUninit<f32>],
        row_stride: usize,
        add: bool,
    ) {
        assert!(self.is_sound(), "tiles lie outside of their numbers");
        let [rows, columns] = self.size;
        if [rows, columns] == [SIDE; 2] {
            let out = &mut out[..(SIDE - 1) * row_stride + SIDE];
            // SAFETY: the block lies in `out`; its elements are initialised if `add`; the tiles
            // lie in their numbers.
            return unsafe { ready.multiply(self, out.as_mut_ptr().cast(), row_stride, add) };
        }
        let mut whole = [0.0_f32; SIDE * SIDE];
        if add {
            for (whole, out) in whole.chunks_mut(SIDE).zip(out.chunks(row_stride)).take(rows) {
                for (whole, out) in whole.iter_mut().zip(&out[..columns]) {
                    // SAFETY: the caller's promise.
                    *whole = unsafe { out.assume_init() };
                }
            }
        }
        // SAFETY: as above, in `whole`.
        unsafe { ready.multiply(self, whole.as_mut_ptr(), SIDE, add) };
        for (whole, out) in whole.chunks(SIDE).zip(out.chunks_mut(row_stride)).take(rows) {
            out[..columns].write_copy_of_slice(&whole[..columns]);
        }
    }

    /// [`Self::multiply`] into numbers.
    pub(crate) fn multiply_into(
        &self,
        ready: &Ready,
        out: &mut [f32],
        row_stride: usize,
        add: bool,
    ) {
        // SAFETY: the layouts agree, what is written are numbers, and all are initialised.
        unsafe {
            let out = &mut *(std::ptr::from_mut(out) as *mut [MaybeUninit<f32>]);
            self.multiply(ready, out, row_stride, add);
        }
    }
}
