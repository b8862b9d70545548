//! What the latent of a model carries, on held-out pairs.

use std::fmt::Write as _;

use anyhow::Result;
use burn::tensor::Tensor;
use flow_eval::{Kernel, Points, Score, floor, mmd};
use flow_nn::{Network, PathPoints, Posterior};
use flow_path::stream::Purpose;
use flow_sample::normal_rows;
use flow_train::{BatchSource, LatentBatch, LatentBatches, LatentModel, Objective, Variational};
use serde::{Deserialize, Serialize};

use crate::batches::{batches, sources};
use crate::model::Model;
use crate::network::{AnyNetwork, AnyPosterior, strangers};
use crate::reflow::Teacher;
use crate::registry::Data;
use crate::run::Run;

/// Pairs of points, and of images, which cost more.
const POINTS: usize = 4000;
const IMAGES: usize = 500;

/// What the latent carries, measured on held-out pairs.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct LatentReport {
    #[serde(default)]
    n: usize,
    /// Divergence of the posterior from the prior by coordinate, in nats, mean over pairs.
    pub(crate) kl: Vec<f64>,
    /// Coordinates whose posterior mean varies over pairs by more than 0.01.
    pub(crate) active_units: usize,
    /// The law of the latents of all pairs together against the prior that sampling draws from.
    pub(crate) gap: Score,
    /// Mean over pairs and dimensions of the squared velocity error.
    pub(crate) error: LatentError,
}

/// Mean squared velocity errors by the latent that the network is given.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct LatentError {
    /// A draw from the posterior of the pair itself.
    pub(crate) own: f64,
    /// A draw from the posterior of another pair. How much larger this error is shows how much the
    /// latent tells the network.
    pub(crate) swapped: f64,
    /// A draw from the prior.
    pub(crate) prior: f64,
}

/// Looks at the latent of a model that has one.
pub(crate) fn report(
    run: &Run,
    model: &Model,
    data: &Data,
    seed: u64,
) -> Result<Option<LatentReport>> {
    match (&model.network, &model.posterior) {
        (AnyNetwork::SplitMlp(network), Some(AnyPosterior::Points(posterior))) => {
            let batch = pairs::<2>(run, model, data, seed, POINTS)?;
            measure(
                LatentModel { network: network.clone(), posterior: posterior.clone() },
                batch,
                seed,
            )
        }
        (AnyNetwork::UNet(network), Some(AnyPosterior::Images(posterior))) => {
            let batch = pairs::<4>(run, model, data, seed, IMAGES)?;
            measure(
                LatentModel { network: network.clone(), posterior: posterior.clone() },
                batch,
                seed,
            )
        }
        (AnyNetwork::Mlp(_) | AnyNetwork::SplitMlp(_) | AnyNetwork::UNet(_), None) => {
            return Ok(None);
        }
        (network, Some(posterior)) => return Err(strangers(network, posterior)),
    }
    .map(Some)
}

fn pairs<const D: usize>(
    run: &Run,
    model: &Model,
    data: &Data,
    seed: u64,
    rows: usize,
) -> Result<LatentBatch<D>> {
    let recipe = &run.recipe;
    let teacher = Teacher::open(recipe, data)?;
    run.check_teacher(teacher.as_ref().map(|teacher| &teacher.identity))?;
    let sources = sources(recipe, data, teacher.as_ref(), &model.device)?;
    let [_, mut matching] = batches::<D>(recipe, data, sources)?;
    matching.rows = rows;
    let batches = LatentBatches { matching, latent: model.network.latent() };
    Ok(batches.batch(seed as usize, &model.device)?)
}

fn measure<N: Network<D>, P: Posterior<D>, const D: usize>(
    model: LatentModel<N, P>,
    batch: LatentBatch<D>,
    seed: u64,
) -> Result<LatentReport> {
    let [n, size] = batch.epsilon.dims();
    let seen = PathPoints {
        x0: batch.x0.clone(),
        x1: batch.x1.clone(),
        x_t: batch.batch.x_t.clone(),
        t: batch.batch.t.clone(),
    };
    let own = model.posterior.forward(&seen).sample(batch.epsilon.clone());
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
    let terms = Variational::<D> { kl_weight: 0.0 }.loss(&model, batch.clone()).terms;
    let numbers = |name: &str| -> Vec<f64> {
        let term = terms.iter().find(|(known, _)| *known == name);
        let (_, term) = term.expect("the loss has this term");
        term.clone().into_data().iter::<f64>().collect()
    };
    let error = |z: Tensor<2>| {
        let LatentBatch { batch, .. } = batch.clone();
        let condition = batch.condition.with_latent(z);
        let found = model.network.forward(batch.x_t, batch.t, &condition);
        (found - batch.target).square().mean().into_scalar::<f64>()
    };
    let swapped =
        Tensor::cat(vec![own.clone().narrow(0, 1, n - 1), own.clone().narrow(0, 0, 1)], 0);
    let prior = Tensor::from_data(
        burn::tensor::TensorData::new(prior.to_vec(), [n, size]),
        &batch.epsilon.device(),
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
    pub(crate) fn table(&self) -> String {
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
