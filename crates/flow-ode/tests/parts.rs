//! Parts and components of a state, each held to its tolerance.
#![allow(
    clippy::float_cmp,
    clippy::unwrap_used,
    reason = "tests claim equality to the last bit and stop at the first failure"
)]

mod common;

use common::within;
use flow_ode::{
    Adaptive, Method, Norm, OdeError, Stepping, Tolerance, WithTolerance, solve, solve_rows,
};

/// A turn of 20 radians in a unit of time, whose closed form is known.
fn turn([x, v]: [f64; 2]) -> [f64; 2] {
    [20.0 * v, -20.0 * x]
}

fn error_of(x: [f64; 2]) -> f64 {
    let (sin, cos) = 60f64.sin_cos();
    (x[0] - cos).hypot(x[1] + sin)
}

fn absolute(atol: f64) -> Adaptive {
    Adaptive::new(Tolerance { atol, rtol: 0.0 })
}

#[test]
fn a_part_does_not_loosen_the_steps_of_another() {
    // dop853 joins two estimates, and the joint one falls as the second grows: with the largest of
    // each over the parts, a large but easy part would lengthen the steps of the other.
    for method in [Method::Dopri5, Method::Dop853] {
        for tol in [1e-4, 1e-6] {
            let alone = |_: f64, x: &[f64; 2]| turn(*x);
            let alone = solve(&alone, (0.0, 3.0), [1.0, 0.0], method, &absolute(tol).into());
            let alone = alone.unwrap();
            for size in [0.0, 1.0, 1e2, 1e3, 1e4, 1e5] {
                let beside = |t: f64, _: &f64| size * (2.0 * t).cos();
                let other = solve(&beside, (0.0, 3.0), 0.0, method, &absolute(tol).into()).unwrap();
                let both = |t: f64, (x, _): &([f64; 2], f64)| (turn(*x), size * (2.0 * t).cos());
                let start = ([1.0, 0.0], 0.0);
                let pair = solve(&both, (0.0, 3.0), start, method, &absolute(tol).into()).unwrap();
                let said = format!("{method} at {tol:e} beside {size:e}");
                let needed = alone.stats.accepted.max(other.stats.accepted);
                assert!(pair.stats.accepted >= needed, "{said}: {:?}", pair.stats);
                let (error, of_alone) = (error_of(pair.y.0), error_of(alone.y));
                assert!(error <= 1.5 * of_alone, "{said}: {error:e} against {of_alone:e}");
            }
        }
    }
}

#[test]
fn a_sample_does_not_loosen_the_steps_of_another() {
    let field = |t: f64, y: &Vec<[f64; 2]>| vec![turn(y[0]), [1e5 * (2.0 * t).cos(), 0.0]];
    let settings = absolute(1e-6).with_norm(Norm::WorstSample);
    let start = vec![[1.0, 0.0], [0.0, 0.0]];
    let both = solve(&field, (0.0, 3.0), start, Method::Dop853, &settings.into()).unwrap();
    let alone = |_: f64, x: &[f64; 2]| turn(*x);
    let alone = solve(&alone, (0.0, 3.0), [1.0, 0.0], Method::Dop853, &absolute(1e-6).into());
    let (error, of_alone) = (error_of(both.y[0]), error_of(alone.unwrap().y));
    assert!(error <= 1.5 * of_alone, "{error:e} against {of_alone:e}");
}

#[test]
fn a_part_of_a_row_does_not_loosen_the_steps_of_another() {
    type Rows = (Vec<[f64; 2]>, Vec<[f64; 1]>);
    let field = |t: &[f64], (x, _): &Rows| -> Rows {
        let beside = t.iter().map(|t| [1e5 * (2.0 * t).cos()]).collect();
        (x.iter().map(|x| turn(*x)).collect(), beside)
    };
    let start: Rows = (vec![[1.0, 0.0]], vec![[0.0]]);
    let rows = solve_rows(&field, (0.0, 3.0), start, Method::Dop853, &absolute(1e-6)).unwrap();
    let alone = |_: f64, x: &[f64; 2]| turn(*x);
    let alone = solve(&alone, (0.0, 3.0), [1.0, 0.0], Method::Dop853, &absolute(1e-6).into());
    let (error, of_alone) = (error_of(rows.y.0[0]), error_of(alone.unwrap().y));
    assert!(error <= 1.5 * of_alone, "{error:e} against {of_alone:e}");
}

#[test]
fn a_component_that_starts_at_zero_needs_no_absolute_tolerance() {
    let relative = Adaptive::new(Tolerance { atol: 0.0, rtol: 1e-6 });
    for method in Method::ALL.iter().filter(|method| method.is_adaptive()) {
        let steady = |_: f64, _: &f64| 1.0;
        let end = solve(&steady, (0.0, 1.0), 0.0, *method, &relative.clone().into()).unwrap();
        assert!((end.y - 1.0).abs() < 1e-6, "{method}: {}", end.y);
        let approach = |_: f64, y: &[f64; 2]| y.map(|y| 1.0 - y);
        let start = [0.0, 1.0];
        let end = solve(&approach, (0.0, 1.0), start, *method, &relative.clone().into()).unwrap();
        // Methods of order 2 take some thousand steps; the others err by some 1e-6.
        assert!((end.y[0] - 1.0 + (-1f64).exp()).abs() < 1e-5, "{method}: {:?}", end.y);
    }
    let field = |_: &[f64], y: &Vec<[f64; 1]>| y.iter().map(|[y]| [1.0 - y]).collect();
    let start = vec![[0.0], [0.5]];
    let end = solve_rows(&field, (0.0, 1.0), start, Method::Dopri5, &relative).unwrap();
    assert!((end.y[0][0] - 1.0 + (-1f64).exp()).abs() < 1e-5, "{:?}", end.y);
}

#[test]
fn a_slope_too_steep_to_measure_is_not_called_infinite() {
    // The ratio of slope to tolerance overflows when squared.
    let steep = |_: f64, _: &[f64; 2]| [1e200, 0.0];
    let end = solve(&steep, (0.0, 1.0), [0.0, 1.0], Method::Dopri5, &within(1e-6).into()).unwrap();
    assert!((end.y[0] / 1e200 - 1.0).abs() < 1e-6, "{:?}", end.y);
}

#[test]
fn tolerances_that_parts_bring_along_are_checked() {
    let field = |_: f64, y: &(f64, WithTolerance<f64>)| (y.0, y.1.clone());
    let run = |atol: f64, rtol: f64| {
        let start = (1.0, WithTolerance { state: 1.0, tol: Tolerance { atol, rtol } });
        solve(&field, (0.0, 1.0), start, Method::Dopri5, &within(1e-6).into())
    };
    for (atol, rtol) in [(f64::NAN, 0.0), (0.0, 0.0), (-1e-6, 1e-6), (-1.0, 0.0), (1.0, f64::NAN)] {
        let error = run(atol, rtol).unwrap_err();
        assert!(matches!(error, OdeError::BadTolerance { .. }), "{atol} {rtol}: {error}");
    }
    for (atol, rtol) in [(f64::INFINITY, 0.0), (1e-3, 0.0), (0.0, 1e-3)] {
        assert!(run(atol, rtol).is_ok(), "{atol} {rtol}");
    }
}

#[test]
fn the_tolerance_of_a_part_is_that_of_the_start() {
    // The field writes whatever beside its slopes; the start's tolerance holds.
    let run = |beside: Tolerance| {
        let field = |t: f64, (x, _): &(f64, WithTolerance<f64>)| {
            (-x, WithTolerance { state: (9.0 * t).cos(), tol: beside })
        };
        let tol = Tolerance { atol: 1e-9, rtol: 0.0 };
        let start = (1.0, WithTolerance { state: 0.0, tol });
        solve(&field, (0.0, 1.0), start, Method::Dopri5, &within(1e-3).into()).unwrap()
    };
    let plain = run(Tolerance { atol: 1e-9, rtol: 0.0 });
    let loose = run(Tolerance { atol: 1.0, rtol: 0.0 });
    assert_eq!(plain.stats, loose.stats);
}

#[test]
fn each_component_may_have_its_absolute_tolerance() {
    // y' = (-y_1, -2 y_2) from (1, 1e-8): the second needs another tolerance than the first.
    let field = |_: f64, [a, b]: &[f64; 2]| [-a, -2.0 * b];
    let exact = 1e-8 * (-10f64).exp();
    let run = |adaptive: Adaptive| {
        let end = solve(&field, (0.0, 5.0), [1.0, 1e-8], Method::Dopri5, &adaptive.into()).unwrap();
        (end.stats.evals, (end.y[1] - exact).abs())
    };
    let (coarse, tight) = (run(absolute(1e-6)), run(absolute(1e-14)));
    let each = run(absolute(1e-6).with_atols(vec![1e-6, 1e-14]));
    assert!(each.1 < 1e-14 && each.1 < coarse.1, "{each:?} {coarse:?}");
    assert!(each.0 < tight.0 / 4, "{each:?} {tight:?}");
    // Equal ones are one tolerance, to the bit.
    assert_eq!(run(absolute(1e-6).with_atols(vec![1e-6; 2])), coarse);
}

#[test]
fn tolerances_by_component_repeat_over_the_samples_of_a_batch() {
    let field = |_: f64, y: &Vec<[f64; 2]>| -> Vec<[f64; 2]> {
        y.iter().map(|[a, b]| [-a, -2.0 * b]).collect()
    };
    let by_row = |_: &[f64], y: &Vec<[f64; 2]>| field(0.0, y);
    let start = vec![[1.0, 1e-8], [2.0, 3e-8]];
    let adaptive = absolute(1e-6).with_atols(vec![1e-6, 1e-14]).with_norm(Norm::WorstSample);
    let end = solve(&field, (0.0, 5.0), start.clone(), Method::Dopri5, &adaptive.clone().into());
    let end = end.unwrap();
    let rows = solve_rows(&by_row, (0.0, 5.0), start, Method::Dopri5, &adaptive).unwrap();
    for y in [end.y, rows.y] {
        assert!((y[1][1] - 3e-8 * (-10f64).exp()).abs() < 1e-14, "{y:?}");
    }
}

#[test]
fn tolerances_by_component_that_do_not_fit_are_refused() {
    let field = |_: f64, y: &[f64; 3]| *y;
    let run = |atols: Vec<f64>| {
        let adaptive = absolute(1e-6).with_atols(atols).into();
        solve(&field, (0.0, 1.0), [1.0; 3], Method::Dopri5, &adaptive).unwrap_err().to_string()
    };
    assert_eq!(
        run(vec![1e-6; 2]),
        "`with_atols` is 2; there are as many as the state has numbers, or as one sample of a \
         batch has"
    );
    for bad in [f64::NAN, -1e-6, 0.0] {
        assert!(run(vec![1e-6, bad, 1e-6]).starts_with("tolerances atol ="), "{bad}");
    }
    // On a fixed grid they play no part, as the tolerance does not.
    let on_grid = solve(&field, (0.0, 1.0), [1.0; 3], Method::Rk4, &Stepping::Count(3));
    assert!(on_grid.is_ok());
}
