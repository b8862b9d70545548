//! The vector space in which a solve takes place, and how errors in it are measured.

mod host;
mod norms;
mod tuple;
mod with_tolerance;

pub(crate) use host::component_norms;
pub use norms::{Norm, Norms};
pub use with_tolerance::WithTolerance;

/// Absolute and relative tolerance: a component `y_i` may err by `atol + rtol |y_i|` in a step.
///
/// There is no default, because the choice belongs to the problem. A state in `f32` follows
/// tolerances down to about 1e-6; below, the solve takes more steps and stays at the rounding of
/// the state.
///
/// ```
/// let tol = flow_ode::Tolerance { atol: 1e-6, rtol: 1e-3 };
/// assert!((tol.scale(2.0, -4.0) - 0.004001).abs() < 1e-15);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tolerance {
    /// Absolute part, in the unit of the state; at least 0.
    pub atol: f64,
    /// Relative part; at least 0, and counted as `100 * f64::EPSILON` where it is less.
    pub rtol: f64,
}

impl Tolerance {
    /// `atol + rtol max(|y0|, |y1|)`, the error allowed to a component that goes from `y0` to `y1`.
    ///
    /// ```
    /// let tol = flow_ode::Tolerance { atol: 1e-6, rtol: 0.0 };
    /// assert_eq!(tol.scale(5.0, 7.0), 1e-6);
    /// ```
    #[must_use]
    pub fn scale(&self, y0: f64, y1: f64) -> f64 {
        self.atol + self.rtol * y0.abs().max(y1.abs())
    }

    /// Whether an error can be held against it: neither part negative or NaN, and not both zero.
    pub(crate) fn is_sound(&self) -> bool {
        self.atol >= 0.0 && self.rtol >= 0.0 && self.atol + self.rtol > 0.0
    }
}

/// A point of the vector space in which the solution moves.
///
/// Two methods suffice; the others have defaults that a batch, a device, an autodiff tape or an
/// implicit method asks to override. Implemented for `f64`, `[f64; N]`, `Vec<f64>`, `Vec<[f64; N]>`
/// (a batch of samples), pairs, and with feature `burn` for `Tensor<D>` (the first dimension is the
/// batch).
///
/// ```
/// use flow_ode::State;
/// let y = [1.0, 2.0];
/// assert_eq!(y.combine(&[(0.5, &[2.0, 0.0]), (1.0, &[0.0, 1.0])]), [2.0, 3.0]);
/// ```
pub trait State: Clone {
    /// Whether reading a number is free. If so every new state is checked to be finite, on fixed
    /// grids too; a state on a device is looked at once in an adaptive step, and on a grid once at
    /// the end.
    const ON_HOST: bool = true;

    /// `self + sum_i c_i x_i`, in one pass.
    ///
    /// # Panics
    /// If the shapes differ.
    ///
    /// ```
    /// use flow_ode::State;
    /// assert_eq!(1.0_f64.combine(&[(2.0, &3.0), (0.5, &4.0)]), 9.0);
    /// ```
    #[must_use]
    fn combine(&self, terms: &[(f64, &Self)]) -> Self;

    /// Root mean square of `self / (atol + rtol max(|y0|, |y1|))`, for the local error `self` of a
    /// step from `y0` to `y1`. At most 1 means within tolerance; NaN or infinite if any number of
    /// the three is not finite.
    ///
    /// ```
    /// use flow_ode::{State, Tolerance};
    /// let tol = Tolerance { atol: 1e-3, rtol: 0.0 };
    /// let norm = [3e-3, 4e-3].error_norm(&[0.0; 2], &[1.0; 2], &tol);
    /// assert!((norm - 12.5_f64.sqrt()).abs() < 1e-12);
    /// ```
    #[must_use]
    fn error_norm(&self, y0: &Self, y1: &Self, tol: &Tolerance) -> f64;

    /// The error norms that `norm` asks for, not yet read from the device.
    ///
    /// ```
    /// use flow_ode::{Norm, State, Tolerance};
    /// let tol = Tolerance { atol: 1e-3, rtol: 0.0 };
    /// let (y, error) = (vec![[0.0]; 2], vec![[4e-3], [0.0]]);
    /// assert!((error.norms(&y, &y, &tol, Norm::WorstSample).worst() - 4.0).abs() < 1e-12);
    /// ```
    #[must_use]
    fn norms(&self, y0: &Self, y1: &Self, tol: &Tolerance, norm: Norm) -> Norms {
        let _ = norm;
        Norms::host(vec![self.error_norm(y0, y1, tol)])
    }

    /// Whether every number is finite.
    ///
    /// ```
    /// use flow_ode::State;
    /// assert!([1.0, 2.0].all_finite() && ![1.0, f64::NAN].all_finite());
    /// ```
    #[must_use]
    fn all_finite(&self) -> bool {
        let unit = Tolerance { atol: 1.0, rtol: 1.0 };
        self.error_norm(self, self, &unit).is_finite()
    }

    /// The numbers of the state in a fixed order, or `None` if they are not at hand on the host.
    ///
    /// What implicit methods and [`Adaptive::with_atols`](crate::Adaptive::with_atols) ask for; a
    /// state of your own that has them needs [`State::with_numbers`] too.
    ///
    /// ```
    /// use flow_ode::State;
    /// assert_eq!(([1.0, 2.0], 3.0).numbers(), Some(vec![1.0, 2.0, 3.0]));
    /// ```
    #[must_use]
    fn numbers(&self) -> Option<Vec<f64>> {
        None
    }

    /// The state of this shape that has these numbers, in the order of [`State::numbers`].
    ///
    /// # Panics
    /// If there are more or fewer numbers than the state has.
    ///
    /// ```
    /// use flow_ode::State;
    /// assert_eq!(([0.0; 2], 0.0).with_numbers(&[1.0, 2.0, 3.0]), Some(([1.0, 2.0], 3.0)));
    /// ```
    #[must_use]
    fn with_numbers(&self, numbers: &[f64]) -> Option<Self> {
        let _ = numbers;
        None
    }

    /// The tolerances that parts of this state bring along, which a solve checks at its start.
    ///
    /// ```
    /// use flow_ode::{State, Tolerance, WithTolerance};
    /// let tol = Tolerance { atol: 1e-3, rtol: 0.0 };
    /// assert_eq!((1.0, WithTolerance { state: 2.0, tol }).own_tolerances(), vec![tol]);
    /// ```
    #[must_use]
    fn own_tolerances(&self) -> Vec<Tolerance> {
        Vec::new()
    }

    /// The zero of this space, in this shape.
    ///
    /// ```
    /// use flow_ode::State;
    /// assert_eq!(vec![1.0, 2.0].zeros_like(), vec![0.0, 0.0]);
    /// ```
    #[must_use]
    fn zeros_like(&self) -> Self {
        self.combine(&[(-1.0, self)])
    }

    /// `sum_i c_i x_i` without autodiff tape, for error estimates: the gradient of a solve takes
    /// its steps as given.
    ///
    /// # Panics
    /// If `terms` is empty.
    ///
    /// ```
    /// use flow_ode::State;
    /// assert_eq!(f64::untracked_sum(&[(2.0, &3.0), (-1.0, &1.0)]), 5.0);
    /// ```
    #[must_use]
    fn untracked_sum(terms: &[(f64, &Self)]) -> Self {
        terms[0].1.zeros_like().combine(terms)
    }
}
