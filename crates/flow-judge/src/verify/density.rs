//! Golden numbers of likelihoods.

use std::f64::consts::TAU;

use flow_nn::DiagonalGaussian;
use flow_ode::{Adaptive, Method, Tolerance};
use flow_path::{Exact, Gaussian, Linear};
use flow_sample::{Dequantise, ExactTrace, Likelihood};

use super::{Bench, host};
use crate::error::JudgeError;

pub(super) fn log_likelihood(bench: &mut Bench) -> Result<(), JudgeError> {
    for (sigma_min, want) in [(0.0, -0.7257913526), (0.1, -0.7261709400)] {
        let field = Exact::new(Gaussian::new(vec![1.5], 0.5), Linear { sigma_min });
        bench.tensor(format!("log p(2), sigma_min {sigma_min}"), want, (1e-7, 1e-4), |place| {
            // Single precision cannot hold a tolerance near its rounding.
            let tolerance = if place.dtype == burn::tensor::DType::F64 { 1e-9 } else { 1e-5 };
            let adaptive = Adaptive::new(Tolerance { atol: tolerance, rtol: tolerance });
            let likelihood = Likelihood::new(Method::Dopri5, adaptive.into());
            let x1 = place.rows(&[2.0], 1);
            Ok(likelihood.log_prob(&field, x1, &ExactTrace { chunk: 1 })?.nats[0])
        })?;
    }
    Ok(())
}

/// `KL(N(0.7, 0.4^2) | N(0, 1))`.
pub(super) fn latent(bench: &mut Bench) -> Result<(), JudgeError> {
    bench.tensor("mean 0.7, std 0.4", 0.7412907319, (1e-9, 1e-6), |place| {
        let (mean, log_variance) = (place.rows(&[0.7], 1), place.rows(&[2.0 * 0.4_f64.ln()], 1));
        Ok(host(DiagonalGaussian { mean, log_variance }.kl())[0])
    })
}

pub(super) fn bits(bench: &mut Bench) -> Result<(), JudgeError> {
    let bytes = Dequantise { levels: 256 };
    // The cells of 256 bytes on the scale of training, from -1 - 1/255 to 1 + 1/255.
    let width: f64 = 2.0 * 256.0 / 255.0;
    let uniform = bytes.bits_per_dim(-7.0 * width.ln(), 7);
    bench.number("uniform on [-1 - 1/255, 1 + 1/255]", 8.0, uniform, 1e-10);
    let normal = bytes.bits_per_dim(-0.5 * TAU.ln(), 1);
    bench.number("standard normal at 0", 8.3201015016, normal, 1e-10);
    Ok(())
}
