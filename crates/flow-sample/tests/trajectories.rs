//! Samplers against reference trajectories, and the orders that they show.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;
mod oracles;

use burn::tensor::Tensor;
use common::{Mixture, rows};
use flow_ode::{Adaptive, Method, Problem, Tolerance};
use flow_path::Linear;
use flow_sample::{
    Ancestral, Ddim, DpmSolver, Edm, Final, Grid, Multistep, Predictor, Reparametrised, Rule,
    Sampler, Space, UniPc, UniPcOrder, Velocity, Way,
};
use oracles::{FromVelocity, Table, difference, replay, run};
use serde_json::Value;

fn reference() -> Value {
    serde_json::from_str(include_str!("reference/samplers.json")).expect("the file is JSON")
}

fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(items) => items.iter().flat_map(numbers).collect(),
        number => vec![number.as_f64().expect("the file holds numbers")],
    }
}

fn points(value: &Value) -> Tensor<2> {
    rows(&numbers(value), 2)
}

fn steps_of(value: &Value) -> Vec<Tensor<2>> {
    value.as_array().expect("one entry per step").iter().map(points).collect()
}

fn mixture() -> FromVelocity<Mixture<Linear>> {
    FromVelocity(Mixture(Linear::default()))
}

/// Compares a sampler at every time of the reference's grid.
fn assert_trajectory(name: &str, sampler: &dyn Sampler) {
    let all = reference();
    let (reference, x0) = (&all["linear"], points(&all["x_init"]));
    let (times, noise) = (numbers(&reference["ts"]), replay(steps_of(&reference["noise"])));
    for (k, want) in steps_of(&reference[name]).iter().enumerate() {
        let way = Way::along(Grid::Given(times[..k + 2].to_vec())).with_noise(&noise);
        let gap = difference(&run(sampler, &mixture(), &x0, &way), want);
        // Both are in double precision; the posterior means are conditioned by 1 / 0.125^2.
        assert!(gap < 1e-11, "{name}, step {k}: {gap:e}");
    }
}

const DPM_SOLVER_2M: DpmSolver = DpmSolver { multistep: Multistep::Second, eta: 0.0 };

#[test]
fn ddim_follows_its_reference_trajectory() {
    assert_trajectory("ddim", &Ddim { eta: 0.0 });
}

#[test]
fn ddim_with_noise_follows_its_reference_trajectory() {
    assert_trajectory("ddim_eta_half", &Ddim { eta: 0.5 });
}

#[test]
fn dpm_solver_follows_its_reference_trajectory() {
    assert_trajectory("dpmpp_2m", &DPM_SOLVER_2M);
}

#[test]
fn unipc_follows_its_reference_trajectory() {
    let unipc = UniPc { order: UniPcOrder::Second, last: Final::FullOrder };
    assert_trajectory("unipc2_bh2", &unipc);
}

#[test]
fn ancestral_sampling_ends_where_the_reference_does() {
    let all = reference();
    let reference = &all["linear"];
    let noise = replay(steps_of(&reference["noise"]));
    let way = Way::along(Grid::Given(numbers(&reference["ts"]))).with_noise(&noise);
    let end = run(&Ancestral {}, &mixture(), &points(&all["x_init"]), &way);
    assert!(difference(&end, &points(&reference["ddim_eta1_end"])) < 1e-11);
}

#[test]
fn a_discrete_chain_is_a_schedule_known_at_its_steps() {
    // Ten of the 1,000 steps of DDPM's linear rates, then the data.
    let all = reference();
    let (reference, x0) = (&all["discrete"], points(&all["x_init"]));
    let pair = |kept: f64| (kept.sqrt(), (1.0 - kept).sqrt());
    let kept = numbers(&reference["alphas_cumprod_at_steps"]);
    let table = || Table(kept.iter().copied().chain([1.0]).map(pair).collect());
    let field = FromVelocity(Mixture(table()));
    let noise = replay(steps_of(&reference["noise"]));
    let way = Way::steps(kept.len()).with_noise(&noise);
    let ddim = run(&Ddim::default(), &field, &x0, &way);
    let ancestral = run(&Ancestral {}, &field, &x0, &way);
    // alpha is 0.016 at first, so that conversions lose two digits.
    assert!(difference(&ddim, &points(&reference["ddim"])) < 1e-11);
    assert!(difference(&ancestral, &points(&reference["ddim_eta1"])) < 1e-11);
}

/// Largest errors with 40, 80 and 160 equal steps from 0.05 to 0.95, and the order that the last
/// two show.
fn errors(sampler: &dyn Sampler) -> ([f64; 3], f64) {
    let (field, x0) = (mixture(), points(&reference()["x_init"]));
    let tight = Adaptive::new(Tolerance { atol: 1e-13, rtol: 1e-13 });
    let exact = Problem::new(&Velocity(&field as &dyn Predictor), (0.05, 0.95), x0.clone())
        .solve(Method::Dop853, &tight.into())
        .expect("the field is smooth")
        .y;
    let errors = [40, 80, 160].map(|n| {
        let time = |k: usize| 0.05 + 0.9 * k as f64 / n as f64;
        let way = Way::along(Grid::Given((0..=n).map(time).collect()));
        difference(&run(sampler, &field, &x0, &way), &exact)
    });
    (errors, (errors[1] / errors[2]).log2())
}

#[track_caller]
fn assert_order(got: f64, low: f64, high: f64) {
    assert!(low < got && got < high, "order {got} outside ({low}, {high})");
}

/// Errors printed with the reference trajectories; ours stop at the solver's 1e-13.
#[track_caller]
fn assert_errors(name: &str, got: [f64; 3]) {
    for (got, want) in got.iter().zip(numbers(&reference()["linear"]["order"][name])) {
        assert!((got / want - 1.0).abs() < 1e-6, "{name}: {got:e} is not {want:e}");
    }
}

#[test]
fn order_of_ddim_is_one() {
    let (errors, order) = errors(&Ddim::default());
    assert_errors("ddim", errors);
    assert_order(order, 0.9, 1.1);
}

#[test]
fn order_of_dpm_solver_2m_is_two() {
    let (errors, order) = errors(&DPM_SOLVER_2M);
    assert_errors("dpmpp_2m", errors);
    assert_order(order, 1.9, 2.1);
}

#[test]
fn order_of_unipc_is_one_more_than_its_name_unless_it_ends_low() {
    let unipc = |order, last| errors(&UniPc { order, last });
    assert_order(unipc(UniPcOrder::Second, Final::FullOrder).1, 2.8, 3.1);
    assert_order(unipc(UniPcOrder::Third, Final::FullOrder).1, 3.7, 4.1);
    let (errors, order) = unipc(UniPcOrder::Second, Final::LowerOrder);
    assert_errors("unipc2", errors);
    assert_order(order, 1.6, 2.1);
}

#[test]
fn order_of_edm_and_of_midpoints_is_two() {
    assert_order(errors(&Edm {}).1, 1.8, 2.2);
    for space in [Space::Data, Space::Noise, Space::Displacement] {
        assert_order(errors(&Reparametrised { space, rule: Rule::Midpoint }).1, 1.8, 2.2);
    }
}
