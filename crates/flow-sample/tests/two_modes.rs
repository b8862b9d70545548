//! What rectified flow can do with few Euler steps, without a network: two modes on the line.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;

use burn::tensor::{DType, Device, Tensor};
use common::host;
use flow_ode::{Method, Stepping};
use flow_path::{Exact, Gaussian, Linear, Mixture, Target};
use flow_sample::{Ode, Predictor, Sampler, Way, prior};

const LINE: Linear = Linear { sigma_min: 0.0 };
const STD: f64 = 0.25;
const SAMPLES: usize = 20_000;

/// Steps; the mean log-density under the data of samples of the exact field; the same with a latent
/// that names the mode. Derived apart from this code, by quadrature over the starts in double
/// precision.
const REFERENCE: [(usize, f64, f64); 8] = [
    (1, -7.5326, -0.2258),
    (2, -2.5467, -0.2535),
    (5, -0.8141, -0.4224),
    (8, -0.7405, -0.5125),
    (10, -0.7259, -0.5476),
    (16, -0.7142, -0.6064),
    (20, -0.7133, -0.6279),
    (100, -0.7210, -0.7045),
];

fn mode(mean: f64) -> Gaussian {
    Gaussian::new(vec![mean], STD)
}

fn starts(field: &dyn Predictor) -> Tensor<2> {
    prior(1, 0..SAMPLES, 1, field, &Device::flex()).cast(DType::F64)
}

fn ends(field: &dyn Predictor, steps: usize) -> Vec<f64> {
    let euler = Ode::new(Method::Euler, Stepping::Count(steps));
    host(euler.sample(field, starts(field), &Way::steps(steps)).unwrap().x)
}

/// Mean log-density under the data, and its standard error.
fn score(samples: &[f64]) -> (f64, f64) {
    let data = Mixture::uniform(vec![mode(-1.0), mode(1.0)]);
    let logs: Vec<f64> = samples.iter().map(|x| data.log_density(&[*x])).collect();
    let n = logs.len() as f64;
    let mean = logs.iter().sum::<f64>() / n;
    let variance = logs.iter().map(|l| (l - mean).powi(2)).sum::<f64>() / (n - 1.0);
    (mean, (variance / n).sqrt())
}

/// One step from anywhere ends in the mean of all data, which no datum is near.
///
/// # Reference
/// Guo & Schwing (2025), "Variational Rectified Flow Matching", arXiv:2502.09616, section 4.1, with
/// modes of standard deviation 0.25. A score above that of the data, -0.7256, is of samples that
/// are too narrow, and no better.
#[test]
fn the_exact_field_has_its_log_density_at_every_number_of_steps() {
    let field = Exact::new(Mixture::uniform(vec![mode(-1.0), mode(1.0)]), LINE);
    for (steps, want, _) in REFERENCE {
        let samples = ends(&field, steps);
        let (mean, error) = score(&samples);
        assert!((mean - want).abs() < 3.0 * error + 1e-4, "{steps} steps: {mean}, not {want}");
        if steps == 1 {
            let farthest = samples.iter().fold(0.0_f64, |most, x| most.max(x.abs()));
            assert!(farthest < 1e-12, "one step ends in the mean of all data: {farthest}");
        }
    }
}

/// With a latent that names the mode every step is of the field towards that mode alone.
#[test]
fn a_latent_that_names_the_mode_needs_one_step() {
    for (steps, _, want) in REFERENCE {
        let [left, right] = [-1.0, 1.0].map(|mean| ends(&Exact::new(mode(mean), LINE), steps));
        let half = SAMPLES / 2;
        let samples = [&left[..half], &right[half..]].concat();
        let (mean, error) = score(&samples);
        assert!((mean - want).abs() < 3.0 * error + 1e-4, "{steps} steps: {mean}, not {want}");
        // The control: without the latent a single step is far off.
        assert!(steps > 2 || -1.0 < mean, "{steps} steps: {mean}");
    }
}
