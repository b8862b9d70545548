//! Matrix products of strided views.
#![allow(
    unsafe_code,
    reason = "the gemm crate takes raw pointers; the views below check their bounds"
)]

use std::mem::MaybeUninit;

pub(crate) use gemm::Parallelism;

/// A matrix inside a slice: element `(i, j)` lies at `i * row_stride + j * column_stride`.
#[derive(Clone, Copy)]
pub(crate) struct Matrix<'a> {
    pub(super) data: &'a [f32],
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) row_stride: usize,
    pub(super) column_stride: usize,
}

impl<'a> Matrix<'a> {
    /// A matrix stored row by row, rows `row_stride` apart.
    pub(crate) fn rows(data: &'a [f32], rows: usize, columns: usize, row_stride: usize) -> Self {
        assert_fits(data.len(), rows, columns, row_stride);
        Self { data, rows, columns, row_stride, column_stride: 1 }
    }

    /// The transposed matrix, in the same memory.
    pub(crate) fn transposed(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }
}

/// Where a product goes: rows `row_stride` apart in `data`.
pub(crate) enum Target<'a> {
    /// Replaces what is there.
    Write(&'a mut [MaybeUninit<f32>]),
    /// Is added to what is there.
    Add(&'a mut [f32]),
}

impl<'a> Target<'a> {
    /// The memory of `rows` rows of `columns` numbers, and whether a product is added to them.
    ///
    /// # Panics
    /// If they do not fit.
    pub(super) fn of(
        self,
        rows: usize,
        columns: usize,
        row_stride: usize,
    ) -> (&'a mut [MaybeUninit<f32>], bool) {
        let (data, add) = match self {
            Target::Write(data) => (data, false),
            // SAFETY: the layouts agree, and whoever gets them writes numbers alone.
            Target::Add(data) => (unsafe { &mut *(std::ptr::from_mut(data) as *mut _) }, true),
        };
        assert_fits(data.len(), rows, columns, row_stride);
        (data, add)
    }
}

/// `alpha a b` into the rows of `target`, which lie `row_stride` apart.
///
/// Every element of the target's rows is initialised afterwards. The result does not depend on the
/// number of threads: they divide rows and columns, never a sum.
pub(crate) fn product(
    target: Target<'_>,
    row_stride: usize,
    alpha: f32,
    a: Matrix<'_>,
    b: Matrix<'_>,
    parallelism: Parallelism,
) {
    let (rows, columns, inner) = (a.rows, b.columns, a.columns);
    assert!(inner == b.rows, "product of [{rows}, {inner}] and [{}, {columns}]", b.rows);
    let (data, add) = target.of(rows, columns, row_stride);
    // SAFETY: `assert_fits` has checked, in `of` and in the constructor of each view, that the last
    // element of every matrix lies inside its slice and that rows do not overlap; the target is
    // borrowed mutably, so it overlaps neither operand; it is read only if it is `Add`, hence
    // initialised.
    unsafe {
        gemm::gemm(
            rows,
            columns,
            inner,
            data.as_mut_ptr().cast(),
            1,
            row_stride.cast_signed(),
            add,
            a.data.as_ptr(),
            a.column_stride.cast_signed(),
            a.row_stride.cast_signed(),
            b.data.as_ptr(),
            b.column_stride.cast_signed(),
            b.row_stride.cast_signed(),
            1.0,
            alpha,
            false,
            false,
            false,
            parallelism,
        );
    }
}

/// Panics unless the matrix lies inside `len` numbers and its rows do not overlap.
fn assert_fits(len: usize, rows: usize, columns: usize, row_stride: usize) {
    assert!(
        rows == 0 || columns == 0 || (rows - 1) * row_stride + columns <= len,
        "a [{rows}, {columns}] matrix with rows {row_stride} apart exceeds its {len} numbers"
    );
    assert!(
        rows <= 1 || columns <= row_stride,
        "rows of {columns} numbers, {row_stride} apart, overlap"
    );
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "sums of small integers are exact")]
mod tests {
    use super::*;

    #[test]
    fn products_of_transposed_and_strided_views_are_exact_on_integers() {
        // a = [[0, 1, 2], [4, 5, 6]] inside rows of 4; b = its transpose.
        let data: Vec<f32> = (0..8).map(|i| i as f32).collect();
        let a = Matrix::rows(&data, 2, 3, 4);
        let mut out = [100.0; 5];
        product(Target::Add(&mut out), 3, 2.0, a, a.transposed(), Parallelism::None);
        assert_eq!(out, [110.0, 134.0, 100.0, 134.0, 254.0]);
    }

    #[test]
    #[should_panic(expected = "exceeds its 8 numbers")]
    fn a_view_beyond_its_slice_panics() {
        let _ = Matrix::rows(&[0.0; 8], 3, 3, 3);
    }
}
