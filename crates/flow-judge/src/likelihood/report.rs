//! The contents of `likelihood.json`, and their tables.

use std::fmt::Write as _;
use std::time::Instant;

use flow_datasets::{Split, counted};
use flow_model::{Densities, DensityRequest, Trace};
use flow_run::files::write_text;
use flow_run::{Run, json};
use flow_sample::Probe;
use serde::{Deserialize, Serialize};

use super::LikelihoodOptions;
use crate::error::JudgeError;

/// The content of `likelihood.json`. Files of earlier versions lack some of it; the log-likelihood
/// and its evaluations are always there.
#[derive(Debug, Serialize, Deserialize)]
pub struct Report {
    #[serde(default)]
    schema: u32,
    #[serde(default)]
    recipe: String,
    #[serde(default)]
    step: usize,
    #[serde(default)]
    seed: u64,
    #[serde(default)]
    data: String,
    /// Number of samples.
    #[serde(default)]
    pub n: usize,
    /// Random probes of the divergence; null if it is exact.
    probes: Option<usize>,
    /// Law of the probes; null if there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    law: Option<String>,
    /// Latents that a density is averaged over; a model without a latent has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    latents: Option<usize>,
    #[serde(default)]
    solver: String,
    /// Equal steps; null if the tolerances choose them.
    steps: Option<usize>,
    #[serde(default)]
    rtol: f64,
    #[serde(default)]
    atol: f64,
    /// The time of the density and that of the prior.
    #[serde(default)]
    span: (f64, f64),
    /// Log-density of a sample.
    pub nats: Estimate,
    /// Samples that lie where the model has no density at all, whose log-density is minus infinity.
    #[serde(default, skip_serializing_if = "is_zero")]
    without_density: usize,
    /// Log-density of the others, where there are both.
    #[serde(skip_serializing_if = "Option::is_none")]
    elsewhere: Option<Estimate>,
    /// Root mean square over the samples of the standard error over the probes.
    #[serde(skip_serializing_if = "Option::is_none")]
    probe_error: Option<f64>,
    /// What the distribution of the data gives the same samples.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_nats: Option<Estimate>,
    /// Mean of the difference of the two: the Kullback-Leibler divergence from data to model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub divergence: Option<Estimate>,
    /// Bits per dimension, of images.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bits: Option<Bits>,
    /// Of tables: places in the cells of whole numbers that a density is averaged over, 1 for the
    /// middle; 0 for other data.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub copies: usize,
    /// Network evaluations for each row.
    pub nfe: f64,
    #[serde(default)]
    seconds: f64,
    #[serde(default)]
    seconds_per_sample: f64,
    /// Log-density of each sample.
    #[serde(default, deserialize_with = "json::numbers")]
    samples: Vec<f64>,
}

/// Bits per dimension of images.
#[derive(Debug, Serialize, Deserialize)]
pub struct Bits {
    /// Of the images.
    pub per_dim: Estimate,
    /// Values that a pixel may have: `x = 2 (pixel + u - 1/2) / (levels - 1) - 1`, as in training
    /// but for `u`.
    #[serde(default)]
    pub levels: u32,
    /// Bits added for that scale.
    #[serde(default)]
    pub offset: f64,
    /// Whether the model was trained on noisy pixels too, as the bound on the bits assumes. No
    /// recipe does so: training sees the values themselves.
    #[serde(default)]
    pub dequantised_training: bool,
    /// Noisy copies of each image.
    #[serde(default)]
    pub importance: usize,
    /// Of each image.
    #[serde(default, deserialize_with = "json::numbers")]
    pub samples: Vec<f64>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks like this")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// A mean over samples and its standard error; null where it is no finite number.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Estimate {
    /// The mean.
    #[serde(default, deserialize_with = "json::number")]
    pub mean: f64,
    /// Null for a single sample, for a mean that is no finite number, and where the squares leave
    /// the range of numbers.
    pub std_error: Option<f64>,
    /// Normal interval of 95 %.
    interval: Option<(f64, f64)>,
}

impl Estimate {
    /// Of these values. The mean is NaN if one of them is NaN, and of no values.
    #[must_use]
    pub fn of(values: &[f64]) -> Self {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let certain = 1 < values.len() && squares.is_finite();
        let std_error = certain.then(|| (squares / (n - 1.0) / n).sqrt());
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
        options: &LikelihoodOptions,
        run: &Run,
        request: &DensityRequest,
        found: &Densities,
        samples: Vec<f64>,
        started: Instant,
    ) -> Result<Self, JudgeError> {
        let seconds = started.elapsed().as_secs_f64();
        let (with, without): (Vec<f64>, Vec<f64>) =
            samples.iter().partition(|nats| **nats != f64::NEG_INFINITY);
        let elsewhere = (!with.is_empty() && !without.is_empty()).then(|| Estimate::of(&with));
        let squares: Vec<f64> = found.probe_error.iter().map(|error| error * error).collect();
        Ok(Self {
            schema: 1,
            recipe: run.recipe.name.clone(),
            step: run.step()?,
            seed: options.seed,
            data: if options.part == Split::Train { "train" } else { "test" }.to_owned(),
            n: samples.len(),
            probes: match request.trace {
                Trace::Exact => None,
                Trace::Probes(probes) => Some(probes),
            },
            law: (request.trace != Trace::Exact).then(|| match request.probe {
                Probe::Rademacher => "rademacher".to_owned(),
                Probe::Gaussian => "gaussian".to_owned(),
            }),
            latents: found.latents,
            solver: options.solver.clone(),
            steps: options.steps,
            rtol: options.rtol,
            atol: options.atol,
            span: found.span,
            nats: Estimate::of(&samples),
            without_density: without.len(),
            elsewhere,
            probe_error: (!squares.is_empty()).then(|| Estimate::of(&squares).mean.sqrt()),
            data_nats: None,
            divergence: None,
            bits: None,
            copies: 0,
            nfe: found.nfe,
            seconds,
            seconds_per_sample: seconds / samples.len() as f64,
            samples,
        })
    }

    /// The content of `likelihood.json`.
    ///
    /// # Panics
    /// Never: a report holds numbers and text.
    #[must_use]
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a report holds numbers and text")
    }

    /// Writes `likelihood.json` into the folder of the run, or `likelihood-TAG.json`: without a tag
    /// the density of data that training saw is that of the tag `train`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save(&self, run: &Run, tag: Option<&str>) -> Result<(), JudgeError> {
        run.keep()?;
        let seen = (self.data == "train").then_some("train");
        let name = tag.or(seen).map(|tag| format!("likelihood-{tag}.json"));
        let file = run.folder.join(name.as_deref().unwrap_or("likelihood.json"));
        Ok(write_text(&file, &self.json())?)
    }

    /// The report as text for a terminal.
    #[must_use]
    pub fn table(&self) -> String {
        let Self { recipe, step, data, n, .. } = self;
        let mut text = format!(
            "{recipe}, after {}, {} of the {data} data\n",
            counted(step, "step"),
            counted(n, "sample")
        );
        let _ = writeln!(text, "log-likelihood            {} nats", self.nats);
        if 0 < self.without_density {
            let _ = writeln!(
                text,
                "  {} of {n} samples lie where the model has no density: theirs is -inf, and so is \
                 the mean",
                self.without_density
            );
        }
        if let Some(elsewhere) = self.elsewhere {
            let _ = writeln!(text, "  of the others           {elsewhere} nats");
        }
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
                "  {} levels on the scale of training: {:.4} bits for it, {copies} noisy {} of \
                 each image",
                bits.levels,
                bits.offset,
                if copies == 1 { "copy" } else { "copies" },
            );
            if !bits.dequantised_training {
                text += "  training saw the pixels' values without noise: the bound holds, but is \
                         looser than for a model that was trained on noisy pixels\n";
            }
        }
        let divergence = match (self.probes, self.probe_error) {
            (None, _) => "exact".into(),
            (Some(probes), None) => format!("from {probes} probe"),
            (Some(probes), Some(error)) => {
                format!("from {probes} probes, ± {error:.4} nats a sample")
            }
        };
        let _ = writeln!(text, "divergence                {divergence}");
        let copies = self.bits.as_ref().map_or(self.copies, |bits| bits.importance);
        if self.probes.is_some() && 1 < copies.max(self.latents.unwrap_or(1)) {
            text += "  lucky probes count more in a mean of densities: this likelihood is too \
                     large, that of --exact is not\n";
        }
        let _ = writeln!(
            text,
            "{:.0} evaluations and {:.3} s a sample, {:.1} s in all",
            self.nfe, self.seconds_per_sample, self.seconds
        );
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mean_with_an_impossible_sample_is_infinite_and_has_no_error() {
        let estimate = Estimate::of(&[-1.0, f64::NEG_INFINITY]);
        assert_eq!((estimate.mean, estimate.std_error), (f64::NEG_INFINITY, None));
        assert_eq!(estimate.to_string(), "-inf");
        // Two numbers: the deviation is |a - b| / sqrt(2), the error of their mean |a - b| / 2.
        let estimate = Estimate::of(&[-1.0, -3.0]);
        assert_eq!((estimate.mean, estimate.std_error), (-2.0, Some(1.0)));
        assert_eq!(Estimate::of(&[-1.0]).std_error, None);
    }
}
