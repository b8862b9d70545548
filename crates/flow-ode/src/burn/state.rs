//! `Tensor<D>` as a state and as a batch of rows.

use burn::tensor::{Bool, Tensor, TensorData};

use crate::rows::Batch;
use crate::state::{Norm, Norms, State, Tolerance};

/// Smallest scale that an error is divided by; far below any tolerance in use, and representable
/// in `f32`.
const LEAST_SCALE: f64 = 1e-30;

/// A step sums its stages in a chain of elementwise operations, which fusing backends turn into
/// one kernel; nothing is read but the error norm.
impl<const D: usize> State for Tensor<D> {
    const ON_HOST: bool = false;

    fn combine(&self, terms: &[(f64, &Self)]) -> Self {
        terms.iter().fold(self.clone(), |sum, (c, x)| (*x).clone() * *c + sum)
    }

    fn error_norm(&self, y0: &Self, y1: &Self, tol: &Tolerance) -> f64 {
        self.norms(y0, y1, tol, Norm::JointRms).worst()
    }

    fn norms(&self, y0: &Self, y1: &Self, tol: &Tolerance, norm: Norm) -> Norms {
        let rows = self.dims()[0];
        let numbers = self.shape().num_elements() / rows.max(1);
        if numbers == 0 {
            return Norms::host(vec![0.0; if norm == Norm::JointRms { 1 } else { rows }]);
        }
        let (error, y0, y1) = (untracked(self), untracked(y0), untracked(y1));
        let y1 = y1.abs();
        let scale = (y0.abs().max_pair(y1.clone()) * tol.rtol + tol.atol).clamp_min(LEAST_SCALE);
        // An infinite state has an infinite scale, hence a ratio of 0, and the maximum of a NaN
        // depends on the backend: a product with 0 keeps both.
        let square = (error / scale).square() + y1 * 0.0;
        Norms::device(match norm {
            Norm::JointRms => square.mean().sqrt(),
            Norm::WorstSample => square.reshape([rows, numbers]).mean_dim(1).sqrt().reshape([rows]),
        })
    }

    fn zeros_like(&self) -> Self {
        Tensor::zeros_like(&untracked(self))
    }

    fn untracked_sum(terms: &[(f64, &Self)]) -> Self {
        let mut scaled = terms.iter().map(|(c, x)| untracked(x) * *c);
        let first = scaled.next().expect("an error estimate has at least one term");
        scaled.fold(first, |sum, x| x + sum)
    }
}

impl<const D: usize> Batch for Tensor<D> {
    fn rows(&self) -> usize {
        self.dims()[0]
    }

    fn combine_rows(&self, terms: &[(&[f64], &Self)]) -> Self {
        terms.iter().fold(self.clone(), |sum, (c, x)| {
            let c = TensorData::new(c.to_vec(), row_shape::<D>(c.len()));
            let c = Tensor::<D>::from_data(c, (&self.device(), self.dtype()));
            (*x).clone() * c + sum
        })
    }

    fn replace_rows(&self, other: &Self, take: &[bool]) -> Self {
        let take = TensorData::new(take.to_vec(), row_shape::<D>(take.len()));
        let take = Tensor::<D, Bool>::from_data(take, &self.device());
        self.clone().mask_where(take.expand(self.dims()), other.clone())
    }
}

/// `[rows, 1, ..]`
fn row_shape<const D: usize>(rows: usize) -> [usize; D] {
    let mut shape = [1; D];
    shape[0] = rows;
    shape
}

/// The values without their tape.
fn untracked<const D: usize>(x: &Tensor<D>) -> Tensor<D> {
    x.clone().without_autodiff()
}
