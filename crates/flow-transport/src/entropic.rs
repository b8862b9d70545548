//! Entropic optimal transport in the log domain, balanced or relaxed.

use crate::error::positive;
use crate::potentials::Potentials;
use crate::{CostMatrix, Plan, Stop, TransportError};

/// Unit in which the regularisation is given.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Epsilon {
    /// In units of the cost.
    Absolute(f64),
    /// As a fraction of the mean cost, which adapts to the dimension and to the scale of the
    /// points.
    OfMeanCost(f64),
}

/// Entropic optimal transport: minimise `<P, C> + epsilon KL(P | a b^T)` over plans with uniform
/// marginals `a` and `b`, or with marginals held only softly, at the price
/// `rho KL(P 1 | a) + rho KL(P^T 1 | b)`.
///
/// As `epsilon` falls to zero the plan tends to the exact one, as it grows to independence.
/// Computed in the log domain with a decreasing `epsilon`, so that neither small values nor far
/// points underflow, and by Newton's method where plain sweeps are slow. A sweep takes
/// `O(rows columns)`.
///
/// # Reference
/// Cuturi (2013), "Sinkhorn Distances", arXiv:1306.0895; log domain and unbalanced form from
/// Chizat, Peyre, Schmitzer & Vialard (2018), "Scaling Algorithms for Unbalanced Transport
/// Problems", arXiv:1607.05816.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Entropic {
    /// Strength of the entropy.
    pub epsilon: Epsilon,
    /// Strength `rho` of the marginal constraints, in units of the cost; `None` or infinity makes
    /// them exact.
    pub relaxation: Option<f64>,
    /// Largest relative error of a marginal at which to stop.
    pub tolerance: f64,
    /// Largest number of sweeps at the final `epsilon`.
    pub max_iterations: usize,
}

impl Default for Entropic {
    /// `epsilon` of 5% of the mean cost, exact marginals to `1e-6`.
    fn default() -> Self {
        Self {
            epsilon: Epsilon::OfMeanCost(0.05),
            relaxation: None,
            tolerance: 1e-6,
            max_iterations: 10_000,
        }
    }
}

/// Plain sweeps at the final regularisation before Newton's method goes on: most problems need
/// fewer.
const PLAIN: usize = 500;

/// Steps of Newton's method in which the error must fall by a twentieth.
const PATIENCE: usize = 60;

/// Rounding of the costs, in units of `epsilon`, at which masses are wrong by about a thousandth.
const LARGEST_ROUNDING: f64 = 1e-3;

impl Entropic {
    /// The plan whose marginals are met to the tolerance.
    ///
    /// # Errors
    /// As [`Entropic::solve`], and if the tolerance is not met.
    pub fn plan<'a>(&self, cost: &'a CostMatrix) -> Result<Plan<'a>, TransportError> {
        self.solve(cost, &|| false)?.within(self.tolerance)
    }

    /// The plan as good as it gets, which says itself [how good](Plan::marginal_error) that is.
    ///
    /// `stop` is asked before each sweep, and ends them once it returns true. A tolerance that
    /// cannot be met, such as 0 or NaN, is no error here: the sweeps end where the error no longer
    /// falls.
    ///
    /// # Errors
    /// If there are no rows or columns, a parameter is out of its domain, `epsilon` is so small
    /// that the rounding of the costs outweighs it, a row or a column may pair with nothing, or
    /// memory has no room for the transposed costs.
    pub fn solve<'a>(
        &self,
        cost: &'a CostMatrix,
        stop: &dyn Fn() -> bool,
    ) -> Result<Plan<'a>, TransportError> {
        let (rows, columns) = (cost.rows(), cost.columns());
        if rows == 0 || columns == 0 {
            return Err(TransportError::Empty { rows, columns });
        }
        if let Some(error) = cost.without_partner() {
            return Err(error);
        }
        let (cost, unit) = cost.in_safe_units()?;
        let target = self.target(&cost, unit)?;
        let potentials = Potentials::new(&cost, self.rho(unit)?)?;
        let (tolerance, most) = (self.tolerance, self.max_iterations);
        let mut sweeps = Sweeps { potentials, epsilon: target, tolerance, most, made: 0 };
        sweeps.approach(target.max(cost.mean()), stop);
        let (reason, error) = sweeps.settle(stop);
        let Sweeps { potentials: Potentials { f, g, .. }, made: iterations, .. } = sweeps;
        Ok(Plan { f, g, epsilon: target, error, iterations, stop: reason, unit, cost })
    }

    /// The regularisation in units of the given costs, each `unit` of the user's.
    fn target(&self, cost: &CostMatrix, unit: f64) -> Result<f64, TransportError> {
        let mean = cost.mean();
        let target = match self.epsilon {
            Epsilon::Absolute(epsilon) => positive("epsilon", epsilon)? / unit,
            // Identical points cost nothing: any positive value gives the uniform plan.
            Epsilon::OfMeanCost(fraction) if mean == 0.0 => positive("epsilon", fraction)?,
            Epsilon::OfMeanCost(fraction) => positive("epsilon", fraction)? * mean,
        };
        let target = positive("epsilon", target)?;
        // f + g - cost is off by a few roundings of its terms.
        let largest = cost.largest();
        let least = 4.0 * f64::EPSILON / LARGEST_ROUNDING * largest;
        if target < least {
            let [epsilon, largest, least] = [target, largest, least].map(|x| x * unit);
            return Err(TransportError::EpsilonTooSmall { epsilon, largest, least });
        }
        Ok(target)
    }

    fn rho(&self, unit: f64) -> Result<Option<f64>, TransportError> {
        match self.relaxation.map(|rho| rho / unit) {
            None => Ok(None),
            Some(rho) if rho == f64::INFINITY => Ok(None),
            Some(rho) => positive("relaxation", rho).map(Some),
        }
    }
}

/// The potentials on their way.
struct Sweeps<'a> {
    potentials: Potentials<'a>,
    epsilon: f64,
    tolerance: f64,
    most: usize,
    made: usize,
}

impl Sweeps<'_> {
    /// A few sweeps at each of a falling row of larger regularisations.
    fn approach(&mut self, mut epsilon: f64, stop: &dyn Fn() -> bool) {
        while self.epsilon < epsilon && !stop() {
            for _ in 0..4 {
                self.potentials.sweep(epsilon);
            }
            epsilon *= 0.5;
        }
    }

    /// Sweeps at the final regularisation until the marginals are met, or it is clear that they
    /// will not be; leaves the best potentials that were met, and returns their error.
    fn settle(&mut self, stop: &dyn Fn() -> bool) -> (Stop, f64) {
        let mut best = Best { change: f64::INFINITY, f: vec![], g: vec![] };
        // The sweep that last brought the error down by a good bit, and the error then.
        let mut mark = (0, f64::INFINITY);
        let reason = loop {
            if self.made == self.most {
                break Stop::Iterations;
            }
            if stop() {
                break Stop::Interrupted;
            }
            let change = if self.made < PLAIN {
                self.potentials.sweep(self.epsilon)
            } else {
                self.potentials.newton(self.epsilon)
            };
            self.made += 1;
            if change < self.tolerance {
                let error = self.potentials.error(self.epsilon);
                if error <= self.tolerance {
                    return (Stop::Converged, error);
                }
            }
            best.keep(change, &self.potentials);
            if change < 0.95 * mark.1 {
                mark = (self.made, change);
            } else if mark.0.max(PLAIN) + PATIENCE < self.made {
                break Stop::Stalled;
            }
        };
        best.restore(&mut self.potentials);
        (reason, self.potentials.error(self.epsilon))
    }
}

/// The potentials after the sweep that changed them least.
struct Best {
    change: f64,
    f: Vec<f64>,
    g: Vec<f64>,
}

impl Best {
    fn keep(&mut self, change: f64, potentials: &Potentials<'_>) {
        if change < self.change {
            self.change = change;
            self.f.clone_from(&potentials.f);
            self.g.clone_from(&potentials.g);
        }
    }

    fn restore(self, potentials: &mut Potentials<'_>) {
        if self.change.is_finite() {
            (potentials.f, potentials.g) = (self.f, self.g);
        }
    }
}
