//! Answers to linear questions about data whose posterior is known exactly.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod gaussians;

use burn::tensor::{DType, Device, Tensor};
use flow_path::Prediction;
use flow_sample::{
    Conditioned, Conditioning, Ddim, Dense, Dps, Langevin, Mmps, Observation, ObservationNoise,
    PiGdm, Predictor, Replacement, Sampler, Way, prior,
};
use gaussians::{Gaussians, host, moments, numbers, product, reference, rows};
use serde_json::Value;

/// A question of the reference: the operator, the size of its noise and what was seen.
struct Question {
    a: Vec<f64>,
    std: f64,
    y: Vec<f64>,
    answer: Value,
}

fn question(problem: &str, index: usize) -> Question {
    let problem = &reference()["problems"][problem];
    let answer = problem["questions"][index].clone();
    let (a, y) = (numbers(&problem["operator"]), numbers(&answer["y"]));
    Question { a, std: problem["std"].as_f64().unwrap(), y, answer }
}

impl Question {
    /// What was seen, by the operator times a sign and noise larger by a factor.
    fn seen_as(&self, sign: f64, factor: f64) -> Observation<Dense> {
        let a: Vec<f64> = self.a.iter().map(|a| sign * a).collect();
        let d = self.a.len() / self.y.len();
        let noise = ObservationNoise::Gaussian { std: self.std * factor };
        Observation::new(Dense::new(rows(&a, d)), rows(&self.y, self.y.len()), noise).unwrap()
    }

    fn seen(&self) -> Observation<Dense> {
        self.seen_as(1.0, 1.0)
    }

    fn mmps(&self) -> Mmps<Dense> {
        Mmps { observation: self.seen(), iterations: self.y.len() }
    }
}

/// A Gaussian of the prior of the reference, whose covariance is full.
fn gaussian() -> Gaussians {
    let prior = Gaussians::reference(&reference());
    Gaussians::one(&prior.means[0], &prior.covariances[0])
}

/// Points of all sizes.
fn points(d: usize) -> Tensor<2> {
    let numbers: Vec<f64> = (0..3 * d).map(|i| 1.5 * (i as f64 * 0.61).sin()).collect();
    rows(&numbers, d)
}

fn gap(a: &Tensor<2>, b: &Tensor<2>) -> f64 {
    host(a.clone() - b.clone()).into_iter().fold(0.0, |worst: f64, gap| worst.max(gap.abs()))
}

/// The largest difference between the data that a method predicts and those of a posterior.
fn gap_to(posterior: &Gaussians, prior: &Gaussians, method: impl Conditioning) -> f64 {
    let conditioned = Conditioned { predictor: prior, method };
    let at = |t: f64| {
        let x = points(prior.dim());
        let ask = |predictor: &dyn Predictor| predictor.predict(Prediction::Data, &x, t);
        gap(&ask(&conditioned), &ask(posterior))
    };
    [0.02, 0.3, 0.7, 0.95].into_iter().map(at).fold(0.0, f64::max)
}

#[test]
fn the_exact_field_and_the_exact_posteriors_are_those_of_the_reference() {
    let json = reference();
    let prior = Gaussians::reference(&json);
    let (points, want) = (&json["field"]["points"], numbers(&json["field"]["velocities"]));
    let points = numbers(points);
    for (k, t) in numbers(&json["field"]["times"]).into_iter().enumerate() {
        if 1.0 <= t {
            continue; // where the velocity is the data less a noise of which nothing is left
        }
        let x = rows(&points[24 * k..][..24], 8);
        let v = host(prior.predict(Prediction::Velocity, &x, t));
        for (got, want) in v.iter().zip(&want[24 * k..]) {
            assert!((got - want).abs() < 1e-6, "at {t}: {got} is not {want}");
        }
    }
    for problem in json["problems"].as_object().unwrap().keys() {
        for index in 0..5 {
            let question = question(problem, index);
            let posterior = prior.given(&question.a, &question.y, question.std);
            for (got, name) in [
                (posterior.weights.clone(), "shares"),
                (posterior.mean(), "mean"),
                (posterior.covariance(), "covariance"),
            ] {
                for (got, want) in got.iter().zip(numbers(&question.answer[name])) {
                    assert!((got - want).abs() < 1e-7, "{name} of {problem} {index}");
                }
            }
        }
    }
}

#[test]
fn mmps_is_exact_for_normal_data_of_any_covariance() {
    let prior = gaussian();
    for problem in ["inpaint_first4", "mean_of_pairs", "random3", "denoise_full"] {
        let question = question(problem, 0);
        let posterior = prior.given(&question.a, &question.y, question.std);
        let error = gap_to(&posterior, &prior, question.mmps());
        // Rounding of the conjugate gradients in double precision.
        assert!(error < 1e-6, "{problem}: {error}");
        // The controls: an operator of the wrong sign, noise of the wrong size, and too few
        // iterations for as many directions.
        let iterations = question.y.len();
        for (what, method) in [
            ("sign", Mmps { observation: question.seen_as(-1.0, 1.0), iterations }),
            ("noise", Mmps { observation: question.seen_as(1.0, 2.0), iterations }),
            ("iterations", Mmps { observation: question.seen(), iterations: 1 }),
        ] {
            let wrong = gap_to(&posterior, &prior, method);
            assert!(1e-2 < wrong, "{problem} with the wrong {what}: {wrong}");
        }
    }
}

#[test]
fn pigdm_is_exact_for_normal_data_of_one_variance_and_not_for_others() {
    let question = question("random3", 1);
    let std = 1.4;
    let isotropic: Vec<f64> = (0..64).map(|ij| if ij % 9 == 0 { std * std } else { 0.0 }).collect();
    let round = Gaussians::one(&gaussian().means[0], &isotropic);
    let method = |data_std: f64| PiGdm { observation: question.seen(), data_std, iterations: 3 };
    let posterior = |prior: &Gaussians| prior.given(&question.a, &question.y, question.std);
    let error = gap_to(&posterior(&round), &round, method(std));
    assert!(error < 1e-6, "{error}");
    let guessed = gap_to(&posterior(&round), &round, method(0.7));
    assert!(1e-2 < guessed, "with half the deviation: {guessed}");
    let biased = gap_to(&posterior(&gaussian()), &gaussian(), method(1.0));
    assert!(1e-2 < biased, "of another covariance: {biased}");
}

#[test]
fn dps_pulls_as_if_the_noise_alone_kept_the_prediction_away() {
    // The shift is C A^T (y - A m) / std^2, where the true one has (A C A^T + std^2)^-1.
    let (prior, question, t) = (gaussian(), question("random3", 0), 0.3);
    let c = prior.schedule().at(t);
    let method = Dps { evidence: question.seen(), scale: 1.0 };
    let x = points(8);
    let (data, shift) = method.shift(&prior, &x, t);
    let noise = c.sigma / c.alpha;
    // Data given x_t are data seen through noise.
    let identity: Vec<f64> = (0..64).map(|ij| f64::from(u8::from(ij % 9 == 0))).collect();
    let covariance = prior.given(&identity, &[0.0; 8], noise).covariances.remove(0);
    let spread = product(&question.a, &covariance, 8); // A C
    let data = host(data);
    let want: Vec<f64> = data
        .chunks(8)
        .flat_map(|row| {
            let seen = product(&question.a, row, 8);
            let pull: Vec<f64> = question
                .y
                .iter()
                .zip(&seen)
                .map(|(y, z)| (y - z) / (question.std * question.std))
                .collect();
            product(&pull, &spread, 3)
        })
        .collect();
    let error = gap(&shift, &rows(&want, 8));
    assert!(error < 1e-6, "{error}");
    let posterior = prior.given(&question.a, &question.y, question.std);
    assert!(0.1 < gap_to(&posterior, &prior, method), "the bias that its page names");
}

#[test]
fn replaced_entries_are_what_was_seen_and_the_rest_is_predicted_alone() {
    let (prior, question) = (gaussian(), question("inpaint_first4", 0));
    let method = Replacement { observation: question.seen(), iterations: 1 };
    let x = points(8);
    let conditioned = Conditioned { predictor: &prior, method };
    let data = host(conditioned.predict(Prediction::Data, &x, 0.4));
    let alone = host(prior.predict(Prediction::Data, &x, 0.4));
    for (row, alone) in data.chunks(8).zip(alone.chunks(8)) {
        for (k, (got, alone)) in row.iter().zip(alone).enumerate() {
            let want = if k < 4 { question.y[k] } else { *alone };
            assert!((got - want).abs() < 1e-9, "{got} is not {want}");
        }
    }
}

#[test]
fn at_the_ends_the_answers_are_those_of_the_times_beside_them() {
    let (prior, question) = (gaussian(), question("random3", 2));
    let posterior = prior.given(&question.a, &question.y, question.std);
    let conditioned = Conditioned { predictor: &prior, method: question.mmps() };
    let ask = |p: &dyn Predictor, t: f64| p.predict(Prediction::Data, &points(8), t);
    // Pure noise: the shift is that of alpha / sigma = 0.01, so that it errs by about as much.
    let (got, want) = (ask(&conditioned, 0.0), ask(&posterior, 0.0));
    assert!(gap(&got, &want) < 0.05, "{}", gap(&got, &want));
    assert!(1.0 < gap(&ask(&prior, 0.0), &want), "the observation says something");
    // Pure data are what they are.
    assert!(gap(&ask(&conditioned, 1.0), &points(8)) < 1e-12);
    let calls = [0.0, 0.5, 1.0].map(|t| conditioned.calls(t));
    assert_eq!(calls, [4, 3, 1], "evaluations are counted as they are made");
}

/// `n` answers in double precision by steps along a uniform grid.
fn answers(predictor: &dyn Predictor, sampler: &dyn Sampler, steps: usize, n: usize) -> Tensor<2> {
    let x0 = prior(5, 0..n, 8, predictor, &Device::flex()).cast(DType::F64);
    sampler.sample(predictor, x0, &Way::steps(steps)).unwrap().x
}

/// The root mean square error of the means of coordinates, in standard deviations of the posterior,
/// and the error of the covariance relative to its size.
fn errors(x: &Tensor<2>, posterior: &Gaussians) -> (f64, f64) {
    let ((mean, covariance), d) = (moments(x), posterior.dim());
    let (want, spread) = (posterior.mean(), posterior.covariance());
    let squares = (0..d).map(|i| (mean[i] - want[i]).powi(2) / spread[i * d + i]);
    let size = |a: &[f64]| a.iter().map(|a| a * a).sum::<f64>().sqrt();
    let apart: Vec<f64> = covariance.iter().zip(&spread).map(|(a, b)| a - b).collect();
    ((squares.sum::<f64>() / d as f64).sqrt(), size(&apart) / size(&spread))
}

#[test]
fn answers_about_normal_data_have_the_mean_and_covariance_of_the_posterior() {
    let (prior, question) = (gaussian(), question("random3", 0));
    let posterior = prior.given(&question.a, &question.y, question.std);
    let sample = |method| {
        let conditioned = Conditioned { predictor: &prior, method };
        errors(&answers(&conditioned, &Ddim::default(), 100, 1000), &posterior)
    };
    let (mean, covariance) = sample(question.mmps());
    // Standard errors of 1000 draws: 0.03 for a mean, about sqrt(8 / 1000) for the covariance; 100
    // steps of order 1 add some hundredths.
    assert!(mean < 0.1 && covariance < 0.15, "mean {mean}, covariance {covariance}");
    let iterations = question.y.len();
    let (mean, _) = sample(Mmps { observation: question.seen_as(-1.0, 1.0), iterations });
    assert!(1.0 < mean, "with the wrong sign the mean errs by {mean}");
    let (_, covariance) = sample(Mmps { observation: question.seen_as(1.0, 4.0), iterations });
    assert!(0.3 < covariance, "with too much noise the covariance errs by {covariance}");
}

#[test]
fn of_a_mixture_the_better_the_covariance_the_nearer_the_answers() {
    let prior = Gaussians::reference(&reference());
    let question = question("inpaint_first4", 0);
    let posterior = prior.given(&question.a, &question.y, question.std);
    let (steps, n) = (50, 500);
    let ddim = Ddim::default();
    let exact = errors(&answers(&posterior, &ddim, steps, n), &posterior).0;
    let by = |method: &dyn Fn() -> Box<dyn Conditioning>, sampler: &dyn Sampler| {
        let conditioned = Conditioned { predictor: &prior, method: method() };
        errors(&answers(&conditioned, sampler, steps, n), &posterior)
    };
    let iterations = question.y.len();
    let mmps = || Box::new(question.mmps()) as Box<dyn Conditioning>;
    let pigdm = || {
        let (observation, data_std) = (question.seen(), 1.0);
        Box::new(PiGdm { observation, data_std, iterations }) as Box<dyn Conditioning>
    };
    let dps = || Box::new(Dps { evidence: question.seen(), scale: 1.0 }) as Box<dyn Conditioning>;
    let replaced = || {
        let observation = question.seen();
        Box::new(Replacement { observation, iterations }) as Box<dyn Conditioning>
    };
    let corrected = Langevin { corrections: 5, ..Langevin::default() };
    // With seed 5: exact 0.03, corrected 0.1, MMPS 0.16, Pi-GDM 0.35, replacement 0.44, DPS 0.65.
    let (mmps, corrected) = (by(&mmps, &ddim), by(&mmps, &corrected));
    let (pigdm, replaced, dps) = (by(&pigdm, &ddim), by(&replaced, &ddim), by(&dps, &ddim));
    let shown = format!("{exact} {corrected:?} {mmps:?} {pigdm:?} {replaced:?} {dps:?}");
    assert!(exact < 0.15 && corrected.0 < 0.2 && mmps.0 < 0.25, "{shown}");
    assert!(corrected.0 < mmps.0, "{shown}");
    assert!(mmps.0 + 0.1 < pigdm.0.min(replaced.0).min(dps.0), "{shown}");
    assert!(mmps.1 < 0.25 && 0.25 < dps.1.min(replaced.1), "{shown}");
}
