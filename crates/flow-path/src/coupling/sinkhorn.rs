//! Entropic optimal transport in the log domain.

use rand::seq::SliceRandom;
use rand::{Rng, RngExt};

use super::{CostMatrix, Coupling, Pairing, squared_distances};
use crate::PathError;
use crate::error::positive;

/// How pairs are drawn from a plan that does not pair one to one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Draw {
    /// Each noise row once: rows choose in random order among the noise rows left. Both marginals of
    /// the batch are kept, at the price of a slight departure from the plan.
    #[default]
    Permutation,
    /// Each data row draws from its row of the plan: the plan is met, noise rows may repeat.
    WithReplacement,
}

/// Unit in which the regularisation is given.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Epsilon {
    /// In units of the cost, the squared distance.
    Absolute(f64),
    /// As a fraction of the mean cost of the batch, which adapts to the dimension.
    OfMeanCost(f64),
}

/// Entropic optimal transport: minimise `<P, C> + epsilon KL(P | a b^T)` over plans with uniform
/// marginals, or with marginals held only softly.
///
/// As `epsilon` falls to zero the plan tends to the exact one, as it grows to independence. Computed
/// in the log domain with a decreasing `epsilon`, so that neither small values nor far points underflow.
///
/// # Reference
/// Cuturi (2013), "Sinkhorn Distances", arXiv:1306.0895; log domain and unbalanced form from Chizat,
/// Peyre, Schmitzer & Vialard (2018), "Scaling Algorithms for Unbalanced Transport
/// Problems", arXiv:1607.05816.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sinkhorn {
    /// Strength of the entropy.
    pub epsilon: Epsilon,
    /// Strength of the marginal constraints `rho KL(. | a)`, in units of the cost; `None` makes
    /// them exact.
    pub relaxation: Option<f64>,
    /// How pairs are drawn from the plan.
    pub draw: Draw,
    /// Largest relative error of a marginal at which to stop.
    pub tolerance: f64,
    /// Largest number of iterations at the final `epsilon`.
    pub max_iterations: usize,
}

impl Default for Sinkhorn {
    /// `epsilon` of 5% of the mean cost, exact marginals to `1e-6`, a permutation.
    fn default() -> Self {
        Self {
            epsilon: Epsilon::OfMeanCost(0.05),
            relaxation: None,
            draw: Draw::Permutation,
            tolerance: 1e-6,
            max_iterations: 10_000,
        }
    }
}

impl Sinkhorn {
    /// The plan of the Schrodinger bridge of a Brownian motion with diffusion coefficient `sigma`:
    /// `epsilon = 2 sigma^2` on squared distances.
    ///
    /// # Reference
    /// Tong et al. (2024), "Simulation-Free Schrodinger Bridges via Score and Flow Matching",
    /// arXiv:2307.03672.
    #[must_use]
    pub fn schrodinger(sigma: f64) -> Self {
        let epsilon = Epsilon::Absolute(2.0 * sigma * sigma);
        Self { epsilon, draw: Draw::WithReplacement, ..Self::default() }
    }

    /// The optimal plan for a cost matrix.
    ///
    /// # Errors
    /// If the regularisation is not positive, or the tolerance is not met in `max_iterations`.
    pub fn plan(&self, cost: &CostMatrix) -> Result<Plan, PathError> {
        let n = cost.size();
        let mean = cost.as_slice().iter().sum::<f64>() / (n * n) as f64;
        let target = match self.epsilon {
            Epsilon::Absolute(epsilon) => epsilon,
            // Identical points cost nothing: any positive value gives the uniform plan.
            Epsilon::OfMeanCost(fraction) if mean == 0.0 => fraction,
            Epsilon::OfMeanCost(fraction) => fraction * mean,
        };
        let target = positive("epsilon", target)?;
        let mut dual = Dual::new(cost, self.relaxation);
        let mut epsilon = target.max(mean);
        while target < epsilon {
            for _ in 0..4 {
                dual.sweep(epsilon);
            }
            epsilon *= 0.5;
        }
        let mut error = f64::INFINITY;
        for _ in 0..self.max_iterations {
            error = dual.sweep(target);
            if error < self.tolerance {
                return Ok(dual.plan(target));
            }
        }
        let (iterations, tolerance) = (self.max_iterations, self.tolerance);
        Err(PathError::NotConverged { iterations, error, tolerance })
    }
}

/// Dual potentials of rows and columns.
struct Dual<'a> {
    f: Vec<f64>,
    g: Vec<f64>,
    cost: &'a CostMatrix,
    transposed: CostMatrix,
    relaxation: Option<f64>,
}

impl<'a> Dual<'a> {
    fn new(cost: &'a CostMatrix, relaxation: Option<f64>) -> Self {
        let n = cost.size();
        let transposed = CostMatrix::from_fn(n, |i, j| cost.row(j)[i]);
        Self { f: vec![0.0; n], g: vec![0.0; n], cost, transposed, relaxation }
    }

    /// One update of both potentials; returns the largest relative change of a column's mass.
    ///
    /// With exact marginals that is their error: the update of `f` makes row masses exact, and a
    /// column's mass is then off by the factor `exp((g_old - g_new) / epsilon)`.
    fn sweep(&mut self, epsilon: f64) -> f64 {
        if let Some(rho) = self.relaxation {
            self.balance(rho);
        }
        let damping = self.relaxation.map_or(1.0, |rho| rho / (rho + epsilon));
        self.f = soft_minimum(self.cost, &self.g, epsilon, damping);
        let g = soft_minimum(&self.transposed, &self.f, epsilon, damping);
        let change = |(old, new): (&f64, &f64)| ((old - new) / epsilon).exp_m1().abs();
        let error = self.g.iter().zip(&g).map(change).fold(0.0, f64::max);
        self.g = g;
        error
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
        let shift = 0.5 * rho * (pressure(&self.f) - pressure(&self.g));
        self.f.iter_mut().for_each(|f| *f += shift);
        self.g.iter_mut().for_each(|g| *g -= shift);
    }

    fn plan(&self, epsilon: f64) -> Plan {
        let n = self.cost.size();
        let log_uniform = -2.0 * (n as f64).ln();
        let log_mass = |i: usize, j: usize| {
            (self.f[i] + self.g[j] - self.cost.row(i)[j]) / epsilon + log_uniform
        };
        Plan { n, log_mass: (0..n * n).map(|k| log_mass(k / n, k % n)).collect() }
    }
}

/// A transport plan between the rows of a batch, kept as logarithms.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    n: usize,
    log_mass: Vec<f64>,
}

impl Plan {
    /// Mass moved between data row `i` and noise row `j`.
    #[must_use]
    pub fn mass(&self, i: usize, j: usize) -> f64 {
        self.log_mass[i * self.n + j].exp()
    }

    /// Mass of each data row.
    #[must_use]
    pub fn row_masses(&self) -> Vec<f64> {
        self.log_mass.chunks(self.n).map(|row| log_sum_exp(row).exp()).collect()
    }

    /// Mass of each noise row.
    #[must_use]
    pub fn column_masses(&self) -> Vec<f64> {
        (0..self.n).map(|j| (0..self.n).map(|i| self.mass(i, j)).sum()).collect()
    }

    /// Transport cost of the plan.
    #[must_use]
    pub fn cost(&self, cost: &CostMatrix) -> f64 {
        self.log_mass.iter().zip(cost.as_slice()).map(|(m, c)| m.exp() * c).sum()
    }

    /// Draws a noise row for each data row.
    #[must_use]
    pub fn draw(&self, draw: Draw, rng: &mut dyn Rng) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.n).collect();
        order.shuffle(rng);
        let mut left: Vec<usize> = (0..self.n).collect();
        let mut noise_rows = vec![0; self.n];
        for i in order {
            let row = &self.log_mass[i * self.n..(i + 1) * self.n];
            let k = gumbel_argmax(left.iter().map(|&j| row[j]), rng);
            noise_rows[i] = match draw {
                Draw::Permutation => left.swap_remove(k),
                Draw::WithReplacement => left[k],
            };
        }
        noise_rows
    }
}

impl Coupling for Sinkhorn {
    fn pair(
        &self,
        x0: &[f32],
        x1: &[f32],
        _labels: Option<&[usize]>,
        dim: usize,
        rng: &mut dyn Rng,
    ) -> Result<Pairing, PathError> {
        let plan = self.plan(&squared_distances(x0, x1, dim)?)?;
        let noise_rows = plan.draw(self.draw, rng);
        if self.relaxation.is_none() {
            return Ok(Pairing::new(noise_rows));
        }
        let masses = plan.row_masses();
        let mean = masses.iter().sum::<f64>() / masses.len() as f64;
        Ok(Pairing::weighted(noise_rows, masses.iter().map(|m| m / mean).collect()))
    }
}

/// Index drawn with probability proportional to `exp(log_weight)`, however small the weights.
fn gumbel_argmax(log_weights: impl Iterator<Item = f64>, rng: &mut dyn Rng) -> usize {
    let perturbed = log_weights.map(|w| w - (-(1.0 - rng.random::<f64>()).ln()).ln());
    let best = perturbed
        .enumerate()
        .fold((0, f64::NEG_INFINITY), |best, (k, w)| if best.1 < w { (k, w) } else { best });
    best.0
}

/// For each row `-damping epsilon ln mean_j exp((other_j - cost_j) / epsilon)`.
fn soft_minimum(cost: &CostMatrix, other: &[f64], epsilon: f64, damping: f64) -> Vec<f64> {
    let n = cost.size();
    let mut exponents = vec![0.0; n];
    let mut row = |i: usize| {
        for ((exponent, potential), c) in exponents.iter_mut().zip(other).zip(cost.row(i)) {
            *exponent = (potential - c) / epsilon;
        }
        damping * epsilon * ((n as f64).ln() - log_sum_exp(&exponents))
    };
    (0..n).map(&mut row).collect()
}

fn log_sum_exp(values: &[f64]) -> f64 {
    let largest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    largest + values.iter().map(|v| (v - largest).exp()).sum::<f64>().ln()
}
