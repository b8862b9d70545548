//! Every error, brought about by a solve, and what it says.
#![allow(clippy::unwrap_used, reason = "tests stop at the first failure")]

mod common;

use common::within;
use flow_ode::{
    Adaptive, Controller, Method, OdeError, Problem, Stepping, Tolerance, UnknownMethod, solve,
    solve_rows,
};

#[allow(clippy::trivially_copy_pass_by_ref, reason = "a field takes its state by reference")]
fn decay(_: f64, y: &f64) -> f64 {
    -y
}

/// The error of a decay from 1 over the span.
fn refused(span: (f64, f64), method: Method, stepping: impl Into<Stepping>) -> OdeError<f64> {
    solve(&decay, span, 1.0, method, &stepping.into()).unwrap_err()
}

fn says(error: &OdeError<f64>, sentence: &str) {
    assert_eq!(error.to_string(), sentence);
}

#[test]
fn errors_under_way_say_where_and_keep_the_last_good_state() {
    let blow_up = |_: f64, y: &f64| y * y;
    let run = |adaptive: Adaptive| {
        solve(&blow_up, (0.0, 2.0), 1.0, Method::Dopri5, &adaptive.into()).unwrap_err()
    };
    let underflow = run(within(1e-5));
    let OdeError::StepUnderflow { t, h, y, .. } = underflow else { panic!("{underflow}") };
    assert!((t - 1.0).abs() < 1e-3 && h > 0.0 && h < 1e-14 && y > 1e3, "{t} {h} {y}");
    assert_eq!(underflow.last(), Some((t, &y)));
    says(
        &underflow,
        &format!(
            "no step from t = {t} meets the tolerance: {h:e} would be below the resolution of \
             time; try looser tolerances or stop before a singularity"
        ),
    );

    let limit = run(within(1e-5).with_max_steps(7));
    let OdeError::StepLimit { t, h, y, limit: 7, .. } = limit else { panic!("{limit}") };
    assert!((y - 1.0 / (1.0 - t)).abs() < 1e-4, "{t} {y}");
    assert_eq!(limit.last(), Some((t, &y)));
    says(
        &limit,
        &format!(
            "7 steps reached only t = {t}, the next would be {h:e}; try looser tolerances or \
             allow more steps"
        ),
    );

    let wall = |t: f64, _: &f64| if t < 0.5 { 1.0 } else { f64::NAN };
    let error = solve(&wall, (0.0, 1.0), 0.0, Method::Dopri5, &within(1e-5).into()).unwrap_err();
    let OdeError::NonFinite { t, y, .. } = error else { panic!("{error}") };
    assert!((t - 0.5).abs() < 1e-12 && (y - t).abs() < 1e-12, "{t} {y}");
    says(
        &error,
        &format!(
            "the state or the field is not finite at t = {t}; check the field there and the \
             numbers that it is made of; on a fixed grid, smaller steps may help"
        ),
    );
}

#[test]
fn bad_tolerances_are_refused() {
    for (atol, rtol) in [
        (-1.0, 1e-3),
        (1e-3, -1.0),
        (0.0, 0.0),
        (f64::NAN, 1e-3),
        (1e-3, f64::NAN),
        (f64::INFINITY, 0.0),
        (0.0, f64::INFINITY),
    ] {
        says(
            &refused((0.0, 1.0), Method::Dopri5, Adaptive::new(Tolerance { atol, rtol })),
            &format!(
                "tolerances atol = {atol}, rtol = {rtol} cannot be met; both must be finite and \
                 at least 0, and one of them positive"
            ),
        );
    }
}

#[test]
fn bad_spans_are_refused() {
    for (t0, t1) in [(0.0, f64::NAN), (f64::INFINITY, 1.0), (-f64::MAX, f64::MAX)] {
        for stepping in [Stepping::Count(3), within(1e-3).into()] {
            says(
                &refused((t0, t1), Method::Dopri5, stepping),
                &format!("the time span from {t0} to {t1} is not finite"),
            );
        }
        let field = |_: &[f64], y: &Vec<[f64; 1]>| y.clone();
        let rows = solve_rows(&field, (t0, t1), vec![[1.0]], Method::Dopri5, &within(1e-3));
        assert!(matches!(rows, Err(OdeError::BadSpan { .. })));
    }
}

#[test]
fn bad_settings_are_refused_by_name() {
    let controller =
        |controller: Controller| Stepping::from(within(1e-3).with_controller(controller));
    let integral = Controller::integral;
    let cases = [
        (
            Stepping::Count(0),
            "`Stepping::Count` is 0; a span takes at least one step and at most 4294967295",
        ),
        (
            Stepping::Size(-0.1),
            "`Stepping::Size` is -0.1; a step size is positive and finite, also backward in time",
        ),
        (
            Stepping::Size(1e-10),
            "`Stepping::Size` is 0.0000000001; the span would take more than 4294967295 steps of \
             this size",
        ),
        (controller(integral().with_safety(1.0)), "`safety` is 1; it lies between 0 and 1"),
        (
            controller(integral().with_factors(0.0, 10.0)),
            "`min_factor` is 0; it lies between 0 and 1",
        ),
        (controller(integral().with_factors(0.2, 0.9)), "`max_factor` is 0.9; it is at least 1"),
        (controller(Controller::pi(f64::NAN, 1.0)), "`proportional` is NaN; it is finite"),
        (controller(Controller::pid(0.0, f64::INFINITY, 0.0)), "`integral` is inf; it is finite"),
        (controller(Controller::pid(0.0, 1.0, f64::NAN)), "`derivative` is NaN; it is finite"),
        (within(1e-3).with_first_step(0.0).into(), "`first_step` is 0; it is positive and finite"),
        (within(1e-3).with_max_step(f64::NAN).into(), "`max_step` is NaN; it is positive"),
    ];
    for (stepping, sentence) in cases {
        says(&refused((0.0, 1.0), Method::Dopri5, stepping), sentence);
    }
}

#[test]
fn bad_times_are_refused_by_place() {
    let output = |times: &[f64]| {
        let problem = Problem::new(&decay, (0.0, 1.0), 1.0).with_times(times.to_vec());
        problem.solve(Method::Dopri5, &Stepping::Count(3)).unwrap_err()
    };
    says(
        &output(&[0.5, 1.5]),
        "time 1 of the output times is 1.5, which lies outside the span of the problem",
    );
    says(&output(&[f64::NAN]), "time 0 of the output times is NaN, which is not finite");
    says(
        &output(&[0.5, 0.25]),
        "time 1 of the output times is 0.25, which does not follow the time before it",
    );
    let grid = |times: &[f64]| refused((0.0, 1.0), Method::Rk4, Stepping::Grid(times.to_vec()));
    says(
        &grid(&[]),
        "`Stepping::Grid` is 0; that many times make no grid, it takes both ends of the span",
    );
    says(&grid(&[0.1, 1.0]), "time 0 of the grid is 0.1, which is not the start of the span");
    says(&grid(&[0.0, 0.9]), "time 1 of the grid is 0.9, which is not the end of the span");
    says(
        &refused((0.0, 1.0), Method::Dopri5, within(1e-3).with_jumps(vec![0.7, 0.2])),
        "time 1 of the jumps is 0.2, which does not follow the time before it",
    );
}

#[test]
fn methods_that_cannot_adapt_and_names_that_are_none_are_refused() {
    for method in Method::ALL.iter().filter(|method| !method.is_adaptive()) {
        says(
            &refused((0.0, 1.0), *method, within(1e-3)),
            &format!(
                "{method} has no error estimate to choose steps by; try dopri5, tsit5 or a fixed \
                 grid"
            ),
        );
    }
    let unknown = "rk5".parse::<Method>().unwrap_err();
    assert_eq!(unknown, UnknownMethod { name: "rk5".to_owned() });
    assert!(unknown.to_string().starts_with("unknown method `rk5`; try one of euler, midpoint"));
}
