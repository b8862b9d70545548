//! Any linear map, by its matrix.

use burn::tensor::Tensor;

use super::LinearOperator;

/// A matrix of `m x d` numbers, most of them not zero; see [`Sparse`](super::Sparse) for others.
#[derive(Clone, Debug)]
pub struct Dense {
    matrix: Tensor<2>,
}

impl Dense {
    /// The map `x -> A x`.
    ///
    /// # Shapes
    /// - `matrix`: `[m, d]`
    #[must_use]
    pub fn new(matrix: Tensor<2>) -> Self {
        Self { matrix }
    }
}

impl LinearOperator for Dense {
    fn sizes(&self) -> (usize, usize) {
        let [m, d] = self.matrix.dims();
        (d, m)
    }

    fn apply(&self, x: &Tensor<2>) -> Tensor<2> {
        x.clone().matmul(self.matrix.clone().cast(x.dtype()).transpose())
    }

    fn adjoint(&self, y: &Tensor<2>) -> Tensor<2> {
        y.clone().matmul(self.matrix.clone().cast(y.dtype()))
    }
}
