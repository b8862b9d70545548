//! Flow maps as predictors and the sampler that jumps along them, against the exact map of a
//! Gaussian.
#![allow(clippy::float_cmp, reason = "times of a grid and bits are exact")]
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;

use std::cell::{Cell, RefCell};
use std::ops::ControlFlow;

use burn::tensor::Tensor;
use common::{host, rows};
use flow_ode::Method;
use flow_path::{
    Checkerboard, Cosine, Exact, Gaussian, Linear, Prediction, Schedule, VarianceExploding,
    VariancePreserving,
};
use flow_sample::{
    FlowMap, Grid, Guided, Interval, Ode, Predictor, Retimed, SampleError, Sampler, Visit, Way,
};

const LINEAR: Linear = Linear { sigma_min: 0.0 };
const MEAN: [f64; 2] = [0.6, -0.3];
const STD: f64 = 0.4;

fn gaussian() -> Gaussian {
    Gaussian::new(MEAN.to_vec(), STD)
}

fn points() -> Tensor<2> {
    rows(&[0.3, -1.2, 1.7, 0.4, -0.8, 0.1], 2)
}

fn gap(a: &Tensor<2>, b: &Tensor<2>) -> f64 {
    host(a.clone() - b.clone()).into_iter().fold(0.0, |worst: f64, gap| worst.max(gap.abs()))
}

/// `m + x S` from pure noise to the data, on the straight path.
fn end(x: &Tensor<2>) -> Tensor<2> {
    x.clone() * STD + rows(&MEAN, 2)
}

#[test]
fn any_grid_of_jumps_along_the_exact_map_ends_where_the_flow_does() {
    let field = Exact::new(gaussian(), LINEAR);
    for times in [vec![0.0, 1.0], vec![0.0, 0.3, 1.0], vec![0.0, 0.01, 0.5, 0.99, 1.0]] {
        let steps = times.len() - 1;
        let generated = FlowMap {}.sample(&field, points(), &Way::along(Grid::Given(times)));
        let generated = generated.unwrap();
        // Double precision, a few operations a step.
        assert!(gap(&generated.x, &end(&points())) < 1e-14, "{steps} steps");
        assert_eq!(generated.nfe, steps, "one call a step");
    }
}

#[test]
fn an_exact_map_agrees_with_a_solver_on_every_schedule() {
    let schedules: [Box<dyn Schedule>; 4] = [
        Box::new(LINEAR),
        Box::new(Cosine::default()),
        Box::new(VariancePreserving::default()),
        Box::new(VarianceExploding { sigma_max: 5.0, ..VarianceExploding::default() }),
    ];
    for schedule in schedules {
        let field = Exact::new(gaussian(), schedule);
        let (t, s) = (0.2, 0.7);
        let grid: Vec<f64> = (0..=100).map(|k| t + (s - t) * f64::from(k) / 100.0).collect();
        let solved = Ode::on_grid(Method::Rk4)
            .sample(&field, points(), &Way::along(Grid::Given(grid)))
            .unwrap();
        let jumped = field.jump(&points(), t, s).unwrap();
        // Order 4 with steps of 0.005: far below 1e-7 for fields that change over the unit of time.
        assert!(gap(&solved.x, &jumped) < 1e-7, "{field:?}");
        let along_the_start =
            points() + Predictor::predict(&field, Prediction::Velocity, &points(), t) * (s - t);
        assert!(gap(&along_the_start, &jumped) > 1e-2, "a straight step would do: {field:?}");
    }
}

#[test]
fn a_map_read_along_another_schedule_is_the_map_of_that_schedule() {
    let own = Exact::new(gaussian(), LINEAR);
    let want = Exact::new(gaussian(), Cosine { margin: 0.0 });
    let retimed = Retimed { predictor: &own, along: Cosine { margin: 0.0 } };
    for (r, q) in [(0.0, 1.0), (0.2, 0.6), (0.5, 1.0)] {
        let (got, want) = (retimed.jump(&points(), r, q), want.jump(&points(), r, q));
        assert!(gap(&got.unwrap(), &want.unwrap()) < 1e-9, "from {r} to {q}");
    }
}

/// A predictor whose jumps and predictions are counted.
struct Counted<P>(P, Cell<usize>);

impl<P: Predictor> Predictor for Counted<P> {
    fn schedule(&self) -> &dyn Schedule {
        self.0.schedule()
    }

    fn predict(&self, what: Prediction, x: &Tensor<2>, t: f64) -> Tensor<2> {
        self.1.set(self.1.get() + 1);
        self.0.predict(what, x, t)
    }

    fn jump(&self, x: &Tensor<2>, t: f64, s: f64) -> Option<Tensor<2>> {
        self.1.set(self.1.get() + 1);
        self.0.jump(x, t, s)
    }
}

#[test]
fn guided_jumps_extrapolate_within_the_interval_and_both_calls_are_counted() {
    let with = Counted(Exact::new(gaussian(), LINEAR), Cell::new(0));
    let without = Counted(Exact::new(Gaussian::new(vec![0.0; 2], 1.0), LINEAR), Cell::new(0));
    let interval = Interval { start: 0.4, end: 1.0 };
    let guided = Guided { with: &with, without: &without, scale: 2.0, interval };
    let (x, t, s) = (points(), 0.5, 0.9);
    let [a, b] = [&with, &without].map(|one| one.jump(&x, t, s).unwrap());
    let want = b.clone() + (a.clone() - b) * 2.0;
    assert!(gap(&guided.jump(&x, t, s).unwrap(), &want) < 1e-14);
    let before = guided.jump(&x, 0.3, s).unwrap();
    assert!(gap(&before, &with.jump(&x, 0.3, s).unwrap()) < 1e-14, "outside the interval");
    for calls in [&with.1, &without.1] {
        calls.set(0);
    }
    let way = Way::along(Grid::Given(vec![0.0, 0.5, 1.0]));
    let generated = FlowMap {}.sample(&guided, points(), &way).unwrap();
    // The first step starts before the interval.
    assert_eq!((with.1.get(), without.1.get(), generated.nfe), (2, 1, 3));
}

/// A guided map is that of the guided field for short steps only, as its documentation says.
#[test]
fn guided_jumps_err_by_the_square_of_the_step() {
    let (with, without) =
        (Exact::new(gaussian(), LINEAR), Exact::new(Gaussian::new(vec![0.0; 2], 1.0), LINEAR));
    let guided = Guided { with, without, scale: 2.5, interval: Interval::default() };
    let error = |h: f64| {
        let grid: Vec<f64> = (0..=50).map(|k| 0.3 + h * f64::from(k) / 50.0).collect();
        let way = Way::along(Grid::Given(grid));
        let solved = Ode::on_grid(Method::Rk4).sample(&guided, points(), &way).unwrap().x;
        gap(&solved, &guided.jump(&points(), 0.3, 0.3 + h).unwrap())
    };
    let (long, short) = (error(0.2), error(0.1));
    assert!(long > 1e-3, "the error is {long}");
    let order = (long / short).log2();
    assert!((1.8..2.6).contains(&order), "the error falls with order {order}");
}

#[test]
fn what_is_no_flow_map_is_refused_with_what_to_do() {
    let field = Exact::new(Checkerboard::default(), LINEAR);
    let error = FlowMap {}.sample(&field, points(), &Way::steps(1)).unwrap_err();
    assert_eq!(error, SampleError::NoFlowMap);
    assert!(error.to_string().contains("train a network of two times"), "{error}");
}

/// Three jumps of different lengths.
fn three_jumps() -> Grid {
    Grid::Given(vec![0.0, 0.3, 0.7, 1.0])
}

#[test]
fn whoever_watches_jumps_sees_times_states_and_where_the_rest_of_the_way_arrives() {
    let field = Exact::new(gaussian(), LINEAR);
    let alone = FlowMap {}.sample(&field, points(), &Way::along(three_jumps())).unwrap();
    for asks in [false, true] {
        let seen = RefCell::new(Vec::new());
        let watch = |visit: Visit<'_>| {
            assert_eq!(visit.step, seen.borrow().len());
            // Double precision, a few operations.
            let there = field.jump(&points(), 0.0, visit.t).unwrap();
            assert!(gap(visit.x, &there) < 1e-14, "the state at {}", visit.t);
            if asks {
                assert!(gap(&visit.data(), &end(&points())) < 1e-14, "the data at {}", visit.t);
            }
            seen.borrow_mut().push(visit.t);
            ControlFlow::Continue(())
        };
        let way = Way::along(three_jumps()).watched_by(&watch);
        let watched = FlowMap {}.sample(&field, points(), &way).unwrap();
        assert_eq!(*seen.borrow(), [0.0, 0.3, 0.7]);
        assert_eq!(host(watched.x), host(alone.x.clone()), "watching changes no bit");
        // The last jump goes to the end by itself.
        assert_eq!((alone.nfe, watched.nfe), (3, if asks { 5 } else { 3 }));
        assert_eq!(watched.stopped, None);
    }
}

#[test]
fn jumps_that_are_ended_arrive_by_one_jump_from_there() {
    let field = Exact::new(gaussian(), LINEAR);
    let watch = |visit: Visit<'_>| {
        if visit.step == 1 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let keep = [0.3, 1.0];
    let way = Way::along(three_jumps()).keeping(&keep).watched_by(&watch);
    let ended = FlowMap {}.sample(&field, points(), &way).unwrap();
    assert_eq!(ended.stopped, Some(0.3));
    assert!(gap(&ended.x, &end(&points())) < 1e-14);
    assert!(gap(&ended.states[0], &field.jump(&points(), 0.0, 0.3).unwrap()) < 1e-14);
    assert_eq!(host(ended.states[1].clone()), host(ended.x));
    assert_eq!(ended.nfe, 3, "one step, the step that was given up, and the jump to the end");
}

#[test]
fn jumps_keep_the_states_of_their_grid_and_the_lines_between_them() {
    let field = Exact::new(gaussian(), LINEAR);
    let keep = [-1.0, 0.0, 0.15, 0.3, 1.0, 2.0];
    let way = Way::along(three_jumps()).keeping(&keep);
    let generated = FlowMap {}.sample(&field, points(), &way).unwrap();
    let at = field.jump(&points(), 0.0, 0.3).unwrap();
    let middle = (points() + at.clone()) * 0.5;
    let want = [points(), points(), middle, at, end(&points()), end(&points())];
    assert_eq!(generated.states.len(), keep.len());
    for ((state, want), t) in generated.states.iter().zip(want).zip(keep) {
        assert!(gap(state, &want) < 1e-14, "the state kept at {t}");
    }
    assert_eq!(generated.nfe, 3, "states cost nothing");
}
