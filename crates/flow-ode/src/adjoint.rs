//! Gradients by the continuous adjoint: memory does not grow with the number of steps.

use crate::error::OdeError;
use crate::field::VectorField;
use crate::method::Method;
use crate::problem::solve;
use crate::state::{State, WithTolerance};
use crate::stats::Stats;
use crate::stepping::Stepping;

/// A field with vector-Jacobian products.
///
/// ```
/// use flow_ode::{AdjointField, VectorField, Vjp};
///
/// /// `y' = a y` with the parameter `a`.
/// struct Growth { a: f64 }
///
/// impl VectorField<f64> for Growth {
///     fn eval(&self, _t: f64, y: &f64) -> f64 {
///         self.a * y
///     }
/// }
///
/// impl AdjointField<f64> for Growth {
///     type Params = f64;
///
///     fn zero_params(&self) -> f64 {
///         0.0
///     }
///
///     fn vjp(&self, t: f64, y: &f64, w: &f64) -> Vjp<f64, f64> {
///         Vjp { value: self.eval(t, y), state: w * self.a, params: w * y }
///     }
/// }
/// # assert_eq!(Growth { a: 2.0 }.vjp(0.0, &3.0, &1.0).params, 3.0);
/// ```
pub trait AdjointField<S>: VectorField<S> {
    /// The space of the parameters.
    type Params: State;

    /// The zero of that space.
    ///
    /// ```
    /// # use flow_ode::{AdjointField, VectorField, Vjp};
    /// # struct Growth { a: f64 }
    /// # impl VectorField<f64> for Growth {
    /// #     fn eval(&self, _t: f64, y: &f64) -> f64 { self.a * y }
    /// # }
    /// # impl AdjointField<f64> for Growth {
    /// #     type Params = f64;
    /// #     fn zero_params(&self) -> f64 { 0.0 }
    /// #     fn vjp(&self, t: f64, y: &f64, w: &f64) -> Vjp<f64, f64> {
    /// #         Vjp { value: self.eval(t, y), state: w * self.a, params: w * y }
    /// #     }
    /// # }
    /// // With `Growth` as above:
    /// assert_eq!(Growth { a: 2.0 }.zero_params(), 0.0);
    /// ```
    #[must_use]
    fn zero_params(&self) -> Self::Params;

    /// The field at `(t, y)` and the products of `w` with its Jacobians there.
    ///
    /// ```
    /// # use flow_ode::{AdjointField, VectorField, Vjp};
    /// # struct Growth { a: f64 }
    /// # impl VectorField<f64> for Growth {
    /// #     fn eval(&self, _t: f64, y: &f64) -> f64 { self.a * y }
    /// # }
    /// # impl AdjointField<f64> for Growth {
    /// #     type Params = f64;
    /// #     fn zero_params(&self) -> f64 { 0.0 }
    /// #     fn vjp(&self, t: f64, y: &f64, w: &f64) -> Vjp<f64, f64> {
    /// #         Vjp { value: self.eval(t, y), state: w * self.a, params: w * y }
    /// #     }
    /// # }
    /// // With `Growth` as above, `f = a y`:
    /// let Vjp { value, state, params } = Growth { a: 2.0 }.vjp(0.0, &3.0, &10.0);
    /// assert_eq!((value, state, params), (6.0, 20.0, 30.0));
    /// ```
    #[must_use]
    fn vjp(&self, t: f64, y: &S, w: &S) -> Vjp<S, Self::Params>;
}

/// A field and its vector-Jacobian products, from [`AdjointField::vjp`].
#[derive(Clone, Debug)]
pub struct Vjp<S, P> {
    /// `f(t, y)`.
    pub value: S,
    /// `w^T df/dy`.
    pub state: S,
    /// `w^T df/dtheta`.
    pub params: P,
}

/// What the adjoint moves backward in time: state, its gradient, and the gradient of the
/// parameters, which is left out of the step control.
pub type AdjointState<S, P> = ((S, S), WithTolerance<P>);

/// The outcome of [`adjoint`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Gradient<S, P> {
    /// The start as found again by solving backward; its distance from the true start shows the
    /// error of the reconstruction.
    pub y0: S,
    /// `dL/dy(t0)`.
    pub start: S,
    /// `dL/dtheta`.
    pub params: P,
    /// The cost of the backward solve.
    pub stats: Stats,
}

/// What [`adjoint`] returns: a gradient, or an error with the last good state of the backward
/// solve.
pub type AdjointResult<S, P> = Result<Gradient<S, P>, OdeError<AdjointState<S, P>>>;

/// The gradient of a loss of the end state, given that state `y1` and `dL/dy(t1)`.
///
/// Solves, from `t1` back to `t0`,
///
/// ```text
/// dy/dt = f(t, y)      da/dt = -a^T df/dy      dg/dt = -a^T df/dtheta
/// ```
///
/// from `y(t1) = y1`, `a(t1) = dL/dy(t1)`, `g(t1) = 0`. The state is recomputed rather than stored,
/// so the gradient is that of the equation, not of the numbers that the forward solve produced: it
/// is as accurate as the tolerance of this solve, which should be that of the forward one or
/// tighter, and it goes astray where the problem is unstable backward in time. For solves that fit
/// into memory, differentiate through [`solve`](crate::solve) on an autodiff device instead, which
/// is exact for the numbers produced.
///
/// `span` and `stepping` are those of the forward solve: a grid and jumps are given in its
/// direction and turned round here.
///
/// # Errors
/// As [`solve`](crate::solve).
///
/// # Reference
/// Chen, Rubanova, Bettencourt & Duvenaud (2018), "Neural Ordinary Differential Equations",
/// arXiv:1806.07366; leaving the parameters out of the norm: Kidger, Chen & Lyons (2021),
/// arXiv:2009.09457.
///
/// ```
/// # use flow_ode::{AdjointField, VectorField, Vjp};
/// # struct Growth { a: f64 }
/// # impl VectorField<f64> for Growth {
/// #     fn eval(&self, _t: f64, y: &f64) -> f64 { self.a * y }
/// # }
/// # impl AdjointField<f64> for Growth {
/// #     type Params = f64;
/// #     fn zero_params(&self) -> f64 { 0.0 }
/// #     fn vjp(&self, t: f64, y: &f64, w: &f64) -> Vjp<f64, f64> {
/// #         Vjp { value: self.eval(t, y), state: w * self.a, params: w * y }
/// #     }
/// # }
/// use flow_ode::{Adaptive, Method, Tolerance, adjoint, solve};
///
/// let growth = Growth { a: -0.4 };
/// let stepping = Adaptive::new(Tolerance { atol: 1e-9, rtol: 1e-9 }).into();
/// let end = solve(&growth, (0.0, 2.0), 1.3, Method::Tsit5, &stepping).unwrap();
/// let gradient = adjoint(&growth, (0.0, 2.0), end.y, 1.0, Method::Tsit5, &stepping).unwrap();
/// // y(2) = 1.3 exp(2 a), hence dy/da = 2 y.
/// assert!((gradient.params - 2.0 * end.y).abs() < 1e-6);
/// ```
pub fn adjoint<S, F>(
    field: &F,
    (t0, t1): (f64, f64),
    y1: S,
    dl_dy1: S,
    method: Method,
    stepping: &Stepping,
) -> AdjointResult<S, F::Params>
where
    S: State,
    F: AdjointField<S>,
{
    let augmented = |t: f64, ((y, a), _): &AdjointState<S, F::Params>| {
        let Vjp { value, state, params } = field.vjp(t, y, a);
        let negative = |x: &F::Params| x.zeros_like().combine(&[(-1.0, x)]);
        let state = state.zeros_like().combine(&[(-1.0, &state)]);
        ((value, state), WithTolerance::unmonitored(negative(&params)))
    };
    let start = ((y1, dl_dy1), WithTolerance::unmonitored(field.zero_params()));
    let solution = solve(&augmented, (t1, t0), start, method, &stepping.reversed())?;
    let ((y0, start), params) = solution.y;
    Ok(Gradient { y0, start, params: params.state, stats: solution.stats })
}
