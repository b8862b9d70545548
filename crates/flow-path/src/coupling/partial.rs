//! Optimal transport of a fraction of the batch.

use rand::Rng;

use super::{CostMatrix, Coupling, Pairing, assign, squared_distances};
use crate::PathError;

/// Partial optimal transport: only the cheapest `fraction` of the batch is paired.
///
/// The data rows left out, those that would travel furthest, get a loss weight of zero, the others
/// the same weight, with mean one. Robust to outliers, at the price that rows often left out are
/// learned less.
///
/// # Reference
/// Chapel, Alaya & Gasso (2020), "Partial Optimal Transport with Applications on Positive-Unlabeled
/// Learning", arXiv:2002.08276 (dummy points).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PartialOt {
    fraction: f64,
}

impl PartialOt {
    /// Pairs the given fraction of the rows, rounded to a whole number of at least one.
    ///
    /// # Errors
    /// If the fraction is not in `(0, 1]`.
    pub fn new(fraction: f64) -> Result<Self, PathError> {
        if 0.0 < fraction && fraction <= 1.0 {
            Ok(Self { fraction })
        } else {
            Err(PathError::Parameter { name: "fraction", value: fraction, domain: "(0, 1]" })
        }
    }
}

impl Coupling for PartialOt {
    fn pair(
        &self,
        x0: &[f32],
        x1: &[f32],
        _labels: Option<&[usize]>,
        dim: usize,
        _rng: &mut dyn Rng,
    ) -> Result<Pairing, PathError> {
        let cost = squared_distances(x0, x1, dim)?;
        let n = cost.size();
        let paired = ((self.fraction * n as f64).round() as usize).max(1);
        let largest = cost.as_slice().iter().copied().fold(0.0, f64::max);
        // Rows and columns from n on are dummies: free against real ones, too dear against each other.
        let extended = CostMatrix::from_fn(2 * n - paired, |i, j| match (i < n, j < n) {
            (true, true) => cost.row(i)[j],
            (false, false) => 2.0 * largest + 1.0,
            _ => 0.0,
        });
        let columns = assign(&extended).columns;
        let mut unpaired_noise = columns[n..].iter().copied();
        let (mut noise_rows, mut weights) = (Vec::with_capacity(n), Vec::with_capacity(n));
        for &column in &columns[..n] {
            let (row, weight) = if column < n {
                (column, n as f64 / paired as f64)
            } else {
                let row =
                    unpaired_noise.next().expect("as many noise rows as data rows are left out");
                (row, 0.0)
            };
            noise_rows.push(row);
            weights.push(weight);
        }
        Ok(Pairing::weighted(noise_rows, weights))
    }
}
