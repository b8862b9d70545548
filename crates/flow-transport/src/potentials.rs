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

/// Exponents this far below the largest of a sum are left out of it.
#[derive(Clone, Copy)]
pub(crate) struct Cut(f64);

impl Cut {
    /// Where exponentials are zero in `f64` anyway.
    pub(crate) const NOTHING: Self = Self(-746.0);
    /// Where even a million of them are below a rounding error of the sum.
    pub(crate) const ROUNDING: Self = Self(-60.0);
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
    pub(crate) fn sweep(&mut self, epsilon: f64, cut: Cut) -> f64 {
        if let Some(rho) = self.relaxation {
            self.balance(rho);
        }
        self.f = soft_minimum(self.cost, &self.g, epsilon, self.damping(epsilon), cut);
        let old = std::mem::take(&mut self.g);
        self.answer_rows(epsilon, cut);
        let change = |(old, new): (&f64, &f64)| ((old - new) / epsilon).exp_m1().abs();
        old.iter().zip(&self.g).map(change).fold(0.0, larger)
    }

    /// Updates the potentials of the columns, the best answer to those of the rows.
    pub(crate) fn answer_rows(&mut self, epsilon: f64, cut: Cut) {
        self.g = soft_minimum(&self.transposed, &self.f, epsilon, self.damping(epsilon), cut);
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

    /// The mass that a row of potential `f` is meant to have, relative to the uniform one, and by how much it
    /// falls as `f` grows by `epsilon`.
    pub(crate) fn meant(&self, f: f64, epsilon: f64) -> (f64, f64) {
        self.relaxation.map_or((1.0, 0.0), |rho| {
            let meant = (-f / rho).exp();
            (meant, epsilon / rho * meant)
        })
    }

    /// The masses of each row relative to the uniform mass of a row, where they are more than `least`.
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
    /// From the masses themselves, so that rounding counts: with exact marginals `|mass / uniform mass - 1|`,
    /// else what one more update would change.
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

    /// Moves a constant between the potentials to where the relaxed dual is largest; without it a large
    /// `rho` settles the total mass only at the rate `rho / (rho + epsilon)`.
    ///
    /// Sejourne, Vialard & Peyre (2022), "Faster Unbalanced Optimal Transport: Translation Invariant
    /// Sinkhorn and 1-D Frank-Wolfe", arXiv:2201.00730.
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
fn soft_minimum(
    cost: &CostMatrix,
    other: &[f64],
    epsilon: f64,
    damping: f64,
    cut: Cut,
) -> Vec<f64> {
    let n = other.len();
    let row = |exponents: &mut Vec<f64>, i: usize| {
        exponents.clear();
        exponents.extend(other.iter().zip(cost.row(i)).map(|(g, cost)| (g - cost) / epsilon));
        damping * epsilon * ((n as f64).ln() - log_sum_exp_above(exponents, cut))
    };
    over_rows(cost, row)
}

/// A number for each row of the costs, in threads where there are many costs; `row` is given room to work in.
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

/// `ln sum exp(values)`, without overflow.
pub(crate) fn log_sum_exp(values: &[f64]) -> f64 {
    log_sum_exp_above(values, Cut::NOTHING)
}

fn log_sum_exp_above(values: &[f64], Cut(cut): Cut) -> f64 {
    let largest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if largest == f64::NEG_INFINITY {
        return largest;
    }
    let term = |v: &f64| if v - largest < cut { 0.0 } else { (v - largest).exp() };
    largest + values.iter().map(term).sum::<f64>().ln()
}
