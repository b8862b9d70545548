//! Samplers against reference trajectories, closed forms, their own order and their laws.
#![allow(clippy::float_cmp, reason = "ends of grids and seeded noise are exact by construction")]
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;
mod oracles;

use std::cell::Cell;

use burn::tensor::{DType, Tensor, TensorData};
use common::{Mixture, host, rows};
use flow_ode::{Adaptive, Method, Problem, Tolerance};
use flow_path::stream::{Purpose, Streams};
use flow_path::{
    Cosine, Exact, Gaussian, Linear, Prediction, Schedule, Target, TimeShift, VariancePreserving,
};
use flow_sample::{
    Ancestral, Churn, Ddim, Diffusion, DpmSolver, Edm, Final, Grid, KarrasChurn, LastStep,
    Multistep, Predictor, Reparametrised, Rule, SampleError, Sampler, Sde, Seeded, Space, UniPc,
    UniPcOrder, Velocity,
};
use oracles::{Arbitrary, Counted, FromVelocity, Table, difference, generate, noise, replay, run};
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
fn assert_trajectory<S: Sampler>(name: &str, sampler: impl Fn(Grid, Vec<Tensor<2>>) -> S) {
    let all = reference();
    let (reference, x0) = (&all["linear"], points(&all["x_init"]));
    let (times, noise) = (numbers(&reference["ts"]), steps_of(&reference["noise"]));
    for (k, want) in steps_of(&reference[name]).iter().enumerate() {
        let sampler = sampler(Grid::Given(times[..k + 2].to_vec()), noise.clone());
        let gap = difference(&run(&sampler, &mixture(), &x0), want);
        // Both are in double precision; the posterior means are conditioned by 1 / 0.125^2.
        assert!(gap < 1e-11, "{name}, step {k}: {gap:e}");
    }
}

#[test]
fn ddim_follows_its_reference_trajectory() {
    assert_trajectory("ddim", |grid, _| Ddim::deterministic(grid));
}

#[test]
fn ddim_with_noise_follows_its_reference_trajectory() {
    assert_trajectory("ddim_eta_half", |grid, z| Ddim { grid, eta: 0.5, noise: replay(z) });
}

#[test]
fn dpm_solver_follows_its_reference_trajectory() {
    assert_trajectory("dpmpp_2m", |grid, _| DpmSolver::deterministic(grid, Multistep::Second));
}

#[test]
fn unipc_follows_its_reference_trajectory() {
    assert_trajectory("unipc2_bh2", |grid, _| UniPc {
        grid,
        order: UniPcOrder::Second,
        last: Final::FullOrder,
    });
}

#[test]
fn ancestral_sampling_ends_where_the_reference_does() {
    let all = reference();
    let reference = &all["linear"];
    let noise = replay(steps_of(&reference["noise"]));
    let ancestral = Ancestral { grid: Grid::Given(numbers(&reference["ts"])), noise };
    let end = run(&ancestral, &mixture(), &points(&all["x_init"]));
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
    let grid = Grid::Uniform { steps: kept.len() };
    let ddim = run(&Ddim::deterministic(grid.clone()), &field, &x0);
    let noise = replay(steps_of(&reference["noise"]));
    let ancestral = run(&Ancestral { grid, noise }, &field, &x0);
    // alpha is 0.016 at first, so that conversions lose two digits.
    assert!(difference(&ddim, &points(&reference["ddim"])) < 1e-11);
    assert!(difference(&ancestral, &points(&reference["ddim_eta1"])) < 1e-11);
}

/// Largest errors with 40, 80 and 160 equal steps from 0.05 to 0.95, and the order that the last two
/// show.
fn errors(sampler: impl Fn(Grid) -> Box<dyn Sampler>) -> ([f64; 3], f64) {
    let (field, x0) = (mixture(), points(&reference()["x_init"]));
    let tight = Adaptive::new(Tolerance { atol: 1e-13, rtol: 1e-13 });
    let exact = Problem::new(&Velocity(&field as &dyn Predictor), (0.05, 0.95), x0.clone())
        .solve(Method::Dop853, &tight.into())
        .expect("the field is smooth")
        .y;
    let errors = [40, 80, 160].map(|n| {
        let time = |k: usize| 0.05 + 0.9 * k as f64 / n as f64;
        let sampler = sampler(Grid::Given((0..=n).map(time).collect()));
        difference(&run(&*sampler, &field, &x0), &exact)
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
    let (errors, order) = errors(|grid| Box::new(Ddim::deterministic(grid)));
    assert_errors("ddim", errors);
    assert_order(order, 0.9, 1.1);
}

#[test]
fn order_of_dpm_solver_2m_is_two() {
    let (errors, order) =
        errors(|grid| Box::new(DpmSolver::deterministic(grid, Multistep::Second)));
    assert_errors("dpmpp_2m", errors);
    assert_order(order, 1.9, 2.1);
}

#[test]
fn order_of_unipc_is_one_more_than_its_name_unless_it_ends_low() {
    let unipc = |order, last| errors(move |grid| Box::new(UniPc { grid, order, last })).1;
    assert_order(unipc(UniPcOrder::Second, Final::FullOrder), 2.8, 3.1);
    assert_order(unipc(UniPcOrder::Third, Final::FullOrder), 3.7, 4.1);
    let low = |grid| UniPc { grid, order: UniPcOrder::Second, last: Final::LowerOrder };
    let (errors, order) = errors(|grid| Box::new(low(grid)));
    assert_errors("unipc2", errors);
    assert_order(order, 1.6, 2.1);
}

#[test]
fn order_of_edm_and_of_midpoints_is_two() {
    assert_order(errors(|grid| Box::new(Edm::deterministic(grid))).1, 1.8, 2.2);
    for space in [Space::Data, Space::Noise, Space::Displacement] {
        let midpoint = move |grid| {
            Box::new(Reparametrised { grid, space, rule: Rule::Midpoint }) as Box<dyn Sampler>
        };
        assert_order(errors(midpoint).1, 1.8, 2.2);
    }
}

const FORMS: [Diffusion; 5] = [
    Diffusion::Zero,
    Diffusion::Constant(1.0),
    Diffusion::Sigma(2.0),
    Diffusion::Linear(2.0),
    Diffusion::Ddpm { eta: 1.0 },
];

/// Mean and variance after Euler-Maruyama steps on Gaussian data, from the recursion itself.
fn recursion(data: (f64, f64), form: Diffusion, times: &[f64]) -> (f64, f64) {
    let (m, std) = data;
    let c = Linear::default().at(times[0]);
    let (mut mean, mut variance) = (c.alpha * m + 0.2, c.sigma.powi(2) + (c.alpha * std).powi(2));
    for pair in times.windows(2) {
        let (c, h) = (Linear::default().at(pair[0]), pair[1] - pair[0]);
        let g2 = form.squared(pair[0], &c);
        let total = c.sigma.powi(2) + (c.alpha * std).powi(2);
        // v = alpha' m + rate (x - alpha m) and score = -(x - alpha m) / total.
        let rate = (c.alpha * c.d_alpha * std * std + c.sigma * c.d_sigma) / total;
        let slope = rate - 0.5 * g2 / total;
        mean += h * (c.d_alpha * m + slope * (mean - c.alpha * m));
        variance = (1.0 + h * slope).powi(2) * variance + g2 * h;
    }
    (mean, variance)
}

#[test]
fn gaussian_data_obeys_the_euler_maruyama_recursion() {
    let (data, steps) = ((1.5, 0.5), 20_usize);
    let field = Exact::new(Gaussian::new(vec![data.0], data.1), Linear::default());
    let times: Vec<f64> = (0..=steps).map(|k| 0.1 + 0.85 * k as f64 / steps as f64).collect();
    for form in FORMS {
        let (mean, variance) = recursion(data, form, &times);
        // The state is affine in its start and in each noise: row 0 has neither a displacement nor
        // noise, row 1 starts one standard deviation away, row k + 2 meets noise at step k alone.
        let mut starts = vec![0.1 * data.0 + 0.2; steps + 2];
        starts[1] += 0.9_f64.hypot(0.1 * data.1);
        let impulse = |step: usize, _: &Tensor<2>| {
            let mut z = vec![0.0; steps + 2];
            z[step + 2] = 1.0;
            rows(&z, 1)
        };
        let grid = Grid::Given(times.clone());
        let sde = Sde { grid, diffusion: form, last: LastStep::Plain, noise: impulse };
        let ends = host(run(&sde, &field, &rows(&starts, 1)));
        let spread: f64 = ends[1..].iter().map(|end| (end - ends[0]).powi(2)).sum();
        // Rounding of 20 steps on numbers of size one.
        assert!((ends[0] - mean).abs() < 1e-12, "{form:?}: mean {} is not {mean}", ends[0]);
        assert!((spread - variance).abs() < 1e-12, "{form:?}: {spread} is not {variance}");
    }
}

#[test]
fn weak_order_of_euler_maruyama_is_one() {
    let data = (1.5, 0.5);
    let exact = 0.05_f64.hypot(0.95 * data.1).powi(2);
    for form in FORMS {
        let error = |steps: usize| {
            let time = |k: usize| 0.1 + 0.85 * k as f64 / steps as f64;
            let times: Vec<f64> = (0..=steps).map(time).collect();
            (recursion(data, form, &times).1 - exact).abs()
        };
        assert_order((error(400) / error(800)).log2(), 0.9, 1.1);
    }
}

/// Largest gap between the empirical distributions of two samples of equal size.
fn kolmogorov_smirnov(mut a: Vec<f64>, mut b: Vec<f64>) -> f64 {
    a.sort_by(f64::total_cmp);
    b.sort_by(f64::total_cmp);
    let mut below = 0;
    let gaps = a.iter().enumerate().map(|(k, x)| {
        while below < b.len() && b[below] <= *x {
            below += 1;
        }
        (k as f64 + 1.0 - below as f64).abs() / a.len() as f64
    });
    gaps.fold(0.0, f64::max)
}

const SAMPLES: usize = 6000;

/// Two samples of one law differ by more in one test of a thousand: `1.95 sqrt(2 / n)`.
fn critical_gap() -> f64 {
    1.95 * (2.0 / SAMPLES as f64).sqrt()
}

fn two_modes() -> flow_path::Mixture {
    let mode = |mean: f64| Gaussian::new(vec![mean], 0.3);
    flow_path::Mixture::weighted(vec![mode(-1.0), mode(1.2)], &[0.4, 0.6])
}

/// Draws from the marginal of the linear schedule at `t`, in double precision.
fn marginal(t: f64, seed: u64) -> Tensor<2> {
    let streams = Streams::new(seed);
    let data = two_modes().sample(SAMPLES, &mut streams.rng(0, Purpose::Data));
    let noise = flow_sample::normal_rows(seed, Purpose::Noise, 0..SAMPLES, 1);
    let mixed: Vec<f64> =
        data.iter().zip(noise).map(|(x1, x0)| t * x1 + (1.0 - t) * f64::from(x0)).collect();
    rows(&mixed, 1)
}

fn stochastic_times() -> Vec<f64> {
    (0..=150).map(|k| 0.1 + 0.9 * f64::from(k) / 150.0).collect()
}

#[test]
fn every_diffusion_keeps_the_marginals() {
    let field = Exact::new(two_modes(), Linear::default());
    let times = stochastic_times();
    let middle = times.len() / 2;
    for diffusion in FORMS {
        let sde = |end: usize, last| {
            let grid = Grid::Given(times[..=end].to_vec());
            Sde { grid, diffusion, last, noise: Seeded::new(4) }
        };
        for (end, last) in [(middle, LastStep::Plain), (150, LastStep::Denoise)] {
            let got = host(run(&sde(end, last), &field, &marginal(times[0], 1)));
            let gap = kolmogorov_smirnov(got, host(marginal(times[end], 2)));
            // Ten comparisons: a false alarm in one of a hundred seeds, of which this is one.
            assert!(gap < critical_gap(), "{diffusion:?} at {}: {gap}", times[end]);
        }
    }
}

/// Euler-Maruyama by hand, with the score's contribution times `sign`.
fn euler_maruyama(sign: f64) -> Tensor<2> {
    let field = Exact::new(two_modes(), Linear::default());
    let (times, g2) = (stochastic_times(), 1.0_f64);
    let mut x = marginal(times[0], 1);
    for (step, pair) in times[..150].windows(2).enumerate() {
        let h = pair[1] - pair[0];
        let predict = |what| Predictor::predict(&field, what, &x, pair[0]);
        let drift = predict(Prediction::Velocity) + predict(Prediction::Score) * (0.5 * sign * g2);
        let z = flow_sample::Noise::draw(&Seeded::new(4), step, &x);
        x = x + drift * h + z * (g2 * h).sqrt();
    }
    x
}

#[test]
fn a_score_of_the_wrong_sign_loses_the_marginals() {
    let times = stochastic_times();
    let field = Exact::new(two_modes(), Linear::default());
    let grid = Grid::Given(times[..150].to_vec());
    let (diffusion, last) = (Diffusion::Constant(1.0), LastStep::Plain);
    let sde = Sde { grid, diffusion, last, noise: Seeded::new(4) };
    let x0 = marginal(times[0], 1);
    assert!(difference(&run(&sde, &field, &x0), &euler_maruyama(1.0)) < 1e-10);
    let truth = || host(marginal(times[149], 2));
    assert!(kolmogorov_smirnov(host(euler_maruyama(1.0)), truth()) < critical_gap());
    assert!(kolmogorov_smirnov(host(euler_maruyama(0.0)), truth()) > 1.5 * critical_gap());
    assert!(kolmogorov_smirnov(host(euler_maruyama(-1.0)), truth()) > 3.0 * critical_gap());
}

/// Every sampler on `grid`, with its cost in evaluations for `n` steps from pure noise to data.
fn all_samplers(
    grid: &Grid,
    noise: Seeded,
    n: usize,
) -> Vec<(&'static str, Box<dyn Sampler>, usize)> {
    let grid = || grid.clone();
    let space =
        |space, rule| Box::new(Reparametrised { grid: grid(), space, rule }) as Box<dyn Sampler>;
    let edm = KarrasChurn { amount: 0.2 * n as f64, ..Default::default() };
    let sde = |diffusion| {
        Box::new(Sde { grid: grid(), diffusion, last: LastStep::Denoise, noise })
            as Box<dyn Sampler>
    };
    let solver = |multistep, eta| {
        Box::new(DpmSolver { grid: grid(), multistep, eta, noise }) as Box<dyn Sampler>
    };
    let unipc = |order, last| Box::new(UniPc { grid: grid(), order, last }) as Box<dyn Sampler>;
    vec![
        ("ddim", Box::new(Ddim::deterministic(grid())), n),
        ("ddim, eta 0.7", Box::new(Ddim { grid: grid(), eta: 0.7, noise }), n),
        ("ancestral", Box::new(Ancestral { grid: grid(), noise }), n),
        ("churn", Box::new(Churn { grid: grid(), fraction: 0.3, noise }), n),
        ("edm", Box::new(Edm::deterministic(grid())), 2 * n - 2),
        ("edm, churn", Box::new(Edm { grid: grid(), churn: edm, noise }), 2 * n - 2),
        ("sde, sigma", sde(Diffusion::Sigma(1.0)), n),
        ("sde, linear", sde(Diffusion::Linear(1.0)), n),
        ("dpm++(1)", solver(Multistep::First, 0.0), n),
        ("dpm++(2M)", solver(Multistep::Second, 0.0), n),
        ("sde-dpm++(2M)", solver(Multistep::Second, 1.0), n),
        ("unipc-2", unipc(UniPcOrder::Second, Final::FullOrder), n),
        ("unipc-3", unipc(UniPcOrder::Third, Final::FullOrder), n),
        ("unipc-3, low end", unipc(UniPcOrder::Third, Final::LowerOrder), n),
        ("data euler", space(Space::Data, Rule::Euler), n),
        ("data midpoint", space(Space::Data, Rule::Midpoint), 2 * n - 1),
        ("displacement midpoint", space(Space::Displacement, Rule::Midpoint), 2 * n),
    ]
}

#[test]
fn reported_evaluations_are_those_made() {
    let (n, x0) = (7, rows(&[0.3, -0.7, 1.2, 0.4], 2));
    for (name, sampler, cost) in all_samplers(&Grid::Uniform { steps: n }, noise(), n) {
        let field = Counted(Arbitrary(Linear::default()), Cell::new(0));
        let nfe = generate(&*sampler, &field, &x0).nfe;
        assert_eq!(nfe, field.1.get(), "{name}");
        assert_eq!(nfe, cost, "{name}");
    }
    // With some data at the start of the grid every step but the last is corrected.
    let field = Counted(Arbitrary(VariancePreserving::default()), Cell::new(0));
    let grid = Grid::Given(vec![0.0, 0.2, 0.5, 0.8, 1.0]);
    assert_eq!(generate(&Edm::deterministic(grid), &field, &x0).nfe, 2 * 4 - 1);
    assert_eq!(field.1.get(), 7);
}

#[test]
fn every_sampler_finds_the_only_data_point() {
    // A network that always answers the same point leaves no room for errors of a method, if pure
    // noise and pure data are met without logarithms.
    let point = Exact::new(Gaussian::new(vec![1.5, -0.5], 0.0), Linear::default());
    let x0 = rows(&[0.3, -0.7, 1.2, 0.4], 2);
    let want = rows(&[1.5, -0.5, 1.5, -0.5], 2);
    let grids = [
        Grid::Uniform { steps: 5 },
        Grid::Uniform { steps: 1 },
        Grid::LogSnr { steps: 5, min: -8.0, max: 8.0 },
        Grid::Karras { steps: 5, rho: 7.0, min: 0.002, max: 80.0 },
        Grid::Uniform { steps: 5 }.shifted(TimeShift::new(3.0).unwrap()),
    ];
    for grid in grids {
        for (name, sampler, _) in all_samplers(&grid, noise(), 5) {
            let gap = difference(&run(&*sampler, &point, &x0), &want);
            assert!(gap < 1e-12, "{name} on {grid:?}: {gap:e}");
        }
    }
}

#[test]
fn a_sample_does_not_depend_on_its_batch() {
    let field = Exact::new(Gaussian::new(vec![1.5, -0.5], 0.5), Linear::default());
    let device = burn::tensor::Device::flex();
    let prior = |range| flow_sample::prior(9, range, 2, &field, &device);
    let grid = Grid::Uniform { steps: 6 };
    let samples = |first, x0: &Tensor<2>| -> Vec<Vec<f64>> {
        let samplers = all_samplers(&grid, Seeded::new(3).starting_at(first), 6);
        samplers.iter().map(|(_, sampler, _)| host(run(&**sampler, &field, x0))).collect()
    };
    let (whole, part) = (samples(0, &prior(0..10)), samples(4, &prior(4..7)));
    for (k, (whole, part)) in whole.iter().zip(&part).enumerate() {
        assert_eq!(whole[8..14], part[..], "sampler {k}");
    }
}

#[test]
fn seeded_noise_differs_by_seed_sample_and_step() {
    let like = rows(&[0.0; 8], 4);
    let draw = |seed, step| flow_sample::Noise::draw(&Seeded::new(seed), step, &like);
    let z = host(draw(5, 0));
    assert_eq!(z, host(draw(5, 0)));
    assert_ne!(z[..4], z[4..]);
    for other in [draw(5, 1), draw(6, 0)] {
        assert_ne!(z, host(other));
    }
    assert_eq!(draw(5, 0).dtype(), DType::F64);
}

#[test]
fn single_precision_follows_double_precision() {
    let field = Exact::new(two_modes(), Cosine::default());
    let x0 = rows(&[0.3, -0.7, 1.2, 0.4], 1);
    let narrow = Tensor::<2>::from_data(
        TensorData::new(host(x0.clone()), [4, 1]),
        (&x0.device(), DType::F32),
    );
    for (name, sampler, _) in all_samplers(&Grid::Uniform { steps: 10 }, noise(), 10) {
        let (wide, narrow) =
            (host(run(&*sampler, &field, &x0)), host(run(&*sampler, &field, &narrow)));
        for (wide, narrow) in wide.iter().zip(narrow) {
            // 20 evaluations, each 6e-8 off, between modes that part neighbours 10 times as far.
            assert!((wide - narrow).abs() < 2e-5, "{name}: {wide} and {narrow}");
        }
    }
}

#[test]
fn grids_have_their_formulas_inside_and_the_span_at_their_ends() {
    let field = Arbitrary(VariancePreserving::default());
    let end = 1.0 - 1e-5;
    let level = |t: f64| field.0.at(t).sigma / field.0.at(t).alpha;
    let times = |grid: Grid| grid.times(&field).unwrap();
    let karras = times(Grid::Karras { steps: 4, rho: 7.0, min: 0.01, max: 80.0 });
    assert_eq!((karras.len(), karras[0], karras[4]), (5, 0.0, end));
    let root = |s: f64| s.powf(1.0 / 7.0);
    for (k, t) in (1..).zip(&karras[1..4]) {
        let want = (root(80.0) + f64::from(k) / 3.0 * (root(0.01) - root(80.0))).powi(7);
        // Times resolve the noise level to d ln(sigma) / dt times e.
        assert!((level(*t) / want - 1.0).abs() < 1e-10, "{k}");
    }
    let even = times(Grid::LogSnr { steps: 4, min: -8.0, max: 8.0 });
    for (k, want) in [(1, -4.0), (2, 0.0), (3, 4.0)] {
        assert!((field.0.at(even[k]).log_snr() - want).abs() < 1e-10);
    }
    let shift = TimeShift::new(2.0).unwrap();
    let uniform = Grid::Uniform { steps: 4 };
    let shifted = times(uniform.clone().shifted(shift));
    assert_eq!((shifted[0], shifted[2], shifted[4]), (0.0, shift.apply(times(uniform)[2]), end));
}

#[test]
fn grids_that_cannot_be_walked_are_errors() {
    let field = Arbitrary(Linear::default());
    let error = |times: &[f64]| Grid::Given(times.to_vec()).times(&field).unwrap_err();
    assert_eq!(error(&[0.5]), SampleError::ShortGrid { times: 1 });
    assert_eq!(error(&[0.1, 0.5, 0.5]), SampleError::GridOrder { index: 2, t: 0.5, before: 0.5 });
    assert_eq!(error(&[-0.1, 0.5]), SampleError::OutsideSpan { t: -0.1, start: 0.0, end: 1.0 });
    assert_eq!(error(&[0.1, 1.5]), SampleError::OutsideSpan { t: 1.5, start: 0.0, end: 1.0 });
    assert!(matches!(error(&[0.1, f64::NAN]), SampleError::GridOrder { index: 1, .. }));
}

#[test]
fn settings_and_states_out_of_range_are_errors() {
    let field = Arbitrary(Linear::default());
    let x0 = rows(&[0.3, -0.7, f64::NAN, 0.4], 2);
    let grid = || Grid::Uniform { steps: 3 };
    let ddim = Ddim { grid: grid(), eta: 1.5, noise: noise() };
    let error = ddim.sample(&field, x0.clone()).unwrap_err();
    assert_eq!(error.to_string(), "eta is 1.5: it must lie in [0, 1]");
    let noise = Reparametrised { grid: grid(), space: Space::Noise, rule: Rule::Euler };
    let error = noise.sample(&field, x0.clone()).unwrap_err();
    assert_eq!(error, SampleError::PureNoise { t: 0.0 });
    let error = Ddim::deterministic(grid()).sample(&field, x0).unwrap_err();
    assert_eq!(error, SampleError::NotFinite { row: 1, t: 1.0 });
}
