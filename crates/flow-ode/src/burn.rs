//! Tensors as states.

use ::burn::tensor::Tensor;

use crate::state::{Norm, Norms, State, Tolerance};

/// The batch is the first dimension. Times and weights stay `f64` on the host; a step sums its
/// stages in a chain of elementwise operations that fusing backends turn into one kernel.
impl<const D: usize> State for Tensor<D> {
    const ON_HOST: bool = false;

    fn combine(&self, terms: &[(f64, &Self)]) -> Self {
        terms.iter().fold(self.clone(), |sum, (c, x)| (*x).clone() * *c + sum)
    }

    fn error_norm(&self, y0: &Self, y1: &Self, tol: &Tolerance) -> f64 {
        self.norms(y0, y1, tol, Norm::JointRms).worst()
    }

    fn norms(&self, y0: &Self, y1: &Self, tol: &Tolerance, norm: Norm) -> Norms {
        let (error, y0, y1) = (untracked(self), untracked(y0), untracked(y1));
        let magnitude = y0.abs().max_pair(y1.abs());
        // Zero tolerances meet zero states; the floor is far below any scale in use.
        let scale = (magnitude.clone() * tol.rtol + tol.atol).clamp_min(1e-30);
        // An infinite state has an infinite scale, hence a ratio of 0: `0 * inf` brings it back.
        let square = (error / scale).square() + magnitude * 0.0;
        Norms::device(match norm {
            Norm::JointRms => square.mean().sqrt(),
            Norm::WorstSample => {
                let rows = square.dims()[0];
                square.reshape([rows as i32, -1]).mean_dim(1).sqrt().reshape([-1])
            }
        })
    }

    fn zeros_like(&self) -> Self {
        untracked(self).zeros_like()
    }

    fn untracked_sum(terms: &[(f64, &Self)]) -> Self {
        let mut scaled = terms.iter().map(|(c, x)| untracked(x) * *c);
        let first = scaled.next().expect("an error estimate has at least one term");
        scaled.fold(first, |sum, x| x + sum)
    }
}

/// The values without their tape.
fn untracked<const D: usize>(x: &Tensor<D>) -> Tensor<D> {
    x.clone().without_autodiff()
}

/// Reads all vectors in one transfer.
pub(crate) fn read_together(vectors: Vec<Tensor<1>>) -> Vec<Vec<f64>> {
    if vectors.is_empty() {
        return Vec::new();
    }
    let lengths: Vec<usize> = vectors.iter().map(|vector| vector.dims()[0]).collect();
    let dtype = vectors[0].dtype();
    let joined = Tensor::cat(vectors.into_iter().map(|v| v.cast(dtype)).collect(), 0).into_data();
    let mut numbers = joined.iter::<f64>();
    lengths.into_iter().map(|n| numbers.by_ref().take(n).collect()).collect()
}
