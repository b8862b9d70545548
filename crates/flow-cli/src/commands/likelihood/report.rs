//! What `likelihood.json` holds, and how it is shown.

use std::fmt::Write as _;
use std::time::Instant;

use anyhow::Result;
use flow_sample::Probe;
use serde::Serialize;

use crate::args::{Held, LikelihoodArgs};
use crate::density::{Densities, DensityRequest, Trace};
use crate::run::Run;

/// The content of `likelihood.json`.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    schema: u32,
    recipe: String,
    step: usize,
    seed: u64,
    data: &'static str,
    n: usize,
    /// Random probes of the divergence; null if it is exact.
    probes: Option<usize>,
    /// Law of the probes; null if there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    law: Option<&'static str>,
    /// Latents that a density is averaged over; a model without a latent has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    latents: Option<usize>,
    solver: String,
    /// Equal steps; null if the tolerances choose them.
    steps: Option<usize>,
    rtol: f64,
    atol: f64,
    /// The time of the density and that of the prior.
    span: (f64, f64),
    /// Log-density of a sample.
    nats: Estimate,
    /// Root mean square over the samples of the standard error over the probes.
    #[serde(skip_serializing_if = "Option::is_none")]
    probe_error: Option<f64>,
    /// What the distribution of the data gives the same samples.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) data_nats: Option<Estimate>,
    /// Mean of the difference of the two: the Kullback-Leibler divergence from data to model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) divergence: Option<Estimate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) bits: Option<Bits>,
    /// Network evaluations for each row.
    nfe: f64,
    seconds: f64,
    seconds_per_sample: f64,
    /// Log-density of each sample.
    samples: Vec<f64>,
}

/// Bits per dimension of images.
#[derive(Debug, Serialize)]
pub(super) struct Bits {
    pub(super) per_dim: Estimate,
    /// Values that a pixel may have: `x = (pixel + u) / (levels/2) - 1`.
    pub(super) levels: u32,
    /// Bits added for that scale.
    pub(super) offset: f64,
    /// Noisy copies of each image.
    pub(super) importance: usize,
    /// Of each image.
    pub(super) samples: Vec<f64>,
}

/// A mean over samples and its standard error.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Estimate {
    mean: f64,
    /// Null for a single sample.
    std_error: Option<f64>,
    /// Normal interval of 95 %.
    interval: Option<(f64, f64)>,
}

impl Estimate {
    pub(super) fn of(values: &[f64]) -> Self {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let std_error = (values.len() > 1).then(|| (squares / (n - 1.0) / n).sqrt());
        let interval = std_error.map(|error| (mean - 1.96 * error, mean + 1.96 * error));
        Self { mean, std_error, interval }
    }
}

impl std::fmt::Display for Estimate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.4}", self.mean)?;
        self.std_error.map_or(Ok(()), |error| write!(f, " ± {error:.4}"))
    }
}

impl Report {
    pub(super) fn new(
        args: &LikelihoodArgs,
        run: &Run,
        request: &DensityRequest,
        found: &Densities,
        samples: Vec<f64>,
        started: Instant,
    ) -> Result<Self> {
        let seconds = started.elapsed().as_secs_f64();
        let squares: Vec<f64> = found.probe_error.iter().map(|error| error * error).collect();
        Ok(Self {
            schema: 1,
            recipe: run.recipe.name.clone(),
            step: run.latest()?.step,
            seed: args.seed,
            data: if args.data == Held::Train { "train" } else { "test" },
            n: samples.len(),
            probes: match request.trace {
                Trace::Exact => None,
                Trace::Probes(probes) => Some(probes),
            },
            law: (request.trace != Trace::Exact).then_some(match request.probe {
                Probe::Rademacher => "rademacher",
                Probe::Gaussian => "gaussian",
            }),
            latents: found.latents,
            solver: args.solver.clone(),
            steps: args.steps,
            rtol: args.rtol,
            atol: args.atol,
            span: found.span,
            nats: Estimate::of(&samples),
            probe_error: (!squares.is_empty()).then(|| Estimate::of(&squares).mean.sqrt()),
            data_nats: None,
            divergence: None,
            bits: None,
            nfe: found.nfe,
            seconds,
            seconds_per_sample: seconds / samples.len() as f64,
            samples,
        })
    }

    /// For people.
    pub(super) fn table(&self) -> String {
        let Self { recipe, step, data, n, .. } = self;
        let mut text = format!("{recipe}, after {step} steps, {n} samples of the {data} data\n");
        let _ = writeln!(text, "log-likelihood            {} nats", self.nats);
        if let Some(exact) = self.data_nats {
            let _ = writeln!(text, "  of the data themselves  {exact} nats");
        }
        if let Some(divergence) = self.divergence {
            let _ = writeln!(text, "KL from data to model     {divergence} nats");
        }
        if let Some(bits) = &self.bits {
            let copies = bits.importance;
            let _ = write!(text, "bits per dimension        {}", bits.per_dim);
            let _ = match bits.per_dim.interval {
                Some((low, high)) => writeln!(text, " (95 %: {low:.4} to {high:.4})"),
                None => writeln!(text),
            };
            let _ = writeln!(
                text,
                "  {} levels on [-1, 1): {:.4} bits for the scale, {copies} noisy {} of each image",
                bits.levels,
                bits.offset,
                if copies == 1 { "copy" } else { "copies" },
            );
        }
        let divergence = match (self.probes, self.probe_error) {
            (None, _) => "exact".into(),
            (Some(probes), None) => format!("from {probes} probe"),
            (Some(probes), Some(error)) => {
                format!("from {probes} probes, ± {error:.4} nats a sample")
            }
        };
        let _ = writeln!(text, "divergence                {divergence}");
        let copies = self.bits.as_ref().map_or(1, |bits| bits.importance);
        if self.probes.is_some() && 1 < copies.max(self.latents.unwrap_or(1)) {
            text += "  lucky probes count more in a mean of densities: this likelihood is too large, that of \
                     --exact is not\n";
        }
        let _ = writeln!(
            text,
            "{:.0} evaluations and {:.3} s a sample, {:.1} s in all",
            self.nfe, self.seconds_per_sample, self.seconds
        );
        text
    }
}
