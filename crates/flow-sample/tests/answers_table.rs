//! Every method that answers questions beside the exact posterior: the table of
//! docs/results/questions.md.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod gaussians;

use std::time::Instant;

use burn::tensor::{DType, Device, Tensor};
use flow_sample::{
    Conditioned, Conditioning, Ddim, Dense, Dps, Evidence, Langevin, Mmps, Observation,
    ObservationNoise, PiGdm, Predictor, Replacement, Sampler, Way, prior,
};
use gaussians::{Gaussians, host, moments, numbers, reference, rows};

/// Draws for each question, and the seed of their noise.
const DRAWS: usize = 500;
const SEED: u64 = 5;
/// Numbers of a row of the reference's law.
const SIZE: usize = 8;

/// What is asked: `exact` samples the field of the exact posterior and is the floor, `+L` has a
/// Langevin correction after each step and half as many steps.
const METHODS: [&str; 7] =
    ["exact", "replacement", "dps", "pigdm", "mmps", "replacement+L", "mmps+L"];

/// How far draws are from the exact posterior: the mean in its standard deviations, the covariance
/// by Frobenius, their total variance, shares of the components, misfit.
fn errors(exact: &Gaussians, x: &Tensor<2>, misfit: &[f64]) -> [f64; 5] {
    let (mean, covariance) = moments(x);
    let (true_mean, true_covariance) = (exact.mean(), exact.covariance());
    let variance = |all: &[f64], i: usize| all[i * (SIZE + 1)];
    let squares = (0..SIZE)
        .map(|i| (mean[i] - true_mean[i]).powi(2) / variance(&true_covariance, i))
        .sum::<f64>();
    let norm = |all: &[f64]| all.iter().map(|x| x * x).sum::<f64>().sqrt();
    let difference: Vec<f64> =
        covariance.iter().zip(&true_covariance).map(|(a, b)| a - b).collect();
    let trace = |all: &[f64]| (0..SIZE).map(|i| variance(all, i)).sum::<f64>();
    let shares = exact.shares(x);
    let moved: f64 = shares.iter().zip(&exact.weights).map(|(a, b)| (a - b).abs()).sum();
    [
        (squares / SIZE as f64).sqrt(),
        norm(&difference) / norm(&true_covariance),
        trace(&covariance) / trace(&true_covariance),
        0.5 * moved,
        (misfit.iter().map(|m| m * m).sum::<f64>() / misfit.len() as f64).sqrt(),
    ]
}

#[test]
#[ignore = "half a minute: 25 questions by seven methods at three budgets"]
fn methods_are_as_far_from_the_exact_posterior_as_the_page_says() {
    let json = reference();
    let law = Gaussians::reference(&json);
    println!(
        "| problem | evaluations | method | mean | covariance | trace | shares | misfit | s |"
    );
    let mut means = vec![Vec::new(); METHODS.len()];
    for (name, problem) in json["problems"].as_object().unwrap() {
        let (a, std) = (numbers(&problem["operator"]), problem["std"].as_f64().unwrap());
        let questions = problem["questions"].as_array().unwrap();
        for evaluations in [20, 50, 200] {
            for (at, label) in METHODS.into_iter().enumerate() {
                let (mut sums, started) = ([0.0; 5], Instant::now());
                for question in questions {
                    let y = numbers(&question["y"]);
                    let m = y.len();
                    let exact = law.given(&a, &y, std);
                    let noise = ObservationNoise::Gaussian { std };
                    let seen = Observation::new(Dense::new(rows(&a, SIZE)), rows(&y, m), noise);
                    let observation = seen.unwrap();
                    let misfit = observation.clone();
                    let method: Box<dyn Conditioning> = match label.split('+').next().unwrap() {
                        "dps" => Box::new(Dps { evidence: observation, scale: 1.0 }),
                        "pigdm" => Box::new(PiGdm { observation, data_std: 1.0, iterations: m }),
                        "mmps" => Box::new(Mmps { observation, iterations: 1 }),
                        _ => Box::new(Replacement { observation, iterations: m }),
                    };
                    let corrected = label.ends_with("+L");
                    let conditioned = Conditioned { predictor: &law, method };
                    let asked: &dyn Predictor =
                        if label == "exact" { &exact } else { &conditioned };
                    let sampler: Box<dyn Sampler> = if corrected {
                        Box::new(Langevin::default())
                    } else {
                        Box::new(Ddim::default())
                    };
                    let steps = if corrected { evaluations / 2 } else { evaluations };
                    let start = prior(SEED, 0..DRAWS, SIZE, asked, &Device::flex());
                    let way = Way::steps(steps);
                    let x = sampler.sample(asked, start.cast(DType::F64), &way).unwrap().x;
                    let found = errors(&exact, &x, &host(misfit.misfit(&x)));
                    for (sum, value) in sums.iter_mut().zip(found) {
                        *sum += value / questions.len() as f64;
                    }
                }
                if evaluations == 200 {
                    means[at].push(sums[0]);
                }
                let numbers = sums.map(|sum| format!("{sum:.2}")).join(" | ");
                let seconds = started.elapsed().as_secs_f64();
                println!("| {name} | {evaluations} | {label} | {numbers} | {seconds:.1} |");
            }
        }
    }
    // The order that the page tells, in the mean over the problems.
    let mean = |at: usize| means[at].iter().sum::<f64>() / means[at].len() as f64;
    let order: Vec<f64> = [1, 2, 3, 4, 6, 0].map(mean).to_vec();
    assert!(order.windows(2).all(|pair| pair[1] < pair[0]), "{order:?}");
    assert!(order[5] < 0.06, "the exact field has sampling noise alone: {order:?}");
}
