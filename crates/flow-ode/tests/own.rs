//! Methods of a program's own: a tableau is solved with as its coefficients say, or refused.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

use flow_ode::tableau::{ErrorEstimate, Interpolant, Tableau};
use flow_ode::{Method, Stepping, solve};

/// Ralston (1962), "Runge-Kutta Methods with Minimum Error Bounds", Mathematics of Computation 16.
const RALSTON3: Tableau = Tableau {
    name: "ralston3",
    order: 3,
    c: &[0.0, 1.0 / 2.0, 3.0 / 4.0],
    a: &[&[], &[1.0 / 2.0], &[0.0, 3.0 / 4.0]],
    b: &[2.0 / 9.0, 1.0 / 3.0, 4.0 / 9.0],
    error: ErrorEstimate::None,
    interpolant: Interpolant::Hermite,
    fsal: false,
};

static OWN: Tableau = RALSTON3;
static OTHER: Tableau = RALSTON3;

/// `y' = y` from 1 over the time `z`, in so many steps.
fn growth(method: Method, z: f64, steps: usize) -> f64 {
    solve(&|_t: f64, y: &f64| *y, (0.0, z), 1.0, method, &Stepping::Count(steps)).unwrap().y
}

#[test]
fn one_step_is_the_exponential_series_up_to_the_order() {
    let method = Method::own(&OWN).unwrap();
    let z: f64 = 0.5;
    let series = 1.0 + z + z * z / 2.0 + z * z * z / 6.0;
    assert!((growth(method, z, 1) - series).abs() < 1e-14);
    // The control: a method of order 2 leaves out the last term.
    assert!((growth(Method::Heun2, z, 1) - series).abs() > 0.02);
}

#[test]
fn a_method_of_ones_own_says_what_it_is_and_equals_itself_alone() {
    let method = Method::own(&OWN).unwrap();
    assert_eq!((method.to_string().as_str(), method.order()), ("ralston3", 3));
    assert!(!method.is_adaptive() && !method.is_implicit() && method.tableau().is_some());
    assert_eq!(method, Method::own(&OWN).unwrap());
    assert_ne!(method, Method::own(&OTHER).unwrap());
    assert!("ralston3".parse::<Method>().is_err());
}

#[test]
fn the_tableaus_of_the_library_are_accepted_and_solve_to_the_same_bits() {
    for method in Method::ALL {
        let Some(tableau) = method.tableau() else { continue };
        let own = Method::own(tableau).unwrap();
        let ends = [*method, own].map(|method| growth(method, 1.0, 3).to_bits());
        assert_eq!(ends[0], ends[1], "{method}");
    }
}

#[test]
fn tableaus_that_cannot_be_right_are_refused_with_what_is_wrong() {
    static EMPTY: Tableau = Tableau { c: &[], a: &[], b: &[], ..RALSTON3 };
    static NO_ORDER: Tableau = Tableau { order: 0, ..RALSTON3 };
    static SHORT: Tableau = Tableau { b: &[1.0], ..RALSTON3 };
    static SQUARE: Tableau = Tableau { a: &[&[0.0], &[0.5], &[0.0, 0.75]], ..RALSTON3 };
    static NODES: Tableau = Tableau { c: &[0.0, 0.5, 0.7], ..RALSTON3 };
    static WEIGHTS: Tableau = Tableau { b: &[0.2, 0.3, 0.4], ..RALSTON3 };
    static NO_NUMBER: Tableau = Tableau { b: &[f64::NAN, 0.5, 0.5], ..RALSTON3 };
    static FSAL: Tableau = Tableau { fsal: true, ..RALSTON3 };
    static ERRORS: Tableau = Tableau {
        error: ErrorEstimate::Embedded { order: 2, weights: &[0.1, -0.1], shampine: 1.0 },
        ..RALSTON3
    };
    static INSIDE: Tableau = Tableau {
        interpolant: Interpolant::Polynomial { order: 2, weights: &[&[1.0, 0.0]] },
        ..RALSTON3
    };
    let cases: [(&'static Tableau, &str); 10] = [
        (&EMPTY, "no stage"),
        (&NO_ORDER, "order 0"),
        (&SHORT, "`b` needs"),
        (&SQUARE, "row i of `a` needs i"),
        (&NODES, "not the sum of its row"),
        (&WEIGHTS, "do not sum to 1"),
        (&NO_NUMBER, "do not sum to 1"),
        (&FSAL, "`fsal`"),
        (&ERRORS, "error weights"),
        (&INSIDE, "interpolant"),
    ];
    for (tableau, words) in cases {
        let error = Method::own(tableau).unwrap_err().to_string();
        assert!(error.contains("`ralston3`") && error.contains(words), "{error}");
    }
}
