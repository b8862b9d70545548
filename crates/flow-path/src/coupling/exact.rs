//! Optimal transport within the batch, exactly.

use flow_transport::assign;
use rand::Rng;

use super::batch::costs;
use super::{Coupling, Given, Pairing};
use crate::{PathError, without_values};

/// Minibatch optimal transport: the permutation of the noise with the least mean squared distance.
///
/// The marginals of noise and data do not change, the conditional paths cross less, and the
/// regression target has less variance. For a model conditioned on labels, wrap it in
/// [`crate::ClassAware`]: pairing across classes gives each class its own part of the noise,
/// whereas sampling draws from all of it. With classes at -2 and 2 and as many rows of each, class
/// 1 meets the upper half of a standard normal, of mean `sqrt(2 / pi) = 0.80` and standard
/// deviation 0.60.
///
/// Takes `O(n^2 dim)` for the distances and up to `O(n^3)` for the assignment. Rows that are equal
/// pair one to one in an order that is the same each time. A batch whose costs memory cannot hold
/// (above about 23,000 rows) is an error.
///
/// # Reference
/// Tong et al. (2024), arXiv:2302.00482 (OT-CFM); Pooladian et al. (2023), "Multisample
/// Flow Matching", arXiv:2304.14772.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExactOt;

without_values!(ExactOt);

impl Coupling for ExactOt {
    fn pair(
        &self,
        x0: &[f32],
        x1: &[f32],
        _: Given<'_>,
        dim: usize,
        _rng: &mut dyn Rng,
    ) -> Result<Pairing, PathError> {
        Ok(Pairing::new(assign(&costs(x0, x1, dim)?)?.columns))
    }
}
