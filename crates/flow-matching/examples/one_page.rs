//! Flow matching on one page: eight Gaussians, a small network, half a minute of a CPU.
//!
//! The method of Lipman et al. (2023), "Flow Matching for Generative Modeling", arXiv:2210.02747.
//!
//! `cargo run --release --package flow-matching --example one_page [FILE.png]`

#![allow(clippy::print_stdout, reason = "the scores are this program's result")]

use std::error::Error;
use std::f64::consts::PI;
use std::sync::Arc;

use burn::module::Module;
use burn::optim::{AdamWConfig, GradientsParams};
use burn::tensor::{Device, Distribution, Tensor, TensorData};
use flow_matching::datasets::{GaussianMixture, Toy};
use flow_matching::eval::{EvalError, Points, Score, floor, sliced_wasserstein};
use flow_matching::nn::{
    Condition, FourierFeatures, MlpConfig, Network, NetworkConfig, Signature, Time, init_seeded,
};
use flow_matching::ode::{Adaptive, Method, Tolerance};
use flow_matching::path::stream::{Purpose, Streams};
use flow_matching::path::{AffinePath, Linear, Prediction, ProbabilityPath, TimeSampler, Uniform};
use flow_matching::plot::{Figure, Limits, clouds, trajectories};
use flow_matching::sample::{Ode, Sampler, Trained, Way, prior};

const SEED: u64 = 0;
const STEPS: usize = 5000;
const BATCH: usize = 512;
/// Points that are generated and scored.
const N: usize = 10_000;

fn main() -> Result<(), Box<dyn Error>> {
    let device = Device::flex();
    let training = device.clone().autodiff();
    let streams = Streams::new(SEED);

    // 1. Data x_1, known by samples alone.
    let data = GaussianMixture::eight_gaussians();
    let draw = |n, index: usize| data.sample(n, &mut streams.rng(index as u64, Purpose::Data));

    // 2. A path from noise x_0 ~ N(0, I) at t = 0 to data at t = 1: x_t = (1 - t) x_0 + t x_1.
    let schedule = Linear { sigma_min: 0.0 };
    let path = AffinePath::new(schedule);

    // 3. A network v(x, t) that learns the velocity of the path: minimise E |v(x_t, t) - dx_t|^2.
    let config = MlpConfig {
        hidden: 128,
        fourier: FourierFeatures { octaves: 3, wavelength: 16.0 },
        ..MlpConfig::default()
    };
    let points = Signature::of([2]);
    let mut network = init_seeded(SEED, &device, |device| config.init(&points, device))?.train();
    let mut optimizer = AdamWConfig::new().with_epsilon(1e-8).with_weight_decay(0.0).init();
    training.seed(SEED);
    for step in 0..STEPS {
        let x1 = Tensor::from_data(TensorData::new(draw(BATCH, step), [BATCH, 2]), &training);
        let x0 = Tensor::<2>::random([BATCH, 2], Distribution::Normal(0.0, 1.0), &training);
        let t = Uniform.sample(BATCH, &mut streams.rng(step as u64, Purpose::Time));
        let sample = path.sample(x0, x1, &t);
        let time = Time::at(t.to_tensor(&training));
        let v = network.forward(sample.x_t, time, &Condition::none());
        let loss = (v - sample.dx_t).square().mean();
        let gradients = GradientsParams::from_grads(loss.backward(), &network);
        let rate = 1e-3 * (1.0 + (PI * step as f64 / STEPS as f64).cos());
        network = optimizer.step(rate, network, gradients);
        if step % 1000 == 0 {
            println!("step {step} of {STEPS}: loss {:.3}", loss.into_scalar::<f32>());
        }
    }

    // 4. Samples: solve dx/dt = v(x, t) from fresh noise at t = 0 to t = 1.
    let network = network.valid();
    let velocity = Trained {
        network: &network,
        condition: Condition::none(),
        schedule: Arc::new(schedule),
        prediction: Prediction::Velocity,
    };
    let x0 = prior(SEED, 0..N, 2, &velocity, &device);
    let quick = Ode::on_grid(Method::Midpoint).sample(&velocity, x0.clone(), &Way::steps(5))?;
    let tolerance = Tolerance { atol: 1e-5, rtol: 1e-5 };
    let adaptive = Ode::new(Method::Dopri5, Adaptive::new(tolerance).into());
    let times: Vec<f64> = (0..=50).map(|i| f64::from(i) / 50.0).collect();
    let exact = adaptive.sample(&velocity, x0, &Way::steps(50).keeping(&times))?;

    // 5. How good? A distance to the data, beside the distance between two draws of the data.
    let (real, held_out) = (draw(N, STEPS), draw(N, STEPS + 1));
    let real_points = Points::new(&real, 2)?;
    let floor = floor(distance, Points::new(&held_out, 2)?, real_points)?;
    for (solver, generated) in [("midpoint x 5", &quick), ("dopri5", &exact)] {
        let samples = generated.x.clone().into_data().try_into_vec::<f32>()?;
        let score = distance(Points::new(&samples, 2)?, real_points)?.with_floor(floor);
        println!("{solver}, {} evaluations: {score}", generated.nfe);
    }

    let mut states = Vec::new();
    for state in exact.states {
        states.push(pairs(&state.into_data().try_into_vec::<f32>()?));
    }
    let (real, samples) = (pairs(&real), &states[states.len() - 1]);
    let ways: Vec<Vec<[f32; 2]>> =
        (0..300).map(|i| states.iter().map(|state| state[i]).collect()).collect();
    let limits = Limits::square(4.5);
    let file = std::env::args().nth(1).unwrap_or_else(|| "one_page.png".into());
    Figure::row([
        clouds(&[("data", &real[..4000])], limits),
        clouds(&[("samples", &samples[..4000])], limits),
        trajectories(&ways, limits),
    ])
    .save(&file)?;
    println!("picture: {file}");
    Ok(())
}

fn distance(a: Points<'_>, b: Points<'_>) -> Result<Score, EvalError> {
    sliced_wasserstein(a, b, 256, SEED)
}

fn pairs(rows: &[f32]) -> Vec<[f32; 2]> {
    rows.as_chunks::<2>().0.to_vec()
}
