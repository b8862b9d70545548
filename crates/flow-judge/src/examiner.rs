//! The reference data of a run, and scores with their floors.

use std::path::Path;
use std::sync::Arc;

use burn::tensor::Device;
use flow_datasets::{Images, Split};
use flow_eval::{Kernel, Moments, Points, Score};
use flow_model::Samples;
use flow_nn::Inception;
use flow_path::Target;
use flow_path::stream::{Purpose, Streams};
use flow_run::array::ArrayPart;
use flow_run::{Data, Listener, Recipe, some_places};

use crate::classifier::{self, Judge};
use crate::enlarged::Enlarged;
use crate::error::JudgeError;
use crate::inception::{self, Extractor, Origin, Statistics};
use crate::metric::{Metric, Sets};
use crate::subject::Subject;
use crate::table::TableSpace;

/// Images whose features are found together.
const PART: usize = 64;

/// Scores samples against real data.
pub(crate) struct Examiner<'a> {
    data: &'a Data,
    metrics: Vec<&'static Metric>,
    real: Subject,
    target: Option<Arc<dyn Target>>,
    table: Option<TableSpace<'a>>,
    judge: Option<Judge>,
    enlarged: Option<Enlarged>,
    extractor: Option<&'a Extractor>,
    reference: Option<Statistics>,
    kernel: Kernel,
    bandwidth: f64,
    seed: u64,
    told: &'a dyn Listener,
    /// By the name of the score.
    floors: Vec<(String, f64)>,
}

/// Settings of the scores.
pub(crate) struct Exam<'a> {
    pub metrics: Vec<&'static Metric>,
    /// Real rows to compare with, and others for the floors; of images at most as many as each part
    /// has, chosen at random by the seed.
    pub n: usize,
    pub seed: u64,
    /// The network of FID.
    pub extractor: Option<&'a Extractor>,
    /// Where the moments of its reference features are, or go.
    pub reference: Option<&'a Path>,
}

impl<'a> Examiner<'a> {
    /// Draws the real data and scores them against each other.
    pub(crate) fn new(
        recipe: &Recipe,
        data: &'a Data,
        exam: Exam<'a>,
        device: &Device,
        told: &'a dyn Listener,
    ) -> Result<Self, JudgeError> {
        let Exam { metrics, n, seed, extractor, reference } = exam;
        let set = recipe.data.set.as_str();
        let streams = Streams::new(seed);
        let mut of_table = None;
        let (real, held_out, judge) = match data {
            Data::Toy(toy) => {
                let draw = |index| Subject {
                    rows: toy.sample(n, &mut streams.rng(index, Purpose::Evaluation)),
                    dim: toy.dim(),
                    ..Subject::default()
                };
                (draw(0), draw(1), None)
            }
            Data::Table(table) => {
                let space = TableSpace::new(table)?;
                // Held-out rows are the reference, and training rows what real rows score.
                let (held, train) = (space.real(&table.held, n)?, space.real(&table.train, n)?);
                of_table = Some(space);
                (held, train, None)
            }
            Data::Array(array) => {
                let subject = |rows: &ArrayPart, part: Split| {
                    let (dim, some) = (array.rows.size(), some_places(rows.n, part, n, seed));
                    let rows = rows.rows_at(&some, dim)?;
                    Ok::<_, JudgeError>(Subject { rows, dim, ..Subject::default() })
                };
                // Held-out rows are the reference, and training rows what real rows score.
                let held = subject(&array.held, Split::Test)?;
                (held, subject(&array.train, Split::Train)?, None)
            }
            Data::Images { train, test } => {
                let judge = Judge::new(set, train, test, device, told)?;
                let n = n.min(train.len()).min(test.len());
                let subject = |images: &Images, part: Split| {
                    let some = flow_run::some_of(images, part, n, seed);
                    let labels = flow_run::labels(&some);
                    Self::images(&judge, extractor, &flow_run::pixels(&some), Some(labels), told)
                };
                (subject(train, Split::Train)?, subject(test, Split::Test)?, Some(judge))
            }
        };
        let reference = match (extractor, data) {
            (Some(extractor), Data::Images { train, .. }) => {
                Some(statistics(set, train, &real, extractor, reference, told)?)
            }
            _ => None,
        };
        let (kernel, scott) = scales(real.points()?)?;
        let bandwidth = recipe.eval.bandwidth.unwrap_or(scott);
        let target = flow_run::target(set);
        let mut examiner = Self {
            data,
            metrics,
            real,
            target,
            table: of_table,
            judge,
            enlarged: Enlarged::of(recipe, data)?,
            extractor,
            reference,
            kernel,
            bandwidth,
            seed,
            told,
            floors: Vec::new(),
        };
        let floors = examiner.measure(&held_out)?;
        examiner.floors = floors.into_iter().map(|score| (score.name, score.value)).collect();
        Ok(examiner)
    }

    /// Images whose features are the reference of FID, if there is one and it says how many.
    pub(crate) fn reference_n(&self) -> Option<usize> {
        self.reference.as_ref()?.origin.as_ref().map(|origin| origin.images)
    }

    /// The classifier of images.
    pub(crate) fn judge(&self) -> Option<&Judge> {
        self.judge.as_ref()
    }

    /// Scores with their floors.
    pub(crate) fn scores(&self, samples: &Samples) -> Result<Vec<Score>, JudgeError> {
        let subject = match (&self.judge, &self.table) {
            (Some(judge), _) => {
                let (rows, classes) = (&samples.rows, samples.classes.clone());
                let subject = Self::images(judge, self.extractor, rows, classes, self.told)?;
                let pixels = if self.enlarged.is_some() { rows.clone() } else { Vec::new() };
                Subject { pixels, ..subject }
            }
            (None, Some(table)) => table.generated(&samples.rows)?,
            (None, None) => {
                Subject { rows: samples.rows.clone(), dim: self.real.dim, ..Subject::default() }
            }
        };
        let with_floor = |score: Score| {
            let floor = self.floors.iter().find(|(name, _)| *name == score.name);
            match floor {
                Some((_, floor)) if score.floor.is_none() => score.with_floor(*floor),
                _ => score,
            }
        };
        Ok(self.measure(&subject)?.into_iter().map(with_floor).collect())
    }

    fn images(
        judge: &Judge,
        extractor: Option<&Extractor>,
        rows: &[f32],
        labels: Option<Vec<usize>>,
        told: &dyn Listener,
    ) -> Result<Subject, JudgeError> {
        let mut inception = Vec::new();
        if let Some(extractor) = extractor {
            each_part(rows, judge.shape, extractor, told, |features| {
                inception.extend(features);
                Ok(())
            })?;
        }
        let mut verdict = judge.judge(rows, told)?;
        let rows = std::mem::take(&mut verdict.features);
        let (dim, verdict) = (verdict.dim, Some(verdict));
        Ok(Subject { rows, dim, verdict, labels, inception, ..Subject::default() })
    }

    fn measure(&self, subject: &Subject) -> Result<Vec<Score>, JudgeError> {
        let sets = Sets {
            generated: subject,
            real: &self.real,
            data: self.data,
            target: self.target.as_deref(),
            table: self.table.as_ref(),
            enlarged: self.enlarged.as_ref(),
            kernel: &self.kernel,
            bandwidth: self.bandwidth,
            reference: self.reference.as_ref().map(|reference| &reference.moments),
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

/// The statistics in the file; if there is none, those of all training images, which are then kept
/// there. Without a file they are those of the real images that the scores look at.
fn statistics(
    set: &str,
    train: &Images,
    real: &Subject,
    extractor: &Extractor,
    file: Option<&Path>,
    told: &dyn Listener,
) -> Result<Statistics, JudgeError> {
    let origin = |images| Origin {
        images,
        set: classifier::name(set, train),
        weights: extractor.sha256.clone(),
    };
    let Some(file) = file else {
        let moments = Moments::of(Points::new(&real.inception, Inception::FEATURES)?);
        let origin = Some(origin(moments.n()));
        return Ok(Statistics { moments, origin });
    };
    if file.exists() {
        let kept = inception::read_statistics(file)?;
        let known = kept.origin.clone();
        let moments = kept.of(&origin(train.len()), file)?;
        return Ok(Statistics { moments, origin: known });
    }
    let mut moments = Moments::new(Inception::FEATURES);
    let shape = [train.channels, train.height, train.width];
    each_part(&flow_run::pixels(train), shape, extractor, told, |features| {
        moments.push(Points::new(&features, Inception::FEATURES)?);
        Ok(())
    })?;
    let statistics = Statistics { moments, origin: Some(origin(train.len())) };
    inception::write_statistics(file, &statistics)?;
    Ok(statistics)
}

/// The features of images, a part after the other: the network of FID is slow.
fn each_part(
    rows: &[f32],
    shape: [usize; 3],
    extractor: &Extractor,
    told: &dyn Listener,
    mut take: impl FnMut(Vec<f32>) -> Result<(), JudgeError>,
) -> Result<(), JudgeError> {
    let size: usize = shape.iter().product();
    let mut meter = told.meter(0, rows.len() / size, "images");
    for (i, part) in rows.chunks(PART * size).enumerate() {
        take(extractor.features(part, shape)?)?;
        meter.at(i * PART + part.len() / size, "looked at for FID");
    }
    Ok(())
}

/// Variance of a coordinate, mean over the coordinates: what the diagonal of the covariance says,
/// without the square of the dimension.
fn mean_variance(points: Points<'_>) -> f64 {
    let (n, dim) = (points.len() as f64, points.dim());
    let mut sums = vec![(0.0, 0.0); dim];
    for row in points.as_slice().chunks(dim) {
        for (sum, &x) in sums.iter_mut().zip(row) {
            let x = f64::from(x);
            *sum = (sum.0 + x, sum.1 + x * x);
        }
    }
    let variance = |(sum, squares): &(f64, f64)| (squares - sum * sum / n) / (n - 1.0).max(1.0);
    sums.iter().map(variance).sum::<f64>() / dim as f64
}

/// Widths that fit the real data: kernels of the MMD, and the bandwidth of Parzen windows by
/// Scott's rule, `n^(-1 / (dim + 4))` of the mean standard deviation.
fn scales(real: Points<'_>) -> Result<(Kernel, f64), JudgeError> {
    let dim = real.dim();
    let variance = mean_variance(real);
    let scott = (real.len() as f64).powf(-1.0 / (dim as f64 + 4.0));
    Ok((Kernel::up_to_median(real)?, (variance.sqrt() * scott).max(1e-6)))
}
