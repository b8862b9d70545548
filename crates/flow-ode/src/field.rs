//! The right-hand side of the equation.

use std::cell::Cell;

use crate::stats::Stats;

/// The field `f` of `dy/dt = f(t, y)`. Closures `Fn(f64, &S) -> S` are fields.
///
/// ```
/// use flow_ode::{Method, Stepping, VectorField, solve};
///
/// struct Decay { rate: f64 }
///
/// impl VectorField<f64> for Decay {
///     fn eval(&self, _t: f64, y: &f64) -> f64 {
///         -self.rate * y
///     }
/// }
///
/// let field = Decay { rate: 2.0 };
/// let end = solve(&field, (0.0, 1.0), 1.0, Method::Rk4, &Stepping::Count(32)).unwrap();
/// assert!((end.y - (-2f64).exp()).abs() < 1e-6);
/// ```
pub trait VectorField<S> {
    /// `f(t, y)`, a tangent of the same shape as `y`.
    ///
    /// ```
    /// use flow_ode::VectorField;
    /// let field = |t: f64, y: &f64| t - y;
    /// assert_eq!(field.eval(3.0, &1.0), 2.0);
    /// ```
    #[must_use]
    fn eval(&self, t: f64, y: &S) -> S;

    /// `df/dy` at `(t, y)` for implicit methods, row by row: entry `i n + j` is `df_i/dy_j` for the
    /// `n` numbers of [`State::numbers`](crate::State::numbers). With `None` the solver takes
    /// differences, which cost `n` evaluations and half the digits.
    ///
    /// ```
    /// use flow_ode::VectorField;
    /// let field = |_t: f64, y: &f64| -y;
    /// assert_eq!(field.jacobian(0.0, &1.0), None);
    /// ```
    #[must_use]
    fn jacobian(&self, t: f64, y: &S) -> Option<Vec<f64>> {
        let _ = (t, y);
        None
    }

    /// `df/dt` at `(t, y)` for implicit methods. With `None` the solver takes a difference, which
    /// costs one evaluation.
    ///
    /// ```
    /// use flow_ode::VectorField;
    /// let field = |t: f64, y: &f64| t - y;
    /// assert_eq!(field.time_derivative(0.0, &1.0), None);
    /// ```
    #[must_use]
    fn time_derivative(&self, t: f64, y: &S) -> Option<S> {
        let _ = (t, y);
        None
    }
}

impl<S, F: Fn(f64, &S) -> S> VectorField<S> for F {
    fn eval(&self, t: f64, y: &S) -> S {
        self(t, y)
    }
}

/// A field beside its Jacobian, each a closure.
///
/// ```
/// use flow_ode::{Adaptive, Method, Tolerance, WithJacobian, solve};
///
/// let field = WithJacobian::new(
///     |_t: f64, [x, v]: &[f64; 2]| [*v, 1e3 * (1.0 - x * x) * v - x],
///     |_t: f64, [x, v]: &[f64; 2]| vec![0.0, 1.0, -2e3 * x * v - 1.0, 1e3 * (1.0 - x * x)],
/// );
/// let adaptive = Adaptive::new(Tolerance { atol: 1e-6, rtol: 1e-6 }).into();
/// let end = solve(&field, (0.0, 2000.0), [2.0, 0.0], Method::Rodas5p, &adaptive).unwrap();
/// assert!((end.y[0] - 1.7061677).abs() < 1e-3);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct WithJacobian<F, J> {
    field: F,
    jacobian: J,
}

impl<F, J> WithJacobian<F, J> {
    /// The field `field(t, y)` with `jacobian(t, y)`, row by row as in [`VectorField::jacobian`].
    ///
    /// ```
    /// use flow_ode::{VectorField, WithJacobian};
    /// let square = WithJacobian::new(|_t: f64, y: &f64| y * y, |_t: f64, y: &f64| vec![2.0 * y]);
    /// assert_eq!(square.jacobian(0.0, &3.0), Some(vec![6.0]));
    /// ```
    pub fn new(field: F, jacobian: J) -> Self {
        Self { field, jacobian }
    }
}

impl<S, F, J> VectorField<S> for WithJacobian<F, J>
where
    F: VectorField<S>,
    J: Fn(f64, &S) -> Vec<f64>,
{
    fn eval(&self, t: f64, y: &S) -> S {
        self.field.eval(t, y)
    }

    fn jacobian(&self, t: f64, y: &S) -> Option<Vec<f64>> {
        Some((self.jacobian)(t, y))
    }

    fn time_derivative(&self, t: f64, y: &S) -> Option<S> {
        self.field.time_derivative(t, y)
    }
}

/// A field that counts the work done with it.
pub(crate) struct Counted<'a, F> {
    pub(crate) field: &'a F,
    evals: Cell<usize>,
    jacobians: Cell<usize>,
    factorizations: Cell<usize>,
}

impl<'a, F> Counted<'a, F> {
    pub(crate) fn new(field: &'a F) -> Self {
        Self { field, evals: Cell::new(0), jacobians: Cell::new(0), factorizations: Cell::new(0) }
    }

    /// The counts so far, in their places among the statistics of a solve.
    pub(crate) fn counts(&self) -> Stats {
        Stats {
            evals: self.evals.get(),
            jacobians: self.jacobians.get(),
            factorizations: self.factorizations.get(),
            ..Stats::default()
        }
    }

    pub(crate) fn count_jacobian(&self) {
        self.jacobians.set(self.jacobians.get() + 1);
    }

    pub(crate) fn count_factorization(&self) {
        self.factorizations.set(self.factorizations.get() + 1);
    }

    pub(crate) fn eval<S>(&self, t: f64, y: &S) -> S
    where
        F: VectorField<S>,
    {
        self.evals.set(self.evals.get() + 1);
        self.field.eval(t, y)
    }
}
