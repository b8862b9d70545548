//! Matrix products of operands rounded to bfloat16, with sums in `f32`.
//!
//! A bfloat16 is an `f32` without its last 16 digits: 8 significant ones, and the same range. CPUs
//! that know it multiply and add two pairs of such numbers where they did one of `f32`
//! (`vdpbf16ps` of AVX-512), or whole tiles of 16 rows (`tdpbf16ps` of AMX). Both read what
//! [`mod@pack`] writes; an [`Engine`] is one of the two.
//!
//! Operands are rounded to the nearest, ties to even. Infinities and what is not a number pass
//! through, overflow gives infinities, and the instructions take numbers below the normal ones
//! (1.2e-38) as zero. A number of the result is a sum over the inner dimension in its order, cut at
//! places that depend on that dimension alone: the same bits for any number of threads, and for a
//! row alone and among others. The two instructions differ in the last digits of their sums.
#![allow(unsafe_code, reason = "blocks of the result and packed tiles are written by pointers")]

mod block;
#[cfg(not(target_arch = "x86_64"))]
#[path = "none.rs"]
mod engine;
#[cfg(target_arch = "x86_64")]
#[path = "x86/mod.rs"]
mod engine;
mod pack;
mod sum;

use std::{cell::RefCell, mem::MaybeUninit};

use super::{
    gemm::{Matrix, Target},
    parallel::for_each,
};
use crate::Precision;
pub(crate) use block::{Block, Tiles};
pub(crate) use engine::Engine;
pub(crate) use pack::{Side, Tile, numbers, pack};

/// Lines and terms of a tile, and rows and columns of the block of a result that is summed at once.
pub(crate) const SIDE: usize = 32;

/// Tiles along the inner dimension after which sums go to memory: those of one side, which stay in
/// the first-level cache while the other side passes, then take 32 KiB.
const STEPS: usize = 16;

impl Engine {
    /// The fastest for products in a precision; nothing if they are those of `f32`, or the CPU has
    /// none. Nobody asks the system for anything before rounded products are wanted.
    pub(crate) fn of(precision: Precision) -> Option<Self> {
        match precision {
            Precision::F32 => None,
            Precision::Bf16 => Self::all().first().copied(),
        }
    }
}

/// The right operand of products, rounded and packed once for all of them.
pub(crate) struct Right {
    engine: Engine,
    /// `[columns / 32, inner / 32]`, both rounded up.
    tiles: Box<[MaybeUninit<Tile>]>,
    inner: usize,
    columns: usize,
}

impl Right {
    /// Rounds and packs `b`, on all threads.
    pub(crate) fn new(engine: Engine, b: Matrix<'_>) -> Self {
        let (inner, columns) = (b.rows, b.columns);
        let steps = inner.div_ceil(SIDE);
        let mut tiles = Box::new_uninit_slice(columns.div_ceil(SIDE) * steps);
        let jobs = tiles.chunks_mut(steps.max(1)).enumerate();
        for_each(jobs, inner * columns, |(i, tiles)| {
            pack(engine, Side::Right, b.transposed(), [i * SIDE, 0], tiles);
        });
        Self { engine, tiles, inner, columns }
    }

    /// `a b` into the rows of `target`, which lie `row_stride` apart, on this thread.
    ///
    /// Every element of the target's rows is initialised afterwards.
    pub(crate) fn multiply(&self, target: Target<'_>, row_stride: usize, a: Matrix<'_>) {
        let Self { engine, inner, columns, .. } = *self;
        let rows = a.rows;
        assert!(a.columns == inner, "product of [{rows}, {}] and [{inner}, {columns}]", a.columns);
        let (out, mut add) = target.of(rows, columns, row_stride);
        if rows == 0 || columns == 0 {
            return;
        }
        let steps = inner.div_ceil(SIDE);
        if steps == 0 && !add {
            for row in out.chunks_mut(row_stride).take(rows) {
                row[..columns].fill(MaybeUninit::new(0.0));
            }
        }
        with_tiles(rows.div_ceil(SIDE) * steps.min(STEPS), |left| {
            let ready = engine.prepare();
            for first in (0..steps).step_by(STEPS) {
                let count = STEPS.min(steps - first);
                let left = &mut left[..rows.div_ceil(SIDE) * count];
                for (i, tiles) in left.chunks_mut(count).enumerate() {
                    pack(engine, Side::Left, a, [i * SIDE, first * SIDE], tiles);
                }
                let places: [_; STEPS] = std::array::from_fn(|step| [step * SIDE * SIDE; 2]);
                for column in (0..columns).step_by(SIDE) {
                    let right = &self.tiles[column / SIDE * steps + first..][..count];
                    for (row, left) in (0..rows).step_by(SIDE).zip(left.chunks(count)) {
                        // SAFETY: `pack` has written the tiles of both sides. The target's rows are
                        // initialised if `add`, by the caller or by the steps before.
                        unsafe {
                            let block = Block {
                                left: Tiles { numbers: numbers(left), row: Side::Left.row() },
                                right: Tiles { numbers: numbers(right), row: Side::Right.row() },
                                steps: &places[..count],
                                size: [SIDE.min(rows - row), SIDE.min(columns - column)],
                            };
                            let out = &mut out[row * row_stride + column..];
                            block.multiply(&ready, out, row_stride, add);
                        }
                    }
                }
                add = true;
            }
        });
    }
}

/// Calls `f` with `count` tiles that are not written, in memory that this thread keeps.
pub(crate) fn with_tiles<R>(count: usize, f: impl FnOnce(&mut [MaybeUninit<Tile>]) -> R) -> R {
    thread_local! {
        /// Free memory, that of the outermost call first.
        static FREE: RefCell<Vec<Vec<Tile>>> = const { RefCell::new(Vec::new()) };
    }
    let mut tiles = FREE.with_borrow_mut(Vec::pop).unwrap_or_default();
    tiles.reserve(count);
    let result = f(&mut tiles.spare_capacity_mut()[..count]);
    FREE.with_borrow_mut(|free| free.push(tiles));
    result
}

/// Calls `f` with `len` zeros, in memory that this thread keeps, aligned as tiles are.
pub(crate) fn with_zeros<R>(len: usize, f: impl FnOnce(&mut [u16]) -> R) -> R {
    with_tiles(len.div_ceil(SIDE * SIDE), |tiles| {
        tiles.fill(MaybeUninit::zeroed());
        // SAFETY: tiles are numbers without gaps, and all have just been written.
        f(unsafe { std::slice::from_raw_parts_mut(tiles.as_mut_ptr().cast(), len) })
    })
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "sums of small integers are exact")]
mod tests {
    use super::*;

    /// Rounded to the nearest bfloat16, ties to even, by the digits.
    fn nearest(x: f32) -> f64 {
        let bits = x.to_bits();
        f64::from(f32::from_bits((bits + 0x7fff + (bits >> 16 & 1)) & 0xffff_0000))
    }

    /// Without the digits that a bfloat16 does not have.
    fn truncated(x: f32) -> f64 {
        f64::from(f32::from_bits(x.to_bits() & 0xffff_0000))
    }

    /// Reproducible numbers between 1/2 and 3/2: the errors of rounding them do not cancel.
    fn numbers(len: usize, stream: usize) -> Vec<f32> {
        (1..=len).map(|i| (i as f32 * (0.618 + stream as f32)).fract() + 0.5).collect()
    }

    /// A matrix of these numbers, stored by rows or by columns.
    fn matrix(data: &[f32], rows: usize, columns: usize, by_rows: bool) -> Matrix<'_> {
        if by_rows {
            Matrix::rows(data, rows, columns, columns)
        } else {
            Matrix::rows(data, columns, rows, rows).transposed()
        }
    }

    fn at(m: Matrix<'_>, i: usize, j: usize) -> f32 {
        m.data[i * m.row_stride + j * m.column_stride]
    }

    fn write(engine: Engine, a: Matrix<'_>, b: Matrix<'_>) -> Vec<f32> {
        let mut y = vec![MaybeUninit::new(f32::NAN); a.rows * b.columns];
        Right::new(engine, b).multiply(Target::Write(&mut y), b.columns, a);
        // SAFETY: all have been written, by `new` at least.
        y.into_iter().map(|y| unsafe { y.assume_init() }).collect()
    }

    /// The largest error of `y` as the product of operands that `round` has rounded, in units of
    /// its bound: each of `n` terms is rounded once when it is made and once when it is added, by
    /// at most `2^-24` of a sum of magnitudes.
    fn error(y: &[f32], a: Matrix<'_>, b: Matrix<'_>, round: fn(f32) -> f64) -> f64 {
        let mut worst = 0.0_f64;
        for (place, &y) in y.iter().enumerate() {
            let (i, j) = (place / b.columns, place % b.columns);
            let terms = (0..a.columns).map(|k| round(at(a, i, k)) * round(at(b, k, j)));
            let (sum, size) = terms.fold((0.0, 0.0), |(s, m), x| (s + x, m + x.abs()));
            let bound = 2.0 * a.columns as f64 * 2.0_f64.powi(-24) * size;
            worst = worst.max((f64::from(y) - sum).abs() / bound);
        }
        worst
    }

    #[test]
    fn products_are_those_of_rounded_operands_in_any_shape_and_layout() {
        const SIZES: [usize; 5] = [1, 2, 3, 17, 63];
        let mut shapes: Vec<[usize; 3]> = Vec::new();
        for rows in SIZES {
            for inner in SIZES {
                shapes.extend(SIZES.map(|columns| [rows, inner, columns]));
            }
        }
        // More than a block of the inner dimension, and whole blocks of rows and columns.
        shapes.extend([[40, 1100, 33], [64, 512, 96]]);
        for &engine in Engine::all() {
            for &[rows, inner, columns] in &shapes {
                let (a, b) = (numbers(rows * inner, 0), numbers(inner * columns, 1));
                for (a_rows, b_rows) in [(true, true), (true, false), (false, true), (false, false)]
                {
                    let a = matrix(&a, rows, inner, a_rows);
                    let b = matrix(&b, inner, columns, b_rows);
                    let y = write(engine, a, b);
                    let shape = format!("{engine:?} {rows} x {inner} x {columns}");
                    let error_of = |round| error(&y, a, b, round);
                    assert!(error_of(nearest) <= 1.0, "{shape}: {}", error_of(nearest));
                    // Operands that are cut and not rounded are not what it multiplies; of a few
                    // numbers all may round down.
                    if 20 < inner * (rows + columns) {
                        assert!(10.0 < error_of(truncated), "{shape}: {}", error_of(truncated));
                    }
                }
            }
        }
    }

    #[test]
    fn ties_go_to_even() {
        // Eight digits: one unit in the last place of 1 is 2^-7.
        let a = [1.0, 0.5, 1.5, 2.5].map(|units: f32| 1.0 + units / 128.0);
        for &engine in Engine::all() {
            let a = Matrix::rows(&a, 4, 1, 1);
            let y = write(engine, a, Matrix::rows(&[1.0], 1, 1, 1));
            assert_eq!(y, [1.0 + 1.0 / 128.0, 1.0, 1.0 + 2.0 / 128.0, 1.0 + 2.0 / 128.0]);
        }
    }

    #[test]
    fn sums_are_added_to_what_is_there_and_nothing_else_is_touched() {
        let (a, b) = ([1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]);
        for &engine in Engine::all() {
            let mut y = [100.0; 7];
            let right = Right::new(engine, Matrix::rows(&b, 2, 2, 2));
            right.multiply(Target::Add(&mut y), 3, Matrix::rows(&a, 2, 2, 2));
            assert_eq!(y, [119.0, 122.0, 100.0, 143.0, 150.0, 100.0, 100.0]);
        }
    }

    #[test]
    fn what_is_not_finite_passes_through_in_its_row_alone() {
        let large = f32::MAX; // Rounds to infinity.
        let a = [1.0, f32::INFINITY, 1.0, f32::NAN, 1.0, 2.0, 1.0, -large];
        for &engine in Engine::all() {
            let y = write(engine, Matrix::rows(&a, 4, 2, 2), Matrix::rows(&[1.0; 2], 2, 1, 1));
            assert_eq!([y[0], y[2], y[3]], [f32::INFINITY, 3.0, f32::NEG_INFINITY]);
            assert!(y[1].is_nan());
        }
    }

    #[test]
    fn a_row_alone_has_the_bits_that_it_has_among_others() {
        let (a, b) = (numbers(70 * 700, 0), numbers(700 * 50, 1));
        let b = Matrix::rows(&b, 700, 50, 50);
        for &engine in Engine::all() {
            let all = write(engine, Matrix::rows(&a, 70, 700, 700), b);
            for rows in [1, 2, 31, 33] {
                let some = write(engine, Matrix::rows(&a[..rows * 700], rows, 700, 700), b);
                assert!(some == all[..rows * 50], "{engine:?}: {rows} rows");
            }
        }
    }

    #[test]
    fn a_sum_of_no_terms_is_zero() {
        for &engine in Engine::all() {
            let y = write(engine, Matrix::rows(&[], 3, 0, 0), Matrix::rows(&[], 0, 2, 2));
            assert_eq!(y, [0.0; 6]);
        }
    }
}
