//! Steps of deterministic and ancestral sampling, from the coefficients alone.

mod common;

use std::collections::BTreeMap;

use common::assert_close;
use flow_path::{
    Coefficients, Cosine, Dual, Linear, Prediction, Scaled, Schedule, VariancePreserving,
};

/// DDIM: re-mix the predicted pair at the next time.
fn ddim(x: f64, noise: f64, from: &Coefficients, to: &Coefficients) -> f64 {
    let data = (x - from.sigma * noise) / from.alpha;
    to.alpha * data + to.sigma * noise
}

#[test]
fn reparametrised_steps_agree_with_ddim() {
    // Euler on scaled x in the variable eta, with the data, the noise or their difference held.
    for schedule in
        [&Linear::default() as &dyn Schedule, &Cosine::default(), &VariancePreserving::default()]
    {
        for (t, s) in [(0.1, 0.15), (0.3, 0.8), (0.5, 0.55)] {
            let (from, to) = (schedule.at(t), schedule.at(s));
            let (x, noise) = (0.7, -0.4);
            let data = (x - from.sigma * noise) / from.alpha;
            let want = ddim(x, noise, &from, &to);
            let step =
                |scale: fn(&Coefficients) -> f64, eta: fn(&Coefficients) -> f64, out: f64| {
                    scale(&to) * (x / scale(&from) + out * (eta(&to) - eta(&from)))
                };
            assert_close(step(|c| c.sigma, |c| c.alpha / c.sigma, data), want, 1e-12);
            assert_close(step(|c| c.alpha, |c| c.sigma / c.alpha, noise), want, 1e-12);
            let total: fn(&Coefficients) -> f64 = |c| c.alpha + c.sigma;
            let share: fn(&Coefficients) -> f64 = |c| c.sigma / (c.alpha + c.sigma);
            assert_close(step(total, share, noise - data), want, 1e-12);
        }
    }
}

#[test]
fn a_v_step_on_a_variance_preserving_schedule_is_a_rotation() {
    for schedule in [&Cosine::default() as &dyn Schedule, &VariancePreserving::default()] {
        let (from, to) = (schedule.at(0.3), schedule.at(0.45));
        let (x, noise) = (0.7, -0.4);
        let (a, b) = Prediction::Noise.convert(Prediction::V, &from);
        let v = a * noise + b * x;
        let angle = |c: &Coefficients| c.sigma.atan2(c.alpha);
        let turn = angle(&to) - angle(&from);
        assert_close(turn.cos() * x + turn.sin() * v, ddim(x, noise, &from, &to), 1e-12);
    }
}

/// The noise that an ideal network predicts for data of the law `N(0, variance)`.
fn ideal_noise(x: f64, c: &Coefficients, variance: f64) -> f64 {
    c.sigma * x / (c.sigma.powi(2) + c.alpha.powi(2) * variance)
}

/// Five DDIM steps and five Euler steps on the velocity, from -2 at pure noise.
fn five_steps(schedule: &dyn Schedule, variance: f64) -> (f64, f64) {
    let (mut by_ddim, mut by_euler) = (-2.0, -2.0);
    for k in 0..5 {
        let (t, s) = (f64::from(k) / 5.0, f64::from(k + 1) / 5.0);
        let (from, to) = (schedule.at(t), schedule.at(s));
        let noise = ideal_noise(by_ddim, &from, variance);
        // At pure noise the posterior mean of centred data is zero, which the quotient cannot see.
        by_ddim = if k == 0 { to.sigma * noise } else { ddim(by_ddim, noise, &from, &to) };
        let total = from.sigma.powi(2) + from.alpha.powi(2) * variance;
        let rate = (from.alpha * from.d_alpha * variance + from.sigma * from.d_sigma) / total;
        by_euler += rate * by_euler * (s - t);
    }
    (by_ddim, by_euler)
}

/// The linear schedule rescaled towards unit norm: not at all for `k = 0`, fully for `k = 1`.
fn rescaled(k: f64) -> impl Schedule {
    Scaled::new(Linear::default(), move |t: Dual| {
        let norm = ((1.0 - t) * (1.0 - t) + t * t).sqrt();
        1.0 + k * (1.0 / norm - 1.0)
    })
}

#[test]
fn wide_data_prefers_the_diffusion_and_narrow_data_the_straight_line() {
    // Ends of the figure on straightness of Gao et al. (2024), on its exact grid.
    let want = [
        (0.01, -0.07197, 0.00248),
        (0.05, -0.26812, -0.27259),
        (0.1, -0.42764, -0.49712),
        (0.5, -1.07859, -1.39452),
        (1.0, -1.54100, -2.0),
    ];
    for (variance, flow, diffusion) in want {
        let (ddim, euler) = five_steps(&Linear::default(), variance);
        assert_close(ddim, flow, 1e-5);
        assert_close(euler, flow, 1e-5);
        let (ddim, euler) = five_steps(&rescaled(1.0), variance);
        assert_close(ddim, flow, 1e-5);
        assert_close(euler, diffusion, 1e-5);
    }
}

#[test]
fn scale_moves_euler_steps_and_leaves_ddim() {
    let want = [(0.0, -0.73846), (1.0 / 7.0, -0.77143), (3.0 / 7.0, -0.83128), (1.0, -0.93135)];
    for (k, end) in want {
        let (ddim, euler) = five_steps(&rescaled(k), 0.25);
        assert_close(ddim, -0.73846, 1e-5);
        assert_close(euler, end, 1e-5);
    }
}

/// Factor and variance of renoising from one time back to a noisier one.
fn renoise(from: &Coefficients, to: &Coefficients) -> (f64, f64) {
    let factor = to.alpha / from.alpha;
    (factor, to.sigma.powi(2) - (factor * from.sigma).powi(2))
}

#[test]
fn an_ancestral_step_is_ddim_twice_as_far_and_renoised() {
    let (x, data) = (0.7, -1.1);
    for schedule in [&Cosine::default() as &dyn Schedule, &VariancePreserving::default()] {
        let from = schedule.at(0.4);
        for step in [0.1, 0.7, 1.5] {
            let at =
                |steps: f64| schedule.at(schedule.time_at_log_snr(from.log_snr() + steps * step));
            let (once, twice) = (at(1.0), at(2.0));
            let noise = (x - from.alpha * data) / from.sigma;
            let (factor, variance) = renoise(&twice, &once);
            let mean = factor * (twice.alpha * data + twice.sigma * noise);
            // The posterior of the diffusion, with decay e^{-step}.
            let decay = (from.log_snr() - once.log_snr()).exp();
            let posterior = decay * once.alpha / from.alpha * x + (1.0 - decay) * once.alpha * data;
            assert_close(mean, posterior, 1e-13);
            assert_close(variance, once.sigma.powi(2) * (1.0 - decay), 1e-13);
            // The larger variance, that of the noising kernel, is another sampler.
            let kernel = 1.0 - (from.alpha / once.alpha).powi(2);
            assert_close(variance / kernel, (once.sigma / from.sigma).powi(2), 1e-12);
            assert!(variance < kernel);
        }
    }
}

#[test]
fn churn_shrinks_the_weights_of_early_predictions_as_published() {
    // Weight of each v-prediction in the final sample, 100 steps on the bounded cosine schedule.
    let text = include_str!("reference/churn_figure.json");
    let figure: BTreeMap<String, BTreeMap<String, Vec<f64>>> = serde_json::from_str(text).unwrap();
    let schedule = Cosine::with_log_snr_bound(15.0);
    for (name, curve) in figure {
        let churn: f64 = name.strip_prefix("churn=").unwrap().parse().unwrap();
        let mut later = 1.0;
        let mut weights = Vec::new();
        for k in (0..100).rev() {
            let (from, to) =
                (schedule.at(f64::from(k) / 100.0), schedule.at(f64::from(k + 1) / 100.0));
            let ahead = from.log_snr() + (to.log_snr() - from.log_snr()) / (1.0 - churn);
            let angle = |log_snr: f64| (-0.5 * log_snr).exp().atan();
            let turn = angle(from.log_snr()) - angle(ahead);
            let factor = to.alpha / angle(ahead).cos();
            weights.push(factor * turn.sin() * later);
            later *= factor * turn.cos();
        }
        weights.reverse();
        for (got, want) in weights.iter().zip(&curve["h"]) {
            assert!((got / want - 1.0).abs() < 2e-5, "{name}: got {got}, want {want}");
        }
    }
}
