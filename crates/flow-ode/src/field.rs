//! The right-hand side of the equation.

use std::cell::Cell;

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
/// let end = solve(&Decay { rate: 2.0 }, (0.0, 1.0), 1.0, Method::Rk4, &Stepping::Count(32)).unwrap();
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
}

impl<S, F: Fn(f64, &S) -> S> VectorField<S> for F {
    fn eval(&self, t: f64, y: &S) -> S {
        self(t, y)
    }
}

/// A field that counts its evaluations.
pub(crate) struct Counted<'a, F> {
    field: &'a F,
    evals: Cell<usize>,
}

impl<'a, F> Counted<'a, F> {
    pub(crate) fn new(field: &'a F) -> Self {
        Self { field, evals: Cell::new(0) }
    }

    pub(crate) fn evals(&self) -> usize {
        self.evals.get()
    }

    pub(crate) fn eval<S>(&self, t: f64, y: &S) -> S
    where
        F: VectorField<S>,
    {
        self.evals.set(self.evals.get() + 1);
        self.field.eval(t, y)
    }
}
