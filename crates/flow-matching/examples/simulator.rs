//! A posterior that is learned while its simulator runs: each batch is simulated when it is needed,
//! so that no row is seen twice and none is stored.
//!
//! A ball is thrown with a speed and at an angle, and its distance is measured. The flow learns
//! `p(speed, angle | distance)` from simulations alone, by flow matching posterior estimation
//! (Wildberger et al. 2023, arXiv:2305.17161). Put your own simulator in the place of [`Throw`].
//!
//! `cargo run --release --package flow-matching --example simulator [DISTANCE]`

#![allow(clippy::print_stdout, reason = "the posterior is this program's result")]

use std::error::Error;
use std::fmt::Debug;
use std::ops::Range;
use std::sync::Arc;

use burn::tensor::{Device, Tensor, TensorData};
use flow_matching::nn::{Condition, DynNetwork, MlpConfig, NetworkConfig, Signature, init_seeded};
use flow_matching::ode::Method;
use flow_matching::path::stream::{Purpose, Streams};
use flow_matching::path::{Linear, PowerLaw, Prediction};
use flow_matching::sample::{Ode, Sampler, Trained, Way, prior};
use flow_matching::train::{
    AdamW, DataSource, Decay, Draw, Ema, FlowMatching, LearningRate, MatchingBatches, Parts, Plan,
    Regression, Stepper,
};
use rand::{Rng, RngExt};
use rand_distr::{Distribution, StandardNormal};

const SEED: u64 = 0;
const BATCH: usize = 256;
/// Simulations whose means and spreads are the units of the network.
const PILOT: u64 = 1000;

/// A program that makes an observation from parameters.
trait Simulator: Debug + Send + Sync {
    /// Parameters, drawn from the prior, and an observation made from them.
    fn simulate(&self, rng: &mut dyn Rng) -> (Vec<f64>, Vec<f64>);
}

/// How far a ball flies, in metres, with an error of half a metre.
#[derive(Debug)]
struct Throw;

impl Throw {
    fn distance(speed: f64, degrees: f64) -> f64 {
        speed.powi(2) * (2.0 * degrees.to_radians()).sin() / 9.81
    }
}

impl Simulator for Throw {
    fn simulate(&self, rng: &mut dyn Rng) -> (Vec<f64>, Vec<f64>) {
        let (speed, angle) = (rng.random_range(5.0..25.0), rng.random_range(10.0..80.0));
        let error: f64 = StandardNormal.sample(rng);
        (vec![speed, angle], vec![Self::distance(speed, angle) + 0.5 * error])
    }
}

/// The mean and the standard deviation of each of several numbers.
#[derive(Debug)]
struct Units(Vec<[f64; 2]>);

impl Units {
    fn of(rows: &[Vec<f64>]) -> Self {
        let n = rows.len() as f64;
        let mean =
            |k: usize, of: &dyn Fn(f64) -> f64| rows.iter().map(|r| of(r[k])).sum::<f64>() / n;
        let unit = |k: usize| {
            let centre = mean(k, &|x| x);
            [centre, mean(k, &|x| (x - centre).powi(2)).sqrt()]
        };
        Self((0..rows[0].len()).map(unit).collect())
    }

    /// Numbers in units of their spread.
    fn scaled<'a>(&'a self, row: &'a [f64]) -> impl Iterator<Item = f32> + 'a {
        row.iter().zip(&self.0).map(|(x, [mean, std])| ((x - mean) / std) as f32)
    }

    fn unscaled(&self, row: &[f32]) -> Vec<f64> {
        row.iter().zip(&self.0).map(|(x, [mean, std])| mean + std * f64::from(*x)).collect()
    }
}

/// The endless sequence of simulations of a seed. The network is told the observation of each row,
/// its condition vector.
#[derive(Debug)]
struct Simulations<S> {
    simulator: S,
    shape: [usize; 1],
    parameters: Units,
    observation: Units,
}

impl<S: Simulator> Simulations<S> {
    fn new(simulator: S) -> Self {
        let streams = Streams::new(SEED);
        let pilot = |k| simulator.simulate(&mut streams.rng(k, Purpose::Data));
        let (theta, x): (Vec<_>, Vec<_>) = (0..PILOT).map(pilot).unzip();
        let (parameters, observation) = (Units::of(&theta), Units::of(&x));
        Self { simulator, shape: [parameters.0.len()], parameters, observation }
    }
}

impl<S: Simulator> DataSource for Simulations<S> {
    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn vector(&self) -> usize {
        self.observation.0.len()
    }

    /// Simulation `k` of a seed is the same in any batch: it has a random stream of its own.
    fn draw(&self, range: Range<u64>, streams: &Streams) -> Draw {
        let (mut rows, mut vectors) = (Vec::new(), Vec::new());
        for k in range {
            let (theta, x) = self.simulator.simulate(&mut streams.rng(k, Purpose::Data));
            rows.extend(self.parameters.scaled(&theta));
            vectors.extend(self.observation.scaled(&x));
        }
        Draw { rows, vectors: Some(vectors), ..Draw::default() }
    }
}

/// A posterior for any observation.
struct Posterior<S> {
    network: DynNetwork,
    simulations: Arc<Simulations<S>>,
}

impl<S: Simulator + 'static> Posterior<S> {
    /// Trains for so many batches, which are simulated as they are needed.
    fn train(simulator: S, config: &MlpConfig, steps: usize) -> Result<Self, Box<dyn Error>> {
        let device = Device::flex();
        let simulations = Arc::new(Simulations::new(simulator));
        let signature =
            Signature { vector: simulations.vector(), ..Signature::of(simulations.shape) };
        let network = init_seeded(SEED, &device, |device| config.init(&signature, device))?;
        let batches = MatchingBatches {
            // More times near the data, where a narrow posterior is decided.
            matching: FlowMatching {
                times: Arc::new(PowerLaw { exponent: 1.0 }),
                ..FlowMatching::default()
            },
            data: Arc::clone(&simulations) as Arc<dyn DataSource>,
            classes: 0,
            rows: BATCH,
            noise: 0,
            streams: Streams::new(SEED),
        };
        let rate = LearningRate {
            peak: 2e-3,
            warmup: steps.min(100),
            steps,
            decay: Decay::Cosine,
            floor: 0.0,
        };
        let plan = Plan {
            steps,
            every: steps,
            also: Vec::new(),
            learning_rate: rate,
            optimizer: AdamW { weight_decay: 0.0, ..AdamW::default() },
            ema: Ema { half_life: 20_000.0, ramp: 0.05 },
            max_gradient_norm: Some(1.0),
            validation_batches: 0,
            parts: Parts::default(),
        };
        let model = DynNetwork::new(network);
        let mut training =
            Stepper::new(model, Arc::new(Regression), Arc::new(batches), plan, &device)?;
        for step in 0..steps {
            let loss;
            (training, loss) = training.step()?;
            if step % 1000 == 0 {
                println!("step {step} of {steps}: loss {loss:.3}");
            }
        }
        Ok(Self { network: training.average().network, simulations })
    }

    /// Draws parameters after an observation.
    fn draw(&self, observation: &[f64], n: usize) -> Result<Vec<Vec<f64>>, Box<dyn Error>> {
        let device = Device::flex();
        let Simulations { shape: [dim], parameters, observation: units, .. } = &*self.simulations;
        let told: Vec<f32> = units.scaled(observation).collect();
        let told = Tensor::from_data(TensorData::new(told.repeat(n), [n, told.len()]), &device);
        let velocity = Trained {
            network: &self.network,
            condition: Condition::none().with_vector(told),
            schedule: Arc::new(Linear { sigma_min: 0.0 }),
            prediction: Prediction::Velocity,
        };
        let noise = prior(SEED, 0..n, *dim, &velocity, &device);
        let drawn = Ode::on_grid(Method::Midpoint).sample(&velocity, noise, &Way::steps(40))?;
        let rows = drawn.x.into_data().try_into_vec::<f32>()?;
        Ok(rows.chunks(*dim).map(|row| parameters.unscaled(row)).collect())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let seen = std::env::args().nth(1).map_or(Ok(30.0), |text| text.parse::<f64>())?;
    let config = MlpConfig { hidden: 128, time_scale: 20, ..MlpConfig::default() };
    let posterior = Posterior::train(Throw, &config, 6000)?;
    let draws = posterior.draw(&[seen], 4000)?;
    println!("throws that may have flown {seen} metres:");
    for throw in &draws[..8] {
        println!("  {:4.1} m/s at {:4.1} degrees", throw[0], throw[1]);
    }
    let mut flown: Vec<f64> =
        draws.iter().map(|throw| Throw::distance(throw[0], throw[1])).collect();
    flown.sort_by(f64::total_cmp);
    let [low, high] = [1, 3].map(|quarter| flown[quarter * flown.len() / 4]);
    println!("half of the draws fly {low:.2} to {high:.2} metres");
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failed test may panic")]
mod tests {
    use super::*;

    /// `theta ~ N(0, I)` and `x = A theta + 0.5 noise` with `A = (1, 0.5; 0, 1)`.
    ///
    /// The precision of the posterior is `I + A^T A / 0.25 = (5, 2; 2, 6)`, its covariance the
    /// inverse, and its mean that times `4 A^T x`.
    #[derive(Debug)]
    struct Gaussian;

    const COVARIANCE: [[f64; 2]; 2] = [[6.0 / 26.0, -2.0 / 26.0], [-2.0 / 26.0, 5.0 / 26.0]];

    fn exact_mean([x, y]: [f64; 2]) -> [f64; 2] {
        let right = [4.0 * x, 4.0 * (0.5 * x + y)];
        COVARIANCE.map(|row| row[0] * right[0] + row[1] * right[1])
    }

    impl Simulator for Gaussian {
        fn simulate(&self, rng: &mut dyn Rng) -> (Vec<f64>, Vec<f64>) {
            let [a, b, u, v]: [f64; 4] = std::array::from_fn(|_| StandardNormal.sample(&mut *rng));
            (vec![a, b], vec![a + 0.5 * b + 0.5 * u, b + 0.5 * v])
        }
    }

    #[test]
    fn simulations_are_found_by_their_number_and_not_by_their_batch() {
        let (simulations, streams) = (Simulations::new(Throw), Streams::new(3));
        let all = simulations.draw(0..20, &streams);
        let some = simulations.draw(5..9, &streams);
        assert_eq!(some.rows, all.rows[10..18]);
        assert_eq!(some.vectors.unwrap(), all.vectors.unwrap()[5..9]);
    }

    #[test]
    fn a_linear_simulator_has_the_posterior_of_its_closed_form() {
        const N: usize = 4000;
        let config = MlpConfig { hidden: 64, depth: 2, time_scale: 20, ..MlpConfig::default() };
        let posterior = Posterior::train(Gaussian, &config, 1500).unwrap();
        let mut centres = Vec::new();
        for seen in [[1.0, -0.5], [-1.5, 1.0]] {
            let draws = posterior.draw(&seen, N).unwrap();
            let of =
                |f: &dyn Fn(&[f64]) -> f64| draws.iter().map(|row| f(row)).sum::<f64>() / N as f64;
            let mean = [0, 1].map(|k| of(&|row| row[k]));
            let exact = exact_mean(seen);
            // The spreads are 0.48 and 0.44, so that 4,000 draws have errors of 0.007 in the mean
            // and 0.005 in a covariance; the rest is what 1,500 steps leave to be learned.
            for k in 0..2 {
                assert!((mean[k] - exact[k]).abs() < 0.07, "{seen:?}: {mean:?}, not {exact:?}");
                for l in 0..2 {
                    let found = of(&|row| (row[k] - mean[k]) * (row[l] - mean[l]));
                    let words = format!("{seen:?}: covariance {k} {l} is {found}");
                    assert!((found - COVARIANCE[k][l]).abs() < 0.06, "{words}");
                }
            }
            centres.push(mean);
        }
        // Draws that do not know what was seen have one mean, that of the prior.
        assert!(2.0 < centres[0][0] - centres[1][0], "{centres:?}");
    }
}
