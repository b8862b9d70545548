//! Methods as data: a method is one `static`, its paper in the doc comment.

mod classical;
mod dop853;
mod embedded;
mod own;
mod rosenbrock;
mod stability;

pub use classical::{EULER, HEUN2, HEUN3, MIDPOINT, RALSTON2, RK4, RK4_38, SSPRK3};
pub use dop853::DOP853;
pub use embedded::{BOSH3, CASH_KARP, DOPRI5, FEHLBERG45, TSIT5};
pub use own::{BadTableau, OwnTableau};
pub use rosenbrock::{RODAS5P, Rosenbrock};

/// An explicit Runge-Kutta method.
///
/// ```text
/// k_i = f(t + c_i h, y + h sum_{j<i} a_ij k_j)        i = 1..s
/// y(t + h) = y + h sum_i b_i k_i
/// ```
///
/// ```
/// use flow_ode::tableau::RK4;
/// assert_eq!(RK4.stages(), 4);
/// assert!((RK4.b.iter().sum::<f64>() - 1.0).abs() < 1e-15);
/// ```
#[derive(Debug)]
pub struct Tableau {
    /// The name that [`Method`](crate::Method) prints and parses.
    pub name: &'static str,
    /// Order of the propagated formula.
    pub order: u32,
    /// Nodes `c_i`.
    pub c: &'static [f64],
    /// Rows `a_ij`, row `i` with `i` entries, the first empty.
    pub a: &'static [&'static [f64]],
    /// Weights `b_i`.
    pub b: &'static [f64],
    /// How the local error is estimated.
    pub error: ErrorEstimate,
    /// How values inside a step are found.
    pub interpolant: Interpolant,
    /// Whether the last stage is `f(t + h, y(t + h))`, which the next step takes as its first.
    pub fsal: bool,
}

impl Tableau {
    /// Number of stages `s`.
    ///
    /// ```
    /// assert_eq!(flow_ode::tableau::DOPRI5.stages(), 7);
    /// ```
    #[must_use]
    pub fn stages(&self) -> usize {
        self.c.len()
    }

    /// Evaluations of the field for one step in the middle of a solve.
    ///
    /// ```
    /// assert_eq!(flow_ode::tableau::DOPRI5.evals_per_step(), 6);
    /// ```
    #[must_use]
    pub fn evals_per_step(&self) -> usize {
        self.stages() - usize::from(self.fsal)
    }

    /// Exponent `1 / (min(p, q) + 1)` of the elementary step controller, or `None` without an
    /// error estimate.
    ///
    /// ```
    /// assert_eq!(flow_ode::tableau::DOPRI5.error_exponent(), Some(0.2));
    /// assert_eq!(flow_ode::tableau::RK4.error_exponent(), None);
    /// ```
    #[must_use]
    pub fn error_exponent(&self) -> Option<f64> {
        self.error.exponent(self.order)
    }
}

/// Estimate of the local error of one step.
#[derive(Debug)]
#[non_exhaustive]
pub enum ErrorEstimate {
    /// None: the method runs on fixed grids only.
    None,
    /// `h sum_i e_i k_i`, the difference to a companion formula.
    Embedded {
        /// Order of the companion.
        order: u32,
        /// Weights `e_i = b_i - b_companion,i`.
        weights: &'static [f64],
        /// Factor from these weights to the ones of Shampine's codes.
        shampine: f64,
    },
    /// Two estimates joined: `|h| e5^2 / sqrt(e5^2 + 0.01 e3^2)` with `e` the norms of
    /// `sum_i e_i k_i`.
    Dop853 {
        /// Weights of the fifth-order estimate.
        e5: &'static [f64],
        /// Weights of the third-order estimate.
        e3: &'static [f64],
    },
}

impl ErrorEstimate {
    /// Exponent of the elementary step controller for a method of this order, if there is one.
    pub(crate) fn exponent(&self, order_of_method: u32) -> Option<f64> {
        match self {
            Self::None => None,
            Self::Embedded { order, .. } => {
                Some(1.0 / (f64::from((*order).min(order_of_method)) + 1.0))
            }
            Self::Dop853 { .. } => Some(1.0 / 8.0),
        }
    }
}

/// Values inside a step, `y(t + theta h)` for `theta` in `[0, 1]`.
#[derive(Debug)]
#[non_exhaustive]
pub enum Interpolant {
    /// The chord, order 1.
    Linear,
    /// The cubic through both states and both slopes, order 3 or that of the method if less. The
    /// slope at the end is the first stage of the next step.
    Hermite,
    /// `y + h sum_i b_i(theta) k_i` with `b_i(theta) = sum_{j>=1} w_ij theta^j`.
    Polynomial {
        /// Order of the interpolated values.
        order: u32,
        /// Rows `w_i`, one a stage.
        weights: &'static [&'static [f64]],
    },
    /// As [`Interpolant::Polynomial`], with further stages that only output needs.
    Extended {
        /// Order of the interpolated values.
        order: u32,
        /// Nodes of the further stages.
        c: &'static [f64],
        /// Rows of the further stages.
        a: &'static [&'static [f64]],
        /// Rows `w_i`, one a stage, further stages last.
        weights: &'static [&'static [f64]],
    },
}

/// `sum_{j>=1} w_j theta^j`.
pub(crate) fn polynomial(w: &[f64], theta: f64) -> f64 {
    w.iter().rev().fold(0.0, |sum, w_j| (sum + w_j) * theta)
}
