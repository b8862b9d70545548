//! What flow matching saves: the same network trained by maximum likelihood, through the solver.
//!
//! A continuous normalizing flow is trained by maximum likelihood when `-log p_1(x_1)` is the loss:
//! each step solves for the noise and its log-density and goes back through all of the solver's
//! evaluations (Chen et al. 2018, "Neural Ordinary Differential Equations", arXiv:1806.07366). Flow
//! matching regresses the field without a solve. The table has the time of a step, and how good
//! both are: after equally many steps, and after equally many seconds.
//!
//! The divergence is `sum_i (v_i(x + h e_i) - v_i(x - h e_i)) / 2h`: exact up to `h^2`, and
//! differentiable once, which is all that the gradient of the loss needs.
//!
//! `cargo run --release --package flow-matching --example maximum_likelihood`

#![allow(clippy::print_stdout, reason = "the table is this program's result")]

use std::error::Error;
use std::f64::consts::TAU;
use std::sync::Arc;
use std::time::Instant;

use burn::module::Module;
use burn::optim::{AdamWConfig, GradientsParams};
use burn::tensor::{Device, Distribution, Tensor, TensorData};
use flow_matching::datasets::{GaussianMixture, Toy};
use flow_matching::eval::{Points, sliced_wasserstein};
use flow_matching::nn::{
    Condition, Mlp, MlpConfig, Network, NetworkConfig, Signature, Time, init_seeded,
};
use flow_matching::ode::{Adaptive, Method, Stepping, Tolerance, solve};
use flow_matching::path::stream::{Purpose, Streams};
use flow_matching::path::{
    AffinePath, Gaussian, Linear, Mixture, Prediction, ProbabilityPath, Target, TimeSampler, Times,
    Uniform,
};
use flow_matching::sample::{ExactTrace, Likelihood, Ode, Sampler, Trained, Way, prior};

const SEED: u64 = 0;
/// Steps of maximum likelihood.
const STEPS: usize = 200;
const BATCH: usize = 256;
const RATE: f64 = 2e-3;
/// Midpoint steps of a solve in training.
const SOLVER_STEPS: usize = 8;
/// Half the width of a difference.
const H: f64 = 1e-2;
/// Points that are scored.
const N: usize = 2000;

fn main() -> Result<(), Box<dyn Error>> {
    let device = Device::flex();
    let toy = GaussianMixture::eight_gaussians();
    let components = toy.centres().iter().map(|c| Gaussian::new(c.clone(), toy.std())).collect();
    let exact = Mixture::uniform(components);

    println!("| training | steps | ms a step | seconds | log-likelihood | sliced Wasserstein |");
    println!("|---|---|---|---|---|---|");
    let start = Instant::now();
    let likelihood = train(&device, |network, step| {
        (step < STEPS).then(|| -log_density(network, batch(&toy, step, &device)).mean())
    })?;
    let seconds = start.elapsed().as_secs_f64();
    report("maximum likelihood", STEPS, seconds, &likelihood, &toy)?;

    let start = Instant::now();
    let matching = train(&device, |network, step| {
        (step < STEPS).then(|| regression(network, batch(&toy, step, &device), step))
    })?;
    report("flow matching", STEPS, start.elapsed().as_secs_f64(), &matching, &toy)?;

    let (start, mut steps) = (Instant::now(), 0);
    let matching = train(&device, |network, step| {
        steps = step;
        let in_time = start.elapsed().as_secs_f64() < seconds;
        in_time.then(|| regression(network, batch(&toy, step, &device), step))
    })?;
    report("flow matching", steps, start.elapsed().as_secs_f64(), &matching, &toy)?;

    let points = draw(&toy, N, u64::MAX);
    let known = points.chunks(2).map(|x| exact.log_density(&[x[0].into(), x[1].into()]));
    println!("| the data themselves | | | | {:.3} | |", known.sum::<f64>() / N as f64);
    Ok(())
}

/// Trains the same network from the same weights until there is no loss.
fn train(
    device: &Device,
    mut loss: impl FnMut(&Mlp, usize) -> Option<Tensor<1>>,
) -> Result<Mlp, Box<dyn Error>> {
    let config = MlpConfig { hidden: 64, depth: 2, ..MlpConfig::default() };
    let points = Signature::of([2]);
    let mut network = init_seeded(SEED, device, |device| config.init(&points, device))?.train();
    let mut optimizer = AdamWConfig::new().with_epsilon(1e-8).with_weight_decay(0.0).init();
    device.clone().autodiff().seed(SEED);
    for step in 0.. {
        let Some(loss) = loss(&network, step) else { break };
        let gradients = GradientsParams::from_grads(loss.backward(), &network);
        network = optimizer.step(RATE, network, gradients);
    }
    Ok(network.valid())
}

fn draw(toy: &GaussianMixture, n: usize, index: u64) -> Vec<f32> {
    toy.sample(n, &mut Streams::new(SEED).rng(index, Purpose::Data))
}

fn batch(toy: &GaussianMixture, step: usize, device: &Device) -> Tensor<2> {
    let data = TensorData::new(draw(toy, BATCH, step as u64), [BATCH, 2]);
    Tensor::from_data(data, &device.clone().autodiff())
}

/// `|v(x_t, t) - dx_t/dt|^2` on the straight path.
fn regression(network: &Mlp, x1: Tensor<2>, step: usize) -> Tensor<1> {
    let device = x1.device();
    let x0 = Tensor::<2>::random(x1.dims(), Distribution::Normal(0.0, 1.0), &device);
    let t = Uniform.sample(BATCH, &mut Streams::new(SEED).rng(step as u64, Purpose::Time));
    let sample = AffinePath::new(Linear { sigma_min: 0.0 }).sample(x0, x1, &t);
    let v = network.forward(sample.x_t, Time::at(t.to_tensor(&device)), &Condition::none());
    (v - sample.dx_t).square().mean()
}

/// `log p_1(x_1) = log N(x_0; 0, I) + l(0)` with `dx/dt = v`, `dl/dt = div v` from `t = 1` to 0.
fn log_density(network: &Mlp, x1: Tensor<2>) -> Tensor<1> {
    let zero = Tensor::<2>::zeros([x1.dims()[0], 1], &x1.device());
    let field = |t: f64, (x, _): &(Tensor<2>, Tensor<2>)| velocity_and_divergence(network, x, t);
    let stepping = Stepping::Count(SOLVER_STEPS);
    let end = solve(&field, (1.0, 0.0), (x1, zero), Method::Midpoint, &stepping);
    let (x0, gained) = end.expect("fixed steps of a smooth field end").y;
    let prior = x0.square().sum_dim(1) * -0.5 - TAU.ln();
    (prior + gained).squeeze_dim(1)
}

/// All five evaluations in one batch: at `x`, and on both sides of it along each axis.
fn velocity_and_divergence(network: &Mlp, x: &Tensor<2>, t: f64) -> (Tensor<2>, Tensor<2>) {
    let (n, device) = (x.dims()[0], x.device());
    let axis = |i: usize| Tensor::<2>::from_data([[[H, 0.0], [0.0, H]][i]], &device);
    let beside = (0..2).flat_map(|i| [x.clone() + axis(i), x.clone() - axis(i)]);
    let all = Tensor::cat(std::iter::once(x.clone()).chain(beside).collect(), 0);
    let time = Time::at(Times::constant(t, 5 * n).to_tensor(&device));
    let v = network.forward(all, time, &Condition::none());
    let part = |k: usize, i: usize| v.clone().slice([k * n..(k + 1) * n, i..i + 1]);
    let divergence = (part(1, 0) - part(2, 0) + part(3, 1) - part(4, 1)) / (2.0 * H);
    (v.slice([0..n, 0..2]), divergence)
}

/// Scores a network by its exact log-likelihood on fresh data and by its samples.
fn report(
    name: &str,
    steps: usize,
    seconds: f64,
    network: &Mlp,
    toy: &GaussianMixture,
) -> Result<(), Box<dyn Error>> {
    let device = Device::flex();
    let velocity = Trained {
        network,
        condition: Condition::none(),
        schedule: Arc::new(Linear { sigma_min: 0.0 }),
        prediction: Prediction::Velocity,
    };
    let adaptive: Stepping = Adaptive::new(Tolerance { atol: 1e-5, rtol: 1e-5 }).into();
    let real = draw(toy, N, u64::MAX);
    let x1 = Tensor::<2>::from_data(TensorData::new(real.clone(), [N, 2]), &device);
    let found = Likelihood::new(Method::Dopri5, adaptive.clone()).log_prob(
        &velocity,
        x1,
        &ExactTrace { chunk: 2 },
    )?;
    let nats = found.nats.iter().sum::<f64>() / N as f64;
    let x0 = prior(SEED, 0..N, 2, &velocity, &device);
    let solver = Ode::new(Method::Dopri5, adaptive);
    let samples = solver.sample(&velocity, x0, &Way::steps(1))?.x;
    let samples = samples.into_data().try_into_vec::<f32>()?;
    let distance =
        sliced_wasserstein(Points::new(&samples, 2)?, Points::new(&real, 2)?, 256, SEED)?;
    let each = 1e3 * seconds / steps as f64;
    let distance = distance.value_text();
    println!("| {name} | {steps} | {each:.1} | {seconds:.1} | {nats:.3} | {distance} |");
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failed test may panic")]
mod tests {
    use burn::module::{ModuleVisitor, Param};
    use burn::optim::SgdConfig;

    use super::*;

    struct SquaredNorm<'a>(&'a GradientsParams, f64);

    impl ModuleVisitor for SquaredNorm<'_> {
        fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
            let gradient = self.0.get::<D>(parameter.id).unwrap();
            self.1 += gradient.square().sum().into_scalar::<f64>();
        }
    }

    /// Along the gradient `g` the loss grows by `|g|^2` a unit. With a step of 1e-2 the central
    /// difference errs by some 1e-4 of it, its rounding in single precision by as much.
    #[test]
    fn the_gradient_through_the_solver_is_the_slope_of_the_loss() {
        const STEP: f64 = 1e-2;
        let device = Device::flex();
        let config = MlpConfig { hidden: 16, depth: 2, ..MlpConfig::default() };
        let points = Signature::of([2]);
        let network = init_seeded(SEED, &device, |device| config.init(&points, device));
        let network = network.unwrap().train();
        let x1 = batch(&GaussianMixture::eight_gaussians(), 0, &device);
        let loss = |network: &Mlp| -log_density(network, x1.clone()).mean();
        let gradients = || GradientsParams::from_grads(loss(&network).backward(), &network);

        let held = gradients();
        let mut slope = SquaredNorm(&held, 0.0);
        network.visit(&mut slope);
        let along = |step: f64| {
            let moved = SgdConfig::new().init().step(-step, network.clone(), gradients());
            loss(&moved).into_scalar::<f64>()
        };
        let difference = (along(STEP) - along(-STEP)) / (2.0 * STEP);
        let (got, want) = (slope.1, difference);
        assert!(1e-2 < want && (got - want).abs() < 2e-3 * want, "{got}, {want}");
    }
}
