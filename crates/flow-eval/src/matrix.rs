//! The square root of a covariance.

use nalgebra::{DMatrix, SymmetricEigen};

use crate::EvalError;

/// Relative size below which a negative eigenvalue is rounding, and asymmetry too.
const ROUNDING: f64 = 1e-9;

/// The symmetric square root of a covariance, both `[dim, dim]` row-major.
///
/// By eigen-decomposition, `V sqrt(L) V^T`, with eigenvalues that rounding made negative taken as 0; so it is
/// real and exists for singular matrices, where a Schur-based root may not. Time `O(dim^3)`, about 15 s
/// for a dimension of 2,048.
///
/// # Errors
/// When a number is not finite, and when the matrix is not `dim` by `dim`, symmetric and positive
/// semi-definite.
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
/// `A B` is not symmetric, but it has the eigenvalues of `A^{1/2} B A^{1/2}`, which is.
pub(crate) fn trace_sqrt_of_product(a: DMatrix<f64>, b: &DMatrix<f64>) -> Result<f64, EvalError> {
    let scale = a.trace() * b.trace();
    let root = sqrt(a)?;
    let product = &root * b * &root;
    let eigenvalues = ((&product + product.transpose()) * 0.5).symmetric_eigenvalues();
    check_semi_definite(eigenvalues.as_slice(), scale)?;
    Ok(eigenvalues.iter().map(|value| value.max(0.0).sqrt()).sum())
}

/// A matrix from its rows, which must be finite and symmetric.
pub(crate) fn symmetric(rows: &[f64], dim: usize) -> Result<DMatrix<f64>, EvalError> {
    if dim == 0 || rows.is_empty() {
        return Err(EvalError::Empty);
    }
    if rows.len() != dim * dim {
        return Err(EvalError::PartialRow { len: rows.len(), dim: dim * dim });
    }
    if let Some(at) = rows.iter().position(|x| !x.is_finite()) {
        return Err(EvalError::NotFinite { row: at / dim, column: at % dim, value: rows[at] });
    }
    let matrix = DMatrix::from_row_slice(dim, dim, rows);
    let asymmetry = (&matrix - matrix.transpose()).amax();
    if asymmetry > ROUNDING * matrix.amax() {
        return Err(EvalError::NotSymmetric { asymmetry });
    }
    Ok(matrix)
}

/// Refuses eigenvalues that are further below 0 than rounding of numbers of size `scale` can take them.
fn check_semi_definite(eigenvalues: &[f64], scale: f64) -> Result<(), EvalError> {
    let least = eigenvalues.iter().copied().fold(f64::INFINITY, f64::min);
    if least < -ROUNDING * scale {
        Err(EvalError::NotACovariance { eigenvalue: least })
    } else {
        Ok(())
    }
}
