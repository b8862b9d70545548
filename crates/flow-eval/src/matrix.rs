//! The square root of a covariance.

use nalgebra::{DMatrix, SymmetricEigen};

use crate::EvalError;

/// Relative size below which a negative eigenvalue is rounding, and asymmetry too.
///
/// Statistics are often kept as float32: its rounding of `2^-24` an entry moves eigenvalues by as
/// much times the Frobenius norm, and sums in float32 add to that. Sixteen such errors are allowed.
const ROUNDING: f64 = 1e-6;

/// The symmetric square root of a covariance, both `[dim, dim]` row-major.
///
/// By eigen-decomposition, `V sqrt(L) V^T`, with eigenvalues that rounding made negative taken as
/// 0; so it is real and exists for singular matrices, where a Schur-based root may not. Time
/// `O(dim^3)`, about 15 s for a dimension of 2,048.
///
/// # Errors
/// When a number is not finite, and when the matrix is not `dim` by `dim`, symmetric and positive
/// semi-definite, the last two up to the rounding of float32: `1e-6` of the greatest entry or
/// eigenvalue.
pub fn covariance_sqrt(covariance: &[f64], dim: usize) -> Result<Vec<f64>, EvalError> {
    Ok(sqrt(symmetric(covariance, dim)?)?.as_slice().to_vec())
}

pub(crate) fn sqrt(covariance: DMatrix<f64>) -> Result<DMatrix<f64>, EvalError> {
    let mut eigen = SymmetricEigen::new(covariance);
    check_semi_definite(eigen.eigenvalues.as_slice(), eigen.eigenvalues.amax())?;
    eigen.eigenvalues.apply(|value| *value = value.max(0.0).sqrt());
    Ok(eigen.recompose())
}

/// `Tr (A B)^{1/2}` of two covariances.
///
/// `A B` is not symmetric, but it has the eigenvalues of `A^{1/2} B A^{1/2}`, which is. Both are
/// scaled to about 1 first, since the product of two numbers beyond 1e154 leaves the range of
/// `f64`.
pub(crate) fn trace_sqrt_of_product(a: DMatrix<f64>, b: DMatrix<f64>) -> Result<f64, EvalError> {
    let ((a, scale_a), (b, scale_b)) = (scaled(a), scaled(b));
    let scale = a.trace() * b.trace();
    let root = sqrt(a)?;
    let product = &root * b * &root;
    let eigenvalues = ((&product + product.transpose()) * 0.5).symmetric_eigenvalues();
    check_semi_definite(eigenvalues.as_slice(), scale)?;
    let trace: f64 = eigenvalues.iter().map(|value| value.max(0.0).sqrt()).sum();
    Ok(scale_a.sqrt() * scale_b.sqrt() * trace)
}

/// A matrix over a power of four near its greatest entry, and that power: division and root are
/// exact.
fn scaled(matrix: DMatrix<f64>) -> (DMatrix<f64>, f64) {
    let greatest = matrix.amax();
    if greatest == 0.0 {
        return (matrix, 1.0);
    }
    // Within what `powi` gives without overflow on the way.
    let scale = 4.0_f64.powi(((greatest.log2() / 2.0).floor() as i32).clamp(-500, 500));
    (matrix / scale, scale)
}

/// A matrix from its rows, which must be finite and symmetric up to the rounding of float32: the
/// mean of it and its transpose.
pub(crate) fn symmetric(rows: &[f64], dim: usize) -> Result<DMatrix<f64>, EvalError> {
    if dim == 0 || rows.is_empty() {
        return Err(EvalError::Empty);
    }
    if dim.checked_mul(dim) != Some(rows.len()) {
        return Err(EvalError::PartialRow { len: rows.len(), dim: dim.saturating_mul(dim) });
    }
    if let Some(at) = rows.iter().position(|x| !x.is_finite()) {
        return Err(EvalError::NotFinite { row: at / dim, column: at % dim, value: rows[at] });
    }
    let matrix = DMatrix::from_row_slice(dim, dim, rows);
    let transpose = matrix.transpose();
    let asymmetry = (&matrix - &transpose).amax();
    if asymmetry > ROUNDING * matrix.amax() {
        return Err(EvalError::NotSymmetric { asymmetry });
    }
    // Halved first: the sum of two entries may leave the range of f64.
    Ok(matrix * 0.5 + transpose * 0.5)
}

/// Refuses eigenvalues that are further below 0 than rounding of numbers of size `scale` can take
/// them, and those that are no numbers.
fn check_semi_definite(eigenvalues: &[f64], scale: f64) -> Result<(), EvalError> {
    let allowed = |eigenvalue: &f64| *eigenvalue >= -ROUNDING * scale;
    // Sorted so that NaN, which passes every comparison of a minimum, comes last.
    let mut refused: Vec<f64> = eigenvalues.iter().copied().filter(|e| !allowed(e)).collect();
    refused.sort_unstable_by(f64::total_cmp);
    match refused.first() {
        Some(&eigenvalue) => Err(EvalError::NotACovariance { eigenvalue }),
        None => Ok(()),
    }
}
