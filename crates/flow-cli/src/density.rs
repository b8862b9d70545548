//! Log-densities of host rows under a trained model.

use std::ops::Range;

use anyhow::Result;
use burn::tensor::{Tensor, TensorData};
use flow_kernels::on_pool;
use flow_nn::Condition;
use flow_sample::{
    Divergence, ExactTrace, Hutchinson, Likelihood, Predictor, Probe, latents, log_mean_exp,
};

use crate::model::{AnyPredictor, Model};

/// How the divergence is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trace {
    Exact,
    /// From this many random probes, one and the same all along a solve.
    Probes(usize),
}

/// Rows to ask for their density, row-major, with their classes.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    pub(crate) values: Vec<f32>,
    pub(crate) labels: Option<Vec<usize>>,
}

/// What to compute.
#[derive(Clone, Debug)]
pub(crate) struct DensityRequest {
    pub(crate) likelihood: Likelihood,
    pub(crate) trace: Trace,
    /// Law of the probes.
    pub(crate) probe: Probe,
    /// Seed of the probes; row `i` of a seed has the same ones whatever the batch.
    pub(crate) seed: u64,
    pub(crate) batch: usize,
    /// Draws of the latent over which the density of a row is averaged.
    pub(crate) latents: usize,
}

/// Log-densities and what they cost.
#[derive(Debug, Default)]
pub(crate) struct Densities {
    pub(crate) nats: Vec<f64>,
    /// Standard error over the probes of each row; empty if exact, with one probe or averaged over
    /// latents.
    pub(crate) probe_error: Vec<f64>,
    /// Latents that each density is averaged over, of a model with a latent.
    pub(crate) latents: Option<usize>,
    /// Network evaluations for each row, mean over batches.
    pub(crate) nfe: f64,
    /// Times of the density and of the prior.
    pub(crate) span: (f64, f64),
}

impl Model {
    /// Log-densities of `n` rows, which `rows` makes a batch at a time.
    pub(crate) fn log_prob(
        &self,
        n: usize,
        rows: impl Fn(Range<usize>) -> Rows,
        request: &DensityRequest,
    ) -> Result<Densities> {
        let latents = (0 < self.network.latent()).then_some(request.latents);
        let draws = latents.unwrap_or(1);
        let mut densities = Densities { latents, ..Densities::default() };
        for start in (0..n).step_by(request.batch) {
            let range = start..(start + request.batch).min(n);
            let batch = rows(range.clone());
            let mut given = Vec::with_capacity(draws);
            for draw in 0..draws {
                let part = Part { range: range.clone(), rows: &batch, draw: draw * n };
                given.push(on_pool(&self.device, || {
                    match self.predictor(self.condition_of(&part, request), None) {
                        AnyPredictor::Points(predictor) => {
                            self.batch_of(&*predictor, part, request, &mut densities)
                        }
                        AnyPredictor::Images(predictor) => {
                            self.batch_of(&*predictor, part, request, &mut densities)
                        }
                    }
                })?);
            }
            // p(x) = E_z p(x | z); the logarithm of the mean over draws errs low.
            densities.nats.extend((0..range.len()).map(|row| {
                let logs: Vec<f64> = given.iter().map(|nats| nats[row]).collect();
                log_mean_exp(&logs)
            }));
        }
        if 1 < draws {
            densities.probe_error.clear();
        }
        densities.nfe /= n as f64;
        Ok(densities)
    }

    /// Classes of some rows, and their latents of one draw.
    fn condition_of(&self, part: &Part<'_>, request: &DensityRequest) -> Condition {
        let Part { range, rows, draw } = part;
        self.condition(rows.labels.as_deref(), |size| {
            latents(request.seed, range.start + draw..range.end + draw, size, &self.device)
        })
    }

    fn batch_of<const D: usize>(
        &self,
        predictor: &dyn Predictor<D>,
        Part { range, rows, .. }: Part<'_>,
        request: &DensityRequest,
        densities: &mut Densities,
    ) -> Result<Vec<f64>> {
        let n = range.len();
        let mut full = vec![n];
        full.extend(&self.shape);
        let x1 = Tensor::<D>::from_data(TensorData::new(rows.values.clone(), full), &self.device);
        let divergence: Box<dyn Divergence<D>> = match request.trace {
            // Copies of the batch fill a pass, and no more than `--batch` rows.
            Trace::Exact => Box::new(ExactTrace { chunk: request.batch / n }),
            Trace::Probes(probes) => Box::new(Hutchinson::draw(
                request.probe,
                probes,
                request.seed,
                range,
                &self.shape,
                &self.device,
            )),
        };
        let likelihood = request.likelihood.clone().with_source(self.source.clone());
        let found = likelihood.log_prob(predictor, x1, &*divergence)?;
        densities.probe_error.extend(found.std_error.into_iter().flatten());
        densities.nfe += (found.nfe * n) as f64;
        let (start, end) = predictor.span();
        densities.span = (end, start);
        Ok(found.nats)
    }
}

/// Some rows, to be seen under one draw of the latent.
struct Part<'a> {
    range: Range<usize>,
    rows: &'a Rows,
    /// Index of the draw's first row in the stream of latents.
    draw: usize,
}
