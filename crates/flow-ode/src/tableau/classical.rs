//! Classical methods for fixed grids; those with a companion formula also adapt.

use super::{ErrorEstimate, Interpolant, Tableau};

/// Explicit Euler: one evaluation, order 1.
///
/// # Reference
/// Euler (1768), "Institutionum calculi integralis", volume I, section II, chapter VII.
pub static EULER: Tableau = Tableau {
    name: "euler",
    order: 1,
    c: &[0.0],
    a: &[&[]],
    b: &[1.0],
    error: ErrorEstimate::None,
    interpolant: Interpolant::Linear,
    fsal: false,
};

/// Explicit midpoint rule: two evaluations, order 2, with Euler as companion.
///
/// # Reference
/// Runge (1895), "Ueber die numerische Auflösung von Differentialgleichungen", Mathematische
/// Annalen 46.
pub static MIDPOINT: Tableau = Tableau {
    name: "midpoint",
    order: 2,
    c: &[0.0, 1.0 / 2.0],
    a: &[&[], &[1.0 / 2.0]],
    b: &[0.0, 1.0],
    error: ErrorEstimate::Embedded { order: 1, weights: &[-1.0, 1.0], shampine: 1.0 },
    interpolant: Interpolant::Hermite,
    fsal: false,
};

/// Heun's method of order 2, the explicit trapezoidal rule, with Euler as companion.
///
/// # Reference
/// Heun (1900), "Neue Methoden zur approximativen Integration der Differentialgleichungen einer
/// unabhängigen Veränderlichen", Zeitschrift für Mathematik und Physik 45.
pub static HEUN2: Tableau = Tableau {
    name: "heun2",
    order: 2,
    c: &[0.0, 1.0],
    a: &[&[], &[1.0]],
    b: &[1.0 / 2.0, 1.0 / 2.0],
    error: ErrorEstimate::Embedded { order: 1, weights: &[-1.0 / 2.0, 1.0 / 2.0], shampine: 1.0 },
    interpolant: Interpolant::Hermite,
    fsal: false,
};

/// Ralston's method of order 2: least bound on the truncation error among two stages.
///
/// # Reference
/// Ralston (1962), "Runge-Kutta Methods with Minimum Error Bounds", Mathematics of Computation 16.
pub static RALSTON2: Tableau = Tableau {
    name: "ralston2",
    order: 2,
    c: &[0.0, 2.0 / 3.0],
    a: &[&[], &[2.0 / 3.0]],
    b: &[1.0 / 4.0, 3.0 / 4.0],
    error: ErrorEstimate::Embedded { order: 1, weights: &[-3.0 / 4.0, 3.0 / 4.0], shampine: 1.0 },
    interpolant: Interpolant::Hermite,
    fsal: false,
};

/// Heun's method of order 3: three evaluations.
///
/// # Reference
/// Heun (1900), "Neue Methoden zur approximativen Integration der Differentialgleichungen einer
/// unabhängigen Veränderlichen", Zeitschrift für Mathematik und Physik 45.
pub static HEUN3: Tableau = Tableau {
    name: "heun3",
    order: 3,
    c: &[0.0, 1.0 / 3.0, 2.0 / 3.0],
    a: &[&[], &[1.0 / 3.0], &[0.0, 2.0 / 3.0]],
    b: &[1.0 / 4.0, 0.0, 3.0 / 4.0],
    error: ErrorEstimate::None,
    interpolant: Interpolant::Hermite,
    fsal: false,
};

/// Strong-stability-preserving method of order 3, with [`HEUN2`] as companion.
///
/// # Reference
/// Shu & Osher (1988), "Efficient implementation of essentially non-oscillatory shock-capturing
/// schemes", Journal of Computational Physics 77.
pub static SSPRK3: Tableau = Tableau {
    name: "ssprk3",
    order: 3,
    c: &[0.0, 1.0, 1.0 / 2.0],
    a: &[&[], &[1.0], &[1.0 / 4.0, 1.0 / 4.0]],
    b: &[1.0 / 6.0, 1.0 / 6.0, 2.0 / 3.0],
    error: ErrorEstimate::Embedded {
        order: 2,
        weights: &[-1.0 / 3.0, -1.0 / 3.0, 2.0 / 3.0],
        shampine: 1.0,
    },
    interpolant: Interpolant::Hermite,
    fsal: false,
};

/// The classical Runge-Kutta method of order 4.
///
/// # Reference
/// Kutta (1901), "Beitrag zur näherungsweisen Integration totaler Differentialgleichungen",
/// Zeitschrift für Mathematik und Physik 46.
pub static RK4: Tableau = Tableau {
    name: "rk4",
    order: 4,
    c: &[0.0, 1.0 / 2.0, 1.0 / 2.0, 1.0],
    a: &[&[], &[1.0 / 2.0], &[0.0, 1.0 / 2.0], &[0.0, 0.0, 1.0]],
    b: &[1.0 / 6.0, 1.0 / 3.0, 1.0 / 3.0, 1.0 / 6.0],
    error: ErrorEstimate::None,
    interpolant: Interpolant::Hermite,
    fsal: false,
};

/// Kutta's 3/8 rule of order 4: a little more accurate than [`RK4`] at the same price.
///
/// # Reference
/// Kutta (1901), "Beitrag zur näherungsweisen Integration totaler Differentialgleichungen",
/// Zeitschrift für Mathematik und Physik 46.
pub static RK4_38: Tableau = Tableau {
    name: "rk4_38",
    order: 4,
    c: &[0.0, 1.0 / 3.0, 2.0 / 3.0, 1.0],
    a: &[&[], &[1.0 / 3.0], &[-1.0 / 3.0, 1.0], &[1.0, -1.0, 1.0]],
    b: &[1.0 / 8.0, 3.0 / 8.0, 3.0 / 8.0, 1.0 / 8.0],
    error: ErrorEstimate::None,
    interpolant: Interpolant::Hermite,
    fsal: false,
};
