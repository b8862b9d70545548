//! Cost and accuracy on 22 problems, next to torchdiffeq's `dopri5`.
#![allow(
    clippy::float_cmp,
    clippy::unwrap_used,
    reason = "tests claim equality to the last bit and stop at the first failure"
)]

mod common;

use std::cell::Cell;

use common::{Reference, all, distance, within};
use flow_ode::{ErrorWeights, Method, Problem, Solution, Stepping, VectorField, solve};

const TOLERANCES: [&str; 3] = ["0.001", "1e-05", "1e-07"];

fn adaptive_methods() -> impl Iterator<Item = Method> {
    Method::ALL.iter().copied().filter(|method| method.is_adaptive())
}

fn at(tol: &str) -> flow_ode::Adaptive {
    within(tol.parse().unwrap())
}

fn run(problem: &Reference, method: Method, tol: &str) -> Solution<Vec<f64>> {
    solve(problem, problem.span(), problem.y0.clone(), method, &at(tol).into()).unwrap()
}

/// Evaluations over all problems and the geometric mean of their errors, as a power of ten.
fn total(method: Method, tol: &str) -> (usize, f64) {
    let outcomes = all().into_iter().map(|problem| {
        let end = run(&problem, method, tol);
        (end.stats.evals, distance(&end.y, &problem.answer).log10())
    });
    let outcomes: Vec<_> = outcomes.collect();
    let evals = outcomes.iter().map(|(evals, _)| evals).sum();
    (evals, outcomes.iter().map(|(_, log)| log).sum::<f64>() / outcomes.len() as f64)
}

fn torchdiffeq(tol: &str) -> (usize, f64) {
    let problems = all();
    let runs: Vec<_> = problems.iter().map(|problem| &problem.torchdiffeq[tol]).collect();
    let evals = runs.iter().map(|run| run.evals).sum();
    (evals, runs.iter().map(|run| run.error.log10()).sum::<f64>() / runs.len() as f64)
}

#[test]
fn dopri5_takes_no_more_evaluations_in_all_than_torchdiffeq() {
    for tol in TOLERANCES {
        let ((ours, _), (theirs, _)) = (total(Method::Dopri5, tol), torchdiffeq(tol));
        assert!(ours <= theirs, "at {tol}: {ours} evaluations against {theirs}");
    }
}

#[test]
fn dopri5_takes_at_most_one_step_more_than_torchdiffeq_on_any_problem() {
    for tol in TOLERANCES {
        for problem in all() {
            let ours = run(&problem, Method::Dopri5, tol).stats.evals;
            let theirs = problem.torchdiffeq[tol].evals;
            assert!(ours <= theirs + 6, "{} at {tol}: {ours} against {theirs}", problem.name);
        }
    }
}

#[test]
fn dopri5_errs_no_more_on_average_than_torchdiffeq() {
    // Over all problems. At 1e-3 a share of them can come out otherwise, because single lucky
    // errors carry the mean, such as torchdiffeq's 3e-6 on the logistic curve, a twentieth of what
    // neighbouring settings find there.
    for tol in TOLERANCES {
        let ((_, ours), (_, theirs)) = (total(Method::Dopri5, tol), torchdiffeq(tol));
        assert!(ours <= theirs, "at {tol}: 10^{ours:.3} against 10^{theirs:.3}");
    }
}

#[test]
fn tsit5_beats_torchdiffeqs_dopri5_in_evaluations_and_error() {
    for tol in TOLERANCES {
        let (evals, error) = total(Method::Tsit5, tol);
        let (their_evals, their_error) = torchdiffeq(tol);
        assert!(evals <= their_evals, "at {tol}: {evals} evaluations against {their_evals}");
        assert!(error < their_error, "at {tol}: 10^{error:.3} against 10^{their_error:.3}");
    }
}

#[test]
fn dop853_beats_both_at_a_tight_tolerance() {
    let ((evals, error), (their_evals, their_error)) =
        (total(Method::Dop853, "1e-07"), torchdiffeq("1e-07"));
    // A fifth fewer evaluations for a tenth of the error.
    assert!(5 * evals < 4 * their_evals, "{evals} against {their_evals}");
    assert!(error < their_error - 1.0, "10^{error:.3} against 10^{their_error:.3}");
}

#[test]
fn weights_of_hairer_cost_more_and_err_less_than_those_of_shampine() {
    let run = |weights| {
        let outcomes = all().into_iter().map(|problem| {
            let adaptive = within(1e-5).with_error_weights(weights).into();
            let y0 = problem.y0.clone();
            let end = solve(&problem, problem.span(), y0, Method::Dopri5, &adaptive).unwrap();
            (end.stats.evals, distance(&end.y, &problem.answer).log10())
        });
        outcomes.fold((0, 0.0), |(n, log), (evals, error)| (n + evals, log + error))
    };
    let (hairer, shampine) = (run(ErrorWeights::Hairer), run(ErrorWeights::Shampine));
    assert!(hairer.0 > shampine.0 && hairer.1 < shampine.1, "{hairer:?} {shampine:?}");
}

#[test]
fn field_is_never_evaluated_outside_the_span() {
    for problem in all() {
        for method in adaptive_methods() {
            let (low, high) = (Cell::new(f64::INFINITY), Cell::new(f64::NEG_INFINITY));
            let watched = |t: f64, y: &Vec<f64>| {
                low.set(low.get().min(t));
                high.set(high.get().max(t));
                problem.eval(t, y)
            };
            let (y0, adaptive) = (problem.y0.clone(), within(1e-3).into());
            solve(&watched, problem.span(), y0, method, &adaptive).unwrap();
            let name = &problem.name;
            assert_eq!(low.get(), problem.t0, "{name} by {method}");
            assert!(high.get() <= problem.t1, "{name} by {method}: {}", high.get());
        }
    }
}

#[test]
fn reported_evaluations_are_those_that_the_field_saw() {
    for problem in all() {
        for method in Method::ALL {
            let grid = Stepping::Count(2000);
            let adaptive = method.is_adaptive().then(|| within(1e-3).into());
            for stepping in adaptive.into_iter().chain([grid]) {
                let calls = Cell::new(0);
                let counted = |t: f64, y: &Vec<f64>| {
                    calls.set(calls.get() + 1);
                    problem.eval(t, y)
                };
                let solution = Problem::new(&counted, problem.span(), problem.y0.clone())
                    .with_times(problem.times.clone())
                    .with_dense()
                    .solve(*method, &stepping)
                    .unwrap();
                assert_eq!(solution.stats.evals, calls.get(), "{} by {method}", problem.name);
            }
        }
    }
}

#[test]
fn evaluations_are_the_start_plus_a_fixed_number_for_each_attempt() {
    for problem in all() {
        for (method, each) in [(Method::Dopri5, 6), (Method::Tsit5, 6), (Method::Dop853, 12)] {
            let name = format!("{} by {method}", problem.name);
            let stats = run(&problem, method, "1e-05").stats;
            assert_eq!(stats.evals, 2 + each * (stats.accepted + stats.rejected), "{name}");

            let first = at("1e-05").with_first_step(1e-3).into();
            let y0 = problem.y0.clone();
            let stats = solve(&problem, problem.span(), y0, method, &first).unwrap().stats;
            assert_eq!(stats.evals, 1 + each * (stats.accepted + stats.rejected), "{name}");
        }
        let solution = Problem::new(&problem, problem.span(), problem.y0.clone())
            .with_dense()
            .solve(Method::Dop853, &within(1e-5).into());
        let stats = solution.unwrap().stats;
        let expected = 2 + 12 * (stats.accepted + stats.rejected) + 3 * stats.accepted;
        assert_eq!(stats.evals, expected, "{} by dop853, dense", problem.name);
    }
}

#[test]
fn asking_for_times_changes_neither_the_cost_nor_the_end() {
    for problem in all() {
        for method in [Method::Bosh3, Method::Dopri5, Method::Tsit5] {
            let plain = run(&problem, method, "1e-05");
            let (t0, t1) = problem.span();
            let times = (0..=1000).map(|i| t0 + (t1 - t0) * f64::from(i) / 1000.0).collect();
            let asked = Problem::new(&problem, problem.span(), problem.y0.clone())
                .with_times(times)
                .solve(method, &within(1e-5).into())
                .unwrap();
            assert_eq!(asked.stats, plain.stats, "{} by {method}", problem.name);
            assert_eq!(asked.y, plain.y, "{} by {method}", problem.name);
            assert_eq!(asked.states.last(), Some(&plain.y), "{} by {method}", problem.name);
        }
    }
}

#[test]
fn asking_for_times_costs_the_other_methods_what_the_documentation_says() {
    for problem in all() {
        let asked = |method| {
            let solution = Problem::new(&problem, problem.span(), problem.y0.clone())
                .with_times(problem.times.clone())
                .solve(method, &within(1e-5).into());
            solution.unwrap()
        };
        for method in [Method::Heun2, Method::Fehlberg45, Method::CashKarp] {
            let (plain, asked) = (run(&problem, method, "1e-05"), asked(method));
            assert!(asked.stats.evals <= plain.stats.evals + 1, "{} by {method}", problem.name);
            assert_eq!(asked.y, plain.y, "{} by {method}", problem.name);
        }
        let (plain, asked) = (run(&problem, Method::Dop853, "1e-05"), asked(Method::Dop853));
        let extra = 3 * problem.times.len();
        assert!(asked.stats.evals <= plain.stats.evals + extra, "{} by dop853", problem.name);
        assert_eq!(asked.y, plain.y, "{} by dop853", problem.name);
    }
}

#[test]
fn values_in_between_are_about_as_good_as_the_end() {
    for (problem, tol) in all().iter().flat_map(|p| TOLERANCES.map(|tol| (p.clone(), tol))) {
        for method in [Method::Dopri5, Method::Tsit5, Method::Dop853] {
            let solution = Problem::new(&problem, problem.span(), problem.y0.clone())
                .with_times(problem.times.clone())
                .solve(method, &at(tol).into())
                .unwrap();
            let inside = solution.states.iter().zip(&problem.at_times);
            let inside = inside.map(|(y, exact)| distance(y, exact)).fold(0.0, f64::max);
            // The bound on the end error is that of torchdiffeq at this tolerance, at least the
            // tolerance itself: decaying solutions end far more accurate than they travel.
            let bound = problem.torchdiffeq[tol].error.max(tol.parse().unwrap());
            // Of the free interpolants that of dopri5 is the first to fall behind its step as the
            // steps shrink, being of order 4 with a larger constant than tsit5's.
            let factor = if (method, tol) == (Method::Dopri5, "1e-07") { 25.0 } else { 10.0 };
            let name = &problem.name;
            assert!(inside <= factor * bound, "{name} by {method} at {tol}: {inside:e}");
        }
    }
}
