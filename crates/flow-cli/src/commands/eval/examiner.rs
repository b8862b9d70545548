//! The real data, and scores beside what other real data get.

use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use burn::tensor::Device;
use flow_datasets::Images;
use flow_eval::{Kernel, Moments, Points, Score};
use flow_nn::Inception;
use flow_path::Target;
use flow_path::stream::{Purpose, Streams};

use super::metric::{Metric, Sets, Subject};
use crate::classifier::Judge;
use crate::inception::{self, Extractor, Statistics};
use crate::recipe::Recipe;
use crate::registry::{self, Data};
use crate::sampling::Samples;

/// Scores samples against real data.
pub(crate) struct Examiner<'a> {
    data: &'a Data,
    metrics: Vec<&'static Metric>,
    real: Subject,
    target: Option<Arc<dyn Target>>,
    judge: Option<Judge>,
    extractor: Option<&'a Extractor>,
    reference: Option<Moments>,
    kernel: Kernel,
    bandwidth: f64,
    seed: u64,
    /// By the name of the score.
    floors: Vec<(String, f64)>,
}

/// How to examine.
pub(crate) struct Exam<'a> {
    pub(crate) metrics: Vec<&'static Metric>,
    /// Real rows to compare with, and others for the floors; of images at most as many as the test
    /// part has.
    pub(crate) n: usize,
    pub(crate) seed: u64,
    /// The network of FID.
    pub(crate) extractor: Option<&'a Extractor>,
    /// Where the moments of its reference features are, or go.
    pub(crate) reference: Option<&'a Path>,
}

impl<'a> Examiner<'a> {
    /// Draws the real data and scores them against each other.
    pub(crate) fn new(
        recipe: &Recipe,
        data: &'a Data,
        exam: Exam<'a>,
        device: &Device,
    ) -> Result<Self> {
        let Exam { metrics, n, seed, extractor, reference } = exam;
        let set = recipe.data.set.as_str();
        let streams = Streams::new(seed);
        let (real, held_out, judge) = match data {
            Data::Toy(toy) => {
                let draw = |index| Subject {
                    rows: toy.sample(n, &mut streams.rng(index, Purpose::Evaluation)),
                    dim: toy.dim(),
                    ..Subject::default()
                };
                (draw(0), draw(1), None)
            }
            Data::Images { train, test } => {
                let judge = Judge::new(set, train, test, device)?;
                let n = n.min(test.len());
                let subject = |images: &Images| {
                    let rows: Vec<f32> = (0..n).flat_map(|i| images.normalised(i)).collect();
                    let labels = images.labels[..n].iter().map(|&label| usize::from(label));
                    Self::images(&judge, extractor, &rows, Some(labels.collect()))
                };
                (subject(train)?, subject(test)?, Some(judge))
            }
        };
        let reference = match extractor {
            Some(_) => Some(moments(&real, reference)?),
            None => None,
        };
        let (kernel, scott) = scales(real.points()?)?;
        let bandwidth = recipe.eval.bandwidth.unwrap_or(scott);
        let target = registry::target(set);
        let mut examiner = Self {
            data,
            metrics,
            real,
            target,
            judge,
            extractor,
            reference,
            kernel,
            bandwidth,
            seed,
            floors: Vec::new(),
        };
        let floors = examiner.measure(&held_out)?;
        examiner.floors = floors.into_iter().map(|score| (score.name, score.value)).collect();
        Ok(examiner)
    }

    /// The classifier of images.
    pub(crate) fn judge(&self) -> Option<&Judge> {
        self.judge.as_ref()
    }

    /// Scores with their floors.
    pub(crate) fn scores(&self, samples: &Samples) -> Result<Vec<Score>> {
        let subject = match &self.judge {
            Some(judge) => {
                Self::images(judge, self.extractor, &samples.rows, samples.labels.clone())?
            }
            None => {
                Subject { rows: samples.rows.clone(), dim: self.real.dim, ..Subject::default() }
            }
        };
        let with_floor = |score: Score| {
            let floor = self.floors.iter().find(|(name, _)| *name == score.name);
            match floor {
                Some((_, floor)) => score.with_floor(*floor),
                None => score,
            }
        };
        Ok(self.measure(&subject)?.into_iter().map(with_floor).collect())
    }

    fn images(
        judge: &Judge,
        extractor: Option<&Extractor>,
        rows: &[f32],
        labels: Option<Vec<usize>>,
    ) -> Result<Subject> {
        let inception = match extractor {
            Some(extractor) => extractor.features(rows, judge.shape)?,
            None => Vec::new(),
        };
        let mut verdict = judge.judge(rows)?;
        let rows = std::mem::take(&mut verdict.features);
        Ok(Subject { rows, dim: verdict.dim, verdict: Some(verdict), labels, inception })
    }

    fn measure(&self, subject: &Subject) -> Result<Vec<Score>> {
        let sets = Sets {
            generated: subject,
            real: &self.real,
            data: self.data,
            target: self.target.as_deref(),
            kernel: &self.kernel,
            bandwidth: self.bandwidth,
            reference: self.reference.as_ref(),
            accuracy: self.judge().map_or(0.0, |judge| judge.accuracy),
            seed: self.seed,
        };
        let mut scores = Vec::new();
        for metric in &self.metrics {
            scores.extend((metric.score)(&sets)?);
        }
        Ok(scores)
    }
}

/// The moments in the file; if there is none, those of the real images, which are then kept there.
fn moments(real: &Subject, file: Option<&Path>) -> Result<Moments> {
    if let Some(file) = file.filter(|file| file.exists()) {
        return Ok(inception::read_statistics(file)?.moments);
    }
    let moments = Moments::of(Points::new(&real.inception, Inception::FEATURES)?);
    if let Some(file) = file {
        let statistics = Statistics { moments, origin: None };
        inception::write_statistics(file, &statistics)?;
        return Ok(statistics.moments);
    }
    Ok(moments)
}

/// Widths that fit the real data: kernels of the MMD, and the bandwidth of Parzen windows by Scott's
/// rule, `n^(-1 / (dim + 4))` of the mean standard deviation.
fn scales(real: Points<'_>) -> Result<(Kernel, f64)> {
    let moments = Moments::of(real);
    let dim = real.dim();
    let covariance = moments.covariance()?;
    let variance: f64 = (0..dim).map(|i| covariance[i * dim + i]).sum::<f64>() / dim as f64;
    let scott = (real.len() as f64).powf(-1.0 / (dim as f64 + 4.0));
    Ok((Kernel::up_to_median(real)?, (variance.sqrt() * scott).max(1e-6)))
}
