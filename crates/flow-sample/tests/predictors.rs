//! Predictors made of others: along another schedule, steered by a gradient, guided.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;
mod oracles;

use burn::tensor::Tensor;
use common::{host, rows};
use flow_ode::{Method, Stepping};
use flow_path::{
    Cosine, Exact, Gaussian, Linear, Mixture, Prediction, Schedule, VariancePreserving,
};
use flow_sample::{
    Ddim, Grid, Guided, Interval, Ode, Predictor, Reparametrised, Retimed, Rule, Space, Steered,
    Way,
};
use oracles::{Arbitrary, difference, generate, run};

fn modes() -> [Gaussian; 2] {
    [Gaussian::new(vec![-1.0, 0.5], 0.3), Gaussian::new(vec![1.2, -0.2], 0.5)]
}

fn mixture() -> Mixture {
    Mixture::uniform(modes().to_vec())
}

fn points() -> Tensor<2> {
    rows(&[0.3, -0.7, 1.2, 0.4, -0.9, 0.1], 2)
}

#[test]
fn the_exact_field_along_another_schedule_is_the_exact_field_of_that_schedule() {
    let along = Cosine::default();
    let retimed = Retimed { predictor: Exact::new(mixture(), Linear::default()), along };
    let exact = Exact::new(mixture(), along);
    for what in [Prediction::Velocity, Prediction::Data, Prediction::Noise, Prediction::V] {
        for r in [0.0, 0.3, 0.8, 1.0] {
            let gap = difference(
                &Predictor::predict(&retimed, what, &points(), r),
                &Predictor::predict(&exact, what, &points(), r),
            );
            // Times of equal ratio are found to one rounding, which the slope of a step carries on.
            assert!(gap < 1e-12, "{what:?} at {r}: {gap:e}");
        }
    }
}

#[test]
fn along_its_own_schedule_a_predictor_is_unchanged() {
    let field = Arbitrary(Cosine::default());
    let retimed = Retimed { predictor: &field, along: Cosine::default() };
    let got = retimed.predict(Prediction::Velocity, &points(), 0.4);
    assert!(difference(&got, &field.predict(Prediction::Velocity, &points(), 0.4)) < 1e-12);
}

#[test]
fn ddim_does_not_see_the_schedule_but_its_grid() {
    // The same signal-to-noise ratios on two schedules: the same samples from any network.
    let field = Arbitrary(VariancePreserving::default());
    let along = Linear::default();
    let retimed = Retimed { predictor: &field, along };
    let ratios = [-4.0, -2.5, 0.0, 1.5, 4.0];
    let way = |schedule: &dyn Schedule| {
        let times = ratios.iter().map(|&ratio| schedule.time_at_log_snr(ratio));
        Way::along(Grid::Given(times.collect()))
    };
    let scale = |schedule: &dyn Schedule, ratio| {
        let c = schedule.at(schedule.time_at_log_snr(ratio));
        c.alpha.hypot(c.sigma)
    };
    let first = points() * scale(&along, ratios[0]);
    let own = run(&Ddim::default(), &field, &points(), &way(&field.0));
    let other = run(&Ddim::default(), &retimed, &first, &way(&along));
    assert!(difference(&(other / scale(&along, ratios[4])), &own) < 1e-10);
}

#[test]
fn where_a_network_does_not_answer_the_end_of_its_span_stands_in() {
    let field = Exact::new(mixture(), VariancePreserving::default());
    let retimed = Retimed { predictor: field, along: Linear::default() };
    let rk4 = Ode::new(Method::Rk4, Stepping::Count(50));
    let end = run(&rk4, &retimed, &points(), &Way::steps(50));
    assert!(host(end).iter().all(|x| x.is_finite()));
}

/// `grad log p(y = k | x_t)` of the mixture: the score of the component less that of the whole.
fn gradient(k: usize, schedule: Cosine) -> impl Fn(&Tensor<2>, f64) -> Tensor<2> {
    let part = Exact::new(modes()[k].clone(), schedule);
    let whole = Exact::new(mixture(), schedule);
    move |x, t| {
        let score = |of: &dyn Predictor| of.predict(Prediction::Score, x, t);
        score(&part) - score(&whole)
    }
}

#[test]
fn the_gradient_of_the_likelihood_turns_a_predictor_into_the_conditional_one() {
    let schedule = Cosine::default();
    let whole = Exact::new(mixture(), schedule);
    let part = Exact::new(modes()[1].clone(), schedule);
    let steered = |scale| Steered { predictor: &whole, gradient: gradient(1, schedule), scale };
    for what in [Prediction::Velocity, Prediction::Data, Prediction::Noise, Prediction::Score] {
        for t in [0.1, 0.5, 0.9] {
            let want = Predictor::predict(&part, what, &points(), t);
            let got = steered(1.0).predict(what, &points(), t);
            assert!(difference(&got, &want) < 1e-10, "{what:?} at {t}");
            let wrong = steered(-1.0).predict(what, &points(), t);
            assert!(difference(&wrong, &want) > 1e-2, "{what:?} at {t}, wrong sign");
        }
    }
    // Pure noise says nothing about the class, and there is nothing to divide by.
    let start = steered(1.0).predict(Prediction::Velocity, &points(), 0.0);
    assert!(host(start).iter().all(|x| x.is_finite()));
}

#[test]
fn guidance_of_strength_one_and_zero_are_its_two_predictors() {
    let [with, without] = modes().map(|mode| Exact::new(mode, Linear::default()));
    let guided =
        |scale| Guided { with: &with, without: &without, scale, interval: Interval::default() };
    let at = |p: &dyn Predictor| p.predict(Prediction::Velocity, &points(), 0.4);
    assert!(difference(&at(&guided(1.0)), &at(&with)) < 1e-14);
    assert!(difference(&at(&guided(0.0)), &at(&without)) < 1e-14);
    // The weight w of the paper: (1 + w) with - w without.
    let w = 1.7;
    let want = at(&with) * (1.0 + w) - at(&without) * w;
    assert!(difference(&at(&guided(1.0 + w)), &want) < 1e-13);
}

#[test]
fn guidance_is_the_same_in_every_prediction() {
    let [with, without] = modes().map(|mode| Exact::new(mode, Cosine::default()));
    let guided = Guided { with, without, scale: 2.5, interval: Interval::default() };
    let velocity = guided.predict(Prediction::Velocity, &points(), 0.4);
    let c = Cosine::default().at(0.4);
    for what in [Prediction::Data, Prediction::Noise, Prediction::Score, Prediction::V] {
        let want = Prediction::Velocity.convert_tensor(what, velocity.clone(), points(), &c);
        assert!(difference(&guided.predict(what, &points(), 0.4), &want) < 1e-12, "{what:?}");
    }
}

#[test]
fn guidance_acts_in_its_interval_alone() {
    let [with, without] = modes().map(|mode| Exact::new(mode, Linear::default()));
    let interval = Interval { start: 0.2, end: 0.6 };
    let guided = Guided { with: &with, without: &without, scale: 3.0, interval };
    for (t, acts) in [(0.1, false), (0.2, true), (0.6, true), (0.7, false)] {
        let at = |p: &dyn Predictor| p.predict(Prediction::Velocity, &points(), t);
        let gap = difference(&at(&guided), &at(&with));
        assert_eq!(gap > 1e-3, acts, "t = {t}: {gap}");
    }
}

#[test]
fn a_solver_on_a_uniform_grid_takes_equal_steps() {
    let field = Arbitrary(Linear::default());
    let equal = Ode::new(Method::Midpoint, Stepping::Count(6));
    let gridded = Ode::on_grid(Method::Midpoint);
    let six = |ode: &Ode| generate(ode, &field, &points(), &Way::steps(6));
    let (equal, gridded) = (six(&equal), six(&gridded));
    assert_eq!(equal.nfe, gridded.nfe);
    assert!(difference(&equal.x, &gridded.x) < 1e-14);
    // Straight steps along the displacement on the linear schedule are Euler steps.
    let way = Way::along(Grid::Given(vec![0.0, 0.5, 0.7, 1.0]));
    let straight = Reparametrised { space: Space::Displacement, rule: Rule::Euler };
    let straight = run(&straight, &field, &points(), &way);
    let euler = run(&Ode::on_grid(Method::Euler), &field, &points(), &way);
    let gap = difference(&euler, &straight);
    assert!(gap < 1e-12, "{gap:e}");
}

#[test]
fn evaluations_of_guidance_are_counted_where_it_acts() {
    let [with, without] = modes().map(|mode| Exact::new(mode, Linear::default()));
    let interval = Interval { start: 0.25, end: 0.5 };
    let guided = Guided { with, without, scale: 3.0, interval };
    let euler = Ode::new(Method::Euler, Stepping::Count(8));
    // Both predictors at t = 1/4, 3/8 and 1/2, one of them at the other five times.
    let way = Way::steps(8);
    assert_eq!(generate(&euler, &guided, &points(), &way).nfe, 8 + 3);
    assert_eq!(generate(&Ddim::default(), &guided, &points(), &way).nfe, 8 + 3);
}
