//! Optimal transport within the batch, exactly.

use rand::Rng;

use super::{Coupling, Pairing, assign, squared_distances};
use crate::PathError;

/// Minibatch optimal transport: the permutation of the noise with the least mean squared distance.
///
/// The marginals of noise and data do not change, the conditional paths cross less, and the regression
/// target has less variance. For a model conditioned on labels, wrap it in [`crate::ClassAware`]:
/// pairing across classes makes the noise of a class other than the noise sampled from.
///
/// Costs `O(n^2 dim)` for the distances and up to `O(n^3)` for the assignment.
///
/// # Reference
/// Tong et al. (2024), arXiv:2302.00482 (OT-CFM); Pooladian et al. (2023), "Multisample
/// Flow Matching", arXiv:2304.14772.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExactOt;

impl Coupling for ExactOt {
    fn pair(
        &self,
        x0: &[f32],
        x1: &[f32],
        _labels: Option<&[usize]>,
        dim: usize,
        _rng: &mut dyn Rng,
    ) -> Result<Pairing, PathError> {
        Ok(Pairing::new(assign(&squared_distances(x0, x1, dim)?).columns))
    }
}
