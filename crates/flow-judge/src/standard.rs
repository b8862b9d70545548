//! The standard of the scores: the real data, and the floors that other real data reach.

use std::sync::Arc;

use flow_eval::{Kernel, Points, Score};
use flow_path::Target;
use flow_run::{Data, Recipe};

use crate::enlarged::Enlarged;
use crate::error::JudgeError;
use crate::inception::Statistics;
use crate::metric::{Metric, Sets};
use crate::subject::Subject;
use crate::table::TableSpace;

/// Real data, and the scores that others of them get.
pub(crate) struct Standard<'a> {
    data: &'a Data,
    metrics: Vec<&'static Metric>,
    real: Subject,
    target: Option<Arc<dyn Target>>,
    table: Option<TableSpace<'a>>,
    enlarged: Option<Enlarged>,
    reference: Option<Statistics>,
    /// How often the classifier of images is right; 0 without one.
    accuracy: f64,
    /// Of the MMD, where it is asked for.
    kernel: Option<Kernel>,
    bandwidth: f64,
    seed: u64,
    /// By the name of the score.
    floors: Vec<(String, f64)>,
}

/// What a [`Standard`] is made of.
pub(crate) struct Drawn<'a> {
    pub metrics: Vec<&'static Metric>,
    pub real: Subject,
    /// Other real data, whose scores are the floors.
    pub held_out: Subject,
    /// Of tables: what their columns are.
    pub table: Option<TableSpace<'a>>,
    /// Of the features of reference images, for FID.
    pub reference: Option<Statistics>,
    /// How often the classifier of images is right; 0 without one.
    pub accuracy: f64,
    pub seed: u64,
}

impl<'a> Standard<'a> {
    /// Scores the real data against each other.
    pub(crate) fn new(
        recipe: &Recipe,
        data: &'a Data,
        drawn: Drawn<'a>,
    ) -> Result<Self, JudgeError> {
        let Drawn { metrics, real, held_out, table, reference, accuracy, seed } = drawn;
        let asks = metrics.iter().any(|metric| metric.name == "mmd");
        let kernel = asks.then(|| Kernel::up_to_median(real.points()?)).transpose()?;
        let scott = scott(real.points()?);
        let mut standard = Self {
            data,
            metrics,
            real,
            target: flow_run::target(&recipe.data.set),
            table,
            enlarged: Enlarged::of(recipe, data)?,
            reference,
            accuracy,
            kernel,
            bandwidth: recipe.eval.bandwidth.unwrap_or(scott),
            seed,
            floors: Vec::new(),
        };
        let floors = standard.measure(&held_out)?;
        standard.floors = floors.into_iter().map(|score| (score.name, score.value)).collect();
        Ok(standard)
    }

    /// Images whose features are the reference of FID, if there is one and it says how many.
    pub(crate) fn reference_n(&self) -> Option<usize> {
        self.reference.as_ref()?.origin.as_ref().map(|origin| origin.images)
    }

    /// Rows as they leave the model, of points or of a table.
    pub(crate) fn generated(&self, rows: &[f32]) -> Result<Subject, JudgeError> {
        match &self.table {
            Some(table) => table.generated(rows),
            None => Ok(Subject { rows: rows.to_vec(), dim: self.real.dim, ..Subject::default() }),
        }
    }

    /// Whether scores look at the pixels of images.
    pub(crate) fn looks_at_pixels(&self) -> bool {
        self.enlarged.is_some()
    }

    /// Scores with their floors.
    pub(crate) fn scores(&self, subject: &Subject) -> Result<Vec<Score>, JudgeError> {
        let with_floor = |score: Score| {
            let floor = self.floors.iter().find(|(name, _)| *name == score.name);
            match floor {
                Some((_, floor)) if score.floor.is_none() => score.with_floor(*floor),
                _ => score,
            }
        };
        Ok(self.measure(subject)?.into_iter().map(with_floor).collect())
    }

    fn measure(&self, subject: &Subject) -> Result<Vec<Score>, JudgeError> {
        let sets = Sets {
            generated: subject,
            real: &self.real,
            data: self.data,
            target: self.target.as_deref(),
            table: self.table.as_ref(),
            enlarged: self.enlarged.as_ref(),
            kernel: self.kernel.as_ref(),
            bandwidth: self.bandwidth,
            reference: self.reference.as_ref().map(|reference| &reference.moments),
            accuracy: self.accuracy,
            seed: self.seed,
        };
        let mut scores = Vec::new();
        for metric in &self.metrics {
            scores.extend((metric.score)(&sets)?);
        }
        Ok(scores)
    }
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

/// The bandwidth of Parzen windows that fits the real data, by Scott's rule: `n^(-1 / (dim + 4))`
/// of the mean standard deviation.
fn scott(real: Points<'_>) -> f64 {
    let dim = real.dim();
    let variance = mean_variance(real);
    let scott = (real.len() as f64).powf(-1.0 / (dim as f64 + 4.0));
    (variance.sqrt() * scott).max(1e-6)
}
