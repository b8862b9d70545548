//! Samples of a trained model, whatever the sampler.

use std::ops::Range;
use std::sync::Arc;

use anyhow::{Result, anyhow};
use burn::tensor::{Tensor, TensorData};
use flow_kernels::on_pool;
use flow_path::Schedule;
use flow_sample::{Guided, Ode, Predictor, SampleError, Sampler, Seeded, latents, starts};

use crate::exit::usage;
use crate::model::{AnyPredictor, Model};
use crate::registry;
use crate::request::{Request, Way};

/// Samples on the host, row-major, and the network calls for each of them.
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
    /// Lets guidance move away from a weaker model of the same rows, of whatever network.
    ///
    /// It may do without classes or a latent: each model is given what it knows.
    pub(crate) fn guided_by(self, weaker: Self) -> Result<Self> {
        if weaker.shape != self.shape {
            return Err(usage!(
                "--guide-with is a run on other data: its rows have the shape {:?}, those of the \
                 model {:?}",
                weaker.shape,
                self.shape
            ));
        }
        if ![0, self.classes].contains(&weaker.classes) {
            return Err(usage!(
                "--guide-with is a run on other data: it has {} classes, the model {}",
                weaker.classes,
                self.classes
            ));
        }
        let (latent, given) = (weaker.network.latent(), self.network.latent());
        if ![0, given].contains(&latent) {
            return Err(usage!(
                "--guide-with is a run with a latent of {latent} numbers, the model has {given}"
            ));
        }
        Ok(Self { guide: Some(Box::new(weaker)), ..self })
    }

    /// Draws samples.
    pub(crate) fn sample(&self, request: &Request) -> Result<Samples> {
        let mut all = Samples {
            states: vec![Vec::new(); request.times.len()],
            labels: (0 < self.classes).then(Vec::new),
            ..Samples::default()
        };
        self.sample_each(request, |part| {
            all.rows.extend(part.rows);
            for (all, part) in all.states.iter_mut().zip(part.states) {
                all.extend(part);
            }
            let labels = all.labels.iter_mut().zip(part.labels);
            labels.for_each(|(all, part)| all.extend(part));
            all.nfe = part.nfe;
            Ok(())
        })?;
        Ok(all)
    }

    /// Draws samples batch by batch, in their order, and holds no more than a batch: `nfe` is the
    /// mean so far.
    pub(crate) fn sample_each(
        &self,
        request: &Request,
        mut take: impl FnMut(Samples) -> Result<()>,
    ) -> Result<()> {
        let mut calls = 0.0;
        for start in (0..request.n).step_by(request.batch) {
            let range = start..(start + request.batch).min(request.n);
            let (n, end) = (range.len(), range.end);
            let part = on_pool(&self.device, || self.part(request, range))?;
            calls += part.nfe * n as f64;
            take(Samples { nfe: calls / end as f64, ..part })?;
        }
        Ok(())
    }

    /// One batch, with its own network calls.
    fn part(&self, request: &Request, range: Range<usize>) -> Result<Samples> {
        let labels = self.labels(request, range.clone())?;
        let latents = self.latents(request, range.clone());
        let along = request.schedule.map(registry::schedule);
        let with = self.known(labels.as_deref(), latents.clone(), along.as_ref());
        let without = self.without(request, labels.as_deref(), latents, along.as_ref())?;
        let (scale, interval) = (request.guidance, request.interval);
        let part = match (&with, &without) {
            (AnyPredictor::Points(with), None) => self.batch(&**with, request, range),
            (AnyPredictor::Images(with), None) => self.batch(&**with, request, range),
            (AnyPredictor::Points(with), Some(AnyPredictor::Points(without))) => {
                let guided = Guided { with: &**with, without: &**without, scale, interval };
                self.batch::<2>(&guided, request, range)
            }
            (AnyPredictor::Images(with), Some(AnyPredictor::Images(without))) => {
                let guided = Guided { with: &**with, without: &**without, scale, interval };
                self.batch::<4>(&guided, request, range)
            }
            (AnyPredictor::Points(_), Some(AnyPredictor::Images(_)))
            | (AnyPredictor::Images(_), Some(AnyPredictor::Points(_))) => {
                Err(usage!("--guide-with is a run on rows of another shape"))
            }
        }?;
        Ok(Samples { labels, ..part })
    }

    /// What guidance moves away from; nothing without guidance.
    fn without(
        &self,
        request: &Request,
        labels: Option<&[usize]>,
        latents: Option<Tensor<2>>,
        along: Option<&Arc<dyn Schedule>>,
    ) -> Result<Option<AnyPredictor<'_>>> {
        if !request.is_guided() {
            return Ok(None);
        }
        if let Some(guide) = &self.guide {
            let along = along.unwrap_or(&self.schedule);
            return Ok(Some(guide.known(labels, latents, Some(along))));
        }
        let Some(labels) = labels else { return Ok(None) };
        if !self.learned_without_class {
            return Err(usage!(
                "guidance needs path.label_drop above 0 or --guide-with: this model never learned \
                 to do without the class; draw with --guidance 1"
            ));
        }
        let null = vec![self.classes; labels.len()];
        Ok(Some(self.known(Some(&null), latents, along)))
    }

    /// The class of each sample.
    pub(crate) fn labels(
        &self,
        request: &Request,
        range: Range<usize>,
    ) -> Result<Option<Vec<usize>>> {
        match (request.class, self.classes) {
            (None, 0) => Ok(None),
            (Some(_), 0) => Err(usage!("--class is given, but the model knows no classes")),
            (Some(class), classes) if classes <= class => {
                let names = &self.class_names;
                let names = if names.is_empty() { "" } else { &format!(" ({})", names.join(", ")) };
                let last = classes - 1;
                Err(usage!("--class is {class}, the model has the classes 0 to {last}{names}"))
            }
            (Some(class), _) => Ok(Some(vec![class; range.len()])),
            (None, classes) => Ok(Some(range.map(|i| i % classes).collect())),
        }
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

    /// The model as a predictor, told as much of classes and latents as it knows.
    fn known(
        &self,
        labels: Option<&[usize]>,
        latents: Option<Tensor<2>>,
        along: Option<&Arc<dyn Schedule>>,
    ) -> AnyPredictor<'_> {
        let labels = labels.filter(|_| 0 < self.classes);
        let drawn = |_| latents.expect("a model with a latent has drawn some");
        self.predictor(self.condition(labels, drawn), along)
    }

    /// Draws one batch.
    fn batch<const D: usize>(
        &self,
        predictor: &dyn Predictor<D>,
        request: &Request,
        range: Range<usize>,
    ) -> Result<Samples> {
        let first = range.start;
        let noise = Seeded::new(request.seed).starting_at(first);
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
        let rows = host(generated.x)?;
        if let Some(at) = rows.iter().position(|x| !x.is_finite()) {
            let size: usize = self.shape.iter().product();
            return Err(anyhow!(
                "sample {} by {} is {}: nothing is written; other steps may help, unless the \
                 weights themselves are no numbers",
                first + at / size,
                request.label(),
                rows[at]
            ));
        }
        let states = generated.states.into_iter().map(host).collect::<Result<_>>()?;
        Ok(Samples { rows, states, labels: None, nfe: generated.nfe as f64 })
    }
}

/// Settings that cannot work are a usage error; a solve that fails is an ordinary one.
fn refused(error: SampleError) -> anyhow::Error {
    match error {
        SampleError::Solver { .. }
        | SampleError::NotFinite { .. }
        | SampleError::Density { .. } => error.into(),
        setting => usage!("{setting}"),
    }
}
