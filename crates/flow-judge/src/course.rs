//! Scores in the course of training: of every checkpoint that was kept, or of those that
//! `train.checkpoints` asks for, from the same noise.

use std::sync::Arc;

use burn::tensor::Device;
use flow_eval::Score;
use flow_run::{Data, Listener, Model, Request, Run};
use flow_train::Group;
use serde::{Deserialize, Serialize};

use crate::error::JudgeError;
use crate::examiner::{Exam, Examiner};
use crate::metric::{Kind, Metric};

/// Samples of each checkpoint, at most.
const FEWEST_SAMPLES: usize = 1000;

/// What one checkpoint scores with the recipe's solver.
#[derive(Debug, Serialize, Deserialize)]
pub struct Point {
    /// Steps done.
    #[serde(default)]
    pub step: usize,
    /// Images seen.
    pub images: usize,
    /// Network evaluations per sample: at a fixed tolerance they show how hard the field is.
    pub nfe: f64,
    /// Its scores.
    pub scores: Vec<Score>,
}

/// Scores the kept checkpoints, by all processes of a group; the first has the scores.
pub(crate) fn course(
    run: &Run,
    data: &Data,
    device: &Device,
    request: &Request,
    metrics: Vec<&'static Metric>,
    group: &Arc<dyn Group>,
    told: &dyn Listener,
) -> Result<Vec<Point>, JudgeError> {
    let n = request.n.min(FEWEST_SAMPLES);
    let request = Request { n, ..request.clone() };
    // The network of FID is too slow for every checkpoint.
    let exam = Exam {
        metrics: metrics.into_iter().filter(|metric| metric.of != Kind::Inception).collect(),
        n,
        seed: request.seed,
        extractor: None,
        reference: None,
        group: &**group,
    };
    let examiner = Examiner::new(&run.recipe, data, exam, device, told)?;
    let moments = run.recipe.moments();
    let mut points = Vec::new();
    for checkpoint in run.checkpoints().all()? {
        if !moments.is_empty() && !moments.contains(&checkpoint.step) {
            continue;
        }
        let model = Model::of(run, &checkpoint, device)?.shared_by(Arc::clone(group));
        let samples = model.sample(&request)?;
        let scores = examiner.scores(&samples)?;
        let images = checkpoint.step * run.recipe.train.batch;
        points.push(Point { step: checkpoint.step, images, nfe: samples.nfe, scores });
    }
    Ok(points)
}
