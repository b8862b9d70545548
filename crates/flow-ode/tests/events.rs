//! Events with known times.
#![allow(
    clippy::float_cmp,
    clippy::unwrap_used,
    reason = "tests claim equality to the last bit and stop at the first failure"
)]

mod common;

use std::f64::consts::PI;

use common::within;
use flow_ode::{Event, Method, Problem, Solution, Stepping, VectorField};

const TIGHT: f64 = 1e-10;

fn first_event<F: VectorField<Vec<f64>>>(
    field: F,
    end: f64,
    y0: &[f64],
    event: Event<'_, Vec<f64>>,
) -> Solution<Vec<f64>> {
    Problem::new(&field, (0.0, end), y0.to_vec())
        .with_event(event.terminal())
        .solve(Method::Dopri5, &within(TIGHT).into())
        .unwrap()
}

#[allow(clippy::ptr_arg, reason = "the state is the vector, not a slice of it")]
fn oscillator(_: f64, y: &Vec<f64>) -> Vec<f64> {
    vec![y[1], -9.0 * y[0]]
}

#[test]
fn events_with_a_closed_form_are_found_at_their_times() {
    let height = |level: f64| Event::new(move |_, y: &Vec<f64>| y[0] - level);
    let decay = |_: f64, y: &Vec<f64>| vec![-y[0]];
    let logistic = |_: f64, y: &Vec<f64>| vec![y[0] * (1.0 - y[0])];
    let cubic = |_: f64, y: &Vec<f64>| vec![-0.5 * y[0].powi(3)];
    let fall = |_: f64, y: &Vec<f64>| vec![y[1], -9.81];
    let cases = [
        (
            "falling zero",
            first_event(oscillator, 10.0, &[1.0, 0.0], height(0.0).falling()),
            PI / 6.0,
        ),
        ("rising zero", first_event(oscillator, 10.0, &[1.0, 0.0], height(0.0).rising()), PI / 2.0),
        ("half life", first_event(decay, 10.0, &[1.0], height(0.5)), 2f64.ln()),
        ("half capacity", first_event(logistic, 10.0, &[0.01], height(0.5)), 99f64.ln()),
        ("half of A2", first_event(cubic, 20.0, &[1.0], height(0.5)), 3.0),
        (
            "ground",
            first_event(fall, 9.0, &[10.0, 0.0], height(0.0).falling()),
            (20.0 / 9.81f64).sqrt(),
        ),
    ];
    for (name, solution, t) in cases {
        // The interpolant is of order 4 in steps chosen for order 5 at 1e-10: some 1e-8.
        assert!((solution.t - t).abs() < 1e-7, "{name}: {} is not {t}", solution.t);
        assert_eq!(solution.events.len(), 1, "{name}");
        assert_eq!(solution.events[0].y, solution.y, "{name}");
    }
}

#[test]
fn an_event_that_never_comes_is_not_reported() {
    let decay = |_: f64, y: &Vec<f64>| vec![-y[0]];
    let below = Event::new(|_, y: &Vec<f64>| y[0] + 1.0);
    let solution = first_event(decay, 10.0, &[1.0], below);
    assert_eq!((solution.t, solution.events.len()), (10.0, 0));
}

#[test]
fn an_event_that_is_zero_at_the_start_waits_for_its_next_crossing() {
    let zero = Event::new(|_, y: &Vec<f64>| y[1]);
    let solution = first_event(oscillator, 10.0, &[1.0, 0.0], zero);
    assert!((solution.t - PI / 3.0).abs() < 1e-7, "{}", solution.t);
}

#[test]
fn events_that_do_not_stop_are_listed_in_order_of_time() {
    let solution = Problem::new(&oscillator, (0.0, 10.0), vec![1.0, 0.0])
        .with_event(Event::new(|_, y: &Vec<f64>| y[0]))
        .with_event(Event::new(|_, y: &Vec<f64>| y[1]).rising())
        .solve(Method::Tsit5, &within(TIGHT).into())
        .unwrap();
    assert_eq!(solution.t, 10.0);
    assert!(solution.events.windows(2).all(|pair| pair[0].t <= pair[1].t));
    // cos 3t has 10 zeros in [0, 10]; its slope rises through zero where 3t = pi, 3 pi, ..., 9 pi.
    let of = |event| solution.events.iter().filter(move |e| e.event == event).count();
    assert_eq!((of(0), of(1)), (10, 5));
}

#[test]
fn direction_is_that_of_the_integration_when_time_runs_backward() {
    // From t = 0 backward, cos 3t falls first.
    let solution = Problem::new(&oscillator, (0.0, -10.0), vec![1.0, 0.0])
        .with_event(Event::new(|_, y: &Vec<f64>| y[0]).falling().terminal())
        .solve(Method::Dopri5, &within(TIGHT).into())
        .unwrap();
    assert!((solution.t + PI / 6.0).abs() < 1e-7, "{}", solution.t);
}

#[test]
fn every_method_finds_events_on_a_fixed_grid_too() {
    for method in Method::ALL {
        let solution = Problem::new(&oscillator, (0.0, 2.0), vec![1.0, 0.0])
            .with_event(Event::new(|_, y: &Vec<f64>| y[0]).terminal())
            .solve(*method, &Stepping::Count(2000))
            .unwrap();
        // Euler with h = 1e-3 turns by about h^2 w^3 / 3 less in each step: 1e-3 in time at most.
        let error = (solution.t - PI / 6.0).abs();
        assert!(error < 2e-3, "{method}: {error:e}");
    }
}

#[test]
fn a_terminal_event_cuts_every_kind_of_output() {
    let solution = Problem::new(&oscillator, (0.0, 10.0), vec![1.0, 0.0])
        .with_times(vec![0.1, 0.5, 0.6, 3.0])
        .with_path()
        .with_dense()
        .with_event(Event::new(|_, y: &Vec<f64>| y[0]).terminal())
        .solve(Method::Dop853, &within(TIGHT).into())
        .unwrap();
    assert_eq!(solution.states.len(), 2);
    assert_eq!(solution.path.last().map(|(t, _)| *t), Some(solution.t));
    let dense = solution.dense.unwrap();
    assert_eq!(dense.span(), (0.0, solution.t));
    assert!(dense.at(0.55).is_none());
}

#[test]
fn a_zero_at_the_start_does_not_hide_the_next_one_in_the_same_step() {
    // A stone thrown up at 1 m/s from the ground is back after 2 / g, well within a step of 0.9 s.
    let stone = |_: f64, y: &Vec<f64>| vec![y[1], -9.81];
    for method in Method::ALL {
        let stepping = Stepping::Count(10);
        let landed = Problem::new(&stone, (0.0, 9.0), vec![0.0, 1.0])
            .with_event(Event::new(|_, y: &Vec<f64>| y[0]).falling().terminal())
            .solve(*method, &stepping)
            .unwrap();
        // Methods of order 1 do not see the parabola within a step.
        if method.order() > 1 {
            assert!((landed.t - 2.0 / 9.81).abs() < 1e-9, "{method}: {}", landed.t);
        }
    }
    // Rising: what leaves zero upward does not rise through it.
    let risen = Problem::new(&stone, (0.0, 9.0), vec![0.0, 1.0])
        .with_event(Event::new(|_, y: &Vec<f64>| y[0]).rising())
        .solve(Method::Dopri5, &Stepping::Count(10))
        .unwrap();
    assert_eq!(risen.events.len(), 0);
}
