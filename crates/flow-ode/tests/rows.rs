//! One step size for the batch against one for each sample.
#![allow(
    clippy::float_cmp,
    clippy::unwrap_used,
    reason = "tests claim equality to the last bit and stop at the first failure"
)]

mod common;

use common::{Reference, named, within};
use flow_ode::{Method, Norm, OdeError, RowField, VectorField, solve, solve_rows};

/// Oscillators of different frequency: row `r` turns at `1 + 4 r`.
fn frequencies(rows: usize) -> Vec<f64> {
    (0..rows).map(|r| 1.0 + 4.0 * r as f64).collect()
}

fn turn(w: f64, [x, v]: [f64; 2]) -> [f64; 2] {
    [v, -w * w * x]
}

#[allow(clippy::ptr_arg, reason = "the state is the vector, not a slice of it")]
fn by_row(_t: &[f64], y: &Vec<[f64; 2]>) -> Vec<[f64; 2]> {
    frequencies(y.len()).into_iter().zip(y).map(|(w, y)| turn(w, *y)).collect()
}

fn adaptive_methods() -> impl Iterator<Item = Method> {
    Method::ALL.iter().copied().filter(|method| method.is_adaptive() && !method.is_implicit())
}

#[test]
fn each_row_takes_the_steps_that_it_would_take_alone() {
    let rows = 5;
    for method in adaptive_methods() {
        let y0 = vec![[1.0, 0.0]; rows];
        let batch = solve_rows(&by_row, (0.0, 2.0), y0, method, &within(1e-5)).unwrap();
        for (r, w) in frequencies(rows).into_iter().enumerate() {
            let alone = |_: f64, y: &[f64; 2]| turn(w, *y);
            let alone =
                solve(&alone, (0.0, 2.0), [1.0, 0.0], method, &within(1e-5).into()).unwrap();
            // Sums are formed in another order: rounding over some hundred steps.
            let apart = common::distance(&batch.y[r], &alone.y);
            assert!(apart < 1e-10, "row {r} by {method}: {apart:e}");
            assert_eq!(batch.rows[r].accepted, alone.stats.accepted, "row {r} by {method}");
            assert_eq!(batch.rows[r].rejected, alone.stats.rejected, "row {r} by {method}");
        }
    }
}

#[test]
fn rows_at_their_own_times_solve_a_field_that_depends_on_time() {
    let field = |t: &[f64], y: &Vec<[f64; 1]>| -> Vec<[f64; 1]> {
        t.iter().zip(y).enumerate().map(|(r, (t, [y]))| [y * (r as f64 * t).cos()]).collect()
    };
    let y0 = vec![[1.0]; 4];
    let end = solve_rows(&field, (0.0, 5.0), y0, Method::Tsit5, &within(1e-8)).unwrap();
    for (r, [y]) in end.y.iter().enumerate().skip(1) {
        let w = r as f64;
        let exact = ((w * 5.0).sin() / w).exp();
        assert!((y - exact).abs() < 1e-6, "row {r}: {y} is not {exact}");
    }
}

#[test]
fn the_batch_costs_what_its_slowest_row_costs() {
    let end = solve_rows(&by_row, (0.0, 2.0), vec![[1.0, 0.0]; 5], Method::Dopri5, &within(1e-5));
    let end = end.unwrap();
    let slowest = end.rows.iter().map(|row| row.evals).max().unwrap();
    assert_eq!(end.evals, slowest);
    assert!(end.rows[0].evals < slowest / 2);
}

#[test]
fn the_worst_sample_is_better_off_when_it_decides_the_step() {
    // One fast sample among many slow ones: the joint norm averages its error away.
    let field = |_: f64, y: &Vec<[f64; 2]>| -> Vec<[f64; 2]> {
        y.iter().enumerate().map(|(r, y)| turn(if r == 0 { 9.0 } else { 0.5 }, *y)).collect()
    };
    let worst = |norm| {
        let y0 = vec![[1.0, 0.0]; 200];
        let adaptive = within(1e-4).with_norm(norm).into();
        let end = solve(&field, (0.0, 3.0), y0, Method::Dopri5, &adaptive).unwrap();
        (end.y[0][0] - 27f64.cos()).abs()
    };
    let (joint, own) = (worst(Norm::JointRms), worst(Norm::WorstSample));
    assert!(own < joint / 4.0, "{own:e} against {joint:e}");
}

fn pairs(flat: &[f64]) -> Vec<[f64; 2]> {
    flat.chunks(2).map(|pair| [pair[0], pair[1]]).collect()
}

/// A flow of points of the plane, at one time for all and at a time for each.
struct Flow(Reference);

impl VectorField<Vec<[f64; 2]>> for Flow {
    fn eval(&self, t: f64, y: &Vec<[f64; 2]>) -> Vec<[f64; 2]> {
        pairs(&self.0.eval(t, &y.as_flattened().to_vec()))
    }
}

impl RowField<Vec<[f64; 2]>> for Flow {
    fn eval(&self, t: &[f64], y: &Vec<[f64; 2]>) -> Vec<[f64; 2]> {
        t.iter().zip(y).map(|(t, y)| pairs(&self.0.eval(*t, &y.to_vec()))[0]).collect()
    }
}

/// Standard normal points: Box & Muller (1958) on the fractions of multiples of two irrationals.
fn normal_points(n: usize) -> Vec<[f64; 2]> {
    let point = |i: usize| {
        let [u, v] = [2f64.sqrt(), 3f64.sqrt()].map(|s| ((i + 1) as f64 * s).fract());
        let (r, angle) = ((-2.0 * u.ln()).sqrt(), std::f64::consts::TAU * v);
        [r * angle.cos(), r * angle.sin()]
    };
    (0..n).map(point).collect()
}

#[test]
fn the_joint_norm_hides_the_worst_of_512_samples() {
    let flow = Flow(named("gmm_ot"));
    let y0 = normal_points(512);
    let exact = within(1e-11).with_norm(Norm::WorstSample).into();
    let exact = solve(&flow, (0.0, 1.0), y0.clone(), Method::Dop853, &exact).unwrap().y;
    let worst = |y: &Vec<[f64; 2]>| common::distance(y.as_flattened(), exact.as_flattened());
    let with = |norm| {
        let adaptive = within(1e-5).with_norm(norm).into();
        let end = solve(&flow, (0.0, 1.0), y0.clone(), Method::Dopri5, &adaptive).unwrap();
        (end.stats.evals, worst(&end.y))
    };
    let (joint, own) = (with(Norm::JointRms), with(Norm::WorstSample));
    let alone = solve_rows(&flow, (0.0, 1.0), y0.clone(), Method::Dopri5, &within(1e-5)).unwrap();
    let mean = alone.rows.iter().map(|row| row.evals).sum::<usize>() / 512;
    let said = format!("{joint:?} {own:?} {mean} of {}: {:e}", alone.evals, worst(&alone.y));
    // A few samples pass between two components, where the field turns sharply.
    assert!(joint.1 > 10.0 * own.1 && joint.0 < own.0, "{said}");
    // Alone most samples need fewer steps, and the hard ones no fewer digits than they ask for:
    // their errors grow on the way, which no local tolerance sees.
    assert!(mean < joint.0 && alone.evals < own.0 && worst(&alone.y) < 2.0 * joint.1, "{said}");
}

#[test]
fn three_norms_of_one_batch_agree_where_the_samples_are_alike() {
    let flow = Flow(named("gmm_ot"));
    let error = |y: &Vec<[f64; 2]>| common::distance(y.as_flattened(), &flow.0.answer);
    for norm in [Norm::JointRms, Norm::WorstSample] {
        let adaptive = within(1e-7).with_norm(norm).into();
        let end = solve(&flow, (0.0, 1.0), pairs(&flow.0.y0), Method::Dopri5, &adaptive).unwrap();
        assert!(error(&end.y) < 1e-6, "{norm:?}: {:e}", error(&end.y));
    }
    let end = solve_rows(&flow, (0.0, 1.0), pairs(&flow.0.y0), Method::Dopri5, &within(1e-7));
    let end = end.unwrap();
    assert!(error(&end.y) < 1e-5, "by row: {:e}", error(&end.y));
}

#[test]
fn a_row_that_blows_up_ends_the_solve_with_an_error() {
    let field = |_: &[f64], y: &Vec<[f64; 1]>| vec![[-y[0][0]], [y[1][0] * y[1][0]]];
    let outcome = solve_rows(&field, (0.0, 2.0), vec![[1.0]; 2], Method::Dopri5, &within(1e-6));
    let error = outcome.unwrap_err();
    let (t, y) = error.last().unwrap();
    assert!((t - 1.0).abs() < 1e-2 && y[1][0].is_finite(), "{error}");
    let limited = within(1e-6).with_max_steps(4);
    let outcome = solve_rows(&field, (0.0, 0.9), vec![[1.0]; 2], Method::Dopri5, &limited);
    assert!(matches!(outcome, Err(OdeError::StepLimit { limit: 4, .. })));
}

#[test]
fn an_empty_batch_and_an_empty_span_are_solved() {
    let none = solve_rows(&by_row, (0.0, 1.0), Vec::new(), Method::Dopri5, &within(1e-6)).unwrap();
    assert_eq!((none.evals, none.y.len()), (0, 0));
    let still = solve_rows(&by_row, (1.0, 1.0), vec![[1.0, 0.0]], Method::Dopri5, &within(1e-6));
    assert_eq!(still.unwrap().evals, 0);
}

#[test]
fn the_row_that_fails_is_named() {
    let field = |_: &[f64], y: &Vec<[f64; 1]>| y.iter().map(|[y]| [y * y]).collect();
    let run = |start: Vec<[f64; 1]>| {
        solve_rows(&field, (0.0, 2.0), start, Method::Dopri5, &within(1e-6)).unwrap_err()
    };
    let error = run(vec![[0.1], [0.2], [1.0], [0.3]]);
    assert_eq!(error.row(), Some(2));
    assert!(error.to_string().contains("in row 2"), "{error}");
    let error = run(vec![[0.1], [0.2], [f64::NAN], [0.3]]);
    assert_eq!(error.row(), Some(2));
    assert!(error.to_string().contains("not finite at t = 0 in row 2"), "{error}");
    // The field of one row fails at the start, and later.
    let wall = |t: &[f64], y: &Vec<[f64; 1]>| -> Vec<[f64; 1]> {
        t.iter()
            .zip(y)
            .map(|(t, [y])| [if *y > 1.0 && *t > 0.5 { f64::NAN } else { 1.0 }])
            .collect()
    };
    for t0 in [0.0, 0.6] {
        let start = vec![[-9.0], [1.5], [-9.0]];
        let outcome = solve_rows(&wall, (t0, 2.0), start, Method::Dopri5, &within(1e-6));
        let error = outcome.unwrap_err();
        assert!(matches!(error, OdeError::NonFinite { row: Some(1), .. }), "{error}");
    }
}
