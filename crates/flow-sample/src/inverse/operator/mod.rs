//! Linear operators of observations, without their matrices.

mod blur;
mod dense;
mod mask;
mod pool;
mod sparse;

use std::fmt::Debug;

use burn::tensor::{Device, Tensor, TensorData};
use flow_path::stream::Purpose;

use crate::noise::normal_rows;

pub use blur::Blur;
pub use dense::Dense;
pub use mask::Mask;
pub use pool::Pool;
pub use sparse::Sparse;

/// A linear map `A` of rows and its adjoint, `(A x) . y = x . (A^T y)`.
///
/// Both take any number of rows; an operator that differs from row to row takes its rows several
/// times over, one copy after the other. A wrong adjoint gives answers that look like answers:
/// [`adjoint_gap`] finds it.
pub trait LinearOperator: Debug + Send + Sync {
    /// Numbers of a row of data, and of what is seen of it.
    fn sizes(&self) -> (usize, usize);

    /// `A x`.
    ///
    /// # Shapes
    /// - `x`: `[B, d]`; output: `[B, m]`
    fn apply(&self, x: &Tensor<2>) -> Tensor<2>;

    /// `A^T y`.
    ///
    /// # Shapes
    /// - `y`: `[B, m]`; output: `[B, d]`
    fn adjoint(&self, y: &Tensor<2>) -> Tensor<2>;

    /// 1 for each number that is seen, and 0 for those of the output that mean nothing.
    ///
    /// # Shapes
    /// - `y` and output: `[B, m]`
    fn seen(&self, y: &Tensor<2>) -> Tensor<2> {
        y.ones_like()
    }
}

impl<A: LinearOperator + ?Sized> LinearOperator for &A {
    fn sizes(&self) -> (usize, usize) {
        (**self).sizes()
    }

    fn apply(&self, x: &Tensor<2>) -> Tensor<2> {
        (**self).apply(x)
    }

    fn adjoint(&self, y: &Tensor<2>) -> Tensor<2> {
        (**self).adjoint(y)
    }

    fn seen(&self, y: &Tensor<2>) -> Tensor<2> {
        (**self).seen(y)
    }
}

/// The largest `|(A x) . y - x . (A^T y)| / (|A x| |y|)` of `rows` random pairs of `seed`.
///
/// For a true adjoint in single precision it is about `1e-6`. For a wrong one it is the cosine of
/// two random vectors, of the order of `1 / sqrt(m)`.
///
/// # Panics
/// If an output of the operator has another shape than it promises.
#[must_use]
pub fn adjoint_gap(operator: &dyn LinearOperator, rows: usize, seed: u64, device: &Device) -> f64 {
    let (d, m) = operator.sizes();
    let draw = |first: usize, size: usize| {
        let numbers = normal_rows(seed, Purpose::Evaluation, first..first + rows, size);
        Tensor::<2>::from_data(TensorData::new(numbers, [rows, size]), device)
    };
    let (x, y) = (draw(0, d), draw(rows, m));
    let (seen, back) = (operator.apply(&x), operator.adjoint(&y));
    assert_eq!(seen.dims(), [rows, m], "expected A x of {m} numbers a row");
    assert_eq!(back.dims(), [rows, d], "expected A^T y of {d} numbers a row");
    let [x, y, seen, back] = [x, y, seen, back].map(|x| {
        x.into_data().convert::<f64>().try_into_vec::<f64>().expect("converted to f64 just before")
    });
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let gap = |k: usize| {
        let (x, back) = (&x[k * d..][..d], &back[k * d..][..d]);
        let (y, seen) = (&y[k * m..][..m], &seen[k * m..][..m]);
        let size = (dot(seen, seen) * dot(y, y)).sqrt().max(f64::MIN_POSITIVE);
        (dot(seen, y) - dot(x, back)).abs() / size
    };
    (0..rows).map(gap).fold(0.0, f64::max)
}

/// A tensor of one row, or of a part of the rows of another, for all rows of that other, in its
/// type.
///
/// # Panics
/// If the rows of the other are no multiple of its own.
pub(super) fn for_rows_of(own: &Tensor<2>, other: &Tensor<2>) -> Tensor<2> {
    let (has, rows) = (own.dims()[0], other.dims()[0]);
    let own = own.clone().cast(other.dtype());
    if has == 1 || has == rows {
        return own;
    }
    assert!(0 < has && rows % has == 0, "expected a multiple of {has} rows, got {rows}");
    own.repeat_dim(0, rows / has)
}
