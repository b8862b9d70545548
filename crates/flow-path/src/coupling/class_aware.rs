//! Couplings within classes.

use std::collections::BTreeMap;

use rand::Rng;

use super::{Coupling, Given, Pairing};
use crate::PathError;

/// A coupling applied to each class of the batch by itself.
///
/// A coupling over the whole batch makes noise and label dependent: the noise that meets class `y`
/// is no longer the prior, while a conditional model is sampled from the prior whatever `y`. Here
/// each class pairs with the noise rows at its own positions, chosen without looking at them, so
/// that the noise given the label stays the prior.
///
/// # Reference
/// The bias is analysed by Cheng & Schwing (2025), "The Curse of Conditions: Analyzing and
/// Improving Optimal Transport for Conditional Flow-Based Generation", arXiv:2503.10636.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClassAware<C> {
    /// The coupling within a class.
    pub within: C,
}

impl<C: Coupling> Coupling for ClassAware<C> {
    fn pair(
        &self,
        x0: &[f32],
        x1: &[f32],
        given: Given<'_>,
        dim: usize,
        rng: &mut dyn Rng,
    ) -> Result<Pairing, PathError> {
        let rows = super::batch::row_count(x0, x1, dim)?;
        let labels = given.labels.ok_or(PathError::MissingLabels)?;
        if labels.len() != rows {
            return Err(PathError::LabelCount { labels: labels.len(), rows });
        }
        if let Some(numbers) = given.vectors.map(<[f32]>::len).filter(|n| !n.is_multiple_of(rows)) {
            return Err(PathError::ConditionCount { numbers, rows });
        }
        let mut classes: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (row, &label) in labels.iter().enumerate() {
            classes.entry(label).or_default().push(row);
        }
        let (mut noise_rows, mut weights) = (vec![0; rows], vec![1.0; rows]);
        let (mut weighted, mut marginal_error) = (false, 0.0f64);
        for members in classes.values() {
            let gather = |x: &[f32], dim: usize| -> Vec<f32> {
                members.iter().flat_map(|&i| &x[i * dim..(i + 1) * dim]).copied().collect()
            };
            let same = vec![labels[members[0]]; members.len()];
            let vectors = given.vectors.map(|vectors| gather(vectors, vectors.len() / rows));
            let given = Given { labels: Some(&same), vectors: vectors.as_deref() };
            let pairing = self
                .within
                .pair(&gather(x0, dim), &gather(x1, dim), given, dim, rng)
                .map_err(|error| in_the_batch(error, members))?;
            weighted |= pairing.weights().is_some();
            marginal_error = marginal_error.max(pairing.marginal_error());
            for (k, &row) in members.iter().enumerate() {
                noise_rows[row] = members[pairing[k]];
                weights[row] = pairing.weights().map_or(1.0, |w| w[k]);
            }
        }
        let weights = weighted.then_some(weights);
        Ok(Pairing { noise_rows, weights, marginal_error })
    }
}

/// An error about a row of a class, as one about the row of the batch.
fn in_the_batch(error: PathError, members: &[usize]) -> PathError {
    match error {
        PathError::NotFinite { side, row, value } => {
            PathError::NotFinite { side, row: members[row], value }
        }
        other => other,
    }
}
