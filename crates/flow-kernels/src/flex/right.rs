//! The right operand of products that are made a chunk of rows at a time.

use super::{
    bf16::{self, Engine},
    gemm::{Matrix, Parallelism, Target, product},
};
use crate::Precision;

/// A matrix that others are multiplied with from the left, ready for the precision of that.
pub(super) enum Right<'a> {
    F32(Matrix<'a>),
    Bf16(bf16::Right),
}

impl<'a> Right<'a> {
    /// Makes it ready, once for all chunks. Where the CPU has no products of a precision, they are
    /// those of `f32`.
    pub(super) fn new(precision: Precision, b: Matrix<'a>) -> Self {
        match Engine::of(precision) {
            Some(engine) => Self::Bf16(bf16::Right::new(engine, b)),
            None => Self::F32(b),
        }
    }

    /// `a b` into the rows of `target`, which lie `row_stride` apart, on this thread.
    ///
    /// Every element of the target's rows is initialised afterwards.
    pub(super) fn multiply(&self, target: Target<'_>, row_stride: usize, a: Matrix<'_>) {
        match self {
            Self::F32(b) => product(target, row_stride, 1.0, a, *b, Parallelism::None),
            Self::Bf16(b) => b.multiply(target, row_stride, a),
        }
    }
}
