//! Samples of a model, whatever the sampler.

use std::ops::Range;

use burn::tensor::Tensor;
use flow_kernels::on_pool;
use flow_nn::Condition;
use flow_path::Source;
use flow_sample::{Guided, Interval, Predictor, Sampler, Seeded, Way, latents, starts};

use crate::error::ModelError;
use crate::model::{Model, host};
use crate::request::{Against, Classes, Guidance, SampleRequest, Samples};
use crate::settings::Asked;

impl Model {
    /// The sampler of the model's own settings, and its grid: what is meant by
    /// [`SampleConfig::plan`](crate::SampleConfig::plan) when nothing else is asked for.
    ///
    /// # Errors
    /// When the settings contradict each other.
    pub fn sampler(&self) -> Result<Box<dyn Sampler>, ModelError> {
        Ok(self.config().sample.plan(Asked::default())?.sampler())
    }

    /// A request for samples as the model's own settings draw them: their grid, their guidance.
    ///
    /// # Errors
    /// When the settings contradict each other.
    pub fn request(&self, n: usize, seed: u64) -> Result<SampleRequest<'static>, ModelError> {
        let settings = &self.config().sample;
        let mut request = SampleRequest::new(n, seed);
        if let Some(grid) = settings.plan(Asked::default())?.grid() {
            request.grid = grid.clone();
        }
        request.along = settings.schedule.map(|schedule| schedule.build());
        let [start, end] = settings.guidance_interval;
        if settings.is_guided() && self.config().learned_without {
            request.guidance = Some(Guidance {
                scale: settings.guidance,
                interval: Interval { start, end },
                against: Against::Unconditional,
            });
        }
        Ok(request)
    }

    /// Draws samples.
    ///
    /// # Errors
    /// When the request does not fit the model, a solve fails, or a sample is not made of finite
    /// numbers.
    pub fn sample(
        &self,
        request: &SampleRequest<'_>,
        sampler: &dyn Sampler,
    ) -> Result<Samples, ModelError> {
        let mut all = Samples {
            states: vec![Vec::new(); request.keep.len()],
            classes: (0 < self.signature().classes).then(Vec::new),
            ..Samples::default()
        };
        self.sample_each(request, sampler, |part| {
            all.rows.extend(part.rows);
            for (all, part) in all.states.iter_mut().zip(part.states) {
                all.extend(part);
            }
            let classes = all.classes.iter_mut().zip(part.classes);
            classes.for_each(|(all, part)| all.extend(part));
            all.nfe = part.nfe;
            Ok::<(), ModelError>(())
        })?;
        Ok(all)
    }

    /// Draws samples batch by batch, in their order, and holds no more than a batch; their `nfe` is
    /// the mean so far.
    ///
    /// # Errors
    /// As for [`sample`](Self::sample), and what `take` returns.
    pub fn sample_each<E: From<ModelError>>(
        &self,
        request: &SampleRequest<'_>,
        sampler: &dyn Sampler,
        mut take: impl FnMut(Samples) -> Result<(), E>,
    ) -> Result<(), E> {
        self.check(request)?;
        let mut calls = 0.0;
        for start in (0..request.n).step_by(request.batch.max(1)) {
            let range = start..(start + request.batch.max(1)).min(request.n);
            let (n, end) = (range.len(), range.end);
            let part = on_pool(&self.device, || self.part(request, sampler, range))?;
            calls += part.nfe * n as f64;
            take(Samples { nfe: calls / end as f64, ..part })?;
        }
        Ok(())
    }

    /// The classes of some samples; none for a model that knows none.
    ///
    /// # Errors
    /// When the model has no such class, or none at all and one is asked for.
    pub fn classes_of(
        &self,
        classes: &Classes,
        range: Range<usize>,
    ) -> Result<Option<Vec<usize>>, ModelError> {
        let known = self.signature().classes;
        let asked = match classes {
            Classes::InTurn if known == 0 => return Ok(None),
            _ if known == 0 => return Err(ModelError::NoClasses),
            Classes::InTurn => range.map(|i| i % known).collect(),
            Classes::All(class) => vec![*class; range.len()],
            Classes::Each(each) => each[range].to_vec(),
        };
        match asked.iter().find(|class| known <= **class) {
            None => Ok(Some(asked)),
            Some(&class) => {
                let names = self.class_names().join(", ");
                let names = if names.is_empty() { names } else { format!(" ({names})") };
                Err(ModelError::NoSuchClass { class, last: known - 1, names })
            }
        }
    }

    /// Refuses a request that does not fit.
    pub(crate) fn check(&self, request: &SampleRequest<'_>) -> Result<(), ModelError> {
        let signature = self.signature();
        let context =
            if signature.context.is_empty() { 0 } else { signature.context.iter().product() };
        let rows = |what, given: Option<&Vec<f32>>, size: usize, needed: bool| match given {
            Some(_) if size == 0 => Err(ModelError::NotAsked { what }),
            None if needed && 0 < size => Err(ModelError::Missing { what, size }),
            Some(given) if given.len() != size * request.n => {
                Err(ModelError::Rows { what, n: request.n, size, got: given.len() })
            }
            _ => Ok(()),
        };
        rows("condition vector", request.vectors.as_ref(), signature.vector, true)?;
        rows("conditioning row", request.contexts.as_ref(), context, true)?;
        let from_data = matches!(self.source, Source::Given);
        rows("start", request.starts.as_ref(), signature.size(), from_data)?;
        rows("latent", request.latents.as_ref(), signature.latent, false)?;
        if let Classes::Each(each) = &request.classes
            && each.len() != request.n
        {
            let (n, got) = (request.n, each.len());
            return Err(ModelError::Rows { what: "class", n, size: 1, got });
        }
        match &request.guidance {
            Some(Guidance { against: Against::Model(weaker), .. }) => self.check_guide(weaker),
            Some(Guidance { against: Against::Unconditional, .. })
                if !self.config().learned_without =>
            {
                Err(ModelError::NotLearnedWithout)
            }
            _ => Ok(()),
        }
    }

    /// Refuses a guide of other rows, or that needs to know what this model does not.
    ///
    /// # Errors
    /// With what differs.
    pub fn check_guide(&self, weaker: &Self) -> Result<(), ModelError> {
        let (own, other) = (self.signature(), weaker.signature());
        if own.shape != other.shape {
            let (expected, got) = (own.shape.clone(), other.shape.clone());
            return Err(ModelError::GuideRows { expected, got });
        }
        for (what, expected, got) in [
            ("classes", own.classes, other.classes),
            ("numbers in a condition vector", own.vector, other.vector),
            ("numbers in a conditioning row", size(&own.context), size(&other.context)),
            ("numbers in a latent", own.latent, other.latent),
        ] {
            if ![0, expected].contains(&got) {
                return Err(ModelError::GuideCondition { what, expected, got });
            }
        }
        Ok(())
    }

    /// One batch, with its own network calls.
    fn part(
        &self,
        request: &SampleRequest<'_>,
        sampler: &dyn Sampler,
        range: Range<usize>,
    ) -> Result<Samples, ModelError> {
        self.asked(request, range.clone(), |predictor| {
            self.batch(predictor, request, sampler, range)
        })
    }

    /// What `draw` makes of the predictor of some samples: guided, and told all that is known.
    pub(crate) fn asked(
        &self,
        request: &SampleRequest<'_>,
        range: Range<usize>,
        draw: impl FnOnce(&dyn Predictor) -> Result<Samples, ModelError>,
    ) -> Result<Samples, ModelError> {
        let classes = self.classes_of(&request.classes, range.clone())?;
        let condition = self.condition_of(request, classes.as_deref(), range);
        let along = request.along.as_ref();
        let with = self.predictor_along(condition.clone(), along);
        let (guided, without);
        let predictor: &dyn Predictor = match &request.guidance {
            None => &*with,
            Some(Guidance { scale, interval, against }) => {
                without = match against {
                    Against::Unconditional => {
                        self.predictor_along(condition.hide(self.signature()), along)
                    }
                    Against::Model(weaker) => {
                        weaker.predictor_along(condition, along.or(Some(&self.schedule)))
                    }
                };
                guided =
                    Guided { with: &*with, without: &*without, scale: *scale, interval: *interval };
                &guided
            }
        };
        Ok(Samples { classes, ..draw(predictor)? })
    }

    /// All that is known of some samples.
    fn condition_of(
        &self,
        request: &SampleRequest<'_>,
        classes: Option<&[usize]>,
        range: Range<usize>,
    ) -> Condition {
        let signature = self.signature();
        let rows = |all: &[f32], size: usize| {
            self.tensor(&all[range.start * size..range.end * size], size)
        };
        let mut condition = classes
            .map_or_else(Condition::none, |classes| Condition::classes(classes, &self.device));
        if let Some(vectors) = &request.vectors {
            condition = condition.with_vector(rows(vectors, signature.vector));
        }
        if let Some(contexts) = &request.contexts {
            condition = condition.with_context(rows(contexts, size(&signature.context)));
        }
        match (signature.latent, &request.latents) {
            (0, _) => condition,
            (size, Some(given)) => condition.with_latent(rows(given, size)),
            (size, None) => {
                condition.with_latent(latents(request.seed, range.clone(), size, &self.device))
            }
        }
    }

    /// Draws one batch.
    fn batch(
        &self,
        predictor: &dyn Predictor,
        request: &SampleRequest<'_>,
        sampler: &dyn Sampler,
        range: Range<usize>,
    ) -> Result<Samples, ModelError> {
        let (first, size) = (range.start, self.signature().size());
        let noise = Seeded::new(request.seed).starting_at(first);
        let x0: Tensor<2> = match &request.starts {
            Some(rows) => self.tensor(&rows[range.start * size..range.end * size], size),
            None => starts(request.seed, range, size, &self.source, predictor, &self.device),
        };
        let way = Way::along(request.grid.clone()).with_noise(&noise).keeping(&request.keep);
        let generated = sampler.sample(predictor, x0, &way)?;
        let rows = host(generated.x);
        if let Some(at) = rows.iter().position(|x| !x.is_finite()) {
            return Err(ModelError::NotFinite { sample: first + at / size, value: rows[at] });
        }
        let states = generated.states.into_iter().map(host).collect();
        Ok(Samples { rows, states, classes: None, nfe: generated.nfe as f64 })
    }
}

/// Numbers in a row of this shape, none in one without sides.
fn size(shape: &[usize]) -> usize {
    if shape.is_empty() { 0 } else { shape.iter().product() }
}
