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

/// What is asked, and with how many Langevin corrections after each step, which leave so many steps
/// fewer: `exact` samples the field of the exact posterior and is the floor.
const METHODS: [(&str, usize); 8] = [
    ("exact", 0),
    ("replacement", 0),
    ("dps", 0),
    ("pigdm", 0),
    ("mmps", 0),
    ("replacement", 1),
    ("mmps", 1),
    ("mmps", MANY),
];

/// Corrections that let the answers settle at each noise level, which takes a thousand evaluations.
const MANY: usize = 20;

/// How far draws are from the exact posterior: the mean in its standard deviations, the covariance
/// by Frobenius, their total variance, shares of the components, misfit; then mean, covariance and
/// shares in standard errors of as many exact draws, root mean square over their entries.
fn errors(exact: &Gaussians, x: &Tensor<2>, misfit: &[f64]) -> [f64; 8] {
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
    let n = misfit.len() as f64;
    let errors = exact.covariance_variances();
    let covariances = rms(difference.iter().zip(&errors).map(|(d, v)| d / (v / n).sqrt()));
    // A share of zero has an error of its own: one draw.
    let share = |(a, w): (&f64, &f64)| (a - w) / ((w * (1.0 - w)).max(1.0 / n) / n).sqrt();
    let shared = rms(shares.iter().zip(&exact.weights).map(share));
    [
        (squares / SIZE as f64).sqrt(),
        norm(&difference) / norm(&true_covariance),
        trace(&covariance) / trace(&true_covariance),
        0.5 * moved,
        rms(misfit.iter().copied()),
        (squares / SIZE as f64 * n).sqrt(),
        covariances,
        shared,
    ]
}

fn rms(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let n = values.len() as f64;
    (values.map(|x| x * x).sum::<f64>() / n).sqrt()
}

#[test]
#[ignore = "a minute: 25 questions by eight methods at three budgets"]
fn methods_are_as_far_from_the_exact_posterior_as_the_page_says() {
    let json = reference();
    let law = Gaussians::reference(&json);
    println!(
        "| problem | evaluations | method, corrections | mean | covariance | trace | shares | misfit \
         | mean, covariance, shares in standard errors | s |"
    );
    let mut means = vec![Vec::new(); METHODS.len()];
    for (name, problem) in json["problems"].as_object().unwrap() {
        let (a, std) = (numbers(&problem["operator"]), problem["std"].as_f64().unwrap());
        let questions = problem["questions"].as_array().unwrap();
        for (at, (label, corrections)) in METHODS.into_iter().enumerate() {
            let budgets: &[usize] = if corrections == MANY { &[1_000] } else { &[20, 50, 200] };
            for &evaluations in budgets {
                let (mut sums, started) = ([0.0; 8], Instant::now());
                for question in questions {
                    let y = numbers(&question["y"]);
                    let m = y.len();
                    let exact = law.given(&a, &y, std);
                    let noise = ObservationNoise::Gaussian { std };
                    let seen = Observation::new(Dense::new(rows(&a, SIZE)), rows(&y, m), noise);
                    let observation = seen.unwrap();
                    let misfit = observation.clone();
                    let method: Box<dyn Conditioning> = match label {
                        "dps" => Box::new(Dps { evidence: observation, scale: 1.0 }),
                        "pigdm" => Box::new(PiGdm { observation, data_std: 1.0, iterations: m }),
                        "mmps" => Box::new(Mmps { observation, iterations: 1 }),
                        _ => Box::new(Replacement { observation, iterations: m }),
                    };
                    let conditioned = Conditioned { predictor: &law, method };
                    let asked: &dyn Predictor =
                        if label == "exact" { &exact } else { &conditioned };
                    let sampler: Box<dyn Sampler> = match corrections {
                        0 => Box::new(Ddim::default()),
                        _ => Box::new(Langevin { corrections, ..Langevin::default() }),
                    };
                    let steps = evaluations / (1 + corrections);
                    let start = prior(SEED, 0..DRAWS, SIZE, asked, &Device::flex());
                    let way = Way::steps(steps);
                    let x = sampler.sample(asked, start.cast(DType::F64), &way).unwrap().x;
                    let found = errors(&exact, &x, &host(misfit.misfit(&x)));
                    for (sum, value) in sums.iter_mut().zip(found) {
                        *sum += value / questions.len() as f64;
                    }
                }
                if evaluations == *budgets.last().unwrap() {
                    means[at].push(sums[0]);
                }
                let numbers = sums.map(|sum| format!("{sum:.2}")).join(" | ");
                let seconds = started.elapsed().as_secs_f64();
                println!(
                    "| {name} | {evaluations} | {label}, {corrections} | {numbers} | {seconds:.1} |"
                );
            }
        }
    }
    // The order that the page tells, in the mean over the problems.
    let mean = |at: usize| means[at].iter().sum::<f64>() / means[at].len() as f64;
    let order: Vec<f64> = [1, 2, 3, 4, 6, 7, 0].map(mean).to_vec();
    assert!(order.windows(2).all(|pair| pair[1] < pair[0]), "{order:?}");
    assert!(order[6] < 0.06, "the exact field has sampling noise alone: {order:?}");
}
