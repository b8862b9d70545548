//! The methods by name.

use std::fmt;
use std::str::FromStr;

use crate::multistep::Adams;
use crate::tableau::{
    self, BadTableau, ErrorEstimate, Interpolant, OwnTableau, Rosenbrock, Tableau,
};

/// A method of integration.
///
/// Parses from and prints as the names in the table; `dopri5` and `tsit5` are the ones to start
/// with, `rk4` or `heun2` on fixed grids, `rodas5p` where a problem is stiff.
///
/// | name | order | evaluations a step | adaptive | order of output inside a step |
/// |---|---|---|---|---|
/// | `euler` | 1 | 1 | no | 1 |
/// | `midpoint`, `heun2`, `ralston2` | 2 | 2 | yes | 2 |
/// | `heun3` | 3 | 3 | no | 3 |
/// | `ssprk3` | 3 | 3 | yes | 3 |
/// | `rk4`, `rk4_38` | 4 | 4 | no | 3 |
/// | `bosh3` | 3 | 3 | yes | 3 |
/// | `fehlberg45` | 4 | 6 | yes | 3 |
/// | `cash_karp` | 5 | 6 | yes | 3 |
/// | `dopri5`, `tsit5` | 5 | 6 | yes | 4 |
/// | `dop853` | 8 | 12 (15 with output) | yes | 7 |
/// | `rodas5p` | 5 | 8, and as many as the state has numbers for the Jacobian | yes | 4 |
/// | `ab1` to `ab5` | 1 to 5 | 1 | no | at most 3 |
/// | `abm1` to `abm5` | 1 to 5 | 2 | no | at most 3 |
///
/// ```
/// use flow_ode::Method;
/// assert_eq!("tsit5".parse::<Method>().unwrap(), Method::Tsit5);
/// assert_eq!(Method::Rk4ThreeEighths.to_string(), "rk4_38");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Method {
    /// Explicit Euler, [`tableau::EULER`].
    Euler,
    /// Explicit midpoint rule, [`tableau::MIDPOINT`].
    Midpoint,
    /// Heun's method of order 2, [`tableau::HEUN2`].
    Heun2,
    /// Ralston's method of order 2, [`tableau::RALSTON2`].
    Ralston2,
    /// Heun's method of order 3, [`tableau::HEUN3`].
    Heun3,
    /// Strong-stability-preserving method of order 3, [`tableau::SSPRK3`].
    Ssprk3,
    /// The classical Runge-Kutta method, [`tableau::RK4`].
    Rk4,
    /// Kutta's 3/8 rule, [`tableau::RK4_38`].
    Rk4ThreeEighths,
    /// Bogacki-Shampine 3(2), [`tableau::BOSH3`].
    Bosh3,
    /// Fehlberg 4(5), [`tableau::FEHLBERG45`].
    Fehlberg45,
    /// Cash-Karp 5(4), [`tableau::CASH_KARP`].
    CashKarp,
    /// Dormand-Prince 5(4), [`tableau::DOPRI5`].
    Dopri5,
    /// Tsitouras 5(4), [`tableau::TSIT5`].
    Tsit5,
    /// Dormand-Prince 8(5,3), [`tableau::DOP853`].
    Dop853,
    /// Rodas5P, implicit, for stiff problems with states on the host, [`tableau::RODAS5P`].
    Rodas5p,
    /// Adams-Bashforth of order 1, which is Euler.
    Ab1,
    /// Adams-Bashforth of order 2.
    Ab2,
    /// Adams-Bashforth of order 3.
    Ab3,
    /// Adams-Bashforth of order 4.
    Ab4,
    /// Adams-Bashforth of order 5.
    Ab5,
    /// Adams-Bashforth-Moulton of order 1.
    Abm1,
    /// Adams-Bashforth-Moulton of order 2.
    Abm2,
    /// Adams-Bashforth-Moulton of order 3.
    Abm3,
    /// Adams-Bashforth-Moulton of order 4.
    Abm4,
    /// Adams-Bashforth-Moulton of order 5.
    Abm5,
    /// An explicit Runge-Kutta method of a program's own, see [`Method::own`].
    Own(OwnTableau),
}

/// What a method is made of.
#[derive(Clone, Copy)]
pub(crate) enum Scheme {
    RungeKutta(&'static Tableau),
    Rosenbrock(&'static Rosenbrock),
    Adams(Adams),
}

impl Method {
    /// Every method, in the order of the table above.
    ///
    /// ```
    /// use flow_ode::Method;
    /// assert!(Method::ALL.iter().all(|m| m.to_string().parse() == Ok(*m)));
    /// ```
    pub const ALL: &'static [Self] = &[
        Self::Euler,
        Self::Midpoint,
        Self::Heun2,
        Self::Ralston2,
        Self::Heun3,
        Self::Ssprk3,
        Self::Rk4,
        Self::Rk4ThreeEighths,
        Self::Bosh3,
        Self::Fehlberg45,
        Self::CashKarp,
        Self::Dopri5,
        Self::Tsit5,
        Self::Dop853,
        Self::Rodas5p,
        Self::Ab1,
        Self::Ab2,
        Self::Ab3,
        Self::Ab4,
        Self::Ab5,
        Self::Abm1,
        Self::Abm2,
        Self::Abm3,
        Self::Abm4,
        Self::Abm5,
    ];

    /// An explicit Runge-Kutta method of your own, for every solve that takes a method. No name
    /// parses as it, and [`Method::ALL`] does not hold it.
    ///
    /// The order is taken as the tableau says it: what is checked is that the rows fit together,
    /// that each node is the sum of its row, and that the weights sum to 1.
    ///
    /// # Errors
    /// With what is wrong with the tableau.
    ///
    /// ```
    /// use flow_ode::tableau::{ErrorEstimate, Interpolant, Tableau};
    /// use flow_ode::{Method, Stepping, solve};
    ///
    /// /// Ralston (1962), Mathematics of Computation 16: least error bound of order 3.
    /// static RALSTON3: Tableau = Tableau {
    ///     name: "ralston3",
    ///     order: 3,
    ///     c: &[0.0, 1.0 / 2.0, 3.0 / 4.0],
    ///     a: &[&[], &[1.0 / 2.0], &[0.0, 3.0 / 4.0]],
    ///     b: &[2.0 / 9.0, 1.0 / 3.0, 4.0 / 9.0],
    ///     error: ErrorEstimate::None,
    ///     interpolant: Interpolant::Hermite,
    ///     fsal: false,
    /// };
    ///
    /// let ralston3 = Method::own(&RALSTON3).unwrap();
    /// let growth = |_t: f64, y: &f64| *y;
    /// let end = solve(&growth, (0.0, 1.0), 1.0, ralston3, &Stepping::Count(100)).unwrap();
    /// assert!((end.y - 1f64.exp()).abs() < 1e-6);
    /// ```
    pub fn own(tableau: &'static Tableau) -> Result<Self, BadTableau> {
        OwnTableau::new(tableau).map(Self::Own)
    }

    /// The name, as parsed by [`FromStr`].
    ///
    /// ```
    /// assert_eq!(flow_ode::Method::CashKarp.name(), "cash_karp");
    /// ```
    #[must_use]
    pub fn name(self) -> &'static str {
        match self.scheme() {
            Scheme::RungeKutta(tableau) => tableau.name,
            Scheme::Rosenbrock(rosenbrock) => rosenbrock.name,
            Scheme::Adams(adams) => adams.name(),
        }
    }

    /// The coefficients of an explicit Runge-Kutta method; `None` for any other.
    ///
    /// ```
    /// use flow_ode::Method;
    /// assert_eq!(Method::Dopri5.tableau().map(|t| t.stages()), Some(7));
    /// assert!(Method::Ab4.tableau().is_none());
    /// ```
    #[must_use]
    pub fn tableau(self) -> Option<&'static Tableau> {
        match self.scheme() {
            Scheme::RungeKutta(tableau) => Some(tableau),
            Scheme::Rosenbrock(_) | Scheme::Adams(_) => None,
        }
    }

    /// Whether the method solves linear systems with the Jacobian of the field, for stiff problems.
    /// It then takes states on the host alone, whose numbers it knows ([`State::numbers`]).
    ///
    /// ```
    /// use flow_ode::Method;
    /// assert!(Method::Rodas5p.is_implicit() && !Method::Dopri5.is_implicit());
    /// ```
    ///
    /// [`State::numbers`]: crate::State::numbers
    #[must_use]
    pub fn is_implicit(self) -> bool {
        matches!(self.scheme(), Scheme::Rosenbrock(_))
    }

    /// Order of convergence `p`: the error at the end falls as `h^p`.
    ///
    /// ```
    /// assert_eq!(flow_ode::Method::Abm4.order(), 4);
    /// ```
    #[must_use]
    pub fn order(self) -> u32 {
        match self.scheme() {
            Scheme::RungeKutta(tableau) => tableau.order,
            Scheme::Rosenbrock(rosenbrock) => rosenbrock.order,
            Scheme::Adams(adams) => adams.order(),
        }
    }

    /// Order of the values inside a step, which [`Problem::with_times`] and the dense solution
    /// give.
    ///
    /// ```
    /// assert_eq!(flow_ode::Method::Tsit5.dense_order(), 4);
    /// ```
    ///
    /// [`Problem::with_times`]: crate::Problem::with_times
    #[must_use]
    pub fn dense_order(self) -> u32 {
        let interpolant = match self.scheme() {
            Scheme::RungeKutta(tableau) => &tableau.interpolant,
            Scheme::Rosenbrock(rosenbrock) => &rosenbrock.interpolant,
            Scheme::Adams(_) => &Interpolant::Hermite,
        };
        match interpolant {
            Interpolant::Linear => 1,
            Interpolant::Polynomial { order, .. } | Interpolant::Extended { order, .. } => *order,
            Interpolant::Hermite => self.order().min(3),
        }
    }

    /// Whether the method estimates its error, hence can choose its steps.
    ///
    /// ```
    /// use flow_ode::Method;
    /// assert!(Method::Heun2.is_adaptive() && !Method::Rk4.is_adaptive());
    /// ```
    #[must_use]
    pub fn is_adaptive(self) -> bool {
        self.error_estimate().is_some()
    }

    /// The error estimate and the exponent of its controller.
    pub(crate) fn error_estimate(self) -> Option<(&'static ErrorEstimate, f64)> {
        let (estimate, order) = match self.scheme() {
            Scheme::RungeKutta(tableau) => (&tableau.error, tableau.order),
            Scheme::Rosenbrock(rosenbrock) => (&rosenbrock.error, rosenbrock.order),
            Scheme::Adams(_) => return None,
        };
        Some((estimate, estimate.exponent(order)?))
    }

    pub(crate) fn scheme(self) -> Scheme {
        use Scheme::RungeKutta;
        match self {
            Self::Euler => RungeKutta(&tableau::EULER),
            Self::Midpoint => RungeKutta(&tableau::MIDPOINT),
            Self::Heun2 => RungeKutta(&tableau::HEUN2),
            Self::Ralston2 => RungeKutta(&tableau::RALSTON2),
            Self::Heun3 => RungeKutta(&tableau::HEUN3),
            Self::Ssprk3 => RungeKutta(&tableau::SSPRK3),
            Self::Rk4 => RungeKutta(&tableau::RK4),
            Self::Rk4ThreeEighths => RungeKutta(&tableau::RK4_38),
            Self::Bosh3 => RungeKutta(&tableau::BOSH3),
            Self::Fehlberg45 => RungeKutta(&tableau::FEHLBERG45),
            Self::CashKarp => RungeKutta(&tableau::CASH_KARP),
            Self::Dopri5 => RungeKutta(&tableau::DOPRI5),
            Self::Tsit5 => RungeKutta(&tableau::TSIT5),
            Self::Dop853 => RungeKutta(&tableau::DOP853),
            Self::Rodas5p => Scheme::Rosenbrock(&tableau::RODAS5P),
            Self::Ab1 => Scheme::Adams(Adams::Bashforth(1)),
            Self::Ab2 => Scheme::Adams(Adams::Bashforth(2)),
            Self::Ab3 => Scheme::Adams(Adams::Bashforth(3)),
            Self::Ab4 => Scheme::Adams(Adams::Bashforth(4)),
            Self::Ab5 => Scheme::Adams(Adams::Bashforth(5)),
            Self::Abm1 => Scheme::Adams(Adams::Moulton(1)),
            Self::Abm2 => Scheme::Adams(Adams::Moulton(2)),
            Self::Abm3 => Scheme::Adams(Adams::Moulton(3)),
            Self::Abm4 => Scheme::Adams(Adams::Moulton(4)),
            Self::Abm5 => Scheme::Adams(Adams::Moulton(5)),
            Self::Own(own) => RungeKutta(own.get()),
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Method {
    type Err = UnknownMethod;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.iter().find(|method| method.name() == name);
        known.copied().ok_or_else(|| UnknownMethod { name: name.to_owned() })
    }
}

/// A name that is no [`Method`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown method `{name}`; try one of {}", Method::ALL.iter().map(|m| m.name()).collect::<Vec<_>>().join(", "))]
pub struct UnknownMethod {
    /// The name given.
    pub name: String,
}
