//! Sequences whose spectrum is known, learned from an array as a user would: the recipe `sequence`
//! on an autoregressive process, three seeds, and the power spectrum of their samples beside the
//! exact one.
//!
//! `cargo run --release -p flow-report --example sequence [FOLDER]`
//!
//! `x_t = a x_{t-1} + b x_{t-2} + e_t` has a peak in its spectrum where its poles are. Its
//! autocovariance is known, and with it the mean of the periodogram
//! `I(k) = |sum_t x_t exp(-2 pi i k t / n)|^2 / n` of a stretch of `n` steps, leakage included.

#![allow(clippy::print_stdout, reason = "what it prints is the page of its experiment")]

use std::error::Error;
use std::f64::consts::TAU;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use burn::tensor::Device;
use flow_datasets::array::Array;
use flow_datasets::{Element, Files};
use flow_model::{Registry, SampleChanges};
use flow_path::stream::{Purpose, Streams};
use flow_plot::Chart;
use flow_run::{Listener, Model, Recipe, Request, Silent, Start, Training};
use flow_train::Interrupter;
use rand_distr::{Distribution, StandardNormal};

/// Steps of a sequence.
const STEPS: usize = 32;

/// Sequences to learn from, and samples of each seed.
const ROWS: usize = 20_000;
const SAMPLES: usize = 5000;

/// `a` and `b`: poles of modulus 0.9 at 0.15 of a turn for each step.
fn coefficients() -> [f64; 2] {
    [2.0 * 0.9 * (0.15 * TAU).cos(), -0.81]
}

/// What is changed in the recipe: a small network and two minutes on one thread.
const CHANGES: [&str; 10] = [
    "network.hidden=64",
    "network.depth=3",
    "train.images=76800",
    "train.batch=64",
    "train.learning_rate=2e-3",
    "train.checkpoint_every=38400",
    "train.validation_batches=1",
    "sample.solver=midpoint",
    "sample.steps=10",
    "ema.half_life=8000",
];

/// Autocovariances of lags `0..STEPS` of the process of variance 1, by the Yule-Walker equations.
fn autocovariances() -> Vec<f64> {
    let [a, b] = coefficients();
    let mut all = vec![1.0, a / (1.0 - b)];
    for lag in 2..STEPS {
        all.push(a * all[lag - 1] + b * all[lag - 2]);
    }
    all
}

/// The mean periodogram `E I(k)`, `k = 0..=n/2`: `sum_h (1 - |h|/n) gamma(h) cos(2 pi k h / n)`.
fn exact() -> Vec<f64> {
    let (gamma, n) = (autocovariances(), STEPS as f64);
    let of = |k: usize| {
        let term = |h: usize| {
            let cosine = (TAU * (k * h) as f64 / n).cos();
            2.0 * (1.0 - h as f64 / n) * gamma[h] * cosine
        };
        gamma[0] + (1..STEPS).map(term).sum::<f64>()
    };
    (0..=STEPS / 2).map(of).collect()
}

/// The mean periodogram of sequences, one after the other.
fn periodogram(rows: &[f32]) -> Vec<f64> {
    let n = STEPS as f64;
    let mut mean = vec![0.0; STEPS / 2 + 1];
    for row in rows.chunks(STEPS) {
        for (k, mean) in mean.iter_mut().enumerate() {
            let mut sum = [0.0, 0.0];
            for (t, &x) in row.iter().enumerate() {
                let (sine, cosine) = (TAU * (k * t) as f64 / n).sin_cos();
                sum = [sum[0] + f64::from(x) * cosine, sum[1] + f64::from(x) * sine];
            }
            *mean += (sum[0] * sum[0] + sum[1] * sum[1]) / n;
        }
    }
    let count = rows.len() as f64 / n;
    mean.into_iter().map(|sum| sum / count).collect()
}

/// Stationary stretches of the process of variance 1.
fn drawn(seed: u64, rows: usize) -> Vec<f32> {
    let [a, b] = coefficients();
    let gamma = autocovariances();
    // The variance of e_t that makes x_t have variance 1.
    let spread = (1.0 - a * gamma[1] - b * gamma[2]).sqrt();
    let one = |row: usize| {
        let mut rng = Streams::new(seed).rng(row as u64, Purpose::Data);
        let mut normal = || -> f64 { StandardNormal.sample(&mut rng) };
        let first = normal();
        let second = gamma[1] * first + (1.0 - gamma[1] * gamma[1]).sqrt() * normal();
        let mut x = vec![first, second];
        for t in 2..STEPS {
            x.push(a * x[t - 1] + b * x[t - 2] + spread * normal());
        }
        x.into_iter().map(|x| x as f32)
    };
    (0..rows).flat_map(one).collect()
}

/// Trains one seed and draws from it, in the units of the file.
fn learned(file: &Path, folder: &Path, seed: u64) -> Result<Vec<f32>, Box<dyn Error>> {
    let (registry, device) = (Registry::default(), Device::flex());
    let mut changes: Vec<String> = CHANGES.map(String::from).to_vec();
    changes.push(format!("data.file={}", file.display()));
    changes.push(format!("seed={seed}"));
    let recipe = Recipe::named(&registry, "sequence", &changes)?;
    let training = Training::open(Start::New(recipe), &Files::default(), &Silent)?;
    let networks = training.networks(&device, &Silent)?;
    let begun = training.begin(Some(&folder.join(format!("{seed}"))), &device, "flex", &Silent)?;
    let told: Arc<dyn Listener> = Arc::new(Silent);
    begun.train(networks, &device, &told, &Interrupter::new())?;
    let model = Model::load(&begun.run, &device)?;
    let request = Request::new(&begun.run.recipe, &SampleChanges::default(), SAMPLES, seed)?;
    let samples = model.sample(&request)?;
    let array = model.array()?.ok_or("the model is one of an array")?;
    Ok(array.decode(&samples.rows))
}

/// The root mean square, over frequencies, of relative errors of a spectrum, in percent.
fn error(spectrum: &[f64], exact: &[f64]) -> f64 {
    let squares = spectrum.iter().zip(exact).map(|(found, exact)| (found / exact - 1.0).powi(2));
    100.0 * (squares.sum::<f64>() / exact.len() as f64).sqrt()
}

fn main() -> Result<(), Box<dyn Error>> {
    let out = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| ".".to_owned()));
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("process.npy");
    let rows = drawn(1, ROWS);
    let shape = vec![ROWS, STEPS, 1];
    Array { shape, values: rows, element: Element::F32 }.write(&file)?;

    let exact = exact();
    let mut columns = vec![
        ("exact".to_owned(), exact.clone()),
        ("as many new draws".to_owned(), periodogram(&drawn(2, SAMPLES))),
    ];
    for seed in 0..3 {
        let samples = learned(&file, folder.path(), seed)?;
        columns.push((format!("samples, seed {seed}"), periodogram(&samples)));
    }
    columns.push(("white noise of the same variance".to_owned(), vec![1.0; exact.len()]));

    let mut print = String::from("frequency");
    for (name, _) in &columns {
        write!(print, " | {name}")?;
    }
    for k in 0..exact.len() {
        write!(print, "\n{:9.4}", k as f64 / STEPS as f64)?;
        for (name, spectrum) in &columns {
            write!(print, " | {:>width$.4}", spectrum[k], width = name.len())?;
        }
    }
    print += "\n\nroot mean square of the relative error over the frequencies:";
    for (name, spectrum) in &columns[1..] {
        write!(print, "\n  {name}: {:.1} %", error(spectrum, &exact))?;
    }
    println!("{print}");

    let mut chart = Chart::new("Power spectrum of sequences and their samples")
        .x("cycles per step")
        .y("mean periodogram")
        .log_y()
        .size(640.0, 440.0);
    let curve = |(name, spectrum): &(String, Vec<f64>)| {
        let points = spectrum.iter().enumerate().map(|(k, &i)| (k as f64 / STEPS as f64, i));
        (name.clone(), points.collect::<Vec<_>>())
    };
    let curves: Vec<(String, Vec<(f64, f64)>)> = columns.iter().map(curve).collect();
    for (name, points) in &curves {
        let is_sample = name.starts_with("samples");
        chart = if is_sample { chart.line(name, points) } else { chart.dashed(name, points) };
    }
    chart.figure().save(out.join("sequence.svg"))?;
    Ok(())
}
