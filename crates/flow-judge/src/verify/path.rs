//! Golden numbers of schedules, paths and weights.

use std::f64::consts::{FRAC_PI_2, TAU};

use burn::tensor::Tensor;
use flow_path::{
    AffinePath, ConditionalPath, FromSde, Linear, Schedule, Times, VarianceExploding,
    VariancePreserving, Weighting,
};

use super::fixture::{integral, largest};
use super::{Bench, Place, Tolerances, host};
use crate::error::JudgeError;

/// `u_t(x = 0.5 | x_1 = 2)`, by tensors.
fn conditional(place: &Place, schedule: &dyn Schedule, t: f64) -> f64 {
    let (x, x1) = (place.rows(&[0.5], 1), place.rows(&[2.0], 1));
    let path = AffinePath::new(schedule);
    host(ConditionalPath::<Tensor<2>, 2>::velocity(&path, x, &x1, &Times::constant(t, 1)))[0]
}

pub(super) fn linear(bench: &mut Bench) -> Result<(), JudgeError> {
    let tolerances: Tolerances = (1e-10, 1e-6);
    bench.tensor("u(0.5 | 2), sigma_min 0.1, t = 0.3", 2.1232876712328768, tolerances, |place| {
        Ok(conditional(place, &Linear { sigma_min: 0.1 }, 0.3))
    })
}

pub(super) fn variance_preserving(bench: &mut Bench) -> Result<(), JudgeError> {
    for (t, want) in [(0.3, 1.16681172911), (0.5, 2.85279279796), (0.9, 14.5620193419)] {
        bench.tensor(format!("u(0.5 | 2), t = {t}"), want, (1e-9, 1e-5), |place| {
            Ok(conditional(place, &VariancePreserving::default(), t))
        })?;
    }
    Ok(())
}

pub(super) fn constants(bench: &mut Bench) -> Result<(), JudgeError> {
    let schedule = VariancePreserving::default();
    let start = schedule.at(0.0);
    bench.number("integrated rate T(1)", 10.05, schedule.integrated_beta(0.0), 1e-9);
    bench.number("alpha at the noise", 0.00657158649, start.alpha, 1e-9);
    bench.number("sigma at the noise", 0.99997840689, start.sigma, 1e-9);
    Ok(())
}

pub(super) fn variance_exploding(bench: &mut Bench) -> Result<(), JudgeError> {
    let schedule = VarianceExploding::default();
    bench.number("sigma, t = 0.5", 0.5_f64.sqrt(), schedule.at(0.5).sigma, 1e-9);
    let want = 1.5 * 5000.0_f64.ln();
    bench.tensor("u(0.5 | 2), t = 0.5", want, (1e-9, 1e-5), |place| {
        Ok(conditional(place, &schedule, 0.5))
    })
}

/// A central difference of `alpha x_1 + sigma x_0` against the velocity at that point.
pub(super) fn flow_moves(bench: &mut Bench) -> Result<(), JudgeError> {
    let schedules: [(&str, &dyn Schedule); 3] = [
        ("linear", &Linear { sigma_min: 0.1 }),
        ("vp", &VariancePreserving::default()),
        ("ve", &VarianceExploding::default()),
    ];
    let (x0, x1) = (-0.7, 1.3);
    for (name, schedule) in schedules {
        let residual = |t: f64| {
            let at = |t: f64| {
                let c = schedule.at(t);
                c.alpha * x1 + c.sigma * x0
            };
            let h = 1e-5;
            let moved = (at(t + h) - at(t - h)) / (2.0 * h);
            // Relative to the speed where it is above one: that of ve passes 100 near the noise.
            let speed = schedule.at(t).conditional_velocity(at(t), x1);
            (moved - speed) / speed.abs().max(1.0)
        };
        let worst = largest([0.2, 0.5, 0.8].map(residual));
        bench.number(format!("difference less velocity, {name}"), 0.0, worst, 1e-7);
    }
    Ok(())
}

pub(super) fn weighting(bench: &mut Bench) -> Result<(), JudgeError> {
    for log_snr in [-8.0, 0.0, 5.0] {
        let ratio = Weighting::FlowMatching.at(log_snr) / Weighting::VCosine.at(log_snr);
        bench.number(format!("w_FM / w_v at log-SNR {log_snr}"), FRAC_PI_2, ratio, 1e-12);
    }
    Ok(())
}

/// `|x_1|^2 + d (1 - sigma_min)^2`, by quadrature over the noise and over time.
pub(super) fn energy(bench: &mut Bench) -> Result<(), JudgeError> {
    let schedule = Linear { sigma_min: 0.1 };
    let at = |t: f64| {
        let c = schedule.at(t);
        let density = |x0: f64| (-0.5 * x0 * x0).exp() / TAU.sqrt();
        integral(|x0| density(x0) * c.velocity(x0, 2.0).powi(2), -9.0, 9.0, 400)
    };
    bench.number("E |u|^2, x_1 = 2, sigma_min 0.1", 4.81, integral(at, 0.0, 1.0, 20), 1e-9);
    Ok(())
}

/// `(f, g^2)` of a schedule, and the schedule from them.
pub(super) fn diffusion(bench: &mut Bench) -> Result<(), JudgeError> {
    let schedule = VariancePreserving::default();
    let rate = move |s: f64| schedule.beta(1.0 - s);
    let recovered = FromSde::new(move |s| -0.5 * rate(s), rate);
    for t in [0.2, 0.5, 0.8] {
        let (got, want) = (recovered.at(t), schedule.at(t));
        let sde = want.noising_sde();
        bench.number(format!("f, t = {t}"), -0.5 * schedule.beta(t), sde.drift, 1e-12);
        bench.number(format!("g^2, t = {t}"), schedule.beta(t), sde.diffusion_squared, 1e-12);
        bench.number(format!("alpha, t = {t}"), want.alpha, got.alpha, 1e-8);
        bench.number(format!("sigma, t = {t}"), want.sigma, got.sigma, 1e-8);
    }
    // Without its leading alpha the published formula for sigma gives this.
    let c = recovered.at(0.5);
    bench.number("sigma / alpha, t = 0.5", 3.41292, c.sigma / c.alpha, 1e-5);
    Ok(())
}
