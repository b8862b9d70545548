//! Golden numbers of exact marginal fields.

use std::f64::consts::FRAC_PI_2;

use burn::tensor::Tensor;
use flow_path::{
    Exact, ExactField, FiniteData, Gaussian, Linear, Mixture, Prediction, VariancePreserving,
};
use flow_sample::{Divergence, ExactTrace, Predictor};

use super::fixture::{OT, derivative, integral, largest, two_modes};
use super::{Bench, Place, host};
use crate::error::JudgeError;

/// One prediction of a field at one point of the line.
fn predicted(place: &Place, field: &dyn Predictor, what: Prediction, x: f64, t: f64) -> f64 {
    host(field.predict(what, &place.rows(&[x], 1), t))[0]
}

fn velocity_and_divergence(
    bench: &mut Bench,
    sigma_min: f64,
    want: [f64; 2],
) -> Result<(), JudgeError> {
    let field = Exact::new(Gaussian::new(vec![1.5], 0.5), Linear { sigma_min });
    let tolerances = (1e-10, 1e-6);
    bench.tensor("u(0.5), t = 0.3", want[0], tolerances, |place| {
        Ok(predicted(place, &field, Prediction::Velocity, 0.5, 0.3))
    })?;
    bench.number("div u, closed form", want[1], field.divergence(&[0.5], 0.3), 1e-10);
    bench.tensor("div u, by differentiation", want[1], tolerances, |place| {
        let x: Tensor<2> = place.rows(&[0.5], 1);
        Ok(host(ExactTrace { chunk: 1 }.evaluate(&field, &x, 0.3).1)[0])
    })
}

pub(super) fn gaussian(bench: &mut Bench) -> Result<(), JudgeError> {
    velocity_and_divergence(bench, 0.0, [1.4390243902439024, -1.2195121951219512])
}

pub(super) fn blurred_gaussian(bench: &mut Bench) -> Result<(), JudgeError> {
    velocity_and_divergence(bench, 0.1, [1.4476053295, -1.0478934102])
}

pub(super) fn two_points(bench: &mut Bench) -> Result<(), JudgeError> {
    let field = Exact::new(FiniteData::new(vec![-1.0, 1.0], 1), OT);
    for (name, what, want) in [
        ("E[x_1 | x = 0.3], t = 0.5", Prediction::Data, 0.537049566998),
        ("u(0.3), t = 0.5", Prediction::Velocity, 0.474099133996),
    ] {
        bench.tensor(name, want, (1e-10, 1e-6), |place| {
            Ok(predicted(place, &field, what, 0.3, 0.5))
        })?;
    }
    Ok(())
}

pub(super) fn two_modes_over_time(bench: &mut Bench) -> Result<(), JudgeError> {
    let field = two_modes(0.25);
    for (t, want) in [
        (0.0, -0.3),
        (0.25, -0.2146489902),
        (0.5, 0.4333376980),
        (0.75, 1.8854487655),
        (0.95, 0.8964452099),
    ] {
        bench.tensor(format!("u(0.3), t = {t}"), want, (1e-9, 1e-5), |place| {
            Ok(predicted(place, &field, Prediction::Velocity, 0.3, t))
        })?;
    }
    Ok(())
}

/// `sum_k q_k p_t(x | k) (v - u_k) = p_t(x) (v - u)`, for any `v`: the gradients of both losses
/// agree.
pub(super) fn theorem(bench: &mut Bench) -> Result<(), JudgeError> {
    let modes = [(0.4, -1.3), (0.25, 0.2), (0.6, 1.1)];
    let parts: Vec<_> =
        modes.iter().map(|&(std, mean)| Exact::new(Gaussian::new(vec![mean], std), OT)).collect();
    let whole = Exact::new(Mixture::uniform(parts.iter().map(|p| p.target.clone()).collect()), OT);
    let points = [(-1.7, 0.2), (-0.4, 0.5), (0.1, 0.8), (0.9, 0.35), (2.2, 0.65)];
    bench.tensor("largest difference of both sides", 0.0, (1e-13, 1e-5), |place| {
        let residual = |(x, t): (f64, f64)| {
            let v = 0.7 * x - t;
            let conditional: f64 = parts
                .iter()
                .map(|part| {
                    let u = predicted(place, part, Prediction::Velocity, x, t);
                    part.log_density(&[x], t).exp() * (v - u) / parts.len() as f64
                })
                .sum();
            let u = predicted(place, &whole, Prediction::Velocity, x, t);
            conditional - whole.log_density(&[x], t).exp() * (v - u)
        };
        Ok(largest(points.map(residual)))
    })
}

/// Least conditional flow-matching loss: the velocity variance averaged over points and times.
fn floor(field: &impl ExactField) -> f64 {
    let at_time = |t: f64| {
        let at = |x: f64| {
            let m = field.marginal(&[x], t);
            m.log_density.exp() * m.velocity_variance
        };
        integral(at, -9.0, 9.0, 500)
    };
    integral(at_time, 0.0, 1.0, 200)
}

pub(super) fn gaussian_floor(bench: &mut Bench) -> Result<(), JudgeError> {
    for std in [1.0, 0.5] {
        let got = floor(&Exact::new(Gaussian::new(vec![0.7], std), OT));
        bench.number(format!("loss floor, std {std}"), std * FRAC_PI_2, got, 1e-6);
    }
    Ok(())
}

pub(super) fn two_mode_floor(bench: &mut Bench) -> Result<(), JudgeError> {
    for (std, want) in [(0.1414, 1.23195), (0.25, 1.38523)] {
        bench.number(format!("loss floor, std {std}"), want, floor(&two_modes(std)), 1e-3);
        let known = floor(&Exact::new(Gaussian::new(vec![1.0], std), OT));
        bench.number(format!("told the mode, std {std}"), std * FRAC_PI_2, known, 1e-3);
    }
    Ok(())
}

/// `d p / dt + div(p u)` of a mixture, by differences.
pub(super) fn continuity(bench: &mut Bench) -> Result<(), JudgeError> {
    let mixture = || {
        let mode = |mean, std| Gaussian::new(vec![mean], std);
        Mixture::uniform(vec![mode(-1.0, 0.4), mode(0.3, 0.5), mode(1.4, 0.6)])
    };
    let linear = Exact::new(mixture(), OT);
    let diffusion = Exact::new(mixture(), VariancePreserving::default());
    let fields: [(&str, &dyn ExactField); 2] = [("linear", &linear), ("vp", &diffusion)];
    for (name, field) in fields {
        let residual = |sign: f64, x: f64, t: f64| {
            let density = |x: f64, t: f64| field.log_density(&[x], t).exp();
            let flux = |x: f64| sign * density(x, t) * field.velocity(&[x], t)[0];
            derivative(|t| density(x, t), t, 1e-3) + derivative(flux, x, 1e-3)
        };
        let points = [(-0.8, 0.2), (0.1, 0.4), (0.9, 0.5), (-1.1, 0.7)];
        let worst = |sign| largest(points.map(|(x, t)| residual(sign, x, t)));
        bench.number(format!("residual, {name}"), 0.0, worst(1.0), 1e-6);
        let seen = f64::from(u8::from(worst(-1.0) > 0.1));
        bench.number(format!("a wrong sign is seen, {name}"), 1.0, seen, 0.0);
    }
    Ok(())
}

pub(super) fn spread(bench: &mut Bench) -> Result<(), JudgeError> {
    let field = two_modes(0.25);
    for (t, want) in [(0.5, 1.94384843), (0.75, 2.68208874)] {
        let got = field.marginal(&[0.0], t).velocity_variance.sqrt();
        bench.number(format!("std of the velocity at 0, t = {t}"), want, got, 1e-7);
    }
    Ok(())
}
