//! Scores of the latent of a model, on held-out pairs.

use std::fmt::Write as _;

use burn::tensor::Tensor;
use flow_eval::{Kernel, Points, Score, floor, mmd};
use flow_nn::{DynNetwork, DynPosterior, Network, PathPoints, Posterior};
use flow_path::stream::Purpose;
use flow_run::{Data, Model, Run, Teacher, batches, sources};
use flow_sample::normal_rows;
use flow_train::{Batch, BatchSource, MatchingBatches, Networks, Objective, Variational};
use serde::{Deserialize, Serialize};

use crate::error::JudgeError;

/// Pairs of points, and of images, which cost more.
const POINTS: usize = 4000;
const IMAGES: usize = 500;

/// What the latent carries, measured on held-out pairs.
#[derive(Debug, Serialize, Deserialize)]
pub struct LatentReport {
    #[serde(default)]
    n: usize,
    /// Divergence of the posterior from the prior by coordinate, in nats, mean over pairs.
    pub kl: Vec<f64>,
    /// Coordinates whose posterior mean varies over pairs by more than 0.01.
    pub active_units: usize,
    /// The law of the latents of all pairs together against the prior that sampling draws from.
    pub gap: Score,
    /// Mean over pairs and dimensions of the squared velocity error.
    pub error: LatentError,
}

/// Mean squared velocity errors by the latent that the network is given.
#[derive(Debug, Serialize, Deserialize)]
pub struct LatentError {
    /// A draw from the posterior of the pair itself.
    pub own: f64,
    /// A draw from the posterior of another pair. How much larger this error is shows how much the
    /// latent tells the network.
    pub swapped: f64,
    /// A draw from the prior.
    pub prior: f64,
}

/// Looks at the latent of a model that has one.
pub(crate) fn report(
    run: &Run,
    model: &Model,
    data: &Data,
    seed: u64,
) -> Result<Option<LatentReport>, JudgeError> {
    let Some(posterior) = &model.posterior else { return Ok(None) };
    let rows = if model.shape().len() == 1 { POINTS } else { IMAGES };
    let batch = pairs(run, model, data, seed, rows)?;
    measure(model.network(), posterior, batch, seed).map(Some)
}

/// Held-out pairs with the noise of their latents.
fn pairs(
    run: &Run,
    model: &Model,
    data: &Data,
    seed: u64,
    rows: usize,
) -> Result<Batch, JudgeError> {
    let recipe = &run.recipe;
    let teacher = Teacher::open(recipe, data)?;
    run.check_teacher(teacher.as_ref().map(|teacher| &teacher.identity))?;
    let sources = sources(recipe, data, teacher.as_ref(), model.device())?;
    let [_, matching] = batches(recipe, data, sources, model.latent())?;
    let matching = MatchingBatches { rows, ..matching };
    Ok(matching.batch(seed as usize, model.device())?)
}

fn measure(
    network: &DynNetwork,
    posterior: &DynPosterior,
    batch: Batch,
    seed: u64,
) -> Result<LatentReport, JudgeError> {
    let epsilon = batch.noise.clone().expect("the batches bring the noise of the latent");
    let [n, size] = epsilon.dims();
    let seen = PathPoints {
        x0: batch.x0.clone(),
        x1: batch.x1.clone(),
        x_t: batch.x_t.clone(),
        t: batch.time.t.clone(),
    };
    let own = posterior.forward(&seen).sample(epsilon.clone());
    let host = |z: Tensor<2>| z.into_data().convert::<f32>().try_into_vec::<f32>();
    let aggregate = host(own.clone())?;
    let prior = normal_rows(seed, Purpose::Prior, 0..2 * n, size);
    let (prior, other) = prior.split_at(n * size);

    let [drawn, first, second] =
        [aggregate.as_slice(), prior, other].map(|rows| Points::new(rows, size));
    let (drawn, first, second) = (drawn?, first?, second?);
    let kernel = Kernel::up_to_median(first)?;
    let distance = |a: Points<'_>, b: Points<'_>| mmd(a, b, &kernel);
    let mut gap = distance(drawn, first)?.with_floor(floor(distance, second, first)?);
    gap.name = "aggregate posterior against the prior, squared MMD".into();

    // The weight plays no part: only the terms are read.
    let networks = Networks { posterior: Some(posterior), ..Networks::of(network) };
    let terms = Variational { kl_weight: 0.0 }.loss(networks, batch.clone()).terms;
    let numbers = |name: &str| -> Vec<f64> {
        let term = terms.iter().find(|(known, _)| *known == name);
        let (_, term) = term.expect("the loss has this term");
        term.clone().into_data().iter::<f64>().collect()
    };
    let error = |z: Tensor<2>| {
        let batch = batch.clone();
        let condition = batch.condition.with_latent(z);
        let found = network.forward(batch.x_t, batch.time, &condition);
        (found - batch.target).square().mean().into_scalar::<f64>()
    };
    let swapped =
        Tensor::cat(vec![own.clone().narrow(0, 1, n - 1), own.clone().narrow(0, 0, 1)], 0);
    let prior = Tensor::from_data(
        burn::tensor::TensorData::new(prior.to_vec(), [n, size]),
        &epsilon.device(),
    );
    Ok(LatentReport {
        n,
        kl: numbers("kl"),
        active_units: numbers("active_units")[0] as usize,
        gap,
        error: LatentError { own: error(own), swapped: error(swapped), prior: error(prior) },
    })
}

impl LatentReport {
    /// The report as text for a terminal.
    #[must_use]
    pub fn table(&self) -> String {
        let LatentError { own, swapped, prior } = self.error;
        let mut text = format!(
            "latent of {} held-out pairs: divergence {:.4} nats, {} of {} coordinates active\n",
            self.n,
            self.kl.iter().sum::<f64>(),
            self.active_units,
            self.kl.len()
        );
        let _ = writeln!(text, "  {}", self.gap);
        let _ = writeln!(
            text,
            "  velocity error {own:.4} with its own latent, {swapped:.4} with another pair's, \
             {prior:.4} with the prior's"
        );
        text
    }
}
