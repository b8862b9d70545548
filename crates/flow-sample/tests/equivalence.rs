//! Samplers of diffusion models and of flows are the same computation in other coordinates.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;
mod oracles;

use std::collections::BTreeMap;

use burn::tensor::Tensor;
use common::{host, rows};
use flow_ode::{Method, Stepping};
use flow_path::{
    Cosine, Dual, Exact, FromFunctions, Gaussian, Linear, Prediction, Scaled, Schedule,
    VariancePreserving,
};
use flow_sample::{
    Ancestral, Churn, Ddim, Diffusion, DpmSolver, Edm, Final, Grid, KarrasChurn, LastStep,
    Multistep, Ode, Predictor, Reparametrised, Rule, Sampler, Sde, Space, UniPc, UniPcOrder, Way,
};
use oracles::{Arbitrary, along, difference, replay, run};

/// Rounding of at most a hundred operations on numbers of size ten, divided by `alpha >= 0.01`.
const ROUNDING: f64 = 1e-11;

fn start() -> Tensor<2> {
    rows(&[0.3, -0.7, 1.2, 0.4, -0.9, 0.1], 2)
}

fn given(times: &[f64]) -> Way<'static> {
    along(Grid::Given(times.to_vec()))
}

fn uneven() -> Way<'static> {
    given(&[0.1, 0.15, 0.4, 0.75, 0.98])
}

fn schedules() -> Vec<Box<dyn Schedule>> {
    vec![
        Box::new(Linear::default()),
        Box::new(Cosine::default()),
        Box::new(VariancePreserving::default()),
    ]
}

#[test]
fn euler_steps_in_every_space_are_ddim() {
    for schedule in schedules() {
        let field = Arbitrary(schedule);
        let ddim = run(&Ddim::default(), &field, &start(), &uneven());
        for space in [Space::Data, Space::Noise, Space::Displacement] {
            let euler = Reparametrised { space, rule: Rule::Euler };
            let gap = difference(&run(&euler, &field, &start(), &uneven()), &ddim);
            assert!(gap < ROUNDING, "{space:?} on {:?}: {gap:e}", field.0);
        }
    }
}

#[test]
fn midpoint_steps_depend_on_the_space() {
    for schedule in schedules() {
        let field = Arbitrary(schedule);
        let end = |space| {
            let midpoint = Reparametrised { space, rule: Rule::Midpoint };
            run(&midpoint, &field, &start(), &uneven())
        };
        let ends = [end(Space::Data), end(Space::Noise), end(Space::Displacement)];
        for (a, b) in [(0, 1), (1, 2), (0, 2)] {
            assert!(difference(&ends[a], &ends[b]) > 1e-3, "{a} and {b} on {:?}", field.0);
        }
    }
}

#[test]
fn the_first_orders_of_all_solvers_are_ddim() {
    let field = Arbitrary(Cosine::default());
    let ddim = run(&Ddim::default(), &field, &start(), &uneven());
    let solver = DpmSolver { multistep: Multistep::First, eta: 0.0 };
    let others: [&dyn Sampler; 2] = [&Churn { fraction: 0.0 }, &solver];
    for other in others {
        let gap = difference(&run(other, &field, &start(), &uneven()), &ddim);
        assert!(gap < ROUNDING, "{other:?}: {gap:e}");
    }
    // One step has no history: the second and third orders begin as DDIM.
    let one = given(&[0.2, 0.5]);
    let ddim = run(&Ddim::default(), &field, &start(), &one);
    let second = DpmSolver { multistep: Multistep::Second, eta: 0.0 };
    let third = UniPc { order: UniPcOrder::Third, last: Final::default() };
    assert!(difference(&run(&second, &field, &start(), &one), &ddim) < ROUNDING);
    assert!(difference(&run(&third, &field, &start(), &one), &ddim) < ROUNDING);
}

#[test]
fn ddim_is_an_euler_step_on_the_velocity_of_the_linear_schedule_alone() {
    let steps = 8;
    let gap = |schedule: &dyn Schedule| {
        let field = Arbitrary(schedule);
        let way = Way::steps(steps);
        let ddim = run(&Ddim::default(), &field, &start(), &way);
        let euler = Ode::new(Method::Euler, Stepping::Count(steps));
        let euler = run(&euler, &field, &start(), &way);
        difference(&ddim, &euler)
    };
    assert!(gap(&Linear::default()) < 1e-12);
    assert!(gap(&Cosine::default()) > 1e-2);
}

#[test]
fn ddim_turns_the_v_prediction_where_the_variance_is_preserved() {
    for schedule in
        [Box::new(Cosine::default()) as Box<dyn Schedule>, Box::new(VariancePreserving::default())]
    {
        let field = Arbitrary(schedule);
        let (t, s) = (0.3, 0.55);
        let angle = |t: f64| field.0.at(t).sigma.atan2(field.0.at(t).alpha);
        let turn = angle(s) - angle(t);
        let v = field.predict(Prediction::V, &start(), t);
        let turned = start() * turn.cos() + v * turn.sin();
        let ddim = run(&Ddim::default(), &field, &start(), &given(&[t, s]));
        assert!(difference(&ddim, &turned) < ROUNDING);
    }
}

#[test]
fn one_ancestral_step_has_four_names() {
    for schedule in schedules() {
        let field = Arbitrary(schedule);
        let ancestral = run(&Ancestral {}, &field, &start(), &uneven());
        let solver = DpmSolver { multistep: Multistep::First, eta: 1.0 };
        let others: [&dyn Sampler; 3] = [&Ddim { eta: 1.0 }, &Churn { fraction: 0.5 }, &solver];
        for other in others {
            let gap = difference(&run(other, &field, &start(), &uneven()), &ancestral);
            assert!(gap < ROUNDING, "{other:?} on {:?}: {gap:e}", field.0);
        }
    }
}

#[test]
fn ddim_with_noise_is_the_ancestral_euler_step_of_unscaled_data() {
    // With alpha = 1: x + x_0 (sigma_down - sigma), then noise up to sigma_s.
    let field = Arbitrary(FromFunctions::new(|_| Dual::constant(1.0), |t| (1.0 - t) * 3.0 + 0.1));
    let (t, s, eta) = (0.2, 0.45, 0.6);
    let (sigma, sigma_s) = (field.0.at(t).sigma, field.0.at(s).sigma);
    let up = eta * (sigma_s.powi(2) * (sigma.powi(2) - sigma_s.powi(2)) / sigma.powi(2)).sqrt();
    let down = (sigma_s.powi(2) - up * up).sqrt();
    let z = rows(&[0.5, -1.5, 0.2, 2.0, -0.3, 1.1], 2);
    let noise = field.predict(Prediction::Noise, &start(), t);
    let want = start() + noise * (down - sigma) + z.clone() * up;
    let noise = replay(vec![z]);
    let way = given(&[t, s]).with_noise(&noise);
    assert!(difference(&run(&Ddim { eta }, &field, &start(), &way), &want) < ROUNDING);
}

#[test]
fn churn_is_ddim_too_far_and_renoised() {
    let field = Arbitrary(Cosine::default());
    let (t, s) = (0.3, 0.4);
    let at = |t: f64| field.0.at(t);
    let z = rows(&[0.5, -1.5, 0.2, 2.0, -0.3, 1.1], 2);
    for fraction in [0.1, 0.5, 0.7] {
        let ahead = at(t).log_snr() + (at(s).log_snr() - at(t).log_snr()) / (1.0 - fraction);
        let r = field.0.time_at_log_snr(ahead);
        let too_far = run(&Ddim::default(), &field, &start(), &given(&[t, r]));
        let back = at(s).alpha / at(r).alpha;
        let std = (at(s).sigma.powi(2) - (back * at(r).sigma).powi(2)).sqrt();
        let want = too_far * back + z.clone() * std;
        let noise = replay(vec![z.clone()]);
        let way = given(&[t, s]).with_noise(&noise);
        let got = run(&Churn { fraction }, &field, &start(), &way);
        assert!(difference(&got, &want) < ROUNDING, "{fraction}");
    }
}

/// Answers, in row `k`, the v-prediction -1 at step `k` of 100 and 0 at all others.
struct Impulse(Cosine);

impl Predictor for Impulse {
    fn schedule(&self) -> &dyn Schedule {
        &self.0
    }

    fn predict(&self, what: Prediction, x: &Tensor<2>, t: f64) -> Tensor<2> {
        let mut v = vec![0.0; 100];
        v[(100.0 * t).round() as usize] = -1.0;
        Prediction::V.convert_tensor(what, rows(&v, 1), x.clone(), &self.0.at(t))
    }
}

#[test]
fn churn_weighs_each_prediction_as_published() {
    // The figure on churn of Gao et al. (2024): weights of v-predictions, by fraction undone.
    let figure: BTreeMap<String, Vec<f64>> =
        serde_json::from_str(include_str!("reference/churn_figure.json")).unwrap();
    let zero = |_: usize, x: &Tensor<2>| x.zeros_like();
    for (fraction, weights) in figure {
        let fraction = fraction.parse().unwrap();
        let impulse = Impulse(Cosine::with_log_snr_bound(15.0));
        let way = Way::steps(100).with_noise(&zero);
        let got = host(run(&Churn { fraction }, &impulse, &rows(&[0.0; 100], 1), &way));
        for (k, (got, want)) in got.iter().zip(&weights).enumerate() {
            // The figure was drawn from single-precision numbers, 9e-6 away.
            assert!((got / want - 1.0).abs() < 2e-5, "c = {fraction}, step {k}: {got}, {want}");
        }
    }
}

/// The linear schedule rescaled towards unit norm: not at all for `k = 0`, fully for `k = 1`.
fn rescaled(k: f64) -> impl Schedule {
    Scaled::new(Linear::default(), move |t: Dual| {
        let norm = ((1.0 - t) * (1.0 - t) + t * t).sqrt();
        1.0 + k * (1.0 / norm - 1.0)
    })
}

/// Ends of five DDIM steps and of five Euler steps on the velocity, from -2 at pure noise.
fn five_steps(schedule: impl Schedule, variance: f64) -> (f64, f64) {
    let field = Exact::new(Gaussian::new(vec![0.0], variance.sqrt()), schedule);
    let x0 = rows(&[-2.0], 1);
    let way = Way::steps(5);
    let ddim = run(&Ddim::default(), &field, &x0, &way);
    let euler = run(&Ode::new(Method::Euler, Stepping::Count(5)), &field, &x0, &way);
    (host(ddim)[0], host(euler)[0])
}

#[track_caller]
fn assert_printed(got: f64, want: f64) {
    // Five decimals are printed.
    assert!((got - want).abs() < 1e-5, "got {got}, want {want}");
}

#[test]
fn scale_moves_euler_steps_and_leaves_ddim() {
    // The figure on scaling of Gao et al. (2024), on its exact grid.
    for (k, end) in [(0.0, -0.73846), (1.0 / 7.0, -0.77143), (3.0 / 7.0, -0.83128), (1.0, -0.93135)]
    {
        let (ddim, euler) = five_steps(rescaled(k), 0.25);
        assert_printed(ddim, -0.73846);
        assert_printed(euler, end);
    }
    let field = Exact::new(Gaussian::new(vec![0.0], 0.5), rescaled(1.0));
    for (k, want) in [(1, -1.94029), (2, -1.70677), (3, -1.28008), (4, -0.89552)] {
        let way = along(Grid::Given((0..=k).map(|i| f64::from(i) / 5.0).collect()));
        let state = run(&Ddim::default(), &field, &rows(&[-2.0], 1), &way);
        assert_printed(host(state)[0], want);
    }
}

#[test]
fn wide_data_prefers_the_diffusion_and_narrow_data_the_straight_line() {
    // The figure on straightness of Gao et al. (2024), on its exact grid.
    for (variance, flow, diffusion) in [
        (0.01, -0.07197, 0.00248),
        (0.05, -0.26812, -0.27259),
        (0.1, -0.42764, -0.49712),
        (0.5, -1.07859, -1.39452),
        (1.0, -1.54100, -2.0),
    ] {
        let (ddim, euler) = five_steps(Linear::default(), variance);
        assert_printed(ddim, flow);
        assert_printed(euler, flow);
        let (ddim, euler) = five_steps(rescaled(1.0), variance);
        assert_printed(ddim, flow);
        assert_printed(euler, diffusion);
    }
}

#[test]
fn a_diffusion_of_zero_is_the_euler_method_to_the_last_bit() {
    let field = Arbitrary(Cosine::default());
    let way = Way::steps(8);
    let ode = run(&Ode::new(Method::Euler, Stepping::Count(8)), &field, &start(), &way);
    let ode = host(ode);
    for (diffusion, scale) in [(Diffusion::Zero, 1.0), (Diffusion::Sigma, 0.0)] {
        let sde = Sde { diffusion, scale, last: LastStep::Plain };
        assert_eq!(host(run(&sde, &field, &start(), &way)), ode, "{sde:?}");
    }
}

#[test]
fn edm_is_heun_in_the_noise_level_with_a_first_order_end() {
    let schedule =
        |floor: f64| FromFunctions::new(|_| Dual::constant(1.0), move |t| (1.0 - t) * 3.0 + floor);
    let whole = Way::steps(8);
    let before = along(Grid::Given((0..8).map(|k| f64::from(k) / 8.0).collect()));
    let edm = |field: &dyn Predictor, way: &Way<'_>| run(&Edm {}, field, &start(), way);
    let field = Arbitrary(schedule(0.1));
    let heun = run(&Ode::on_grid(Method::Heun2), &field, &start(), &before);
    assert!(difference(&edm(&field, &before), &heun) < ROUNDING);
    let end = run(&Ode::on_grid(Method::Euler), &field, &heun, &given(&[0.875, 1.0]));
    assert!(difference(&edm(&field, &whole), &end) < ROUNDING);
    // Without noise at the end the last step returns the predicted data.
    let field = Arbitrary(schedule(0.0));
    let data = field.predict(Prediction::Data, &edm(&field, &before), 0.875);
    assert!(difference(&edm(&field, &whole), &data) < ROUNDING);
    // A churn of nothing adds nothing.
    let still = KarrasChurn { amount: 0.0, ..KarrasChurn::default() };
    let still = run(&still, &field, &start(), &whole);
    assert_eq!(host(still), host(edm(&field, &whole)));
}

#[test]
fn edm_with_churn_is_the_published_algorithm() {
    let (steps, rho, min, max) = (6, 7.0_f64, 0.002_f64, 80.0_f64);
    let field = Arbitrary(FromFunctions::new(|_| Dual::constant(1.0), move |t| (1.0 - t) * max));
    let denoise = |x: &Tensor<2>, sigma: f64| field.predict(Prediction::Data, x, 1.0 - sigma / max);
    let level = |i: usize| {
        let (hot, cold) = (max.powf(1.0 / rho), min.powf(1.0 / rho));
        (hot + i as f64 / (steps - 1) as f64 * (cold - hot)).powf(rho)
    };
    let churn = KarrasChurn { amount: 2.0, min: 0.01, max: 50.0, noise_std: 1.007 };
    let z: Vec<Tensor<2>> = (0..steps).map(|k| (start() + k as f64).sin() * 1.5).collect();
    let mut x = start() * max;
    for (i, z) in z.iter().enumerate() {
        let (sigma, next) = (level(i), if i + 1 == steps { 0.0 } else { level(i + 1) });
        let churned = churn.min <= sigma && sigma <= churn.max;
        let gamma = if churned { (2.0 / steps as f64).min(2.0_f64.sqrt() - 1.0) } else { 0.0 };
        let hat = sigma * (1.0 + gamma);
        x = x + z.clone() * ((hat * hat - sigma * sigma).sqrt() * churn.noise_std);
        let slope = (x.clone() - denoise(&x, hat)) / hat;
        let euler = x.clone() + slope.clone() * (next - hat);
        x = if next == 0.0 {
            euler
        } else {
            let after = (euler.clone() - denoise(&euler, next)) / next;
            x + (slope + after) * (0.5 * (next - hat))
        };
    }
    let noise = replay(z);
    let way = along(Grid::Karras { steps, rho, min, max }).with_noise(&noise);
    // Times resolve noise levels to 80 e, which is 1e-11 of the lowest of them.
    assert!(difference(&run(&churn, &field, &(start() * max), &way), &x) < 1e-9);
}
