//! Fields and requests that trip solvers up.
#![allow(
    clippy::float_cmp,
    clippy::unwrap_used,
    reason = "tests claim equality to the last bit and stop at the first failure"
)]

mod common;

use std::cell::Cell;

use common::{Reference, all, distance, named, within};
use flow_ode::{Adaptive, Method, OdeError, Problem, Stepping, Tolerance, solve};

fn adaptive_methods() -> impl Iterator<Item = Method> {
    Method::ALL.iter().copied().filter(|method| method.is_adaptive())
}

#[test]
fn a_trial_step_into_nan_shrinks_and_goes_on() {
    // y' = -sqrt(y) reaches 0 at t = 2; a first step of 1.5 takes stages below it, where the
    // square root is NaN.
    let drain = |_t: f64, y: &f64| -y.sqrt();
    let tol = Tolerance { atol: 1e-9, rtol: 1e-6 };
    let adaptive = Adaptive::new(tol).with_first_step(1.5).into();
    let end = solve(&drain, (0.0, 1.9), 1.0, Method::Dopri5, &adaptive).unwrap();
    assert!((end.y - 0.0025).abs() < 1e-6, "{}", end.y);
    assert!(end.stats.rejected > 0);
}

#[test]
fn a_field_undefined_beyond_the_end_is_solved() {
    for method in adaptive_methods() {
        let latest = Cell::new(f64::NEG_INFINITY);
        let field = |t: f64, _: &f64| {
            latest.set(latest.get().max(t));
            (1.0 - t).sqrt()
        };
        let end = solve(&field, (0.0, 1.0), 0.0, method, &within(1e-5).into()).unwrap();
        // The root at the end hides part of the error of the last step: ten to twenty times the
        // tolerance.
        let bound = if method == Method::Dopri5 { 1e-4 } else { 2e-4 };
        assert!((end.y - 2.0 / 3.0).abs() <= bound, "{method}: {}", end.y);
        assert!(latest.get() <= 1.0, "{method}: evaluated at {}", latest.get());
    }
}

#[test]
fn a_zero_field_is_exact_and_cheap() {
    let still = |_t: f64, _: &[f64; 2]| [0.0, 0.0];
    let adaptive = within(1e-5).into();
    let end = solve(&still, (0.0, 1.0), [1.0, 2.0], Method::Dopri5, &adaptive).unwrap();
    assert_eq!(end.y, [1.0, 2.0]);
    assert!(end.stats.evals <= 44, "{}", end.stats.evals); // what scipy and torchdiffeq take
}

#[test]
fn a_start_at_zero_finds_a_first_step() {
    let drift = |_t: f64, _: &[f64; 2]| [1.0, 1.0];
    let adaptive = within(1e-5).into();
    let end = solve(&drift, (0.0, 1.0), [0.0, 0.0], Method::Dopri5, &adaptive).unwrap();
    assert!(distance(&end.y, &[1.0, 1.0]) < 1e-14);
    assert!(end.stats.evals <= 32, "{}", end.stats.evals); // what scipy and torchdiffeq take
}

#[test]
fn a_tiny_span_takes_one_step() {
    let decay = |_t: f64, y: &f64| -y;
    let end = solve(&decay, (0.0, 1e-12), 1.0, Method::Dopri5, &within(1e-5).into()).unwrap();
    assert!((end.y - 0.999999999999).abs() < 1e-15);
    assert!(end.stats.evals <= 8, "{}", end.stats.evals);
}

#[test]
fn an_empty_span_returns_the_start_without_an_evaluation() {
    let unreachable = |_t: f64, _: &f64| panic!("nothing to evaluate");
    for stepping in [within(1e-5).into(), Stepping::Count(3), Stepping::Size(0.1)] {
        let problem = Problem::new(&unreachable, (0.5, 0.5), 1.0).with_times(vec![0.5, 0.5]);
        let end = problem.solve(Method::Dopri5, &stepping).unwrap();
        assert_eq!((end.y, end.stats.evals, end.states), (1.0, 0, vec![1.0, 1.0]));
    }
}

#[test]
fn a_blow_up_is_an_error_with_the_last_good_state() {
    let field = |_t: f64, y: &f64| y * y;
    for method in adaptive_methods() {
        let error = solve(&field, (0.0, 2.0), 1.0, method, &within(1e-5).into()).unwrap_err();
        let (t, y) = error.last().unwrap_or_else(|| panic!("{method}: {error}"));
        // The solution is 1 / (1 - t).
        assert!((t - 1.0).abs() < 1e-2, "{method}: {error}");
        assert!(y.is_finite() && *y > 100.0, "{method}: {error}");
    }
}

#[test]
fn a_blow_up_on_a_fixed_grid_is_an_error_too() {
    let field = |_t: f64, y: &f64| y * y * y;
    for method in Method::ALL {
        let outcome = solve(&field, (0.0, 9.0), 3.0, *method, &Stepping::Count(60));
        assert!(matches!(outcome, Err(OdeError::NonFinite { .. })), "{method}");
    }
}

#[test]
fn a_field_that_is_nan_is_told_at_the_first_evaluation() {
    let nan = |_t: f64, _: &f64| f64::NAN;
    let calls = Cell::new(0);
    let counted = |t: f64, y: &f64| {
        calls.set(calls.get() + 1);
        nan(t, y)
    };
    let outcome = solve(&counted, (0.0, 1.0), 1.0, Method::Dopri5, &within(1e-5).into());
    assert_eq!(outcome.unwrap_err(), OdeError::NonFinite { t: 0.0, h: 0.0, y: 1.0, row: None });
    assert_eq!(calls.get(), 1);
}

#[test]
fn a_start_that_is_nan_is_told() {
    let decay = |_t: f64, y: &f64| -y;
    for stepping in [within(1e-5).into(), Stepping::Count(3)] {
        let outcome = solve(&decay, (0.0, 1.0), f64::NAN, Method::Dopri5, &stepping);
        assert!(matches!(outcome, Err(OdeError::NonFinite { t: 0.0, .. })));
    }
}

#[test]
fn the_step_limit_is_an_error_with_the_last_good_state() {
    let problem = named("oscillator");
    let adaptive = within(1e-5).with_max_steps(3).into();
    let error = solve(&problem, problem.span(), problem.y0.clone(), Method::Dopri5, &adaptive);
    let error = error.unwrap_err();
    assert!(matches!(error, OdeError::StepLimit { limit: 3, .. }), "{error}");
    let (t, y) = error.last().unwrap();
    assert!((y[0] - (3.0 * t).cos()).abs() < 1e-4, "at {t}: {y:?}");
}

#[test]
fn repeated_output_times_are_allowed() {
    let decay = |_t: f64, y: &f64| -y;
    let times = vec![0.0, 0.0, 0.5, 0.5, 1.0];
    let solution = Problem::new(&decay, (0.0, 1.0), 1.0)
        .with_times(times.clone())
        .solve(Method::Tsit5, &within(1e-8).into())
        .unwrap();
    assert_eq!(solution.states.len(), times.len());
    for (t, y) in times.iter().zip(&solution.states) {
        assert!((y - (-t).exp()).abs() < 1e-7, "at {t}: {y}");
    }
}

#[test]
fn problems_solved_backward_return_to_their_start() {
    // The others decay or collapse onto a limit cycle: backward they are ill-conditioned.
    let decaying = ["exp_decay", "A1", "B1", "B2", "B3", "van_der_pol"];
    let reversible = |p: &Reference| !decaying.contains(&p.name.as_str());
    for problem in all().iter().filter(|p| reversible(p)) {
        let span = (problem.t1, problem.t0);
        let mut times = problem.times.clone();
        times.reverse();
        let solution = Problem::new(problem, span, problem.answer.clone())
            .with_times(times)
            .solve(Method::Tsit5, &within(1e-6).into())
            .unwrap();
        let error = distance(&solution.y, &problem.y0);
        assert!(error < 1e-3, "{}: {error:e}", problem.name);
        for (y, exact) in solution.states.iter().rev().zip(&problem.at_times) {
            assert!(distance(y, exact) < 1e-2, "{}", problem.name);
        }
    }
}

#[test]
fn a_fixed_grid_ends_exactly_on_the_end() {
    let times = std::cell::RefCell::new(Vec::new());
    let growth = |_t: f64, y: &f64| *y;
    let end = Problem::new(&growth, (0.0, 5.9), 1.0)
        .with_observer(|step| times.borrow_mut().push(step.t))
        .solve(Method::Rk4, &Stepping::Size(1e-4))
        .unwrap();
    assert_eq!((end.t, times.borrow().len()), (5.9, 59000));
    assert_eq!(times.borrow().last(), Some(&5.9));
}

#[test]
fn naming_a_jump_saves_evaluations_and_error() {
    let field = |t: f64, y: &[f64; 2]| {
        if t < 0.5 { y.map(|y| -0.5 * y) } else { y.map(|y| y * y) }
    };
    let exact = [1.2754688543449046, 7.041623328375599];
    let run = |adaptive: Adaptive| {
        solve(&field, (0.0, 1.0), [1.0, 2.0], Method::Dopri5, &adaptive.into()).unwrap()
    };
    let blind = run(within(1e-6));
    let told = run(within(1e-6).with_jumps(vec![0.5]));
    assert!(told.stats.evals < blind.stats.evals, "{:?} {:?}", told.stats, blind.stats);
    assert!(distance(&told.y, &exact) < 1e-4, "{:?}", told.y);
}

#[test]
fn a_jump_is_seen_from_the_side_of_each_step() {
    // y' = 0 before t = 1/2 and 1 after it, so the answer is 1/2 exactly if no stage of the first
    // part sees the second; the same backward in time.
    let switch = |t: f64, _: &f64| if t < 0.5 { 0.0 } else { 1.0 };
    for span in [(0.0, 1.0), (1.0, 0.0)] {
        let adaptive = within(1e-6).with_jumps(vec![0.5, 0.5]).into();
        let end = solve(&switch, span, 0.0, Method::Dopri5, &adaptive).unwrap();
        assert!((end.y.abs() - 0.5).abs() < 1e-14, "{}", end.y);
        assert_eq!(end.stats.rejected, 0);
    }
}
