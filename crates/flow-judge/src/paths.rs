//! Scores of the paths from noise to data, and what too few steps cost from the same noise.

use flow_eval::{
    EvalError, Points, Score, Trajectories, mean_squared_error, noise_residual, path_energy,
    path_length_ratio, psnr, ssim, straightness,
};
use flow_model::Samples;
use flow_ode::Method;
use flow_run::{Listener, Model, Request, sentence};
use serde::{Deserialize, Serialize};

use crate::error::JudgeError;

/// Times of the paths that are scored, but for the first.
const TIMES: u32 = 20;
/// Tolerance of those paths: far below what a picture of them or a score shows.
const PATHS: f64 = 1e-5;
/// Tolerance of the solution that is taken for exact, close to what single precision can resolve.
const EXACT: f64 = 1e-6;
/// A squared error is reported only if it is at least this many times that of the solution that
/// is taken for exact, which then moves it by a hundredth, or by a fifth where both err in one
/// direction.
const TOLD: f64 = 100.0;

/// Scores of paths, and how much noise is left along them.
#[derive(Debug, Serialize, Deserialize)]
pub struct PathReport {
    /// Scores of the paths.
    pub scores: Vec<Score>,
    /// Times of the paths.
    pub times: Vec<f64>,
    /// `E|x_t - x_1| / E|x_0 - x_1|` at each time.
    pub noise_residual: Vec<f64>,
}

/// Scores 500 paths of points, or 64 paths of images, which cost more and vary less. Where the
/// paths cannot be solved, says why and returns none. Processes that share the samples of the model
/// get none, but for the first.
pub(crate) fn paths(
    model: &Model,
    request: &Request,
    told: &dyn Listener,
) -> Result<Option<PathReport>, JudgeError> {
    let times: Vec<f64> = (0..=TIMES).map(|i| f64::from(i) / f64::from(TIMES)).collect();
    let count = if model.shape().len() == 1 { 500 } else { 64 };
    let request = Request { n: request.n.min(count), ..request.clone() }
        .within(PATHS)
        .with_times(times.clone());
    let Some(Samples { states, .. }) = solved(model, &request, "scores of the paths", told) else {
        return Ok(None);
    };
    if !model.group().is_first() {
        return Ok(None);
    }
    let paths = Trajectories::new(&times, &states, model.signature().size())?;
    let scores = vec![straightness(&paths), path_energy(&paths), path_length_ratio(&paths)?];
    let noise_residual = noise_residual(&paths)?;
    Ok(Some(PathReport { scores, times, noise_residual }))
}

/// The samples of a request; where the solver fails, says why and what is left out.
fn solved(
    model: &Model,
    request: &Request,
    left_out: &str,
    told: &dyn Listener,
) -> Option<Samples> {
    model
        .sample(request)
        .inspect_err(|error| {
            told.say(&format!("the {left_out} are left out: {}", sentence(error)));
        })
        .ok()
}

/// Errors of few steps against many, from the same noise.
#[derive(Debug, Serialize, Deserialize)]
pub struct ErrorReport {
    /// The solver that is taken for exact.
    #[serde(default)]
    reference: String,
    /// The solver by which the reference is checked.
    #[serde(default)]
    check: String,
    /// Number of samples; 0 in files that do not say it.
    #[serde(default)]
    pub n: usize,
    /// Mean squared difference of reference and check: how far off the reference itself may be. An
    /// error below a hundred times this value is not reported.
    #[serde(default)]
    reference_error: f64,
    /// A row for each solver.
    pub rows: Vec<ErrorRow>,
}

/// What one solver errs.
#[derive(Debug, Serialize, Deserialize)]
pub struct ErrorRow {
    /// The solver and its steps.
    pub solver: String,
    /// Network evaluations per sample.
    pub nfe: f64,
    /// Mean squared error per coordinate; null where the reference is not accurate enough. A few
    /// samples that end in another mode dominate the mean.
    pub mean: Option<f64>,
    /// Its standard error, null in the same cases.
    pub std_error: Option<f64>,
    /// Median over the samples of their mean squared errors, null in the same cases.
    pub median: Option<f64>,
    /// The mean squared error of each sample, likewise: sample i has the same noise in every row
    /// and in every run of the same seed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_sample: Option<Vec<f64>>,
    /// Images: peak signal-to-noise ratio in decibels, and structural similarity.
    #[serde(skip_serializing_if = "Option::is_none")]
    psnr: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ssim: Option<f64>,
}

/// Solves `n` samples to a tight tolerance and compares the requests with them. Another solver,
/// `steps` steps of the midpoint rule, checks this reference. Where either fails, says why and
/// returns none. Processes that share the samples of the model get none, but for the first.
pub(crate) fn errors(
    model: &Model,
    requests: &[(String, Request)],
    n: usize,
    steps: usize,
    told: &dyn Listener,
) -> Result<Option<ErrorReport>, JudgeError> {
    let dim: usize = model.signature().size();
    let is_first = model.group().is_first();
    let first = Request { n, ..requests[0].1.clone() };
    let solve = |request| solved(model, &request, "errors of few steps", told);
    let Some(reference) = solve(first.clone().within(EXACT)) else { return Ok(None) };
    let Some(check) = solve(first.fixed(Method::Midpoint, steps)) else { return Ok(None) };
    let reference_error = if is_first {
        mean_squared_error(points(&reference, dim)?, points(&check, dim)?)?.value
    } else {
        0.0
    };
    let mut rows = Vec::new();
    for (solver, request) in requests {
        let samples = model.sample(&Request { n, ..request.clone() })?;
        if is_first {
            let both = [points(&reference, dim)?, points(&samples, dim)?];
            rows.push(ErrorRow::of(solver, samples.nfe, both, model.shape(), reference_error)?);
        }
    }
    let (reference, check) = (format!("dopri5 to {EXACT:.0e}"), format!("midpoint x {steps}"));
    Ok(is_first.then_some(ErrorReport { reference, check, n, reference_error, rows }))
}

/// Samples as points.
fn points(samples: &Samples, dim: usize) -> Result<Points<'_>, EvalError> {
    Points::new(&samples.rows, dim)
}

impl ErrorRow {
    /// The errors of what a solver has found against what is exact, up to `reference_error`.
    fn of(
        solver: &str,
        nfe: f64,
        [exact, found]: [Points<'_>; 2],
        shape: &[usize],
        reference_error: f64,
    ) -> Result<Self, EvalError> {
        let score = mean_squared_error(exact, found)?;
        let (psnr, ssim) = match *shape {
            // Pixels lie in [-1, 1]; windows of the similarity have 11 pixels.
            [c, h, w] => {
                let similarity = (11 <= h.min(w)).then(|| ssim(exact, found, [c, h, w], 2.0));
                let ratio = psnr(exact, found, 2.0)?.value;
                (ratio.is_finite().then_some(ratio), similarity.transpose()?.map(|s| s.value))
            }
            _ => (None, None),
        };
        let told = TOLD * reference_error <= score.value;
        let per_sample = squares(exact, found);
        Ok(Self {
            solver: solver.to_owned(),
            nfe,
            mean: told.then_some(score.value),
            std_error: score.std_error.filter(|_| told),
            median: told.then(|| median(per_sample.clone())),
            per_sample: told.then_some(per_sample),
            psnr: psnr.filter(|_| told),
            ssim: ssim.filter(|_| told),
        })
    }
}

/// The mean squared error of each sample.
fn squares(exact: Points<'_>, found: Points<'_>) -> Vec<f64> {
    let square = |(a, b): (&[f32], &[f32])| {
        let sum: f64 = a.iter().zip(b).map(|(&x, &y)| (f64::from(x) - f64::from(y)).powi(2)).sum();
        sum / a.len() as f64
    };
    exact.rows().zip(found.rows()).map(square).collect()
}

fn median(mut errors: Vec<f64>) -> f64 {
    errors.sort_by(f64::total_cmp);
    let middle = errors.len() / 2;
    if errors.len() % 2 == 1 {
        errors[middle]
    } else {
        f64::midpoint(errors[middle - 1], errors[middle])
    }
}

impl ErrorReport {
    /// The report as text for a terminal.
    #[must_use]
    pub fn table(&self) -> String {
        use std::fmt::Write as _;
        let mut text = format!(
            "squared error against {} from the same noise, {} samples ({} differs from it by \
             {:.1e})\n",
            self.reference, self.n, self.check, self.reference_error
        );
        for ErrorRow { solver, nfe, mean, median, .. } in &self.rows {
            let _ = write!(text, "  {solver:14} {nfe:5.0} evaluations  ");
            let _ = match (mean, median) {
                (Some(mean), Some(median)) => {
                    writeln!(text, "mean {mean:.1e}  median {median:.1e}")
                }
                _ => writeln!(text, "less than the reference can tell"),
            };
        }
        text
    }
}
