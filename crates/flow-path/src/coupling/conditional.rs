//! Optimal transport that looks at the conditions too.

use flow_transport::{CostMatrix, assign, squared_distances};
use rand::Rng;
use serde::{Deserialize, Serialize};

use super::batch::{costs, row_count};
use super::{Coupling, Given, Pairing};
use crate::PathError;
use crate::config::{Check, within};
use crate::error::Side;

/// Minibatch optimal transport for conditions that are numbers: noise moves only between rows
/// whose conditions are near each other.
///
/// Noise row `j` carries the condition of its own row, and data row `i` takes it at the cost `|x1_i
/// - x0_j|^2 + w d(c_i, c_j)`. Without the second term the noise that meets a condition is no
/// longer the prior, while samples start from the prior whatever the condition, so that the model
/// of `x` given `c` is biased. With a large `w` every row keeps the noise that it was drawn with.
///
/// The weight follows from the batch. Another noise row is *within reach* of a data row if it costs
/// no more than the row's own, `|x1_i - x0_j|^2 + w d(c_i, c_j) <= |x1_i - x0_i|^2`. The share of
/// such pairs falls as `w` rises, and `w` is the largest at which it is [`ConditionalOt::share`]. A
/// pair leaves the reach at one known weight, `(|x1_i - x0_i|^2 - |x1_i - x0_j|^2) / d(c_i, c_j)`,
/// so that weight is a quantile of those and no search is needed.
///
/// Rows of equal conditions cost nothing more, so that a condition with few values, such as the
/// bits of a category, pairs within each of them as [`crate::ClassAware`] does.
///
/// Conditions are expected as the model reads them, each number standardised.
///
/// # Reference
/// Cheng & Schwing (2025), "The Curse of Conditions: Analyzing and Improving Optimal Transport for
/// Conditional Flow-Based Generation", arXiv:2503.10636, who find `w` by bisection and count the
/// row's own noise too; Kerrigan, Migliorini & Smyth (2024), "Dynamic Conditional Optimal Transport
/// through Simulation-Free Flows", arXiv:2404.04240.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConditionalOt {
    /// Share of the other noise rows that are within reach of a data row, in `(0, 1]`: a small one
    /// has less bias, a large one has straighter paths.
    pub share: f64,
    /// How far apart two conditions are.
    pub distance: ConditionDistance,
}

/// How far apart two conditions are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConditionDistance {
    /// `|a - b|^2`
    #[default]
    Squared,
    /// `1 - cos(a, b)`, for embeddings whose length means nothing; a zero is at distance 1 from
    /// all others.
    Cosine,
}

impl Default for ConditionalOt {
    fn default() -> Self {
        Self { share: 0.01, distance: ConditionDistance::Squared }
    }
}

impl Check for ConditionalOt {
    fn check(&self) -> Result<(), PathError> {
        let allowed = 0.0 < self.share && self.share <= 1.0;
        within("share", self.share, allowed, "(0, 1]")
    }
}

impl Coupling for ConditionalOt {
    /// # Errors
    /// Those of [`Coupling::pair`]; conditions are needed.
    fn pair(
        &self,
        x0: &[f32],
        x1: &[f32],
        given: Given<'_>,
        dim: usize,
        _rng: &mut dyn Rng,
    ) -> Result<Pairing, PathError> {
        self.check()?;
        let rows = row_count(x0, x1, dim)?;
        let vectors = given.vectors.ok_or(PathError::MissingConditions)?;
        let costs = costs(x0, x1, dim)?;
        let distances = self.distance.between(vectors, rows)?;
        let weight = weight(&costs, &distances, self.share);
        let joint = |i: usize, j: usize| match distances.row(i)[j] {
            // Not a product: the weight may be infinite.
            0.0 => costs.row(i)[j],
            distance => costs.row(i)[j] + weight * distance,
        };
        let joint = CostMatrix::from_fn(rows, rows, joint)?;
        Ok(Pairing::new(assign(&joint)?.columns))
    }
}

impl ConditionDistance {
    /// Distances of all pairs of `rows` conditions, each as many numbers as there are for each row.
    fn between(self, vectors: &[f32], rows: usize) -> Result<CostMatrix, PathError> {
        let numbers = vectors.len();
        if numbers == 0 || !numbers.is_multiple_of(rows) {
            return Err(PathError::ConditionCount { numbers, rows });
        }
        let dim = numbers / rows;
        if let Some(k) = vectors.iter().position(|x| !x.is_finite()) {
            let (side, value) = (Side::Condition, vectors[k]);
            return Err(PathError::NotFinite { side, row: k / dim, value });
        }
        match self {
            Self::Squared => Ok(squared_distances(vectors, vectors, dim)?),
            Self::Cosine => {
                // Twice the cosine distance is the squared distance on the sphere.
                let sphere: Vec<f32> = vectors.chunks_exact(dim).flat_map(unit).collect();
                let squares = squared_distances(&sphere, &sphere, dim)?;
                let half = |i: usize, j: usize| squares.row(i)[j] / 2.0;
                Ok(CostMatrix::from_fn(rows, rows, half)?)
            }
        }
    }
}

/// A condition scaled to length 1; a zero stays.
fn unit(vector: &[f32]) -> Vec<f32> {
    let length = vector.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>().sqrt();
    let scale = if length == 0.0 { 0.0 } else { length.recip() };
    vector.iter().map(|&x| (f64::from(x) * scale) as f32).collect()
}

/// The largest weight at which a `share` of the other noise rows is within reach; infinite if even
/// then more are, because conditions are equal, or if the share is less than one pair.
fn weight(costs: &CostMatrix, distances: &CostMatrix, share: f64) -> f64 {
    let rows = costs.rows();
    let leaves_at = |i: usize, j: usize| {
        let saved = costs.row(i)[i] - costs.row(i)[j];
        let distance = distances.row(i)[j];
        match distance {
            0.0 if saved < 0.0 => f64::NEG_INFINITY,
            0.0 => f64::INFINITY,
            _ => saved / distance,
        }
    };
    let others = |i: usize| (0..rows).filter(move |&j| j != i).map(move |j| (i, j));
    let mut weights: Vec<f64> = (0..rows).flat_map(others).map(|(i, j)| leaves_at(i, j)).collect();
    let within_reach = (share * weights.len() as f64) as usize;
    if within_reach == 0 {
        return f64::INFINITY;
    }
    let (_, weight, _) = weights.select_nth_unstable_by(within_reach - 1, |a, b| b.total_cmp(a));
    weight.max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_weight_leaves_the_chosen_share_within_reach() {
        let x0 = [0.0_f32, 1.0, 2.5, 3.0, -1.0, 0.5];
        let x1 = [3.1_f32, -0.5, 0.1, 1.2, 2.2, -2.0];
        let c = [0.0_f32, 0.3, 1.0, 1.1, 2.0, 2.2];
        let costs = costs(&x0, &x1, 1).unwrap();
        let distances = ConditionDistance::Squared.between(&c, 6).unwrap();
        let reached = |w: f64| {
            let held = |&(i, j): &(usize, usize)| {
                i != j && costs.row(i)[j] + w * distances.row(i)[j] <= costs.row(i)[i]
            };
            (0..6).flat_map(|i| (0..6).map(move |j| (i, j))).filter(held).count()
        };
        for (share, pairs) in [(0.1, 3), (0.2, 6), (0.3, 9)] {
            let w = weight(&costs, &distances, share);
            // A hair less, so that rounding of the last pair does not decide.
            assert_eq!(reached(w * (1.0 - 1e-12)), pairs, "w = {w}");
            assert_eq!(reached(w * (1.0 + 1e-9)), pairs - 1, "w = {w}");
        }
        assert!(weight(&costs, &distances, 0.01).is_infinite());
        assert!(weight(&costs, &distances, 1.0).abs() < f64::MIN_POSITIVE);
    }

    #[test]
    fn cosines_do_not_look_at_the_length() {
        let vectors = [3.0_f32, 0.0, 0.0, 0.1, -7.0, 0.0, 0.0, 0.0];
        let distances = ConditionDistance::Cosine.between(&vectors, 4).unwrap();
        let close = |i: usize, j: usize, d: f64| (distances.row(i)[j] - d).abs() < 1e-7;
        assert!(close(0, 1, 1.0) && close(0, 2, 2.0) && close(0, 0, 0.0), "{distances:?}");
    }
}
