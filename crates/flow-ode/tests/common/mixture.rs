//! The exact velocity of a flow onto a mixture of three Gaussians in the plane.
//!
//! With `x_t = alpha x_1 + sigma x_0`, component `k` of the mixture has the covariance
//! `C_k = alpha^2 S_k + sigma^2 I` at time `t` and moves by
//! `u_k = alpha' m_k + (alpha alpha' S_k + sigma sigma' I) C_k^{-1} (x - alpha m_k)`; the velocity
//! is their mean under the responsibilities of the components.

use std::f64::consts::FRAC_PI_2;

pub struct Coefficients {
    alpha: f64,
    sigma: f64,
    d_alpha: f64,
    sigma_d_sigma: f64,
}

/// `alpha = t`, `sigma = 1 - t`.
pub fn linear(t: f64) -> Coefficients {
    Coefficients { alpha: t, sigma: 1.0 - t, d_alpha: 1.0, sigma_d_sigma: t - 1.0 }
}

/// `alpha = sin(pi t / 2)`, `sigma = cos(pi t / 2)`.
pub fn cosine(t: f64) -> Coefficients {
    let (alpha, sigma) = (FRAC_PI_2 * t).sin_cos();
    Coefficients {
        alpha,
        sigma,
        d_alpha: FRAC_PI_2 * sigma,
        sigma_d_sigma: -FRAC_PI_2 * alpha * sigma,
    }
}

/// `alpha = 1`, `sigma = 0.01 * 1000^(1 - t)`.
pub fn variance_exploding(t: f64) -> Coefficients {
    let sigma = 0.01 * 1000f64.powf(1.0 - t);
    Coefficients { alpha: 1.0, sigma, d_alpha: 0.0, sigma_d_sigma: -sigma * sigma * 1000f64.ln() }
}

/// `alpha = exp(-B/2)` with `B = 0.1 s + 9.95 s^2`, `s = 1 - t`, and `sigma^2 = 1 - alpha^2`.
pub fn variance_preserving(t: f64) -> Coefficients {
    let s = 1.0 - t;
    let b = 0.1 * s + 9.95 * s * s;
    let alpha = (-0.5 * b).exp();
    let sigma = (-(-b).exp_m1()).sqrt();
    let d_alpha = 0.5 * alpha * (0.1 + 19.9 * s);
    Coefficients { alpha, sigma, d_alpha, sigma_d_sigma: -alpha * d_alpha }
}

const WEIGHTS: [f64; 3] = [0.5, 0.3, 0.2];
const MEANS: [[f64; 2]; 3] = [[2.0, 0.0], [-1.5, 1.5], [-1.0, -2.0]];
/// Upper triangles of the covariances: `xx`, `xy`, `yy`.
const COVARIANCES: [[f64; 3]; 3] = [[0.25, 0.1, 0.16], [0.09, -0.03, 0.2], [0.3, 0.0, 0.05]];

/// The velocity of points stored as `x, y, x, y, ...`.
pub fn velocity(c: &Coefficients, points: &[f64]) -> Vec<f64> {
    points.chunks(2).flat_map(|point| velocity_at(c, [point[0], point[1]])).collect()
}

fn velocity_at(c: &Coefficients, x: [f64; 2]) -> [f64; 2] {
    let alpha_d_alpha = c.alpha * c.d_alpha;
    let parts = WEIGHTS.iter().zip(MEANS).zip(COVARIANCES).map(|((weight, m), [xx, xy, yy])| {
        let noise = c.sigma * c.sigma;
        let a2 = c.alpha * c.alpha;
        let (cxx, cxy, cyy) = (a2 * xx + noise, a2 * xy, a2 * yy + noise);
        let det = cxx * cyy - cxy * cxy;
        let r = [x[0] - c.alpha * m[0], x[1] - c.alpha * m[1]];
        let s = [(cyy * r[0] - cxy * r[1]) / det, (cxx * r[1] - cxy * r[0]) / det];
        let log = weight.ln() - 0.5 * det.ln() - 0.5 * (r[0] * s[0] + r[1] * s[1]);
        let (gxx, gxy, gyy) = (
            alpha_d_alpha * xx + c.sigma_d_sigma,
            alpha_d_alpha * xy,
            alpha_d_alpha * yy + c.sigma_d_sigma,
        );
        let u = [
            c.d_alpha * m[0] + gxx * s[0] + gxy * s[1],
            c.d_alpha * m[1] + gxy * s[0] + gyy * s[1],
        ];
        (log, u)
    });
    let parts: Vec<_> = parts.collect();
    let greatest = parts.iter().map(|(log, _)| *log).fold(f64::NEG_INFINITY, f64::max);
    let total: f64 = parts.iter().map(|(log, _)| (log - greatest).exp()).sum();
    let mean = |i: usize| parts.iter().map(|(log, u)| (log - greatest).exp() * u[i]).sum::<f64>();
    [mean(0) / total, mean(1) / total]
}
