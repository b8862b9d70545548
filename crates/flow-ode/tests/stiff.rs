//! Stiff problems: named by explicit methods, solved by the implicit one.
#![allow(
    clippy::float_cmp,
    clippy::unwrap_used,
    reason = "tests claim equality to the last bit and stop at the first failure"
)]

mod common;

use std::cell::Cell;

use common::{all, distance, within};
use flow_ode::{
    Adaptive, HeldBy, Method, OdeError, Problem, Stepping, Tolerance, VectorField, WithJacobian,
    WithTolerance, solve, solve_rows,
};

/// Robertson's chemistry: three reactions whose rates are eleven powers of ten apart.
#[allow(clippy::trivially_copy_pass_by_ref, reason = "a field takes its state by reference")]
fn robertson(_: f64, [a, b, c]: &[f64; 3]) -> [f64; 3] {
    let (slow, fast, back) = (0.04 * a, 3e7 * b * b, 1e4 * b * c);
    [back - slow, slow - back - fast, fast]
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "a field takes its state by reference")]
fn jacobian_of_robertson(_: f64, [_, b, c]: &[f64; 3]) -> Vec<f64> {
    let (fast, of_b, of_c) = (6e7 * b, 1e4 * c, 1e4 * b);
    vec![-0.04, of_b, of_c, 0.04, -of_b - fast, -of_c, 0.0, fast, 0.0]
}

/// Times, and the answer there by scipy 1.17's Radau at rtol 1e-12 with the exact Jacobian; at
/// t = 40 it is that of the literature, (0.7158270688, 9.185534765e-6, 0.2841637457).
const ROBERTSON: [(f64, [f64; 3]); 5] = [
    (0.4, [0.9851721138609891, 3.386395378974926e-5, 0.014794022185220536]),
    (40.0, [0.7158270687193967, 9.185534764556682e-6, 0.28416374574583736]),
    (4e3, [0.18320225777669638, 8.942371252774917e-7, 0.8167968479861806]),
    (4e5, [0.004938274521052121, 1.9849940879835714e-8, 0.9950617056290091]),
    (4e10, [5.208345157895555e-8, 2.083338170364012e-13, 0.9999999479163421]),
];

/// Steps with a relative tolerance, and absolute ones that suit the sizes of the components.
fn relative(rtol: f64) -> Adaptive {
    Adaptive::new(Tolerance { atol: 1e-8, rtol }).with_atols(vec![1e-14, 1e-19, 1e-14])
}

#[test]
fn robertsons_chemistry_is_solved_over_eleven_powers_of_ten() {
    let solution = Problem::new(&robertson, (0.0, 4e10), [1.0, 0.0, 0.0])
        .with_times(ROBERTSON.map(|(t, _)| t).to_vec())
        .solve(Method::Rodas5p, &relative(1e-6).into())
        .unwrap();
    for (y, (t, exact)) in solution.states.iter().zip(ROBERTSON) {
        for (y, exact) in y.iter().zip(exact) {
            // A tolerance of 1e-6 in each of some 200 steps, most of whose errors decay.
            assert!((y / exact - 1.0).abs() < 2e-5, "at {t}: {y:e} is not {exact:e}");
        }
    }
    // scipy's Radau takes 4,151 evaluations with these tolerances.
    assert!(solution.stats.evals < 4151, "{:?}", solution.stats);
}

/// Van der Pol's oscillator, whose limit cycle jumps within 1 / mu.
fn van_der_pol(mu: f64) -> impl Fn(f64, &[f64; 2]) -> [f64; 2] {
    move |_, [x, v]| [*v, mu * (1.0 - x * x) * v - x]
}

#[test]
fn van_der_pols_oscillator_is_solved_through_its_jumps() {
    let field = van_der_pol(1000.0);
    let run = |tol: f64| {
        solve(&field, (0.0, 2000.0), [2.0, 0.0], Method::Rodas5p, &within(tol).into()).unwrap()
    };
    // By scipy's Radau at rtol 1e-12 with the exact Jacobian. The time of a jump, on which x
    // depends, adds up the errors of the slow parts before it. scipy's Radau takes 5,167
    // evaluations at 1e-6, for an error of 4e-7.
    let exact = [1.7061677321710529, -0.0008928097010241881];
    for (tol, bound, evals) in [(1e-6, 1e-4, 5_167), (1e-9, 1e-7, 20_000)] {
        let end = run(tol);
        let error = distance(&end.y, &exact);
        assert!(error < bound, "at {tol}: {error:e}");
        assert!(end.stats.evals < evals, "at {tol}: {:?}", end.stats);
    }
}

/// A fast decay onto a slow curve: Prothero and Robinson's problem.
fn onto_the_cosine(rate: f64) -> impl Fn(f64, &f64) -> f64 {
    move |t, y| -rate * (y - t.cos())
}

#[test]
fn a_fast_decay_onto_a_slow_curve_costs_no_more_for_being_faster() {
    let run = |rate: f64| {
        let field = onto_the_cosine(rate);
        solve(&field, (0.0, 1.0), 0.0, Method::Rodas5p, &within(1e-6).into()).unwrap()
    };
    for rate in [1e2, 1e4, 1e6, 1e9, 1e12] {
        let end = run(rate);
        // The curve that the solution follows is cos t + sin t / rate, up to 1 / rate^2.
        let error = (end.y - 1f64.cos() - 1f64.sin() / rate).abs();
        assert!(error < 1e-5 + 1.0 / (rate * rate), "at {rate:e}: {error:e}");
        assert!(end.stats.evals < 400, "at {rate:e}: {:?}", end.stats);
    }
}

/// The velocity of the probability flow from normal noise onto two narrow peaks at -1 and 1 on the
/// line, along `x_t = t x_1 + (1 - t) x_0`, in closed form.
fn onto_two_peaks(std: f64) -> impl Fn(f64, &Vec<f64>) -> Vec<f64> {
    move |t, x| {
        let noise = 1.0 - t;
        let variance = (t * std).powi(2) + noise * noise;
        let gain = (t * std * std - noise) / variance;
        let of = |x: f64| {
            let of_peak = |m: f64| m + gain * (x - t * m);
            // Odds of the peak at 1: exp(2 t x / variance).
            let share = 1.0 / (1.0 + (-2.0 * t * x / variance).exp());
            share * of_peak(1.0) + (1.0 - share) * of_peak(-1.0)
        };
        x.iter().map(|x| of(*x)).collect()
    }
}

#[test]
fn the_steep_end_of_a_diffusion_is_solved_within_the_tolerance() {
    // Toward t = 1 the field contracts at the rate 1 / (1 - t), which both kinds of method follow
    // with steps in proportion to 1 - t: steep, but not stiff.
    let starts = vec![-1.9, -0.7, 0.4, 1.3];
    for std in [1e-3, 1e-6] {
        let field = onto_two_peaks(std);
        let run = |method, tol| {
            solve(&field, (0.0, 1.0), starts.clone(), method, &within(tol).into()).unwrap()
        };
        let exact = run(Method::Dop853, 1e-11).y;
        for method in [Method::Rodas5p, Method::Dopri5] {
            let end = run(method, 1e-5);
            let error = distance(&end.y, &exact);
            // Errors grow some fifty times where the paths part for one peak or the other.
            assert!(error < 1e-3, "std {std:e} by {method}: {error:e}");
            assert!(end.stats.accepted < 60, "std {std:e} by {method}: {:?}", end.stats);
        }
    }
}

/// The score of two ridges side by side, `N((-1, 0), diag(1, std^2))` and `N((1, 0), ...)`, turned
/// by 30 degrees. Along the ridges it is `tanh(x) - x`, across them `-y / std^2`.
fn along_the_score(std: f64) -> impl Fn(f64, &[f64; 2]) -> [f64; 2] {
    let (sin, cos) = (std::f64::consts::PI / 6.0).sin_cos();
    move |_, [a, b]| {
        let (x, y) = (cos * a + sin * b, cos * b - sin * a);
        let (dx, dy) = (x.tanh() - x, -y / (std * std));
        [cos * dx - sin * dy, sin * dx + cos * dy]
    }
}

#[test]
fn a_flow_along_the_score_of_a_narrow_mixture_is_stiff_and_solved() {
    // At noise near zero the score pulls onto the data at the rate 1 / std^2, while the flow moves
    // along them at a rate of order 1.
    let along = |_: f64, x: &f64| x.tanh() - x;
    let (sin, cos) = (std::f64::consts::PI / 6.0).sin_cos();
    let start = [0.3, 1.2];
    let x0 = cos * start[0] + sin * start[1];
    let x1 = solve(&along, (0.0, 2.0), x0, Method::Dop853, &within(1e-12).into()).unwrap().y;
    for std in [1e-2, 1e-4] {
        let field = along_the_score(std);
        let run = |method, limit: usize| {
            let adaptive = within(1e-6).with_max_steps(limit).into();
            solve(&field, (0.0, 2.0), start, method, &adaptive)
        };
        let end = run(Method::Rodas5p, 100).unwrap();
        let error = distance(&end.y, &[cos * x1, sin * x1]);
        assert!(error < 1e-5, "std {std:e}: {error:e}");
        let error = run(Method::Dopri5, 5000).unwrap_err();
        assert!(error.to_string().contains("stiff"), "std {std:e}: {error}");
    }
}

#[test]
fn the_equation_of_heat_takes_fewer_evaluations_than_by_an_explicit_method() {
    // u_t = u_xx on 40 points between walls at zero: rates from 10 to 4 * 41^2. The first mode
    // decays by exp(-t * 4 * 41^2 sin^2(pi / 82)).
    const N: usize = 40;
    let cells = (N + 1) as f64;
    let heat = |_: f64, u: &[f64; N]| -> [f64; N] {
        let at = |i: usize| if (1..=N).contains(&i) { u[i - 1] } else { 0.0 };
        std::array::from_fn(|i| cells * cells * (at(i) - 2.0 * at(i + 1) + at(i + 2)))
    };
    let mode = |k: f64, i: usize| (k * std::f64::consts::PI * (i + 1) as f64 / cells).sin();
    let start: [f64; N] = std::array::from_fn(|i| mode(1.0, i) + mode(23.0, i));
    let rate = 4.0 * cells * cells * (std::f64::consts::PI / (2.0 * cells)).sin().powi(2);
    let t1 = 1.0;
    let exact: [f64; N] = std::array::from_fn(|i| (-rate * t1).exp() * mode(1.0, i));
    let run = |method| solve(&heat, (0.0, t1), start, method, &within(1e-6).into()).unwrap();
    let (implicit, explicit) = (run(Method::Rodas5p), run(Method::Dopri5));
    for end in [&implicit, &explicit] {
        assert!(distance(&end.y, &exact) < 1e-5, "{:e}", distance(&end.y, &exact));
    }
    // Each Jacobian by differences takes 40 evaluations, and yet.
    let (ours, theirs) = (implicit.stats.evals, explicit.stats.evals);
    assert!(2 * ours < theirs, "{ours} against {theirs}");
}

#[test]
fn a_decay_of_any_rate_dies_out_in_one_long_step() {
    // L-stability: the factor of a step goes to 0 as h lambda goes to minus infinity.
    for rate in [1e3, 1e6, 1e12] {
        let end =
            solve(&|_, y: &f64| -rate * y, (0.0, 1.0), 1.0, Method::Rodas5p, &Stepping::Count(1));
        assert!(end.unwrap().y.abs() < 20.0 / rate, "{rate:e}");
    }
}

#[test]
fn a_jacobian_that_is_given_saves_the_evaluations_of_the_differences() {
    let start = [1.0, 0.0, 0.0];
    let given = WithJacobian::new(robertson, jacobian_of_robertson);
    let run = |with: bool| {
        let stepping = relative(1e-6).into();
        let solved = if with {
            solve(&given, (0.0, 40.0), start, Method::Rodas5p, &stepping)
        } else {
            solve(&robertson, (0.0, 40.0), start, Method::Rodas5p, &stepping)
        };
        solved.unwrap()
    };
    let (by_hand, by_differences) = (run(true), run(false));
    // Differences keep half the digits.
    let apart = distance(&by_hand.y, &by_differences.y);
    assert!(apart < 1e-6, "{apart:e}");
    let (a, b) = (by_hand.stats, by_differences.stats);
    assert!(a.evals + 2 * b.jacobians < b.evals, "{a:?} {b:?}");
}

#[test]
fn work_is_counted_in_evaluations_jacobians_and_factorizations() {
    let calls = Cell::new(0);
    let counted = |t: f64, y: &[f64; 3]| {
        calls.set(calls.get() + 1);
        robertson(t, y)
    };
    let start = [1.0, 0.0, 0.0];
    let stats = solve(&counted, (0.0, 40.0), start, Method::Rodas5p, &relative(1e-5).into());
    let stats = stats.unwrap().stats;
    let attempts = stats.accepted + stats.rejected;
    assert_eq!((stats.jacobians, stats.factorizations), (stats.accepted, attempts));
    // Two to find the first step; seven stages an attempt; in each step three for the Jacobian, one
    // for the derivative in time and, but for the first, one for the slope at its start.
    assert_eq!(stats.evals, 2 + 7 * attempts + 5 * stats.accepted - 1);
    assert_eq!(stats.evals, calls.get());
    let explicit = solve(&robertson, (0.0, 1e-3), start, Method::Dopri5, &within(1e-3).into());
    let explicit = explicit.unwrap().stats;
    assert_eq!((explicit.jacobians, explicit.factorizations), (0, 0));
}

#[test]
fn sizes_of_the_numbers_do_not_matter_to_the_differences() {
    // The same reaction y' = -k y^2 in units from 1e-12 to 1e12, of which the slow end is exact:
    // y = y0 / (1 + k y0 t).
    for unit in [1e-12, 1.0, 1e12] {
        let field = |_: f64, y: &f64| -1e6 * y * y / unit;
        let tol = Tolerance { atol: 1e-12 * unit, rtol: 1e-6 };
        let end = solve(&field, (0.0, 1.0), unit, Method::Rodas5p, &Adaptive::new(tol).into());
        let end = end.unwrap();
        let exact = unit / (1.0 + 1e6);
        assert!((end.y / exact - 1.0).abs() < 1e-4, "{unit:e}: {:e}", end.y);
        assert!(end.stats.accepted < 200, "{unit:e}: {:?}", end.stats);
    }
}

#[test]
fn parts_of_a_state_keep_their_tolerances() {
    // A decay beside its time integral, the latter left out of the step control.
    type Pair = ([f64; 1], WithTolerance<f64>);
    let field =
        |t: f64, ([y], _): &Pair| ([onto_the_cosine(1e4)(t, y)], WithTolerance::unmonitored(*y));
    let start: Pair = ([0.0], WithTolerance::unmonitored(0.0));
    let end = solve(&field, (0.0, 1.0), start, Method::Rodas5p, &within(1e-8).into()).unwrap();
    // y = cos t + sin t / rate - exp(-rate t), up to 1 / rate^2; the integral up to t = 1 is
    // sin 1 + (1 - cos 1) / rate - 1 / rate.
    let exact = 1f64.sin() - 1e-4 * 1f64.cos();
    assert!((end.y.1.state - exact).abs() < 1e-7, "{}", end.y.1.state);
}

#[test]
fn a_singular_system_is_named_on_a_fixed_grid_and_stepped_around_otherwise() {
    // I / gamma - h J is zero for this rate and a step of 1.
    let rate = 1.0 / flow_ode::tableau::RODAS5P.gamma;
    let growth =
        WithJacobian::new(move |_: f64, y: &f64| rate * y, move |_: f64, _: &f64| vec![rate]);
    let error = solve(&growth, (0.0, 1.0), 1.0, Method::Rodas5p, &Stepping::Count(1)).unwrap_err();
    assert_eq!(error, OdeError::Singular { t: 0.0, h: 1.0, y: 1.0 });
    assert!(error.to_string().starts_with("the linear system of the step between t = 0 and t = 1"));
    let adaptive = within(1e-6).with_first_step(1.0).into();
    let end = solve(&growth, (0.0, 1.0), 1.0, Method::Rodas5p, &adaptive).unwrap();
    assert!((end.y / rate.exp() - 1.0).abs() < 1e-4, "{}", end.y);
}

#[test]
fn states_that_the_implicit_method_cannot_take_are_refused_before_the_first_evaluation() {
    let never = |_: f64, _: &Vec<f64>| -> Vec<f64> { panic!("nothing to evaluate") };
    let large = solve(&never, (0.0, 1.0), vec![1.0; 9000], Method::Rodas5p, &Stepping::Count(1));
    let said = large.unwrap_err().to_string();
    assert!(said.starts_with("rodas5p solves dense linear systems of at most 8192"), "{said}");

    let never = |_: &[f64], _: &Vec<[f64; 1]>| -> Vec<[f64; 1]> { panic!("nothing to evaluate") };
    let rows = solve_rows(&never, (0.0, 1.0), vec![[1.0]], Method::Rodas5p, &within(1e-6));
    assert_eq!(rows.unwrap_err(), OdeError::NotByRow { method: Method::Rodas5p });
}

fn explicit_methods() -> impl Iterator<Item = Method> {
    Method::ALL.iter().copied().filter(|method| method.is_adaptive() && !method.is_implicit())
}

#[test]
fn explicit_methods_name_a_stiff_problem() {
    for method in explicit_methods() {
        for limit in [300, 1000, 3000] {
            let adaptive = within(1e-5).with_max_steps(limit).into();
            let field = onto_the_cosine(1e6);
            let error = solve(&field, (0.0, 1.0), 1.0, method, &adaptive).unwrap_err();
            let said = error.to_string();
            assert!(said.contains("stiff") && said.contains("rodas5p"), "{method}: {said}");
            assert!(!said.contains("looser"), "{method}: {said}");
            let OdeError::StepLimit { held_by: HeldBy::Stability { h_lambda, edge }, .. } = error
            else {
                panic!("{method}: {said}")
            };
            assert!(h_lambda < 5.0 * edge, "{method}: {h_lambda} against {edge}");
        }
    }
    let field = van_der_pol(1000.0);
    let adaptive = within(1e-6).with_max_steps(10_000).into();
    let error = solve(&field, (0.0, 2000.0), [2.0, 0.0], Method::Dopri5, &adaptive).unwrap_err();
    assert!(error.to_string().contains("stiff"), "{error}");
    // So stiff that the steps fall below the resolution of time.
    let field = onto_the_cosine(1e20);
    let error = solve(&field, (1.0, 2.0), 1.0, Method::Dopri5, &within(1e-6).into()).unwrap_err();
    assert!(matches!(error, OdeError::StepUnderflow { .. }), "{error}");
    assert!(error.to_string().contains("stiff"), "{error}");
}

#[test]
fn rows_name_a_stiff_problem_and_the_row() {
    let field = |t: &[f64], y: &Vec<[f64; 1]>| -> Vec<[f64; 1]> {
        let rates = [1.0, 1e6, 2.0];
        let rows = t.iter().zip(y).zip(rates);
        rows.map(|((t, [y]), rate)| [onto_the_cosine(rate)(*t, y)]).collect()
    };
    let adaptive = within(1e-5).with_max_steps(1000);
    let error = solve_rows(&field, (0.0, 1.0), vec![[0.0]; 3], Method::Tsit5, &adaptive);
    let error = error.unwrap_err();
    assert_eq!(error.row(), Some(1));
    let said = error.to_string();
    assert!(said.contains("in row 1") && said.contains("stiff"), "{said}");
}

#[test]
fn problems_that_are_not_stiff_are_not_called_so() {
    let growth = |_: f64, y: &f64| *y;
    let adaptive = within(1e-9).with_max_steps(3).into();
    let error = solve(&growth, (0.0, 9.0), 1.0, Method::Dopri5, &adaptive).unwrap_err();
    assert!(!error.to_string().contains("stiff"), "{error}");
    for problem in all() {
        for method in explicit_methods() {
            // Tight enough that no solution falls below it, where stability alone bounds a step.
            for limit in [2, 7, 20] {
                let adaptive = within(1e-9).with_max_steps(limit).into();
                let y0 = problem.y0.clone();
                let Err(error) = solve(&problem, problem.span(), y0, method, &adaptive) else {
                    continue;
                };
                let name = &problem.name;
                assert!(!error.to_string().contains("stiff"), "{name} by {method}: {error}");
            }
        }
    }
}

#[test]
fn explicit_and_implicit_methods_agree_on_problems_that_are_not_stiff() {
    for problem in all() {
        let run = |method| {
            let y0 = problem.y0.clone();
            solve(&problem, problem.span(), y0, method, &within(1e-7).into()).unwrap()
        };
        let error = distance(&run(Method::Rodas5p).y, &problem.answer);
        let theirs = problem.torchdiffeq["1e-07"].error;
        assert!(error < 20.0 * theirs.max(1e-7), "{}: {error:e} {theirs:e}", problem.name);
    }
}

#[test]
fn the_derivative_in_time_may_be_given() {
    struct Forced;
    impl VectorField<f64> for Forced {
        fn eval(&self, t: f64, y: &f64) -> f64 {
            -1e4 * (y - t.cos())
        }
        fn jacobian(&self, _: f64, _: &f64) -> Option<Vec<f64>> {
            Some(vec![-1e4])
        }
        fn time_derivative(&self, t: f64, _: &f64) -> Option<f64> {
            Some(-1e4 * t.sin())
        }
    }
    let end = solve(&Forced, (0.0, 1.0), 0.0, Method::Rodas5p, &Stepping::Count(50)).unwrap();
    // Nothing by differences: eight stages a step.
    assert_eq!(end.stats.evals, 50 * 8);
    assert!((end.y - 1f64.cos() - 1e-4 * 1f64.sin()).abs() < 1e-7, "{}", end.y);
}
