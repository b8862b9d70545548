//! Scores of the paths from noise to data, and what too few steps cost from the same noise.

use anyhow::Result;
use flow_eval::{
    Points, Score, Trajectories, mean_squared_error, noise_residual, path_energy,
    path_length_ratio, psnr, ssim, straightness,
};
use flow_ode::Method;
use serde::Serialize;

use crate::model::Model;
use crate::request::Request;

/// Steps of the paths that are scored.
const STEPS: u32 = 20;

/// Scores of paths, and how much noise is left along them.
#[derive(Debug, Serialize)]
pub(crate) struct PathReport {
    pub(crate) scores: Vec<Score>,
    pub(crate) times: Vec<f64>,
    /// `E|x_t - x_1| / E|x_0 - x_1|` at each time.
    pub(crate) noise_residual: Vec<f64>,
}

/// Scores 500 paths of points, or 64 paths of images, which cost more and vary less.
pub(crate) fn paths(model: &Model, request: &Request) -> Result<PathReport> {
    let times: Vec<f64> = (0..=STEPS).map(|i| f64::from(i) / f64::from(STEPS)).collect();
    let count = if model.shape.len() == 1 { 500 } else { 64 };
    let request = Request { n: request.n.min(count), ..request.clone() }
        .fixed(Method::Rk4, STEPS as usize)
        .with_times(times.clone());
    let states = model.sample(&request)?.states;
    let paths = Trajectories::new(&times, &states, model.shape.iter().product())?;
    let scores = vec![straightness(&paths), path_energy(&paths), path_length_ratio(&paths)?];
    let noise_residual = noise_residual(&paths)?;
    Ok(PathReport { scores, times, noise_residual })
}

/// Errors of few steps against many, from the same noise.
#[derive(Debug, Serialize)]
pub(crate) struct ErrorReport {
    /// The solver that is taken for exact.
    reference: String,
    n: usize,
    /// Mean squared error of half its steps: what the reference itself may be off, and more.
    reference_error: f64,
    rows: Vec<ErrorRow>,
}

#[derive(Debug, Serialize)]
struct ErrorRow {
    solver: String,
    nfe: f64,
    /// Per coordinate: mean and its standard error. A few samples that end in another mode dominate it.
    mean: f64,
    std_error: Option<f64>,
    /// Of the samples' mean squared errors.
    median: f64,
    /// Images: peak signal-to-noise ratio in decibels, and structural similarity.
    #[serde(skip_serializing_if = "Option::is_none")]
    psnr: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ssim: Option<f64>,
}

/// Solves `n` samples with `steps` steps of rk4 and compares the requests with them.
pub(crate) fn errors(
    model: &Model,
    requests: &[(String, Request)],
    n: usize,
    steps: usize,
) -> Result<ErrorReport> {
    let dim: usize = model.shape.iter().product();
    let first = Request { n, ..requests[0].1.clone() };
    let reference = model.sample(&first.clone().fixed(Method::Rk4, steps))?.rows;
    let half = model.sample(&first.fixed(Method::Rk4, steps.div_ceil(2)))?.rows;
    let exact = Points::new(&reference, dim)?;
    let mut rows = Vec::new();
    for (solver, request) in requests {
        let samples = model.sample(&Request { n, ..request.clone() })?;
        let found = Points::new(&samples.rows, dim)?;
        let score = mean_squared_error(exact, found)?;
        let (psnr, ssim) = match *model.shape.as_slice() {
            // Pixels lie in [-1, 1]; windows of the similarity have 11 pixels.
            [c, h, w] => {
                let similarity = (11 <= h.min(w)).then(|| ssim(exact, found, [c, h, w], 2.0));
                let ratio = psnr(exact, found, 2.0)?.value;
                (ratio.is_finite().then_some(ratio), similarity.transpose()?.map(|s| s.value))
            }
            _ => (None, None),
        };
        rows.push(ErrorRow {
            solver: solver.clone(),
            nfe: samples.nfe,
            mean: score.value,
            std_error: score.std_error,
            median: median(exact, found),
            psnr,
            ssim,
        });
    }
    let reference_error = mean_squared_error(exact, Points::new(&half, dim)?)?.value;
    Ok(ErrorReport { reference: format!("rk4 x {steps}"), n, reference_error, rows })
}

/// Median over the samples of the mean squared error of each.
fn median(exact: Points<'_>, found: Points<'_>) -> f64 {
    let square = |(a, b): (&[f32], &[f32])| {
        let sum: f64 = a.iter().zip(b).map(|(&x, &y)| (f64::from(x) - f64::from(y)).powi(2)).sum();
        sum / a.len() as f64
    };
    let mut errors: Vec<f64> = exact.rows().zip(found.rows()).map(square).collect();
    errors.sort_by(f64::total_cmp);
    let middle = errors.len() / 2;
    if errors.len() % 2 == 1 {
        errors[middle]
    } else {
        f64::midpoint(errors[middle - 1], errors[middle])
    }
}

impl ErrorReport {
    /// For people.
    pub(crate) fn table(&self) -> String {
        use std::fmt::Write as _;
        let mut text = format!(
            "squared error against {} from the same noise, {} samples (the reference: {:.1e})\n",
            self.reference, self.n, self.reference_error
        );
        for row in &self.rows {
            let _ = writeln!(
                text,
                "  {:14} {:5.0} evaluations  mean {:.1e}  median {:.1e}",
                row.solver, row.nfe, row.mean, row.median
            );
        }
        text
    }
}
