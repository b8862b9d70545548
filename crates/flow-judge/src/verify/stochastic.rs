//! Golden numbers that are means over random draws, of fixed seeds.

use flow_eval::wasserstein_1d;
use flow_ode::{Method, Stepping};
use flow_path::stream::{Purpose, Streams};
use flow_path::{Exact, Mixture, Target};
use flow_sample::{Hutchinson, Likelihood, Probe, Sampler, Sde, Seeded, Way, normal_rows};

use super::fixture::{LinearField, two_modes};
use super::{Bench, host};
use crate::error::JudgeError;

/// Samples of a distribution.
const DRAWS: usize = 4000;

fn exact(field: &Exact<Mixture, flow_path::Linear>, index: u64) -> Vec<f32> {
    let mut rng = Streams::new(9).rng(index, Purpose::Evaluation);
    field.target.sample(DRAWS, &mut rng).into_iter().map(|x| x as f32).collect()
}

/// Distance of the samples of `dx = [u + (g^2/2) score] dt + g dW` from the data, which a distance
/// of two exact draws bounds: its mean and three of its standard deviations.
pub(super) fn marginals(bench: &mut Bench) -> Result<(), JudgeError> {
    let field = two_modes(0.25);
    let reference = exact(&field, 0);
    let distance = |sample: &[f32]| Ok(wasserstein_1d(sample, &reference, 1.0)?.value);
    let floors: Vec<f64> =
        (1..=20).map(|k| distance(&exact(&field, k))).collect::<Result<_, JudgeError>>()?;
    let mean = floors.iter().sum::<f64>() / 20.0;
    let variance = floors.iter().map(|f| (f - mean).powi(2)).sum::<f64>() / 19.0;
    let tolerance = mean + 3.0 * variance.sqrt();
    let noise: Vec<f64> =
        normal_rows(4, Purpose::Noise, 0..DRAWS, 1).into_iter().map(f64::from).collect();
    for g in [0.0, 0.5, 1.0, 2.0] {
        let name = format!("Wasserstein distance, g^2 = {} sigma", g * g);
        bench.on_device(name, 0.0, tolerance, |place| {
            let sde = Sde { scale: g * g, ..Sde::default() };
            let fresh = Seeded::new(8);
            let way = Way::steps(250).with_noise(&fresh);
            let samples = host(sde.sample(&field, place.rows(&noise, 1), &way)?.x);
            distance(&samples.into_iter().map(|x| x as f32).collect::<Vec<_>>())
        })?;
    }
    Ok(())
}

/// Mean and variance of `z^T A z`, integrated along the flow of `dx/dt = A x`.
pub(super) fn probes(bench: &mut Bench) -> Result<(), JudgeError> {
    const A: [[f64; 3]; 3] = [[0.5, -0.3, 0.2], [0.7, -0.4, 0.1], [-0.6, 0.5, 0.3]];
    let trace: f64 = (0..3).map(|i| A[i][i]).sum();
    let part = |i: usize, j: usize| 2.0 * f64::midpoint(A[i][j], A[j][i]).powi(2);
    let pairs = || (0..3).flat_map(|i| (0..3).map(move |j| (i, j)));
    let all: f64 = pairs().map(|(i, j)| part(i, j)).sum();
    let diagonal: f64 = (0..3).map(|i| part(i, i)).sum();
    let likelihood = Likelihood::new(Method::Rk4, Stepping::Count(8));
    let field = LinearField(A);
    for (law, name, variance) in
        [(Probe::Gaussian, "Gaussian", all), (Probe::Rademacher, "Rademacher", all - diagonal)]
    {
        let estimates = |place: &super::Place| -> Result<Vec<f64>, JudgeError> {
            let probes = Hutchinson::draw(law, 1, 5, 0..DRAWS, 3, &place.device);
            let point = place.rows(&[0.4, -0.3, 0.1], 3);
            // What all rows share, the density of the noise, is taken off again.
            let exact = flow_sample::ExactTrace { chunk: 3 };
            let shared = likelihood.log_prob(&field, point.clone(), &exact)?.nats[0] + trace;
            let found = likelihood.log_prob(&field, point.repeat_dim(0, DRAWS), &probes)?;
            Ok(found.nats.iter().map(|nats| shared - nats).collect())
        };
        let error = (variance / DRAWS as f64).sqrt();
        bench.on_device(format!("mean, {name}"), trace, 4.0 * error, |place| {
            Ok(mean(&estimates(place)?))
        })?;
        // A sum of squared normals has a kurtosis below 15: its sample variance is known to 6 %.
        bench.on_device(format!("variance, {name}"), variance, 0.24 * variance, |place| {
            let found = estimates(place)?;
            let centre = mean(&found);
            let squares: Vec<f64> = found.iter().map(|x| (x - centre).powi(2)).collect();
            Ok(mean(&squares))
        })?;
    }
    Ok(())
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}
