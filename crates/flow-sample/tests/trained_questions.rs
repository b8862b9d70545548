//! A network that was trained within seconds, asked questions whose exact answers are known.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod gaussians;

use std::f64::consts::PI;
use std::sync::Arc;

use burn::module::Module;
use burn::optim::{AdamWConfig, GradientsParams};
use burn::tensor::{Device, Tensor, TensorData};
use flow_nn::{Condition, Mlp, MlpConfig, Network, NetworkConfig, Signature, Time, init_seeded};
use flow_path::stream::{Purpose, Streams};
use flow_path::{AffinePath, Linear, Prediction, ProbabilityPath, TimeSampler, Uniform};
use flow_sample::{
    Conditioned, Conditioning, Dps, Draws, Langevin, Mask, Mmps, Observation, ObservationNoise,
    Replacement, Trained, Way, normal_rows,
};
use gaussians::{Gaussians, moments};

const SEED: u64 = 3;
const BATCH: usize = 256;
const STEPS: usize = 2000;
const RATE: f64 = 3e-3;
const LINEAR: Linear = Linear { sigma_min: 0.0 };
/// Answers to a question, and the standard deviation of what was seen.
const DRAWS: usize = 400;
const STD: f64 = 0.3;

/// Two normal laws that overlap, so that the data are neither normal nor in two heaps.
fn law() -> Gaussians {
    Gaussians {
        weights: vec![0.6, 0.4],
        means: vec![vec![-0.6, -0.4], vec![0.8, 0.5]],
        covariances: vec![vec![0.5, 0.35, 0.35, 0.6], vec![0.4, 0.25, 0.25, 0.5]],
    }
}

/// Rows of that law: of each five, three are of its first part.
fn data(law: &Gaussians, step: usize) -> Vec<f32> {
    let range = step * BATCH..(step + 1) * BATCH;
    let noise = normal_rows(SEED, Purpose::Data, range.clone(), 2);
    let row = |(i, n): (usize, &[f32])| {
        let part = usize::from(3 <= i % 5);
        let (mean, covariance) = (&law.means[part], &law.covariances[part]);
        let (x, y) = (f64::from(n[0]), f64::from(n[1]));
        // The lower root of the covariance.
        let a = covariance[0].sqrt();
        let b = covariance[2] / a;
        let c = (covariance[3] - b * b).sqrt();
        [(mean[0] + a * x) as f32, (mean[1] + b * x + c * y) as f32]
    };
    range.zip(noise.chunks(2)).flat_map(row).collect()
}

/// Flow matching along the straight path, for so many steps.
fn network(law: &Gaussians, steps: usize) -> Mlp {
    let device = Device::flex();
    let config = MlpConfig { hidden: 64, depth: 2, ..MlpConfig::default() };
    let init = |device: &Device| config.init(&Signature::of([2]), device);
    let mut network = init_seeded(SEED, &device, init).unwrap().train();
    let mut optimizer = AdamWConfig::new().with_epsilon(1e-8).with_weight_decay(0.0).init();
    let device = device.autodiff();
    for step in 0..steps {
        let rows =
            |rows: Vec<f32>| Tensor::<2>::from_data(TensorData::new(rows, [BATCH, 2]), &device);
        let x0 = normal_rows(SEED, Purpose::Noise, step * BATCH..(step + 1) * BATCH, 2);
        let t = Uniform.sample(BATCH, &mut Streams::new(SEED).rng(step as u64, Purpose::Time));
        let sample = AffinePath::new(LINEAR).sample(rows(x0), rows(data(law, step)), &t);
        let time = Time::at(t.to_tensor(&device));
        let v = network.forward(sample.x_t, time, &Condition::none());
        let loss = (v - sample.dx_t).square().mean();
        let gradients = GradientsParams::from_grads(loss.backward(), &network);
        let rate = RATE * 0.5 * (1.0 + (PI * step as f64 / STEPS as f64).cos());
        network = optimizer.step(rate, network, gradients);
    }
    network.valid()
}

/// The mean of the answers to `x = y + STD n` about the first of two numbers.
fn answered<M: Conditioning>(
    network: &Mlp,
    y: f64,
    method: impl FnOnce(Observation<Mask>) -> M,
) -> Vec<f64> {
    let device = Device::flex();
    let y = Tensor::<2>::from_data([[y as f32, f32::NAN]], &device);
    let noise = ObservationNoise::Gaussian { std: STD };
    let observation = Observation::new(Mask::new(&[true, false], 2, &device), y, noise).unwrap();
    let predictor = Trained {
        network,
        condition: Condition::none(),
        schedule: Arc::new(LINEAR),
        prediction: Prediction::Velocity,
    };
    let conditioned = Conditioned { predictor, method: method(observation.clone()) };
    let draws = Draws { draws: DRAWS, at_once: DRAWS, seed: SEED };
    let (langevin, way) = (Langevin::default(), Way::steps(32));
    let found = draws.answer(&langevin, &conditioned, &observation, &way, [1, 2], &device);
    moments(&found.unwrap().x).0
}

/// The largest error of a mean, in standard errors of so many draws of the exact posterior.
fn errors(mean: &[f64], exact: &Gaussians) -> f64 {
    let (want, covariance) = (exact.mean(), exact.covariance());
    let error = |i: usize| (mean[i] - want[i]).abs() / (covariance[3 * i] / DRAWS as f64).sqrt();
    error(0).max(error(1))
}

fn mmps(observation: Observation<Mask>) -> Mmps<Mask> {
    Mmps { observation, iterations: 1 }
}

#[test]
fn answers_of_a_trained_network_have_the_mean_of_the_exact_posterior() {
    let law = law();
    let trained = network(&law, STEPS);
    for y in [-1.0, 0.2, 1.0] {
        let exact = law.given(&[1.0, 0.0], &[y], STD);
        let mean = answered(&trained, y, mmps);
        let error = errors(&mean, &exact);
        assert!(error < 4.0, "{y}: {error} standard errors, {mean:?} is not {:?}", exact.mean());
    }
    // The controls: methods that are biased, farther out by ten and by eighteen standard errors
    // with networks of this size, and a network that has learned nothing.
    let untrained = network(&law, 0);
    for y in [-1.5, 1.5] {
        let exact = law.given(&[1.0, 0.0], &[y], STD);
        let replaced =
            answered(&trained, y, |observation| Replacement { observation, iterations: 1 });
        let dps = answered(&trained, y, |evidence| Dps { evidence, scale: 1.0 });
        let nothing = answered(&untrained, y, mmps);
        for (what, mean) in [("replacement", replaced), ("dps", dps), ("untrained", nothing)] {
            let error = errors(&mean, &exact);
            assert!(6.0 < error, "{what} at {y}: {error} standard errors");
        }
    }
}
