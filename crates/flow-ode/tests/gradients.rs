//! Sensitivities in closed form against the adjoint and against the sensitivity equations.
#![allow(
    clippy::float_cmp,
    clippy::unwrap_used,
    reason = "tests claim equality to the last bit and stop at the first failure"
)]

mod common;

use common::within;
use flow_ode::{AdjointField, Method, Stepping, VectorField, Vjp, adjoint, solve};

/// `y' = a y` with the parameter `a`.
struct Growth {
    a: f64,
}

impl VectorField<f64> for Growth {
    fn eval(&self, _: f64, y: &f64) -> f64 {
        self.a * y
    }
}

impl AdjointField<f64> for Growth {
    type Params = f64;

    fn zero_params(&self) -> f64 {
        0.0
    }

    fn vjp(&self, t: f64, y: &f64, w: &f64) -> Vjp<f64, f64> {
        Vjp { value: self.eval(t, y), state: w * self.a, params: w * y }
    }
}

/// `x' = v`, `v' = -w^2 x` with the parameter `w`.
struct Oscillator {
    w: f64,
}

impl VectorField<[f64; 2]> for Oscillator {
    fn eval(&self, _: f64, [x, v]: &[f64; 2]) -> [f64; 2] {
        [*v, -self.w * self.w * x]
    }
}

impl AdjointField<[f64; 2]> for Oscillator {
    type Params = f64;

    fn zero_params(&self) -> f64 {
        0.0
    }

    fn vjp(&self, t: f64, y: &[f64; 2], w: &[f64; 2]) -> Vjp<[f64; 2], f64> {
        let state = [-self.w * self.w * w[1], w[0]];
        Vjp { value: self.eval(t, y), state, params: -2.0 * self.w * y[0] * w[1] }
    }
}

#[test]
fn adjoint_of_a_growth_is_its_closed_form() {
    let growth = Growth { a: -0.4 };
    let stepping = within(1e-10).into();
    let end = solve(&growth, (0.0, 2.0), 1.3, Method::Tsit5, &stepping).unwrap();
    let gradient = adjoint(&growth, (0.0, 2.0), end.y, 1.0, Method::Tsit5, &stepping).unwrap();
    assert!((end.y - 0.584127653352388).abs() < 1e-9);
    assert!((gradient.params - 1.168255306704776).abs() < 1e-8, "{}", gradient.params);
    assert!((gradient.start - 0.4493289641172216).abs() < 1e-9, "{}", gradient.start);
    assert!((gradient.y0 - 1.3).abs() < 1e-9);
}

#[test]
fn adjoint_of_an_oscillator_is_its_closed_form() {
    let oscillator = Oscillator { w: 3.0 };
    let span = (0.0, 10.0);
    let stepping = within(1e-10).into();
    let end = solve(&oscillator, span, [1.0, 0.0], Method::Dop853, &stepping).unwrap();
    let gradient =
        |loss| adjoint(&oscillator, span, end.y, loss, Method::Dop853, &stepping).unwrap();
    let (of_x, of_v) = (gradient([1.0, 0.0]), gradient([0.0, 1.0]));
    // The parameter is not in the norm, and its gradient grows with time: some 1e-7 is left.
    assert!((of_x.params - 9.880316240928618).abs() < 1e-6, "{}", of_x.params);
    assert!((of_v.params + 3.63951187253466).abs() < 1e-6, "{}", of_v.params);
    assert!((of_x.start[0] - 0.15425144988758405).abs() < 1e-7, "{:?}", of_x.start);
    assert!((of_x.start[1] + 0.3293438746976206).abs() < 1e-7, "{:?}", of_x.start);
}

#[test]
fn adjoint_gradient_is_the_slope_of_the_solve() {
    // Central differences of the fixed-grid solve; both discretise the same equation at order 4.
    let end = |a: f64| {
        solve(&Growth { a }, (0.0, 2.0), 1.3, Method::Rk4, &Stepping::Count(100)).unwrap().y
    };
    let difference = (end(-0.4 + 1e-5) - end(-0.4 - 1e-5)) / 2e-5;
    let growth = Growth { a: -0.4 };
    let gradient =
        adjoint(&growth, (0.0, 2.0), end(-0.4), 1.0, Method::Rk4, &Stepping::Count(100)).unwrap();
    assert!((gradient.params - difference).abs() < 1e-8, "{} {difference}", gradient.params);
}

#[test]
fn sensitivity_equations_run_beside_the_state() {
    // s = dy/da follows s' = a s + y.
    let a = -0.4;
    let field = |_: f64, (y, s): &(f64, f64)| (a * y, a * s + y);
    let end = solve(&field, (0.0, 2.0), (1.3, 0.0), Method::Tsit5, &within(1e-10).into()).unwrap();
    assert!((end.y.1 - 1.168255306704776).abs() < 1e-8, "{}", end.y.1);
}

#[test]
fn the_adjoint_takes_the_grid_and_the_jumps_of_the_forward_solve() {
    let growth = Growth { a: -0.4 };
    let exact = 1.168255306704776;
    let gradient = |method, stepping: Stepping| {
        let end = solve(&growth, (0.0, 2.0), 1.3, method, &stepping).unwrap();
        adjoint(&growth, (0.0, 2.0), end.y, 1.0, method, &stepping).unwrap().params
    };
    // rk4 with a step of 1.5: 0.6^5 / 120 of 1.17, some 1e-3.
    let on_grid = gradient(Method::Rk4, Stepping::Grid(vec![0.0, 0.5, 2.0]));
    assert!((on_grid - exact).abs() < 5e-3, "{on_grid}");
    let with_jumps = gradient(Method::Tsit5, within(1e-9).with_jumps(vec![0.5, 1.5]).into());
    assert!((with_jumps - exact).abs() < 1e-6, "{with_jumps}");
    // The grid of the forward solve is refused only where that refuses it.
    let backward = Stepping::Grid(vec![2.0, 0.5, 0.0]);
    assert!(adjoint(&growth, (0.0, 2.0), 0.58, 1.0, Method::Rk4, &backward).is_err());
}
