//! The dual potentials of an entropic problem, and one update of them.

use rayon::prelude::*;

use crate::{CostMatrix, TransportError};

/// Dual potentials of rows (`f`) and columns (`g`).
pub(crate) struct Potentials<'a> {
    pub(crate) f: Vec<f64>,
    pub(crate) g: Vec<f64>,
    cost: &'a CostMatrix,
    transposed: CostMatrix,
    relaxation: Option<f64>,
}

impl<'a> Potentials<'a> {
    pub(crate) fn new(
        cost: &'a CostMatrix,
        relaxation: Option<f64>,
    ) -> Result<Self, TransportError> {
        let (f, g) = (vec![0.0; cost.rows()], vec![0.0; cost.columns()]);
        Ok(Self { f, g, cost, transposed: cost.transposed()?, relaxation })
    }

    /// One update of both potentials; returns the largest relative change of a column's mass.
    ///
    /// With exact marginals that is their error: the update of `f` makes row masses exact, and a
    /// column's mass is then off by the factor `exp((g_old - g_new) / epsilon)`.
    pub(crate) fn sweep(&mut self, epsilon: f64) -> f64 {
        if let Some(rho) = self.relaxation {
            self.balance(rho);
        }
        self.f = soft_minimum(self.cost, &self.g, epsilon, self.damping(epsilon));
        let old = std::mem::take(&mut self.g);
        self.answer_rows(epsilon);
        let change = |(old, new): (&f64, &f64)| ((old - new) / epsilon).exp_m1().abs();
        old.iter().zip(&self.g).map(change).fold(0.0, larger)
    }

    /// Updates the potentials of the columns, the best answer to those of the rows.
    pub(crate) fn answer_rows(&mut self, epsilon: f64) {
        self.g = soft_minimum(&self.transposed, &self.f, epsilon, self.damping(epsilon));
    }

    /// The dual objective where columns have answered, up to a constant.
    pub(crate) fn dual_value(&self, epsilon: f64) -> f64 {
        let mean = |potential: &[f64], term: &dyn Fn(f64) -> f64| {
            potential.iter().map(|p| term(*p)).sum::<f64>() / potential.len() as f64
        };
        match self.relaxation {
            None => mean(&self.f, &|f| f) + mean(&self.g, &|g| g),
            Some(rho) => {
                let rows = mean(&self.f, &|f| -rho * (-f / rho).exp_m1());
                rows + mean(&self.g, &|g| -(rho + epsilon) * (-g / rho).exp_m1())
            }
        }
    }

    /// The mass that a row of potential `f` is meant to have, relative to the uniform one, and by
    /// how much it falls as `f` grows by `epsilon`.
    pub(crate) fn meant(&self, f: f64, epsilon: f64) -> (f64, f64) {
        self.relaxation.map_or((1.0, 0.0), |rho| {
            let meant = (-f / rho).exp();
            (meant, epsilon / rho * meant)
        })
    }

    /// The masses of each row relative to the uniform mass of a row, where they are more than
    /// `least`.
    pub(crate) fn relative_masses(&self, epsilon: f64, least: f64) -> Vec<Vec<(u32, f64)>> {
        let uniform = (self.g.len() as f64).ln();
        let row = |i: usize| -> Vec<(u32, f64)> {
            let columns = (0..).zip(self.g.iter().zip(self.cost.row(i)));
            let log =
                |(j, (g, c)): (u32, (&f64, &f64))| (j, (self.f[i] + g - c) / epsilon - uniform);
            let kept = columns.map(log).filter(|(_, log)| *log > least.ln());
            kept.map(|(j, log)| (j, log.exp())).collect()
        };
        (0..self.f.len()).into_par_iter().with_min_len(8).map(row).collect()
    }

    /// The error of the plan that the potentials make as they are, over rows and columns.
    ///
    /// From the masses themselves, so that rounding counts: with exact marginals
    /// `|mass / uniform mass - 1|`, else what one more update would change.
    pub(crate) fn error(&self, epsilon: f64) -> f64 {
        let of_rows = self.side_error(self.cost, &self.f, &self.g, epsilon);
        let of_columns = self.side_error(&self.transposed, &self.g, &self.f, epsilon);
        larger(of_rows, of_columns)
    }

    fn side_error(&self, cost: &CostMatrix, own: &[f64], other: &[f64], epsilon: f64) -> f64 {
        let uniform = (other.len() as f64).ln();
        let row = |exponents: &mut Vec<f64>, i: usize| {
            exponents.clear();
            exponents
                .extend(other.iter().zip(cost.row(i)).map(|(g, c)| (own[i] + g - c) / epsilon));
            // A relaxed mass is meant to be the uniform one times exp(-potential / rho).
            let meant = self.relaxation.map_or(0.0, |rho| -own[i] / rho);
            let excess = log_sum_exp(exponents) - uniform - meant;
            (self.damping(epsilon) * excess).exp_m1().abs()
        };
        over_rows(cost, row).into_iter().fold(0.0, larger)
    }

    pub(crate) fn damping(&self, epsilon: f64) -> f64 {
        self.relaxation.map_or(1.0, |rho| rho / (rho + epsilon))
    }

    /// Moves a constant between the potentials to where the relaxed dual is largest; without it a
    /// large `rho` settles the total mass only at the rate `rho / (rho + epsilon)`.
    ///
    /// Sejourne, Vialard & Peyre (2022), "Faster Unbalanced Optimal Transport: Translation
    /// Invariant Sinkhorn and 1-D Frank-Wolfe", arXiv:2201.00730.
    fn balance(&mut self, rho: f64) {
        let pressure = |potential: &[f64]| {
            log_sum_exp(&potential.iter().map(|p| -p / rho).collect::<Vec<_>>())
        };
        // Pressures are means over a side, so that its size does not count.
        let sizes = (self.f.len() as f64).ln() - (self.g.len() as f64).ln();
        let shift = 0.5 * rho * (pressure(&self.f) - pressure(&self.g) - sizes);
        self.f.iter_mut().for_each(|f| *f += shift);
        self.g.iter_mut().for_each(|g| *g -= shift);
    }
}

/// The larger of two errors, of which NaN is the largest.
fn larger(a: f64, b: f64) -> f64 {
    if a >= b || a.is_nan() { a } else { b }
}

/// Entries from which on the rows are shared among threads.
const PARALLEL: usize = 1 << 12;

/// For each row `-damping epsilon ln mean_j exp((other_j - cost_j) / epsilon)`.
fn soft_minimum(cost: &CostMatrix, other: &[f64], epsilon: f64, damping: f64) -> Vec<f64> {
    let n = other.len();
    let row = |exponents: &mut Vec<f64>, i: usize| {
        exponents.clear();
        exponents.extend(other.iter().zip(cost.row(i)).map(|(g, cost)| (g - cost) / epsilon));
        damping * epsilon * ((n as f64).ln() - log_sum_exp(exponents))
    };
    over_rows(cost, row)
}

/// A number for each row of the costs, in threads where there are many costs; `row` is given room
/// to work in.
fn over_rows(
    cost: &CostMatrix,
    row: impl Fn(&mut Vec<f64>, usize) -> f64 + Send + Sync,
) -> Vec<f64> {
    if cost.as_slice().len() < PARALLEL {
        let mut room = Vec::with_capacity(cost.columns());
        return (0..cost.rows()).map(|i| row(&mut room, i)).collect();
    }
    (0..cost.rows()).into_par_iter().with_min_len(8).map_init(Vec::new, row).collect()
}

/// Exponents this far below one that is summed already do not change a digit of the sum:
/// `e^-38 < 2^-54`.
const BELOW_ROUNDING: f64 = -38.0;

/// `ln sum exp(values)`, without overflow.
pub(crate) fn log_sum_exp(values: &[f64]) -> f64 {
    let largest = largest(values);
    if largest == f64::NEG_INFINITY {
        return largest;
    }
    let (mut sum, mut summed) = (0.0, f64::NEG_INFINITY);
    for value in values {
        let exponent = value - largest;
        if exponent < summed + BELOW_ROUNDING {
            continue;
        }
        sum += exponent.exp();
        summed = if summed < exponent { exponent } else { summed };
    }
    largest + f64::ln(sum)
}

/// The largest value, in lanes so that it vectorises.
fn largest(values: &[f64]) -> f64 {
    let larger = |a: f64, b: f64| if a < b { b } else { a };
    let mut lanes = [f64::NEG_INFINITY; 8];
    let (chunks, rest) = values.as_chunks::<8>();
    for chunk in chunks {
        for (lane, value) in lanes.iter_mut().zip(chunk) {
            *lane = larger(*lane, *value);
        }
    }
    lanes.iter().chain(rest).fold(f64::NEG_INFINITY, |a, b| larger(a, *b))
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "the two sums are meant to agree in every bit")]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_of_a_sum_changes_no_bit() {
        for spread in [0.1, 10.0, 40.0, 100.0, 1000.0] {
            for n in [1, 7, 8, 9, 200] {
                let values: Vec<f64> =
                    (0..n).map(|k| spread * (f64::from(k * 37 % 101) / 50.0).sin()).collect();
                let largest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let sum: f64 = values.iter().map(|v| (v - largest).exp()).sum();
                assert_eq!(log_sum_exp(&values), largest + sum.ln(), "{n} within {spread}");
            }
        }
        assert_eq!(log_sum_exp(&[f64::NEG_INFINITY; 3]), f64::NEG_INFINITY);
        assert!(log_sum_exp(&[0.0, f64::NAN, 1.0]).is_nan());
    }
}
