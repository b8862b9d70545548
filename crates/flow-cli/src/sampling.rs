//! Samples of a trained model, whatever the sampler.

use std::ops::Range;
use std::sync::Arc;

use anyhow::Result;
use burn::tensor::{Tensor, TensorData};
use flow_kernels::on_pool;
use flow_nn::{Mlp, Network, SplitMlp, UNet};
use flow_path::Schedule;
use flow_sample::{Guided, Ode, Predictor, Retimed, SampleError, Sampler, Seeded, latents, starts};

use crate::exit::usage;
use crate::model::Model;
use crate::network::AnyNetwork;
use crate::registry;
use crate::request::{Request, Way};

/// Host samples, row-major, and network calls per sample.
#[derive(Debug, Default)]
pub(crate) struct Samples {
    pub(crate) rows: Vec<f32>,
    /// States at each time asked for, each `[n, ..]`.
    pub(crate) states: Vec<Vec<f32>>,
    pub(crate) labels: Option<Vec<usize>>,
    /// Mean over batches.
    pub(crate) nfe: f64,
}

impl Model {
    /// Lets guidance move away from a weaker model of the same data.
    pub(crate) fn guided_by(self, weaker: Self) -> Result<Self> {
        if weaker.network.latent() != self.network.latent() {
            return Err(usage!(
                "--guide-with is a run with a latent of {} numbers, the model has {}",
                weaker.network.latent(),
                self.network.latent()
            ));
        }
        if weaker.shape != self.shape || weaker.classes != self.classes {
            return Err(usage!(
                "--guide-with is a run on other data: it has shape {:?} and {} classes, the model \
                 {:?} and {}",
                weaker.shape,
                weaker.classes,
                self.shape,
                self.classes
            ));
        }
        Ok(Self { guide: Some(Box::new(weaker)), ..self })
    }

    /// Draws samples.
    pub(crate) fn sample(&self, request: &Request) -> Result<Samples> {
        on_pool(&self.device, || self.sample_here(request))
    }

    fn sample_here(&self, request: &Request) -> Result<Samples> {
        let labels = self.labels(request)?;
        let weaker = self.guide.as_ref().map(|guide| &guide.network);
        match (&self.network, weaker) {
            (AnyNetwork::Mlp(network), Some(AnyNetwork::Mlp(weaker))) => {
                self.sample_with::<Mlp, 2>(network, Some(weaker), request, labels)
            }
            (AnyNetwork::SplitMlp(network), Some(AnyNetwork::SplitMlp(weaker))) => {
                self.sample_with::<SplitMlp, 2>(network, Some(weaker), request, labels)
            }
            (AnyNetwork::UNet(network), Some(AnyNetwork::UNet(weaker))) => {
                self.sample_with::<UNet, 4>(network, Some(weaker), request, labels)
            }
            (AnyNetwork::Mlp(network), _) => {
                self.sample_with::<Mlp, 2>(network, None, request, labels)
            }
            (AnyNetwork::SplitMlp(network), _) => {
                self.sample_with::<SplitMlp, 2>(network, None, request, labels)
            }
            (AnyNetwork::UNet(network), _) => {
                self.sample_with::<UNet, 4>(network, None, request, labels)
            }
        }
    }

    /// The class of each sample.
    fn labels(&self, request: &Request) -> Result<Option<Vec<usize>>> {
        match (request.class, self.classes) {
            (None, 0) => Ok(None),
            (Some(_), 0) => Err(usage!("--class is given, but the model knows no classes")),
            (Some(class), classes) if classes <= class => {
                let names = &self.class_names;
                let names = if names.is_empty() { "" } else { &format!(" ({})", names.join(", ")) };
                let last = classes - 1;
                Err(usage!("--class is {class}, the model has the classes 0 to {last}{names}"))
            }
            (Some(class), _) => Ok(Some(vec![class; request.n])),
            (None, classes) => Ok(Some((0..request.n).map(|i| i % classes).collect())),
        }
    }

    fn sample_with<N: Network<D>, const D: usize>(
        &self,
        network: &N,
        weaker: Option<&N>,
        request: &Request,
        labels: Option<Vec<usize>>,
    ) -> Result<Samples> {
        let mut samples =
            Samples { states: vec![Vec::new(); request.times.len()], ..Samples::default() };
        let mut calls = 0;
        let along = request.schedule.map(registry::schedule);
        #[expect(clippy::float_cmp, reason = "exactly 1 means no guidance")]
        let guided = request.guidance != 1.0;
        for start in (0..request.n).step_by(request.batch) {
            let range = start..(start + request.batch).min(request.n);
            let classes = labels.as_deref().map(|labels| &labels[range.clone()]);
            let null = vec![self.classes; range.len()];
            let rows = self.latents(request, range.clone());
            let with = self.predictor(network, classes, rows.clone(), along.as_ref());
            let without = match (&self.guide, weaker) {
                _ if !guided => None,
                (Some(guide), Some(weaker)) => {
                    let along = along.as_ref().unwrap_or(&self.schedule);
                    Some(guide.predictor(weaker, classes, rows, Some(along)))
                }
                _ => classes.map(|_| self.predictor(network, Some(&null), rows, along.as_ref())),
            };
            calls += match without {
                None => self.batch::<D>(&*with, request, range, &mut samples)?,
                Some(without) => {
                    let (scale, interval) = (request.guidance, request.interval);
                    let guided = Guided { with: &*with, without: &*without, scale, interval };
                    self.batch::<D>(&guided, request, range, &mut samples)?
                }
            };
        }
        samples.nfe = calls as f64 / request.n as f64;
        samples.labels = labels;
        Ok(samples)
    }

    /// The latents of some samples, drawn once for each unless given; none for a model without.
    fn latents(&self, request: &Request, range: Range<usize>) -> Option<Tensor<2>> {
        let size = self.network.latent();
        let device = &self.device;
        (0 < size).then(|| match &request.given.latents {
            None => latents(request.seed, range, size, device),
            Some(rows) => {
                let data = &rows[range.start * size..range.end * size];
                let data = TensorData::new(data.to_vec(), [range.len(), size]);
                Tensor::from_data(data, device)
            }
        })
    }

    /// The starts of some samples, drawn unless given.
    fn starts<const D: usize>(
        &self,
        request: &Request,
        range: Range<usize>,
        predictor: &dyn Predictor<D>,
    ) -> Tensor<D> {
        let (seed, shape, device) = (request.seed, &self.shape, &self.device);
        match &request.given.starts {
            Some(rows) => {
                let size: usize = shape.iter().product();
                let full: Vec<usize> = [range.len()].iter().chain(shape).copied().collect();
                let data = rows[range.start * size..range.end * size].to_vec();
                Tensor::from_data(TensorData::new(data, full), device)
            }
            None => starts(seed, range, shape, &self.source, predictor, device),
        }
    }

    /// A network as a predictor for rows of these classes and latents, along another schedule if one is given.
    fn predictor<'a, N: Network<D>, const D: usize>(
        &self,
        network: &'a N,
        labels: Option<&[usize]>,
        latents: Option<Tensor<2>>,
        along: Option<&Arc<dyn Schedule>>,
    ) -> Box<dyn Predictor<D> + 'a> {
        let drawn = |_| latents.expect("a model with a latent has drawn some");
        let predictor = self.trained(network, self.condition(labels, drawn));
        match along {
            None => Box::new(predictor),
            Some(along) => Box::new(Retimed { predictor, along: Arc::clone(along) }),
        }
    }

    /// Draws one batch and returns its network calls, all samples together.
    fn batch<const D: usize>(
        &self,
        predictor: &dyn Predictor<D>,
        request: &Request,
        range: Range<usize>,
        samples: &mut Samples,
    ) -> Result<usize> {
        let n = range.len();
        let noise = Seeded::new(request.seed).starting_at(range.start);
        let x0 = self.starts(request, range, predictor);
        let sampler: Box<dyn Sampler<D>> = match &request.way {
            Way::Solver(method, stepping) => {
                Box::new(Ode::new(*method, stepping.clone()).with_times(request.times.clone()))
            }
            Way::OnGrid(sampler, method, grid) => {
                registry::sampler(sampler, *method, grid.clone(), noise)
            }
        };
        let generated = sampler.sample(predictor, x0).map_err(refused)?;
        let host = |x: Tensor<D>| -> Result<Vec<f32>> {
            Ok(x.into_data().convert::<f32>().try_into_vec::<f32>()?)
        };
        for (states, x) in samples.states.iter_mut().zip(generated.states) {
            states.extend(host(x)?);
        }
        samples.rows.extend(host(generated.x)?);
        Ok(generated.nfe * n)
    }
}

/// Settings that cannot work are a usage error, a solve that failed is not.
fn refused(error: SampleError) -> anyhow::Error {
    match error {
        SampleError::Solver { .. }
        | SampleError::NotFinite { .. }
        | SampleError::Density { .. } => error.into(),
        setting => usage!("{setting}"),
    }
}
