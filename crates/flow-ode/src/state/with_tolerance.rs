//! Parts of a state with a tolerance of their own.

use super::{Norm, Norms, State, Tolerance};

/// Part of a state whose error is measured by its own tolerance, not by that of the solve.
///
/// The tolerance is that of the start: what the field writes beside its slopes plays no part. An
/// infinite absolute tolerance leaves the part out of the step control; an adaptive solve refuses
/// one that is negative, NaN or zero in both numbers ([`OdeError::BadTolerance`]).
///
/// [`OdeError::BadTolerance`]: crate::OdeError::BadTolerance
///
/// ```
/// use flow_ode::{Adaptive, Method, Stepping, Tolerance, WithTolerance, solve};
///
/// // A path of length e - 1 and its arc length, the latter to two digits only.
/// let loose = Tolerance { atol: 1e-2, rtol: 1e-2 };
/// let y0 = (1.0, WithTolerance { state: 0.0, tol: loose });
/// let field = |_t: f64, (x, _): &(f64, WithTolerance<f64>)| {
///     (*x, WithTolerance { state: x.abs(), tol: loose })
/// };
/// let adaptive = Stepping::Adaptive(Adaptive::new(Tolerance { atol: 1e-9, rtol: 1e-9 }));
/// let end = solve(&field, (0.0, 1.0), y0, Method::Dopri5, &adaptive).unwrap();
/// assert!((end.y.0 - 1f64.exp()).abs() < 1e-7);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct WithTolerance<S> {
    /// The part.
    pub state: S,
    /// Its tolerance.
    pub tol: Tolerance,
}

impl<S> WithTolerance<S> {
    /// A part left out of the step control, which still must stay finite.
    ///
    /// Safe for quadratures, which do not feed back into the field; their own error is then
    /// uncontrolled.
    ///
    /// # Reference
    /// Kidger, Chen & Lyons (2021), "Hey, that's not an ODE: Faster ODE Adjoints via Seminorms",
    /// arXiv:2009.09457.
    ///
    /// ```
    /// use flow_ode::{State, Tolerance, WithTolerance};
    /// let error = WithTolerance::unmonitored(1e6);
    /// let tol = Tolerance { atol: 1e-6, rtol: 1e-6 };
    /// assert_eq!(error.error_norm(&error, &error, &tol), 0.0);
    /// ```
    pub fn unmonitored(state: S) -> Self {
        Self { state, tol: Tolerance { atol: f64::INFINITY, rtol: 0.0 } }
    }

    fn with(&self, state: S) -> Self {
        Self { state, tol: self.tol }
    }
}

impl<S: State> State for WithTolerance<S> {
    const ON_HOST: bool = S::ON_HOST;

    fn combine(&self, terms: &[(f64, &Self)]) -> Self {
        self.with(self.state.combine(&inner(terms)))
    }

    fn error_norm(&self, y0: &Self, y1: &Self, _: &Tolerance) -> f64 {
        self.state.error_norm(&y0.state, &y1.state, &y0.tol)
    }

    fn norms(&self, y0: &Self, y1: &Self, _: &Tolerance, norm: Norm) -> Norms {
        self.state.norms(&y0.state, &y1.state, &y0.tol, norm)
    }

    fn all_finite(&self) -> bool {
        self.state.all_finite()
    }

    fn numbers(&self) -> Option<Vec<f64>> {
        self.state.numbers()
    }

    fn with_numbers(&self, numbers: &[f64]) -> Option<Self> {
        Some(self.with(self.state.with_numbers(numbers)?))
    }

    fn own_tolerances(&self) -> Vec<Tolerance> {
        let mut all = self.state.own_tolerances();
        all.push(self.tol);
        all
    }

    fn zeros_like(&self) -> Self {
        self.with(self.state.zeros_like())
    }

    fn untracked_sum(terms: &[(f64, &Self)]) -> Self {
        terms[0].1.with(S::untracked_sum(&inner(terms)))
    }
}

fn inner<'a, S>(terms: &[(f64, &'a WithTolerance<S>)]) -> Vec<(f64, &'a S)> {
    terms.iter().map(|(c, x)| (*c, &x.state)).collect()
}
