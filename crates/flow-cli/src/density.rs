//! Log-densities of host rows under a trained model.

use std::ops::Range;

use anyhow::Result;
use burn::tensor::{Tensor, TensorData};
use flow_nn::Network;
use flow_sample::{Divergence, ExactTrace, Hutchinson, Likelihood, Predictor, Probe};

use crate::model::{AnyNetwork, Model};

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
    /// Seed of the probes; row `i` of a seed has the same ones whatever the batch.
    pub(crate) seed: u64,
    pub(crate) batch: usize,
}

/// Log-densities and what they cost.
#[derive(Debug, Default)]
pub(crate) struct Densities {
    pub(crate) nats: Vec<f64>,
    /// Standard error over the probes of each row; empty if exact or with one probe.
    pub(crate) probe_error: Vec<f64>,
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
        let mut densities = Densities::default();
        for start in (0..n).step_by(request.batch) {
            let range = start..(start + request.batch).min(n);
            let batch = rows(range.clone());
            match &self.network {
                AnyNetwork::Mlp(network) => {
                    self.batch_of::<_, 2>(network, range, batch, request, &mut densities)?;
                }
                AnyNetwork::UNet(network) => {
                    self.batch_of::<_, 4>(network, range, batch, request, &mut densities)?;
                }
            }
        }
        densities.nfe /= n as f64;
        Ok(densities)
    }

    fn batch_of<N: Network<D>, const D: usize>(
        &self,
        network: &N,
        range: Range<usize>,
        rows: Rows,
        request: &DensityRequest,
        densities: &mut Densities,
    ) -> Result<()> {
        let n = range.len();
        let predictor = self.trained(network, rows.labels.as_deref());
        let mut full = vec![n];
        full.extend(&self.shape);
        let x1 = Tensor::<D>::from_data(TensorData::new(rows.values, full), &self.device);
        let divergence: Box<dyn Divergence<D>> = match request.trace {
            // Copies of the batch fill a pass, and no more than `--batch` rows.
            Trace::Exact => Box::new(ExactTrace { chunk: request.batch / n }),
            Trace::Probes(probes) => Box::new(Hutchinson::draw(
                Probe::Rademacher,
                probes,
                request.seed,
                range,
                &self.shape,
                &self.device,
            )),
        };
        let found = request.likelihood.log_prob(&predictor, x1, &*divergence)?;
        densities.nats.extend(found.nats);
        densities.probe_error.extend(found.std_error.into_iter().flatten());
        densities.nfe += (found.nfe * n) as f64;
        let (start, end) = Predictor::<D>::span(&predictor);
        densities.span = (end, start);
        Ok(())
    }
}
