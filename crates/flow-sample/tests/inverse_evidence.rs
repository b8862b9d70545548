//! Counts, measurements of any function, networks, and several answers at once.
#![allow(clippy::float_cmp, reason = "the same draws in other batches are equal to the last bit")]
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod common;
mod gaussians;

use std::cell::Cell;
use std::sync::Arc;

use burn::module::Module;
use burn::tensor::{DType, Device, Tensor};
use common::Stir;
use flow_nn::{Condition, MlpConfig, Network, NetworkConfig, Signature, Time, init_seeded};
use flow_path::{Linear, Prediction, Schedule};
use flow_sample::{
    Conditioned, Conditioning, Ddim, Dense, Dps, Draws, Evidence, Mask, Measurement, Mmps,
    Observation, ObservationNoise, PiGdm, Predictor, Replacement, SampleError, Sampler, Trained,
    Way, prior,
};
use gaussians::{Gaussians, host, moments, reference, rows};

const LINEAR: Linear = Linear { sigma_min: 0.0 };

/// Data of mean 1 and standard deviation 0.5, of which counts of the rate `gain (x + 2)` are seen.
struct Counts {
    gain: f64,
    y: f64,
}

impl Counts {
    fn prior() -> Gaussians {
        Gaussians::one(&[1.0], &[0.25])
    }

    fn seen_with(&self, gain: f64) -> Observation<Dense> {
        let noise = ObservationNoise::Poisson { gain, offset: 2.0 };
        Observation::new(Dense::new(rows(&[1.0], 1)), rows(&[self.y], 1), noise).unwrap()
    }

    fn seen(&self) -> Observation<Dense> {
        self.seen_with(self.gain)
    }

    fn log_likelihood(&self, x: f64) -> f64 {
        let rate = self.gain * (x + 2.0);
        self.y * rate.ln() - rate
    }

    /// Mean and standard deviation of the posterior, by sums over a fine grid.
    fn posterior(&self) -> (f64, f64) {
        let points = (0..6000).map(|i| -1.999 + f64::from(i) * 1e-3);
        let weighed: Vec<(f64, f64)> =
            points.map(|x| (x, (self.log_likelihood(x) - 2.0 * (x - 1.0).powi(2)).exp())).collect();
        let sum = |f: &dyn Fn(f64) -> f64| -> f64 { weighed.iter().map(|(x, w)| w * f(*x)).sum() };
        let mean = sum(&|x| x) / sum(&|_| 1.0);
        (mean, (sum(&|x| (x - mean).powi(2)) / sum(&|_| 1.0)).sqrt())
    }

    /// Mean, in standard deviations from that of the posterior, and standard deviation, in those of
    /// the posterior, of a thousand answers.
    fn answered(&self, method: impl Conditioning) -> (f64, f64) {
        let conditioned = Conditioned { predictor: Self::prior(), method };
        let x0 = prior(4, 0..1000, 1, &conditioned, &Device::flex()).cast(DType::F64);
        let x = Ddim::default().sample(&conditioned, x0, &Way::steps(200)).unwrap().x;
        let ((mean, variance), (want, std)) = (moments(&x), self.posterior());
        ((mean[0] - want) / std, variance[0].sqrt() / std)
    }
}

#[test]
fn counts_pull_by_the_slope_of_their_likelihood() {
    let counts = Counts { gain: 5.0, y: 11.0 };
    let h = 1e-5;
    for x in [-1.5, 0.3, 4.0] {
        let got = host(counts.seen().gradient(&rows(&[x], 1)))[0];
        let want = (counts.log_likelihood(x + h) - counts.log_likelihood(x - h)) / (2.0 * h);
        assert!((got - want).abs() < 1e-5, "at {x}: {got} is not {want}");
    }
    // Below the least rate the slope stays where it is.
    let below = [-2.5, -9.0].map(|x| host(counts.seen().gradient(&rows(&[x], 1)))[0]);
    assert!(below[0] == below[1] && below[0].is_finite(), "{below:?}");
}

#[test]
fn answers_to_counts_have_the_moments_of_their_posterior() {
    // Many counts are nearly normal; few are not, and a normal law of their variance errs more.
    for (counts, mean, spread) in
        [(Counts { gain: 20.0, y: 75.0 }, 0.15, 0.1), (Counts { gain: 1.0, y: 6.0 }, 0.3, 0.15)]
    {
        let (shift, std) = counts.answered(Mmps { observation: counts.seen(), iterations: 1 });
        assert!(shift.abs() < mean && (std - 1.0).abs() < spread, "{shift} and {std}");
    }
    // The controls: another gain, and a method that leaves the spread of the data out.
    let counts = Counts { gain: 20.0, y: 75.0 };
    let (shift, _) = counts.answered(Mmps { observation: counts.seen_with(26.0), iterations: 1 });
    assert!(1.0 < shift.abs(), "a wrong gain errs by {shift}");
    let (_, std) = counts.answered(Dps { evidence: counts.seen(), scale: 1.0 });
    assert!(std < 0.9, "the bias of DPS: {std}");
}

#[test]
fn a_measurement_pulls_through_its_function() {
    let squared_radius = |x: &Tensor<2>| x.clone().square().sum_dim(1);
    let noise = ObservationNoise::Gaussian { std: 0.5 };
    let measured = Measurement::new(squared_radius, rows(&[4.0], 1), noise).unwrap();
    let x = rows(&[1.0, 1.5, -0.3, 2.0], 2);
    let got = host(measured.gradient(&x));
    for (got, row) in got.chunks(2).zip([[1.0, 1.5], [-0.3, 2.0]]) {
        let slope = (4.0 - row[0] * row[0] - row[1] * row[1]) / 0.25;
        for (got, x) in got.iter().zip(row) {
            assert!((got - 2.0 * x * slope).abs() < 1e-9, "{got}");
        }
    }
    let misfit = host(measured.misfit(&x));
    assert!((misfit[0] - 0.75 / 0.5).abs() < 1e-9, "{misfit:?}");
}

#[test]
fn answers_to_a_radius_lie_on_their_circle_and_all_around_it() {
    let prior = Gaussians::one(&[0.0, 0.0], &[1.0, 0.0, 0.0, 1.0]);
    let radius = |x: &Tensor<2>| x.clone().square().sum_dim(1).sqrt();
    let noise = ObservationNoise::Gaussian { std: 0.2 };
    let measured = Measurement::new(radius, rows(&[2.0], 1), noise).unwrap();
    let method = Dps { evidence: measured.clone(), scale: 1.0 };
    let conditioned = Conditioned { predictor: &prior, method };
    let draws = Draws { draws: 400, at_once: 400, seed: 2 };
    let (way, device) = (Way::steps(200), Device::flex());
    let ask = |predictor: &dyn Predictor| {
        draws.answer(&Ddim::default(), predictor, &measured, &way, [1, 2], &device).unwrap()
    };
    let root_mean_square =
        |misfit: &[f64]| (misfit.iter().map(|m| m * m).sum::<f64>() / misfit.len() as f64).sqrt();
    let (answers, free) = (ask(&conditioned), ask(&prior));
    let fit = root_mean_square(&answers.misfit);
    assert!(fit < 1.5, "{fit} standard deviations from the circle");
    assert!(3.0 < root_mean_square(&free.misfit), "free samples are elsewhere");
    let mean = host(answers.mean);
    // The standard error of a coordinate is sqrt(2 / 400), 0.07.
    assert!(mean.iter().all(|m| m.abs() < 0.3), "{mean:?}");
}

/// A network that tells the exact velocity of Gaussians.
struct Ideal(Signature, Gaussians);

impl Network for Ideal {
    fn signature(&self) -> &Signature {
        &self.0
    }

    fn forward(&self, x: Tensor<2>, time: Time, _: &Condition) -> Tensor<2> {
        let t = time.t.into_data().iter::<f64>().next().unwrap();
        self.1.predict(Prediction::Velocity, &x, t)
    }
}

fn trained(network: &dyn Network) -> Trained<'_> {
    let (schedule, prediction) = (Arc::new(LINEAR), Prediction::Velocity);
    Trained { network, condition: Condition::default(), schedule, prediction }
}

#[test]
fn the_gradient_goes_through_a_network() {
    let known = Gaussians::reference(&reference());
    let data = Gaussians::one(&known.means[1], &known.covariances[1]);
    let network = Ideal(Signature::of([8]), data.clone());
    let a = [[1.0, 0.5, 0.0, 0.0, -1.0, 0.0, 0.0, 2.0]].concat();
    let noise = ObservationNoise::Gaussian { std: 0.4 };
    let observation = Observation::new(Dense::new(rows(&a, 8)), rows(&[1.5], 1), noise).unwrap();
    let method = Mmps { observation, iterations: 1 };
    let conditioned = Conditioned { predictor: trained(&network), method };
    let posterior = data.given(&a, &[1.5], 0.4);
    let x = rows(&(0..16).map(|i| (f64::from(i) * 0.7).cos()).collect::<Vec<_>>(), 8);
    for t in [0.1, 0.5, 0.9] {
        let got = host(conditioned.predict(Prediction::Velocity, &x, t));
        let want = host(posterior.predict(Prediction::Velocity, &x, t));
        for (got, want) in got.iter().zip(&want) {
            // The time of a network is in single precision.
            assert!((got - want).abs() < 1e-4, "at {t}: {got} is not {want}");
        }
    }
}

#[test]
fn the_gradient_through_a_learned_network_is_that_of_differences() {
    let device = Device::flex();
    let config = MlpConfig { hidden: 16, depth: 2, ..MlpConfig::default() };
    let signature = Signature::of([3]);
    let init = |device: &Device| config.init(&signature, device);
    let network = init_seeded(4, &device, init).unwrap().map(&mut Stir);
    let noise = ObservationNoise::Gaussian { std: 0.5 };
    let y = Tensor::from_data([[0.3, f32::NAN, -0.2]], &device);
    let mask = Mask::new(&[true, false, true], 3, &device);
    let observation = Observation::new(mask, y, noise).unwrap();
    let (predictor, t, h) = (trained(&network), 0.6, 1e-2);
    let method = Dps { evidence: observation.clone(), scale: 1.0 };
    let x = Tensor::<2>::from_data([[0.4, -0.7, 0.2]], &device);
    let got = host(method.shift(&predictor, &x, t).1);
    let log_likelihood = |x: Tensor<2>| {
        let misfit = host(observation.misfit(&predictor.predict(Prediction::Data, &x, t)))[0];
        -misfit * misfit // two numbers are seen: their mean square is half of their sum
    };
    let c = LINEAR.at(t);
    for (k, got) in got.iter().enumerate() {
        let mut shift = [[0.0_f32; 3]];
        shift[0][k] = h as f32;
        let step = Tensor::<2>::from_data(shift, &device);
        let ahead = log_likelihood(x.clone() + step.clone());
        let slope = (ahead - log_likelihood(x.clone() - step)) / (2.0 * h);
        let want = slope * c.sigma * c.sigma / c.alpha;
        // Rounding of 1e-6 over 2e-2, and a curvature term of h^2.
        assert!((got - want).abs() < 2e-3 * want.abs().max(1.0), "{k}: {got} is not {want}");
    }
}

/// Counts what is asked of a predictor.
struct Asked<'a>(&'a dyn Predictor, Cell<usize>);

impl Predictor for Asked<'_> {
    fn schedule(&self) -> &dyn Schedule {
        self.0.schedule()
    }

    fn predict(&self, what: Prediction, x: &Tensor<2>, t: f64) -> Tensor<2> {
        self.1.set(self.1.get() + 1);
        self.0.predict(what, x, t)
    }
}

#[test]
fn every_method_reports_the_evaluations_that_it_makes() {
    let (data, device) = (Counts::prior(), Device::flex());
    let counts = Counts { gain: 20.0, y: 75.0 };
    let seen = || counts.seen();
    let methods: [Box<dyn Conditioning>; 4] = [
        Box::new(Dps { evidence: seen(), scale: 0.1 }),
        Box::new(PiGdm { observation: seen(), data_std: 0.5, iterations: 3 }),
        Box::new(Mmps { observation: seen(), iterations: 3 }),
        Box::new(Replacement { observation: seen(), iterations: 3 }),
    ];
    for (method, each) in methods.into_iter().zip([1, 1, 3, 1]) {
        let asked = Asked(&data, Cell::new(0));
        let conditioned = Conditioned { predictor: &asked, method };
        let x0 = prior(1, 0..5, 1, &conditioned, &device);
        let sampled = Ddim::default().sample(&conditioned, x0, &Way::steps(10)).unwrap();
        // At pure noise the data are asked for once more, at the time of the noise itself.
        assert_eq!((sampled.nfe, asked.1.get()), (10 * each + 1, 10 * each + 1));
    }
}

/// Rows of two questions: of the first the first number is known, of the second the last.
fn holes(device: &Device) -> (Gaussians, Observation<Mask>) {
    let data = Gaussians::one(&[1.0, 0.0, -1.0], &[1.0, 0.8, 0.3, 0.8, 1.0, 0.5, 0.3, 0.5, 1.0]);
    let mask = Mask::new(&[true, false, false, false, false, true], 3, device);
    let (hole, y) = (f32::NAN, [2.0, -2.0]);
    let y = Tensor::from_data([[y[0], hole, hole], [hole, hole, y[1]]], device);
    let noise = ObservationNoise::Gaussian { std: 0.1 };
    (data, Observation::new(mask, y, noise).unwrap())
}

#[test]
fn several_answers_to_several_questions_are_one_call() {
    let device = Device::flex();
    let (data, observation) = holes(&device);
    let method = Mmps { observation: observation.clone(), iterations: 1 };
    let conditioned = Conditioned { predictor: &data, method };
    let ask = |draws: usize, at_once: usize| {
        let way = Way::steps(50);
        let draws = Draws { draws, at_once, seed: 6 };
        draws.answer(&Ddim::default(), &conditioned, &observation, &way, [2, 3], &device).unwrap()
    };
    let answers = ask(400, 400);
    assert_eq!(answers.x.dims(), [800, 3]);
    let (mean, spread) = (host(answers.mean), host(answers.spread.unwrap()));
    for (question, (k, y)) in [(0, 2.0), (2, -2.0)].into_iter().enumerate() {
        let a: Vec<f64> = (0..3).map(|i| f64::from(u8::from(i == k))).collect();
        let posterior = data.given(&a, &[y], 0.1);
        for i in 0..3 {
            let (got, want) = (mean[3 * question + i], posterior.mean()[i]);
            let (std, want_std) = (spread[3 * question + i], posterior.covariance()[4 * i].sqrt());
            // Four standard errors of 400 draws, and the errors of 50 steps of order 1.
            assert!((got - want).abs() < 0.25 * want_std, "{question} {i}: {got} is not {want}");
            assert!((std / want_std - 1.0).abs() < 0.2, "{question} {i}: {std}, not {want_std}");
        }
    }
    let fit = answers.misfit.iter().map(|m| m * m).sum::<f64>() / 800.0;
    assert!((0.6..1.4).contains(&fit), "what is seen is explained, not more: {fit}");
    // Draws do not depend on their batch, nor on how many there are.
    let (few, parts) = (ask(5, 5), ask(5, 2));
    let x = host(answers.x);
    assert_eq!(host(few.x.clone()), host(parts.x));
    for (got, want) in host(few.x).iter().zip(&x) {
        assert!((got - want).abs() < 1e-5, "{got} is not {want}");
    }
    assert!(ask(1, 1).spread.is_none());
}

#[test]
fn what_cannot_be_an_observation_is_refused_with_its_place() {
    let device = Device::flex();
    let y = || Tensor::<2>::from_data([[1.0, 2.0], [f32::NAN, 0.0]], &device);
    let gaussian = |std| ObservationNoise::Gaussian { std };
    let all = || Mask::new(&[true; 2], 2, &device);
    let refused = |y, noise| Observation::new(all(), y, noise).unwrap_err();
    assert_eq!(refused(y(), gaussian(1.0)), SampleError::Observation { row: 1 });
    let said = refused(y() * 0.0 + 1.0, gaussian(0.0)).to_string();
    assert!(said.starts_with("std of the observation is 0"), "{said}");
    let poisson = ObservationNoise::Poisson { gain: -1.0, offset: 0.0 };
    let said = refused(y(), poisson).to_string();
    assert!(said.starts_with("gain of the observation is -1"), "{said}");
    // Counts are zero or more where they are seen; what a mask hides may be anything.
    let counts = ObservationNoise::Poisson { gain: 1.0, offset: 1.0 };
    let below = Tensor::<2>::from_data([[0.0, 3.0], [-1.0, 2.0]], &device);
    assert_eq!(refused(below.clone(), counts), SampleError::NoCount { row: 1 });
    let between = Tensor::<2>::from_data([[0.0, 3.0], [4.0, 1.5]], &device);
    assert_eq!(refused(between, counts), SampleError::NoCount { row: 1 });
    Observation::new(Mask::new(&[false, true], 2, &device), below.clone(), counts).unwrap();
    Observation::new(all(), below, gaussian(1.0)).unwrap();
    let none = Draws { draws: 0, at_once: 1, seed: 0 };
    let (data, observation) = holes(&device);
    let refused =
        none.answer(&Ddim::default(), &data, &observation, &Way::steps(1), [1, 3], &device);
    let said = refused.unwrap_err().to_string();
    assert!(said.starts_with("number of draws is 0"), "{said}");
}
