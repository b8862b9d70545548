//! The SDE of every diffusion: its recursion on Gaussian data, its weak order and its marginals.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;
mod oracles;

use burn::tensor::Tensor;
use common::{host, rows};
use flow_path::stream::{Purpose, Streams};
use flow_path::{
    Exact, Gaussian, Linear, Mixture, Prediction, Schedule, Target, VariancePreserving,
};
use flow_sample::{
    Ancestral, Diffusion, Grid, LastStep, Noise, Predictor, Sampler, Sde, Seeded, Way,
};
use oracles::{difference, run};

/// Every shape, with a factor.
const FORMS: [(Diffusion, f64); 5] = [
    (Diffusion::Zero, 1.0),
    (Diffusion::Constant, 1.0),
    (Diffusion::Sigma, 2.0),
    (Diffusion::Linear, 2.0),
    (Diffusion::Ddpm, 1.0),
];

fn sde((diffusion, scale): (Diffusion, f64), last: LastStep) -> Sde {
    Sde { diffusion, scale, last }
}

/// Mean and variance after Euler-Maruyama steps on Gaussian data, from the recursion itself.
fn recursion(data: (f64, f64), (form, scale): (Diffusion, f64), times: &[f64]) -> (f64, f64) {
    let (m, std) = data;
    let c = Linear::default().at(times[0]);
    let (mut mean, mut variance) = (c.alpha * m + 0.2, c.sigma.powi(2) + (c.alpha * std).powi(2));
    for pair in times.windows(2) {
        let (c, h) = (Linear::default().at(pair[0]), pair[1] - pair[0]);
        let g2 = scale * form.squared(pair[0], &c);
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
        let way = Way::along(Grid::Given(times.clone())).with_noise(&impulse);
        let ends = host(run(&sde(form, LastStep::Plain), &field, &rows(&starts, 1), &way));
        let spread: f64 = ends[1..].iter().map(|end| (end - ends[0]).powi(2)).sum();
        // Rounding of 20 steps on numbers of size one.
        assert!((ends[0] - mean).abs() < 1e-12, "{form:?}: mean {} is not {mean}", ends[0]);
        assert!((spread - variance).abs() < 1e-12, "{form:?}: {spread} is not {variance}");
    }
}

/// The chain of DDPM and the equation with noise are two discretisations of one diffusion: their
/// means and variances come together at the rate of the steps, and with them to those of the data.
///
/// # Reference
/// Song et al. (2021), arXiv:2011.13456, appendix E: ancestral sampling of DDPM is a discretisation
/// of the reverse-time equation.
#[test]
fn the_chain_of_ddpm_and_the_equation_with_noise_come_together() {
    let data = (1.5, 0.5);
    let field = Exact::new(Gaussian::new(vec![data.0], data.1), VariancePreserving::default());
    // Affine in the start and in each noise, as above.
    let moments = |sampler: &dyn Sampler, steps: usize| {
        let time = |k: usize| 0.05 + 0.9 * k as f64 / steps as f64;
        let c = field.schedule.at(time(0));
        let mut starts = vec![c.alpha * data.0; steps + 2];
        starts[1] += c.sigma.hypot(c.alpha * data.1);
        let impulse = |step: usize, like: &Tensor<2>| {
            let mut z = vec![0.0; steps + 2];
            z[step + 2] = 1.0;
            rows(&z, 1).cast(like.dtype())
        };
        let grid = Grid::Given((0..=steps).map(time).collect());
        let way = Way::along(grid).with_noise(&impulse);
        let ends = host(run(sampler, &field, &rows(&starts, 1), &way));
        (ends[0], ends[1..].iter().map(|end| (end - ends[0]).powi(2)).sum::<f64>())
    };
    let c = field.schedule.at(0.95);
    let (mean, variance) = (c.alpha * data.0, c.sigma.powi(2) + (c.alpha * data.1).powi(2));
    let noisy = sde((Diffusion::Ddpm, 1.0), LastStep::Plain);
    let gaps = [80, 160, 320, 640].map(|steps| {
        let (chain, equation) = (moments(&Ancestral {}, steps), moments(&noisy, steps));
        for (got, name) in [(chain, "chain"), (equation, "equation")] {
            let error = (got.0 - mean).abs().max((got.1 - variance).abs());
            assert!(error < 40.0 / steps as f64, "{name}, {steps} steps: off by {error}");
        }
        (chain.1 - equation.1).abs()
    });
    for pair in gaps.windows(2) {
        let order = (pair[0] / pair[1]).log2();
        assert!((order - 1.0).abs() < 0.2, "order {order} of {gaps:?}");
    }
    // Another diffusion ends with the same law and takes another way there: no chain of DDPM.
    let other = moments(&sde((Diffusion::Zero, 1.0), LastStep::Plain), 640);
    assert!((other.1 - variance).abs() < 40.0 / 640.0);
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
        let order = (error(400) / error(800)).log2();
        assert!(0.9 < order && order < 1.1, "{form:?}: {order}");
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

fn two_modes() -> Mixture {
    let mode = |mean: f64| Gaussian::new(vec![mean], 0.3);
    Mixture::weighted(vec![mode(-1.0), mode(1.2)], &[0.4, 0.6])
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

const NOISE: Seeded = Seeded { seed: 4, first: 0 };

fn stochastic_times() -> Vec<f64> {
    (0..=150).map(|k| 0.1 + 0.9 * f64::from(k) / 150.0).collect()
}

#[test]
fn every_diffusion_keeps_the_marginals() {
    let field = Exact::new(two_modes(), Linear::default());
    let times = stochastic_times();
    let middle = times.len() / 2;
    for form in FORMS {
        for (end, last) in [(middle, LastStep::Plain), (150, LastStep::Denoise)] {
            let way = Way::along(Grid::Given(times[..=end].to_vec())).with_noise(&NOISE);
            let got = host(run(&sde(form, last), &field, &marginal(times[0], 1), &way));
            let gap = kolmogorov_smirnov(got, host(marginal(times[end], 2)));
            // Ten comparisons: a false alarm in one of a hundred seeds, of which this is one.
            assert!(gap < critical_gap(), "{form:?} at {}: {gap}", times[end]);
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
        let z = NOISE.draw(step, &x);
        x = x + drift * h + z * (g2 * h).sqrt();
    }
    x
}

#[test]
fn a_score_of_the_wrong_sign_loses_the_marginals() {
    let times = stochastic_times();
    let field = Exact::new(two_modes(), Linear::default());
    let way = Way::along(Grid::Given(times[..150].to_vec())).with_noise(&NOISE);
    let sde = sde((Diffusion::Constant, 1.0), LastStep::Plain);
    let x0 = marginal(times[0], 1);
    assert!(difference(&run(&sde, &field, &x0, &way), &euler_maruyama(1.0)) < 1e-10);
    let truth = || host(marginal(times[149], 2));
    assert!(kolmogorov_smirnov(host(euler_maruyama(1.0)), truth()) < critical_gap());
    assert!(kolmogorov_smirnov(host(euler_maruyama(0.0)), truth()) > 1.5 * critical_gap());
    assert!(kolmogorov_smirnov(host(euler_maruyama(-1.0)), truth()) > 3.0 * critical_gap());
}
